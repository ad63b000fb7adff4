/*
 * Postgres for one worker: a pool of non-blocking libpq connections in
 * pipeline mode, a bounded queue and the life of one query.
 *
 * Nothing here knows what a query means: the caller names a statement of
 * ngx_mentara_statements.h, binds text parameters, and is called back
 * exactly once.
 */

#ifndef _NGX_MENTARA_PG_H_INCLUDED_
#define _NGX_MENTARA_PG_H_INCLUDED_


#include <ngx_mentara_pg_query.h>


/*
 * Checks a conninfo at configuration time: parsable by PQconninfoParse(),
 * no host name that libpq would have to resolve (hostaddr or a socket
 * folder; a host name is resolved here, once, at start), and completes it.
 * Returns NGX_CONF_OK or an error text that names the fault.
 */
char *ngx_mentara_pg_conf_check(ngx_conf_t *cf, ngx_mentara_pg_conf_t *conf);

/*
 * Makes the worker's pool and starts to connect.  cycle->pool is used; the
 * connections are closed by ngx_mentara_pg_close().  NULL: out of memory.
 */
ngx_mentara_pg_t *ngx_mentara_pg_open(ngx_cycle_t *cycle,
    ngx_mentara_pg_conf_t *conf);

/* exit_process: closes all connections without waiting */
void ngx_mentara_pg_close(ngx_mentara_pg_t *pg);

/*
 * A new query with a pool of its own.  NULL: out of memory.
 * Parameters are bound in order; the bytes are copied.
 */
ngx_mentara_pg_query_t *ngx_mentara_pg_query(ngx_mentara_pg_t *pg,
    ngx_uint_t statement, ngx_log_t *log);

/* frees a query that was never submitted */
void ngx_mentara_pg_drop(ngx_mentara_pg_query_t *q);

/*
 * Queues the query.  NGX_OK: the handler will be called.  NGX_BUSY: the
 * queue is full, the query is still the caller's (drop it, answer 503).
 */
ngx_int_t ngx_mentara_pg_submit(ngx_mentara_pg_query_t *q);

/*
 * The client has gone.  NGX_OK: the query was not sent yet, it is freed and
 * the handler will not be called.  NGX_DECLINED: already sent; the handler
 * will be called as usual.
 */
ngx_int_t ngx_mentara_pg_cancel(ngx_mentara_pg_query_t *q);

/*
 * How the database is: NGX_OK = at least one connection is ready and the
 * schema version fits; NGX_AGAIN = not connected; NGX_DECLINED = the schema
 * version does not fit (logged once per connect).
 */
ngx_int_t ngx_mentara_pg_state(ngx_mentara_pg_t *pg);

/* counters for metrics: all values of this worker */
typedef struct {
    ngx_uint_t                 connections;  /* ready now */
    ngx_uint_t                 queued;       /* waiting now */
    ngx_uint_t                 inflight;     /* sent, unanswered now */
    ngx_uint_t                 queries;      /* since start */
    ngx_uint_t                 errors;
    ngx_uint_t                 reconnects;
    ngx_uint_t                 schema;       /* version seen, 0 = none yet */
} ngx_mentara_pg_stat_t;

void ngx_mentara_pg_stat(ngx_mentara_pg_t *pg, ngx_mentara_pg_stat_t *st);


#endif /* _NGX_MENTARA_PG_H_INCLUDED_ */
