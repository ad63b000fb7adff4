/*
 * What the files of the live part share: a worker's part, its users and
 * rooms, a session and what its door does for it.
 */

#ifndef _NGX_MENTARA_LIVE_TYPES_H_INCLUDED_
#define _NGX_MENTARA_LIVE_TYPES_H_INCLUDED_


#include <ngx_mentara.h>
#include <ngx_mentara_log.h>
#include <ngx_mentara_pg.h>
#include <ngx_mentara_recover.h>
#include <ngx_mentara_slots.h>
#include <ngx_mentara_uuid_tree.h>


#define NGX_MENTARA_SERVER_KEY  32     /* octets */


typedef struct ngx_mentara_live_s     ngx_mentara_live_t;
typedef struct ngx_mentara_session_s  ngx_mentara_session_t;
typedef struct ngx_mentara_sweep_s    ngx_mentara_sweep_t;


/* what the directives in http say */
typedef struct {
    ngx_msec_t               typing_timeout;   /* ms */
    ngx_msec_t               presence_grace;   /* ms */
    time_t                   recovery;         /* s */
    ngx_msec_t               drain;            /* ms */
} ngx_mentara_live_conf_t;


typedef void (*ngx_mentara_woken_pt)(void *data);


struct ngx_mentara_live_s {
    ngx_cycle_t              *cycle;
    ngx_log_t                *logger;
    ngx_mentara_live_conf_t  *conf;
    ngx_mentara_zone_t       *zone;
    ngx_mentara_pg_t         *pg;

    ngx_mentara_log_t         log;
    ngx_int_t                 slot;          /* of this worker, -1: none */
    int                      *fds;           /* eventfds by slot */
    ngx_connection_t         *wake;          /* the own one */
    ngx_mentara_woken_pt      woken;         /* others wait for it, too */
    void                     *woken_data;
    ngx_event_t               tick;
    ngx_event_t               turn;          /* there is more to read */
    ngx_uint_t                ticks;

    ngx_mentara_reader_t      reader;        /* of all live sessions */
    ngx_mentara_reader_t      scratch;       /* of one that catches up */
    ngx_mentara_reader_t      single;        /* of an entry that is sought */
    ngx_mentara_sweep_t      *sweep;

    ngx_rbtree_t              users;         /* of ngx_mentara_user_t */
    ngx_rbtree_node_t         users_nil;
    ngx_rbtree_t              rooms;         /* of ngx_mentara_room_t */
    ngx_rbtree_node_t         rooms_nil;
    ngx_queue_t               sessions;      /* all of this worker */
    ngx_uint_t                nsessions;
    ngx_queue_t               waiting;       /* those that cannot start yet */
    ngx_queue_t               dead;          /* those to free after this turn */
    ngx_uint_t                busy;          /* an entry is being told */
    ngx_queue_t               delivered;     /* records with a new mark */

    u_char                    key[NGX_MENTARA_SERVER_KEY];
    uint32_t                  tag;           /* of the database's log id */

    unsigned                  keyed:1;       /* key is there */
    unsigned                  asking:1;      /* for it */
    unsigned                  checking:1;    /* accounts */
    unsigned                  marking:1;     /* deliveries */
    unsigned                  seated:1;      /* reader is at a position */
};


#define NGX_MENTARA_FOREVER  ((uint64_t) -1)


/* somebody with whom a block stands */
typedef struct {
    ngx_queue_t               queue;
    ngx_str_t                 id;
    unsigned                  by:1;        /* the user blocks them */
    unsigned                  of:1;        /* they block the user */
    unsigned                  told:1;      /* known from an event, which is
                                              newer than any answer */
} ngx_mentara_peer_t;


typedef struct {
    ngx_str_node_t            sn;          /* sn.str: the user id */
    ngx_queue_t               sessions;
    ngx_uint_t                n;           /* of them */
    ngx_str_t                 role;        /* static */
    ngx_queue_t               peers;
    unsigned                  loaded:1;    /* peers and role are */
} ngx_mentara_user_t;


typedef struct {
    ngx_mentara_uuid_node_t   un;          /* un.id: the conversation */
    ngx_queue_t               records;
} ngx_mentara_room_t;


