/*
 * One client's connection as the live part sees it, whatever the transport:
 * it starts somewhere in the order of events, catches up, and is then told
 * everything that concerns its user.
 */

#ifndef _NGX_MENTARA_SESSION_H_INCLUDED_
#define _NGX_MENTARA_SESSION_H_INCLUDED_


#include <ngx_mentara_live.h>
#include <ngx_mentara_recover.h>
#include <ngx_mentara_room.h>


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
} ngx_mentara_return_t;


typedef struct ngx_mentara_attach_s  ngx_mentara_attach_t;


struct ngx_mentara_session_s {
    ngx_mentara_live_t        *live;
    ngx_mentara_user_t        *user;
    const ngx_mentara_door_t  *door;
    void                      *data;
    ngx_mentara_attach_t      *attach;     /* until it is live */

    ngx_queue_t                in_user;
    ngx_queue_t                in_live;
    ngx_queue_t                in_waiting;
    ngx_queue_t                in_dead;
    ngx_queue_t                records;

    ngx_str_t                  sid;        /* of the token, or empty */
    time_t                     expires;    /* s */
    uint64_t                   cursor;     /* while catching up */
    uint64_t                   epoch;
    uint64_t                   told;       /* position of the newest event */

    unsigned                   on:1;       /* live: told by the worker */
    unsigned                   waits:1;    /* in live->waiting */
    unsigned                   present:1;  /* counted as a device */
    unsigned                   first:1;    /* of its user, when it came */
    unsigned                   ending:1;
};


/*
 * A session for a verified user.  sid: of the token, or empty; both are
 * copied.  expires: when it ends unless renewed.  NULL: no memory.
 */
ngx_mentara_session_t *ngx_mentara_session_create(ngx_mentara_live_t *live,
    const ngx_mentara_door_t *door, void *data, ngx_str_t *user,
    ngx_str_t *sid, time_t expires);

/*
 * Starts it: door->accepted or door->ended follows, not from inside this
 * call.  most: sockets that a user may have.  token: time of the last valid
 * token, for a new pid.  NGX_ERROR: no memory; close it.
 */
ngx_int_t ngx_mentara_session_attach(ngx_mentara_session_t *s,
    ngx_mentara_return_t *back, ngx_uint_t most, time_t token);

/* the client has gone, or its door closes it: frees the session */
void ngx_mentara_session_close(ngx_mentara_session_t *s);

/* the live part ends it: door->ended, then it is freed */
void ngx_mentara_session_end(ngx_mentara_session_t *s, ngx_uint_t why);

/* answer to door->notify */
void ngx_mentara_session_drained(ngx_mentara_session_t *s);

/* starts those that wait, once the log is open and the key is there */
void ngx_mentara_session_resume(ngx_mentara_live_t *live);

/* frees those that ended while an entry was being told */
void ngx_mentara_session_bury(ngx_mentara_live_t *live);

/* the log was lost: one that was not accepted yet starts again, others end */
void ngx_mentara_session_again(ngx_mentara_session_t *s);

/* writes one event to one session */
void ngx_mentara_session_tell(ngx_mentara_session_t *s, ngx_str_t *name,
    ngx_str_t *body, ngx_str_t *offset);

/* frees the frames of an event */
void ngx_mentara_outgoing_done(ngx_mentara_outgoing_t *o);


#endif /* _NGX_MENTARA_SESSION_H_INCLUDED_ */
