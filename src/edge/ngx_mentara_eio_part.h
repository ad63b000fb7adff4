/*
 * What the files of Engine.IO share: the worker's part, and those who hold
 * a box for its owner: a waiting poll, or a WebSocket.
 */

#ifndef _NGX_MENTARA_EIO_PART_H_INCLUDED_
#define _NGX_MENTARA_EIO_PART_H_INCLUDED_


#include <ngx_mentara_eio.h>


struct ngx_mentara_eio_worker_s {
    ngx_log_t                  *log;
    ngx_mentara_ws_worker_t    *ws;
    ngx_mentara_pollbox_t       pb;
    ngx_event_t                 turn;      /* posted: boxes changed */
    ngx_event_t                 tick;
    ngx_event_t                 end;       /* posted: sessions ended */
    ngx_uint_t                  ticks;
    ngx_queue_t                 sessions;  /* with a box */
    ngx_queue_t                 holders;
    ngx_queue_t                 ending;
    ngx_mentara_eio_t         **owned;     /* by number of the box */
    ngx_mentara_eio_holder_t  **held;
};


/* of this worker, of a box that may be another worker's */
struct ngx_mentara_eio_holder_s {
    ngx_mentara_eio_worker_t   *worker;
    ngx_mentara_eio_conf_t     *conf;
    ngx_http_request_t         *r;
    ngx_mentara_ws_t           *ws;        /* NULL: a poll */
    ngx_mentara_box_ref_t       box;
    ngx_queue_t                 queue;

    unsigned                    async:1;   /* out of nginx's own events */
    unsigned                    probed:1;  /* `2probe` came */
    unsigned                    holds:1;
    unsigned                    gone:1;
};


/* when a client that was heard now is given up, ms */
#define ngx_mentara_eio_deadline(conf)                                        \
    (ngx_current_msec + (conf)->ping_interval + (conf)->ping_timeout)


/* NULL: no memory */
ngx_mentara_eio_t *ngx_mentara_eio_create(ngx_mentara_eio_worker_t *worker,
    ngx_mentara_eio_conf_t *conf, const ngx_mentara_eio_handler_t *handler);

/* it has a box, of which this worker is the owner */
void ngx_mentara_eio_boxed(ngx_mentara_eio_t *s);

/* closed() is called soon, once */
void ngx_mentara_eio_end(ngx_mentara_eio_t *s, ngx_uint_t release,
    ngx_uint_t code);

/* what happened in its box */
void ngx_mentara_eio_turn(ngx_mentara_eio_t *s);

/* its packets go over this WebSocket from now on */
void ngx_mentara_eio_carry(ngx_mentara_eio_t *s, ngx_mentara_ws_t *ws);

/* of a session without a box */
extern ngx_mentara_ws_handler_t  ngx_mentara_eio_ws_handler;

/* the exiting worker waits as long as there is anything */
void ngx_mentara_eio_stay(ngx_mentara_eio_worker_t *worker);


/* a poll waits, or is answered at once; what the content handler returns */
ngx_int_t ngx_mentara_eio_poll(ngx_http_request_t *r,
    ngx_mentara_eio_worker_t *worker, ngx_mentara_eio_conf_t *conf,
    ngx_mentara_box_ref_t *box);

/* a WebSocket that may take over */
ngx_int_t ngx_mentara_eio_probe(ngx_http_request_t *r,
    ngx_mentara_eio_worker_t *worker, ngx_mentara_eio_conf_t *conf,
    ngx_mentara_box_ref_t *box);

/* what happened in the box that it holds */
void ngx_mentara_eio_holder_turn(ngx_mentara_eio_holder_t *h);

/* a look at it from time to time: has its owner gone? */
void ngx_mentara_eio_holder_tick(ngx_mentara_eio_holder_t *h);


/* a whole answer; what ngx_http_finalize_request() is to be given */
ngx_int_t ngx_mentara_eio_answer(ngx_http_request_t *r, ngx_uint_t status,
    const char *type, ngx_str_t *body);

/* the body of a POST; rc: NGX_OK, or a status */
typedef void (*ngx_mentara_eio_body_pt)(ngx_http_request_t *r, void *data,
    ngx_str_t *body, ngx_int_t rc);

/* never into a file, at most max octets; the caller holds a reference */
void ngx_mentara_eio_body(ngx_http_request_t *r, size_t max,
    ngx_mentara_eio_body_pt handler, void *data);


#endif /* _NGX_MENTARA_EIO_PART_H_INCLUDED_ */