/* that a session belongs to a conversation, from one event to another */
typedef struct {
    ngx_queue_t               in_room;
    ngx_mentara_session_t    *session;
    uint64_t                  next;        /* event_seq: below is written */
    uint64_t                  to;          /* the last one that may be */
    uint64_t                  visible;     /* seq of the first message */
    unsigned                  shared:1;    /* a conversation, no personal
                                              stream */
    unsigned                  joined:1;    /* gets what is ephemeral */
    unsigned                  marked:1;    /* in live->delivered */
    unsigned                  stale:1;     /* about to be replaced */
    uint64_t                  delivered;   /* seq of the newest one written */
    ngx_mentara_room_t       *room;
    ngx_queue_t               in_session;
    ngx_queue_t               in_delivered;
} ngx_mentara_record_t;


#define NGX_MENTARA_DOORS       2       /* kinds of frames, see below */
#define NGX_MENTARA_PATIENCE    5000    /* ms that a start may wait */
#define NGX_MENTARA_REPLAY      100     /* events of one page */
#define NGX_MENTARA_LOW_WATER   32768   /* unsent octets while catching up */


/* why a session ended, or could not start */
typedef enum {
    NGX_MENTARA_END_RESTART = 1,   /* come back at once: 1012 */
    NGX_MENTARA_END_AGAIN,         /* come back later: 1013 */
    NGX_MENTARA_END_CROWDED,       /* too many sockets of the user */
    NGX_MENTARA_END_INACTIVE,      /* user unknown or not active: stay away */
    NGX_MENTARA_END_LOGOUT,        /* the token's session ended: stay away */
    NGX_MENTARA_END_EXPIRED        /* come back with a fresh token */
} ngx_mentara_end_e;


/* one event on its way to many sockets; a frame is made once per door */
typedef struct {
    ngx_str_t                 name;
    ngx_str_t                 body;      /* JSON of `data` */
    ngx_str_t                 offset;    /* empty: none */
    void                     *frames[NGX_MENTARA_DOORS];
    void                    (*release[NGX_MENTARA_DOORS])(void *frame);
} ngx_mentara_outgoing_t;


/* what a front door does for a session; s->data is the door's */
typedef struct {
    /*
     * It may start: recovered tells whether the client's position counts;
     * pid: what it brings back (empty if recovery failed for lack of one).
     * Events follow, then `connected`.
     */
    void (*accepted)(ngx_mentara_session_t *s, ngx_str_t *pid,
        ngx_uint_t recovered);

    /* writes an event */
    void (*event)(ngx_mentara_session_t *s, ngx_mentara_outgoing_t *o);

    /* unsent octets */
    size_t (*pending)(ngx_mentara_session_t *s);

    /* ngx_mentara_session_drained() when all has left */
    void (*notify)(ngx_mentara_session_t *s);

    /* it has been told who is there, and so all of its start */
    void (*greeted)(ngx_mentara_session_t *s);

    /*
     * The last call: s is freed after it.  why: NGX_MENTARA_END_...; not
     * called after ngx_mentara_session_close().
     */
    void (*ended)(ngx_mentara_session_t *s, ngx_uint_t why);
} ngx_mentara_door_t;


/* what a client brings back; empty strings: nothing */
typedef struct {
    ngx_str_t                 pid;
    ngx_str_t                 offset;
    unsigned                  quiet:1;     /* it never went: it is told
                                              nothing of its session */
    unsigned                  untold:1;    /* quiet, but for `connected`, */
    unsigned                  recovered:1; /* which says this */
    unsigned                  ungreeted:1; /* and for who is there */
} ngx_mentara_return_t;


typedef struct ngx_mentara_attach_s  ngx_mentara_attach_t;


struct ngx_mentara_session_s {

    /* what each event needs comes first, in one line of the cache */

    ngx_mentara_user_t        *user;
    const ngx_mentara_door_t  *door;
    void                      *data;
    uint64_t                   told;       /* position of the newest event */

    unsigned                   accepted:1; /* its door was told so */
    unsigned                   on:1;       /* live: told by the worker */
    unsigned                   waits:1;    /* in live->waiting */
    unsigned                   present:1;  /* counted as a device */
    unsigned                   deaf:1;     /* its transport takes no more */
    unsigned                   ending:1;

    ngx_mentara_live_t        *live;
    ngx_mentara_attach_t      *attach;     /* until it knows all */
    void                     (*detach)(ngx_mentara_attach_t *attach);

    ngx_queue_t                in_user;
    ngx_queue_t                in_live;
    ngx_queue_t                in_waiting;
    ngx_queue_t                in_dead;
    ngx_queue_t                records;

    ngx_str_t                  sid;        /* of the token, or empty */
    time_t                     expires;    /* s */
    uint64_t                   cursor;     /* while catching up */
    uint64_t                   epoch;
};


#endif /* _NGX_MENTARA_LIVE_TYPES_H_INCLUDED_ */
