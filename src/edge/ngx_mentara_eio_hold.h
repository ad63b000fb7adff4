/*
 * Who holds a box for its owner, which may be another worker: a poll that
 * waits, or a WebSocket.
 */

#ifndef _NGX_MENTARA_EIO_HOLD_H_INCLUDED_
#define _NGX_MENTARA_EIO_HOLD_H_INCLUDED_


#include <ngx_mentara_eio_session.h>


/* of this worker, of a box that may be another worker's */
struct ngx_mentara_eio_holder_s {
    ngx_mentara_eio_worker_t   *worker;
    ngx_mentara_eio_conf_t     *conf;
    ngx_http_request_t         *r;         /* of a poll */
    ngx_mentara_ws_t           *ws;        /* NULL: a poll */
    ngx_mentara_box_ref_t       box;
    ngx_queue_t                 queue;

    unsigned                    async:1;   /* out of nginx's own events */
    unsigned                    probed:1;  /* `2probe` came */
    unsigned                    holds:1;
    unsigned                    gone:1;
};


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


#endif /* _NGX_MENTARA_EIO_HOLD_H_INCLUDED_ */
