/*
 * One user action, the same for both doors: REST and sockets build an op,
 * run it (ngx_mentara_ops.h) and are called back with an answer.
 *
 * An op lives in a pool of its own and outlives the request or socket that
 * started it: a write whose client has gone still publishes its events.
 */

#ifndef _NGX_MENTARA_OP_H_INCLUDED_
#define _NGX_MENTARA_OP_H_INCLUDED_


#include <ngx_mentara.h>
#include <ngx_mentara_pg.h>
#include <ngx_mentara_event.h>
#include <jansson.h>


typedef struct ngx_mentara_op_s  ngx_mentara_op_t;

/* called exactly once per op that was started, unless it was detached */
typedef void (*ngx_mentara_op_handler_pt)(ngx_mentara_op_t *op);

/*
 * events: n of them in event_seq order.  Called after commit, before the
 * op's handler, also when nobody waits for the answer any more.
 */
typedef void (*ngx_mentara_op_publish_pt)(void *data,
    ngx_mentara_event_t *events, ngx_uint_t n, ngx_log_t *log);

/* rows of a success -> op->body and headers; NGX_OK or NGX_ERROR */
typedef ngx_int_t (*ngx_mentara_op_answer_pt)(ngx_mentara_op_t *op,
    ngx_mentara_view_t *v);


/* what a location and a worker provide; outlives its ops */
typedef struct {
    ngx_mentara_pg_t          *pg;
    ngx_uint_t                 max_content;      /* code points */
    ngx_array_t               *attachment_urls;  /* of ngx_str_t; NULL: off */
    ngx_mentara_op_publish_pt  publish;          /* NULL: nobody listens */
    void                      *publish_data;
} ngx_mentara_op_env_t;


struct ngx_mentara_op_s {
    ngx_pool_t                *pool;
    ngx_log_t                 *log;
    ngx_mentara_op_env_t      *env;

    /* in: set by the door before ngx_mentara_op_run() */
    ngx_uint_t                 endpoint;     /* MENTARA_EP_... */
    ngx_str_t                  user;         /* verified user id */
    ngx_str_t                  role;         /* account role */
    ngx_mentara_uuid_t         id;           /* first id of the path */
    ngx_str_t                  param;        /* second: user id or emoji */
    ngx_str_t                  key;          /* Idempotency-Key or empty */
    ngx_str_t                  prefix;       /* "/messaging", for links */
    json_t                    *args;         /* checked body or query; the op
                                                owns the reference */

    /* out */
    ngx_uint_t                 status;       /* HTTP status */
    const char                *code;         /* of an error, else NULL */
    ngx_str_t                  message;      /* of an error */
    ngx_str_t                  body;         /* JSON of a success */
    ngx_str_t                  location;     /* header values, or empty */
    ngx_str_t                  link;
    ngx_msec_t                 pg_time;      /* ms in the database */
    unsigned                   replayed:1;   /* Idempotent-Replayed */
    unsigned                   faults:1;     /* message holds lines joined by
                                                newline: an array on the wire */

    ngx_mentara_op_handler_pt  handler;
    void                      *data;

    /* the op's own */
    ngx_mentara_pg_query_t    *query;
    ngx_mentara_op_answer_pt   answer;
    ngx_event_t                event;        /* brings an early answer */
    ngx_uint_t                 ok;           /* HTTP status of `ok` */
    ngx_uint_t                 existing;     /* HTTP status of `existing` */
    ngx_uint_t                 repeated;     /* HTTP status of `replayed` */
    unsigned                   detached:1;
};


/* an op with a pool of its own; NULL: out of memory */
ngx_mentara_op_t *ngx_mentara_op_create(ngx_mentara_op_env_t *env,
    ngx_log_t *log);

/* frees an op after its handler has used the answer, or one never started */
void ngx_mentara_op_free(ngx_mentara_op_t *op);

/*
 * The door has gone: its handler will not be called.  An op that was not
 * sent is dropped; a sent one runs to its end, publishes and frees itself.
 */
void ngx_mentara_op_detach(ngx_mentara_op_t *op);

/*
 * The query of an op with p_user bound; on NULL (out of memory) nothing has
 * happened.
 */
ngx_mentara_pg_query_t *ngx_mentara_op_query(ngx_mentara_op_t *op,
    ngx_uint_t statement);

/*
 * Sends op->query.  The handler is called later in any case, also when the
 * queue is full (503).
 */
void ngx_mentara_op_submit(ngx_mentara_op_t *op);

/* fails an op without a query; the handler is called later */
void ngx_mentara_op_refuse(ngx_mentara_op_t *op, const char *code,
    const char *message);

/* HTTP status of an error code ("forbidden" -> 403); 500 if unknown */
ngx_uint_t ngx_mentara_code_status(const char *code);

/* the sentence that goes with it */
const char *ngx_mentara_code_message(const char *code);


/* arguments by name: NULL, an empty string, 0 when absent */
json_t *ngx_mentara_op_arg(ngx_mentara_op_t *op, const char *name);
ngx_str_t ngx_mentara_op_arg_str(ngx_mentara_op_t *op, const char *name);
int64_t ngx_mentara_op_arg_int(ngx_mentara_op_t *op, const char *name,
    int64_t value);

/*
 * Binds an argument: null when absent.  NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_mentara_op_bind_str(ngx_mentara_op_t *op, const char *name);
ngx_int_t ngx_mentara_op_bind_int(ngx_mentara_op_t *op, const char *name);
ngx_int_t ngx_mentara_op_bind_bool(ngx_mentara_op_t *op, const char *name);
ngx_int_t ngx_mentara_op_bind_array(ngx_mentara_op_t *op, const char *name);
ngx_int_t ngx_mentara_op_bind_text(ngx_mentara_op_t *op, ngx_str_t *s);


#endif /* _NGX_MENTARA_OP_H_INCLUDED_ */
