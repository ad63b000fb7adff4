/*
 * What one worker has of the live part: its sessions, the rooms and users
 * they belong to, its place in the log, its sweep (docs/architecture.md,
 * "Life of an event").
 */

#ifndef _NGX_MENTARA_LIVE_H_INCLUDED_
#define _NGX_MENTARA_LIVE_H_INCLUDED_


#include <ngx_mentara.h>
#include <ngx_mentara_log.h>
#include <ngx_mentara_event.h>
#include <ngx_mentara_pg.h>
#include <ngx_mentara_slots.h>


#define NGX_MENTARA_TICK        250    /* ms: a look without a wake */
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


/*
 * The eventfds of all slots, made once in the master, for as long as it
 * lives, so that every worker has every one of them.  NULL: no memory.
 */
int *ngx_mentara_live_fds(ngx_log_t *log);

/* init_process; NULL: out of memory, logged */
ngx_mentara_live_t *ngx_mentara_live_create(ngx_cycle_t *cycle,
    ngx_mentara_live_conf_t *conf, ngx_mentara_zone_t *zone,
    ngx_mentara_pg_t *pg, int *fds);

/*
 * Whether a session could start now.  NGX_AGAIN: the database is away; of a
 * worker that is new that is not said, a session waits for it.
 */
ngx_int_t ngx_mentara_live_ready(ngx_mentara_live_t *live);

/* the slot for what is counted by it, also when there was none */
ngx_uint_t ngx_mentara_slot_number(ngx_mentara_live_t *live);

/* exit_process */
void ngx_mentara_live_close(ngx_mentara_live_t *live);

/* what was committed, into the log; the publish callback of an op */
void ngx_mentara_live_publish(void *data, ngx_mentara_event_t *events,
    ngx_uint_t n, ngx_log_t *log);

/* an event as an entry of the log */
void ngx_mentara_live_entry(ngx_mentara_event_t *ev, ngx_mentara_entry_t *e);

/*
 * Appends an entry and wakes who must read it; NGX_OK or what
 * ngx_mentara_log_append() says.
 */
ngx_int_t ngx_mentara_live_append(ngx_mentara_live_t *live,
    ngx_mentara_entry_t *e);

/* wakes the workers that an append has marked */
void ngx_mentara_live_wake(ngx_mentara_live_t *live,
    ngx_mentara_targets_t *t);


#endif /* _NGX_MENTARA_LIVE_H_INCLUDED_ */
