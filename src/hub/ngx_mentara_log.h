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


#include <ngx_mentara_log_types.h>
#include <ngx_mentara_ring.h>


#define NGX_MENTARA_LOG_BATCH  64        /* events appended under one lock */
#define NGX_MENTARA_SWEEP_OLD  5000      /* ms after which a sweep is taken
                                            over */


/* names on the wire */
extern ngx_str_t  ngx_mentara_event_names[];

/* kind of a name, or NGX_DECLINED */
ngx_int_t ngx_mentara_event_kind(ngx_str_t *name);


/* a conversation with events that are not seen by the last snapshot */
typedef struct {
    ngx_mentara_uuid_t       conversation;
    uint64_t                 min;           /* event_seq, newly visible */
    uint64_t                 max;
    uint64_t                 last;          /* out: read what is beyond */
    ngx_uint_t               lag;           /* out: something is missing */
} ngx_mentara_lag_t;


/* an event that the database is known to hold */
typedef struct {
    ngx_mentara_uuid_t       conversation;
    uint64_t                 event_seq;
    uint64_t                 xid;           /* of it or a later one there */
} ngx_mentara_due_t;


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
 * NGX_ABORT as above; NGX_DECLINED: no room for a conversation can be made.
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

/*
 * Of rows, keeps those whose event has not been appended yet, sets n to their
 * number and asks for a sweep if there are any.  Returns the newest position:
 * what is no longer among them is at or before it, or older than the log.
 */
uint64_t ngx_mentara_log_due(ngx_mentara_log_t *log, ngx_mentara_due_t *rows,
    ngx_uint_t *n);

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
