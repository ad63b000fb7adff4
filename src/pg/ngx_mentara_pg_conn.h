/*
 * One connection of the pool: connect, check the schema, prepare, then a
 * pipeline of queries; lost, and again after a while.
 */

#ifndef _NGX_MENTARA_PG_CONN_H_INCLUDED_
#define _NGX_MENTARA_PG_CONN_H_INCLUDED_


#include <ngx_mentara_pg_query.h>


typedef struct ngx_mentara_pg_conn_s  ngx_mentara_pg_conn_t;


typedef enum {
    NGX_MENTARA_PG_CONN_IDLE = 0,    /* waits for its timer */
    NGX_MENTARA_PG_CONN_CONNECTING,
    NGX_MENTARA_PG_CONN_SETUP,       /* session settings, schema version */
    NGX_MENTARA_PG_CONN_PREPARE,
    NGX_MENTARA_PG_CONN_READY
} ngx_mentara_pg_conn_state_e;


/* what the pool wants to hear; each is called from the event loop */
typedef struct {
    /* statements are prepared */
    void      (*ready)(ngx_mentara_pg_conn_t *conn);

    /*
     * q has its result (or its error): it left the pipeline.  Returns
     * nothing: q is the pool's again.
     */
    void      (*done)(ngx_mentara_pg_conn_t *conn, ngx_mentara_pg_query_t *q);

    /*
     * not connected any more, or the attempt failed; conn->sent holds the
     * queries whose answers are lost: take them out before returning
     */
    void      (*lost)(ngx_mentara_pg_conn_t *conn);
} ngx_mentara_pg_conn_calls_t;


struct ngx_mentara_pg_conn_s {
    PGconn                             *pg;
    ngx_connection_t                   *c;
    ngx_log_t                          *log;
    ngx_mentara_pg_conf_t              *conf;
    const ngx_mentara_pg_conn_calls_t  *calls;
    void                               *data;      /* the pool */

    ngx_mentara_pg_conn_state_e         state;
    ngx_uint_t                          number;
    ngx_uint_t                          fails;     /* in a row */
    ngx_msec_t                          since;     /* ms, this attempt */
    ngx_uint_t                          schema;    /* version seen */

    ngx_queue_t                         sent;      /* queries, by age */
    ngx_uint_t                          nsent;

    ngx_event_t                         timer;     /* connect or reconnect */
    unsigned                            refused:1; /* schema does not fit */
};


/* conf outlives it; nothing happens before _connect() */
void ngx_mentara_pg_conn_init(ngx_mentara_pg_conn_t *conn,
    ngx_mentara_pg_conf_t *conf, const ngx_mentara_pg_conn_calls_t *calls,
    void *data, ngx_uint_t number, ngx_log_t *log);

/* begins an attempt; its outcome is told by ready() or lost() */
void ngx_mentara_pg_conn_connect(ngx_mentara_pg_conn_t *conn);

/* sends one query and a sync; NGX_ERROR: the connection is lost (told) */
ngx_int_t ngx_mentara_pg_conn_send(ngx_mentara_pg_conn_t *conn,
    ngx_mentara_pg_query_t *q);

/* gives the connection up and tells lost() */
void ngx_mentara_pg_conn_fail(ngx_mentara_pg_conn_t *conn);

/* closes without telling anybody */
void ngx_mentara_pg_conn_close(ngx_mentara_pg_conn_t *conn);


#endif /* _NGX_MENTARA_PG_CONN_H_INCLUDED_ */
