/*
 * One query of the database: what a connection and the pool know of it, its
 * parameters, and the fields of its result.
 */

#ifndef _NGX_MENTARA_PG_QUERY_H_INCLUDED_
#define _NGX_MENTARA_PG_QUERY_H_INCLUDED_


#include <ngx_mentara.h>
#include <ngx_mentara_statements.h>
#include <libpq-fe.h>


#define NGX_MENTARA_PG_PARAMS_MAX  16

/* ngx_mentara_pg_query_t.error */
#define NGX_MENTARA_PG_OK           0  /* result holds PGRES_TUPLES_OK */
#define NGX_MENTARA_PG_UNAVAILABLE  1  /* nothing was done: 503 */
#define NGX_MENTARA_PG_UNKNOWN      2  /* a write was sent, its answer lost:
                                          503 outcome_unknown */
#define NGX_MENTARA_PG_TIMEOUT      3  /* deadline passed: 504 timeout */
#define NGX_MENTARA_PG_FAILED       4  /* SQL error: 500, sqlstate is set and
                                          the error was logged */


typedef struct ngx_mentara_pg_s        ngx_mentara_pg_t;
typedef struct ngx_mentara_pg_query_s  ngx_mentara_pg_query_t;

/*
 * Called exactly once per submitted query, never from inside
 * ngx_mentara_pg_submit().  q and q->result are freed by pg after the
 * handler returns; a handler that wants to keep the result takes it over by
 * setting q->result = NULL.
 */
typedef void (*ngx_mentara_pg_handler_pt)(ngx_mentara_pg_query_t *q);


/* what mentara_postgres says; lives as long as the cycle */
typedef struct {
    ngx_str_t                  conninfo;     /* NUL-terminated too */
    ngx_uint_t                 connections;  /* per worker, >= 2 */
    ngx_msec_t                 timeout;      /* ms, deadline of a query */
    ngx_uint_t                 queue;        /* most queries waiting */
} ngx_mentara_pg_conf_t;


struct ngx_mentara_pg_query_s {
    ngx_queue_t                queue;        /* pg's own: waiting or sent */
    ngx_queue_t                order;        /* pg's own: by age */
    ngx_mentara_pg_t          *pg;
    ngx_pool_t                *pool;         /* of this query; freed by pg */

    ngx_uint_t                 statement;    /* NGX_MENTARA_STMT_... */
    ngx_uint_t                 nparams;
    const char                *values[NGX_MENTARA_PG_PARAMS_MAX];

    /*
     * operations of one conversation share a connection, so that they queue
     * in the pipeline and not in the lock manager; 0 = any connection
     */
    uint32_t                   affinity;

    /* a write that carries an idempotency key may be sent again */
    unsigned                   idempotent:1;
    unsigned                   sent:1;       /* pg's own, like the next two */
    unsigned                   retried:1;
    unsigned                   orphan:1;     /* its handler was called */

    ngx_msec_t                 submitted;    /* ngx_current_msec */
    ngx_msec_t                 elapsed;      /* ms, set before the handler */

    ngx_uint_t                 error;        /* NGX_MENTARA_PG_... */
    char                       sqlstate[6];
    PGresult                  *result;       /* binary format */

    ngx_mentara_pg_handler_pt  handler;
    void                      *data;
};


/* each returns NGX_OK or NGX_ERROR (out of memory, too many parameters) */
ngx_int_t ngx_mentara_pg_null(ngx_mentara_pg_query_t *q);
ngx_int_t ngx_mentara_pg_text(ngx_mentara_pg_query_t *q, const u_char *data,
    size_t len);
ngx_int_t ngx_mentara_pg_str(ngx_mentara_pg_query_t *q, ngx_str_t *s);
ngx_int_t ngx_mentara_pg_uuid(ngx_mentara_pg_query_t *q,
    ngx_mentara_uuid_t *id);
ngx_int_t ngx_mentara_pg_int(ngx_mentara_pg_query_t *q, int64_t n);
ngx_int_t ngx_mentara_pg_bool(ngx_mentara_pg_query_t *q, ngx_uint_t yes);

/* a text[] or uuid[] literal from n strings, every element quoted */
ngx_int_t ngx_mentara_pg_array(ngx_mentara_pg_query_t *q, ngx_str_t *elts,
    ngx_uint_t n);

/*
 * Readers of one field of a binary row; the column numbers are the
 * NGX_MENTARA_COL_... of ngx_mentara_statements.h.  A null field gives
 * 0, an empty string (data = NULL) or an all-zero id.
 */
#define ngx_mentara_pg_isnull(res, row, col)                                 \
    PQgetisnull(res, row, col)

ngx_str_t ngx_mentara_pg_get_str(PGresult *res, int row, int col);
int64_t ngx_mentara_pg_get_int(PGresult *res, int row, int col);
ngx_mentara_uuid_t ngx_mentara_pg_get_uuid(PGresult *res, int row, int col);


#endif /* _NGX_MENTARA_PG_QUERY_H_INCLUDED_ */
