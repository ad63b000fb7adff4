/*
 * The log in the shared zone, as its parts know it: an event, what lies in
 * the zone, and one process's view of that.
 */

#ifndef _NGX_MENTARA_LOG_TYPES_H_INCLUDED_
#define _NGX_MENTARA_LOG_TYPES_H_INCLUDED_


#include <ngx_mentara.h>
#include <ngx_mentara_slots.h>
#include <ngx_mentara_snapshot.h>
#include <ngx_mentara_zone.h>


/* ngx_mentara_entry_t.flags */
#define NGX_MENTARA_EVENT_JOIN   1
#define NGX_MENTARA_EVENT_LEAVE  2
#define NGX_MENTARA_EVENT_STAFF  4       /* also to all connected staff */
#define NGX_MENTARA_EVENT_BIG    8       /* too large for the zone: no body,
                                            the database has it */


/* durable kinds first; the order of ngx_mentara_event_names */
typedef enum {
    NGX_MENTARA_EVENT_NEW_MESSAGE = 0,
    NGX_MENTARA_EVENT_MESSAGE_UPDATED,
    NGX_MENTARA_EVENT_MESSAGE_READ,
    NGX_MENTARA_EVENT_MESSAGE_REACTION,
    NGX_MENTARA_EVENT_CONVERSATION_CREATED,
    NGX_MENTARA_EVENT_CONVERSATION_UPDATED,
    NGX_MENTARA_EVENT_PARTICIPANT_ADDED,
    NGX_MENTARA_EVENT_PARTICIPANT_UPDATED,
    NGX_MENTARA_EVENT_PARTICIPANT_REMOVED,
    NGX_MENTARA_EVENT_USER_BLOCKED,
    NGX_MENTARA_EVENT_USER_UNBLOCKED,
    NGX_MENTARA_EVENT_MESSAGE_DELIVERED,
    NGX_MENTARA_EVENT_TYPING,
    NGX_MENTARA_EVENT_STATUS,
    NGX_MENTARA_EVENT_USER_JOINED,
    NGX_MENTARA_EVENT_USER_LEFT,
    NGX_MENTARA_EVENT_CONTROL,           /* for the sessions of a user, not
                                            for a client */
    NGX_MENTARA_EVENT_N
} ngx_mentara_event_kind_e;


/*
 * One event.  With event_seq 0 it is ephemeral: no offset, no order with the
 * durable ones, lost with the ring.  Ephemeral ones with an all-zero
 * conversation go to the users in `only`, wherever they are.
 */
typedef struct {
    uint64_t                 position;      /* from reading only */
    uint64_t                 floor;         /* likewise */
    ngx_mentara_uuid_t       conversation;
    uint64_t                 event_seq;
    uint64_t                 xid;
    uint64_t                 msg_seq;       /* of the message that it is
                                               about, 0: none.  With JOIN: the
                                               first message that who joins
                                               may see, 0: all */
    uint64_t                 id;            /* messaging.events.id: of events
                                               read from the database only */
    ngx_uint_t               kind;          /* NGX_MENTARA_EVENT_... */
    ngx_uint_t               flags;
    ngx_str_t                actor;
    ngx_str_t                subjects;      /* user ids joined by newline */
    ngx_str_t                hidden;        /* must not get it, likewise */
    ngx_str_t                only;          /* alone get it; empty: all */
    ngx_str_t                body;          /* JSON of `data` */

    void                    *data;          /* of who delivers: 0 at first */
} ngx_mentara_entry_t;


/* an entry of the ring, 64 bytes */
typedef struct {
    uint64_t                 position;
    ngx_mentara_uuid_t       conversation;
    uint64_t                 event_seq;
    uint64_t                 xid;
    uint64_t                 floor;
    uint64_t                 body;          /* offset in the stream of bytes */
    uint32_t                 body_len;
    uint16_t                 kind;
    uint16_t                 flags;
} ngx_mentara_ring_t;


/* what the log knows of a conversation, 48 bytes */
typedef struct {
    ngx_mentara_uuid_t       conversation;
    uint64_t                 last;          /* event_seq */
    uint64_t                 last_xid;
    uint64_t                 max_xid;
    uint32_t                 next;          /* index + 1 in its chain */
    uint32_t                 used;          /* since the hand passed */
} ngx_mentara_place_t;


typedef struct {
    uint64_t                 epoch;         /* random, 0: not made yet */
    uint64_t                 head;          /* newest position */
    uint64_t                 applied;       /* newest known to the rooms */
    uint64_t                 tail;          /* oldest readable - 1 */
    uint64_t                 body_head;
    uint64_t                 snapshot_no;   /* its last bit: which one counts */
    uint64_t                 open;          /* a snapshot is installed */
    uint64_t                 hand;          /* of the clock of eviction */
    uint64_t                 evicted;
    uint64_t                 floor_since;   /* ms: when it last rose */
    uint64_t                 sweep_wanted;
    uint64_t                 sweeper;       /* pid, 0: nobody */
    uint64_t                 sweep_started; /* ms */
    ngx_mentara_snapshot_t   snapshots[2];
} ngx_mentara_log_head_t;


/* one process's view of it */
typedef struct {
    ngx_mentara_zone_t      *zone;
    ngx_mentara_log_head_t  *head;
    ngx_mentara_ring_t      *ring;
    ngx_uint_t               nring;
    u_char                  *bodies;
    size_t                   size;          /* of bodies */
    size_t                   body_max;
    ngx_mentara_place_t     *places;
    uint32_t                *chains;
    ngx_uint_t               nplaces;
} ngx_mentara_log_t;


#endif /* _NGX_MENTARA_LOG_TYPES_H_INCLUDED_ */
