/*
 * The log of this host: a ring of events in the shared zone, in the one
 * order that all workers read (docs/architecture.md, "Life of an event").
 *
 * Pure shared memory: no event loop, no database.  Everything changes under
 * the zone's lock, in an order that makes it whole at every instruction: a
 * process may die anywhere.
 */

#ifndef _NGX_MENTARA_LOG_H_INCLUDED_
#define _NGX_MENTARA_LOG_H_INCLUDED_


#include <ngx_mentara.h>
#include <ngx_mentara_slots.h>
#include <ngx_mentara_snapshot.h>
#include <ngx_mentara_zone.h>


#define NGX_MENTARA_LOG_TURN   262144    /* bytes a reader copies at most */
#define NGX_MENTARA_LOG_BATCH  64        /* events appended under one lock */
#define NGX_MENTARA_SWEEP_OLD  5000      /* ms after which a sweep is taken
                                            over */

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

/* names on the wire */
extern ngx_str_t  ngx_mentara_event_names[];

/* kind of a name, or NGX_DECLINED */
ngx_int_t ngx_mentara_event_kind(ngx_str_t *name);


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


/* a conversation with events that are not seen by the last snapshot */
typedef struct {
    ngx_mentara_uuid_t       conversation;
    uint64_t                 min;           /* event_seq, newly visible */
    uint64_t                 max;
    uint64_t                 last;          /* out: read what is beyond */
    ngx_uint_t               lag;           /* out: something is missing */
} ngx_mentara_lag_t;


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


/* a cursor with a buffer of its own */
typedef struct {
    uint64_t                 epoch;
    uint64_t                 cursor;        /* read up to here */
    uint64_t                 floor;         /* when cursor was the head */
    u_char                  *buf;
    size_t                   size;
    u_char                  *pos;           /* of the next copied entry */
    u_char                  *last;
} ngx_mentara_reader_t;


/* what a sweep starts from */
typedef struct {
    uint64_t                 no;
    ngx_uint_t               open;          /* 0: only a snapshot is wanted */
    ngx_mentara_snapshot_t   from;          /* valid if open */
} ngx_mentara_sweep_from_t;


/* makes the view of a mapped zone, and an epoch for a new one */
void ngx_mentara_log_init(ngx_mentara_log_t *log, ngx_mentara_zone_t *zone);

/*
 * Appends an event if it is the next of its conversation.  NGX_OK: it is in;
 * NGX_DECLINED: it was; NGX_AGAIN: it is early, or its conversation is not
 * known here: start a sweep; NGX_BUSY: the log is not open yet, a sweep will
 * bring what is needed.  Workers to wake are added to t.
 */
ngx_int_t ngx_mentara_log_append(ngx_mentara_log_t *log,
    ngx_mentara_entry_t *e, ngx_mentara_targets_t *t);

/*
 * Copies what is beyond the cursor, at most the size of the buffer, and
 * clears the worker's signalled mark (slot: NULL for none).  upto: last
 * position wanted, 0: the head.  NGX_OK: all is copied; NGX_AGAIN: there is
 * more; NGX_ABORT: overtaken, nothing was copied; NGX_DECLINED: the epoch is
 * another one, or the log is not open.
 */
ngx_int_t ngx_mentara_log_read(ngx_mentara_log_t *log,
    ngx_mentara_reader_t *r, uint64_t upto, ngx_mentara_slot_t *slot);

/*
 * The next copied entry; its strings point into the reader's buffer.
 * NGX_OK, or NGX_DONE when there are no more.
 */
ngx_int_t ngx_mentara_log_next(ngx_mentara_reader_t *r,
    ngx_mentara_entry_t *e);

/* bytes that a reader's buffer needs */
size_t ngx_mentara_log_buffer(ngx_mentara_log_t *log);

/*
 * Puts a reader at the head.  NGX_OK, or NGX_DECLINED: the log is not open.
 */
ngx_int_t ngx_mentara_log_seek(ngx_mentara_log_t *log,
    ngx_mentara_reader_t *r);

/* whether all behind this position can still be read; takes the lock */
ngx_uint_t ngx_mentara_log_holds(ngx_mentara_log_t *log, uint64_t epoch,
    uint64_t position);

/*
 * The role of the sweeper: one process at a time, unless it has died or
 * takes too long.  now: monotonic ms.  NGX_OK: from tells where to start;
 * NGX_BUSY: somebody else sweeps.
 */
ngx_int_t ngx_mentara_log_sweep(ngx_mentara_log_t *log, ngx_pid_t pid,
    uint64_t now, ngx_mentara_sweep_from_t *from);

/*
 * Marks which conversations lag behind.  NGX_OK, or NGX_ABORT: another
 * snapshot is in force, this sweep is void.
 */
ngx_int_t ngx_mentara_log_compare(ngx_mentara_log_t *log, uint64_t no,
    ngx_mentara_lag_t *rows, ngx_uint_t n);

/*
 * Appends swept events in order, at most NGX_MENTARA_LOG_BATCH of them;
 * those that are in are skipped.  NGX_OK: added gets how many were new.
 * NGX_ABORT as above; NGX_ERROR: no room for a conversation can be made.
 */
ngx_int_t ngx_mentara_log_sweep_append(ngx_mentara_log_t *log, uint64_t no,
    ngx_mentara_entry_t *events, ngx_uint_t n, ngx_uint_t *added,
    ngx_mentara_targets_t *t);

/*
 * Installs the snapshot of a finished sweep if nothing lags.  The first one
 * opens the log.  NGX_OK; NGX_ABORT as above; NGX_AGAIN: something is still
 * missing, the next sweep brings it.
 */
ngx_int_t ngx_mentara_log_install(ngx_mentara_log_t *log, uint64_t no,
    ngx_mentara_snapshot_t *s, ngx_mentara_lag_t *rows, ngx_uint_t n,
    uint64_t now);

/* ends the role; returns 1 if a sweep was asked for meanwhile */
ngx_uint_t ngx_mentara_log_sweep_end(ngx_mentara_log_t *log, ngx_pid_t pid);

/*
 * Begins anew: the log is closed until a snapshot is installed.  no: the
 * snapshot that the caller judged by; nothing happens if it is not in force.
 */
void ngx_mentara_log_new_epoch(ngx_mentara_log_t *log, uint64_t no,
    ngx_mentara_targets_t *t);

/* for metrics, without the lock */
typedef struct {
    uint64_t                 entries;       /* readable now */
    uint64_t                 evicted;
    uint64_t                 floor;
    uint64_t                 floor_age;     /* ms, 0: nothing holds it back */
    ngx_uint_t               open;
} ngx_mentara_log_stat_t;

void ngx_mentara_log_stat(ngx_mentara_log_t *log, uint64_t now,
    ngx_mentara_log_stat_t *st);


#endif /* _NGX_MENTARA_LOG_H_INCLUDED_ */
