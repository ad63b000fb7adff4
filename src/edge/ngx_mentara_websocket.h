/*
 * WebSocket as a transport (RFC 6455): a request becomes a socket that takes
 * messages in and sends frames.  It knows nothing of what they mean.
 *
 * What is sent in one turn of the event loop leaves in one writev.  A socket
 * whose unsent octets pass conf->buffer is closed with 1013; a peer whose
 * answers pile up is not read from until it has taken some.  An idle socket
 * holds no buffer.
 */

#ifndef _NGX_MENTARA_WEBSOCKET_H_INCLUDED_
#define _NGX_MENTARA_WEBSOCKET_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_mentara_frame.h>
#include <mentara_deflate.h>


#define NGX_MENTARA_UPGRADE_REQUIRED  426


typedef struct ngx_mentara_ws_s  ngx_mentara_ws_t;
typedef struct ngx_mentara_ws_worker_s  ngx_mentara_ws_worker_t;


typedef struct {
    size_t               max_message;    /* octets, 1009 above */
    size_t               buffer;         /* unsent octets, 1013 above */
    ngx_msec_t           send_timeout;   /* ms without progress */
    ngx_msec_t           close_timeout;  /* ms to wait for the peer's close */
    ngx_msec_t           ping_interval;  /* ms between pings, 0: none */
    ngx_msec_t           ping_timeout;   /* ms to wait for its pong */
    ngx_msec_t           drain;          /* ms over which an exiting worker
                                            spreads its 1012 */
    ngx_flag_t           deflate;        /* accept permessage-deflate */
} ngx_mentara_ws_conf_t;


/* ws->data is the user's; a handler may close the socket, never free it */
typedef struct {
    /* a whole message, valid UTF-8 if it is text; gone after the call */
    void (*message)(ngx_mentara_ws_t *ws, ngx_uint_t binary, ngx_str_t *msg);

    /* all that was sent has left; only after ngx_mentara_ws_notify() */
    void (*drained)(ngx_mentara_ws_t *ws);

    /* after ngx_mentara_ws_timer(); NULL: the socket pings by itself */
    void (*timer)(ngx_mentara_ws_t *ws);

    /*
     * The last call, once, also after ngx_mentara_ws_close().  code: the one
     * the peer sent, 1005 if it sent none, 1006 without a close frame.
     */
    void (*closed)(ngx_mentara_ws_t *ws, ngx_uint_t code);
} ngx_mentara_ws_handler_t;


typedef struct ngx_mentara_ws_out_s  ngx_mentara_ws_out_t;


struct ngx_mentara_ws_s {
    void                      *data;      /* the user's */
    ngx_http_request_t        *r;         /* the handshake, lives as long */
    ngx_mentara_ws_conf_t     *conf;
    ngx_mentara_ws_worker_t   *worker;
    ngx_mentara_ws_handler_t  *handler;

    ngx_queue_t                queue;     /* of all sockets of the worker */
    ngx_queue_t                due;       /* of those with frames to send */

    ngx_mentara_ws_out_t      *out;       /* frames to send, in order */
    ngx_mentara_ws_out_t     **out_last;
    size_t                     out_pos;   /* octets of the first one sent */
    size_t                     pending;   /* unsent octets */

    ngx_buf_t                 *rest;      /* read and not yet taken */

    u_char                    *msg;       /* being put together */
    size_t                     msg_len;
    size_t                     msg_size;
    mentara_inflate_t         *inflate;

    ngx_msec_t                 heard;     /* ms, when octets last came */
    ngx_msec_t                 asked;     /* ms, when a ping was sent */
    int                        bits;      /* of our deflate window */
    ngx_uint_t                 code;      /* of the peer's close */

    unsigned                   deflate:1;
    unsigned                   paused:1;
    unsigned                   notify:1;
    unsigned                   piled:1;        /* too much is unsent */
    unsigned                   slow:1;         /* it was closed for that */
    unsigned                   pinged:1;
    unsigned                   flushing:1;     /* in worker->due */
    unsigned                   reading:1;      /* in the read handler */
    unsigned                   close_sent:1;   /* queued, nothing after it */
    unsigned                   close_seen:1;
    unsigned                   broken:1;       /* nothing is sent any more */
    unsigned                   done:1;         /* closed() was called */

    mentara_ws_reader_t        reader;
};


/* what the sockets of one worker share; at init_process, NULL: no memory */
ngx_mentara_ws_worker_t *ngx_mentara_ws_worker_create(ngx_cycle_t *cycle);


/*
 * Is the request a WebSocket handshake?  NGX_OK; NGX_DECLINED: it does not
 * ask for an upgrade; or the status to refuse it with: 400, 405, 426 (then
 * Sec-WebSocket-Version: 13 was added to the answer), 503 (the worker exits).
 * HTTP/2 cannot carry one: NGX_DECLINED.
 */
ngx_int_t ngx_mentara_ws_check(ngx_http_request_t *r);

/*
 * Answers 101 and turns the request into a socket; it must have passed
 * ngx_mentara_ws_check().  Returns NULL when out of memory: nothing was
 * sent.  Otherwise the content handler returns NGX_DONE, and frames may be
 * sent at once.
 */
ngx_mentara_ws_t *ngx_mentara_ws_accept(ngx_http_request_t *r,
    ngx_mentara_ws_worker_t *worker, ngx_mentara_ws_conf_t *conf,
    ngx_mentara_ws_handler_t *handler, void *data);

/*
 * Queues a frame, taking a reference of its own.  After a close nothing is
 * queued.  Out of memory breaks the socket: closed() follows.
 */
void ngx_mentara_ws_send(ngx_mentara_ws_t *ws, ngx_mentara_frame_t *f);

/* the same with octets of the caller's */
void ngx_mentara_ws_send_data(ngx_mentara_ws_t *ws, ngx_uint_t opcode,
    u_char *data, size_t len);

/*
 * Sends a close frame (code 0: an empty one) after what is queued, and waits
 * for the peer's.  closed() follows.
 */
void ngx_mentara_ws_close(ngx_mentara_ws_t *ws, ngx_uint_t code);

/* no message is handed out until resume; what comes waits */
void ngx_mentara_ws_pause(ngx_mentara_ws_t *ws);
void ngx_mentara_ws_resume(ngx_mentara_ws_t *ws);

/* the socket of a request that was accepted, else NULL */
ngx_mentara_ws_t *ngx_mentara_ws_of(ngx_http_request_t *r);

/* asks for one call of drained() */
void ngx_mentara_ws_notify(ngx_mentara_ws_t *ws);

/* one call of timer() in so many ms, instead of what was asked before */
void ngx_mentara_ws_timer(ngx_mentara_ws_t *ws, ngx_msec_t ms);

/* ends it at once, without a word to the peer; closed() follows */
void ngx_mentara_ws_abort(ngx_mentara_ws_t *ws);


#endif /* _NGX_MENTARA_WEBSOCKET_H_INCLUDED_ */
