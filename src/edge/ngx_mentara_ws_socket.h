/*
 * A WebSocket as its parts know it, reading, sending and the handshake: what
 * it holds, what the sockets of one worker share, and how it ends.  Who uses
 * sockets includes ngx_mentara_websocket.h.
 */

#ifndef _NGX_MENTARA_WS_SOCKET_H_INCLUDED_
#define _NGX_MENTARA_WS_SOCKET_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_mentara_frame.h>
#include <mentara_deflate.h>


#define NGX_MENTARA_WS_CHUNK  65536  /* octets of one recv() */
#define NGX_MENTARA_WS_READS  16     /* of one turn, then others have theirs */


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


/* a frame to send */
typedef struct ngx_mentara_ws_out_s  ngx_mentara_ws_out_t;


struct ngx_mentara_ws_out_s {
    ngx_mentara_ws_out_t      *next;
    ngx_mentara_frame_t       *frame;
};


/* the only frame of a socket in a turn */
typedef struct {
    ngx_mentara_ws_t          *ws;        /* NULL: it was queued or dropped */
    ngx_mentara_frame_t       *frame;
    ngx_socket_t               fd;
} ngx_mentara_ws_alone_t;


struct ngx_mentara_ws_s {

    /* what each frame needs comes first, in two lines of the cache */

    ngx_connection_t          *c;
    ngx_mentara_ws_worker_t   *worker;
    ngx_queue_t                due;       /* of those with frames to send */

    ngx_mentara_ws_out_t      *out;       /* frames to send, in order */
    ngx_mentara_ws_out_t     **out_last;
    size_t                     out_pos;   /* octets of the first one sent */
    size_t                     pending;   /* unsent octets */
    ngx_uint_t                 alone;     /* its place in worker->alone, from
                                             1; 0: none */
    ngx_mentara_ws_conf_t     *conf;
    ngx_socket_t               fd;

    unsigned                   clear:1;        /* nothing of it waits to be
                                                  sent, nor in nginx */
    unsigned                   deflate:1;
    unsigned                   paused:1;
    unsigned                   notify:1;
    unsigned                   piled:1;        /* too much is unsent */
    unsigned                   crossing:1;     /* a session is about to move
                                                 here: not to be closed */
    unsigned                   slow:1;         /* it was closed for that */
    unsigned                   pinged:1;
    unsigned                   flushing:1;     /* in worker->due */
    unsigned                   reading:1;      /* in the read handler */
    unsigned                   close_sent:1;   /* queued, nothing after it */
    unsigned                   close_seen:1;
    unsigned                   failed:1;       /* no frames are understood */
    unsigned                   broken:1;       /* nothing is sent any more */
    unsigned                   parted:1;       /* both closes were sent */
    unsigned                   done:1;         /* closed() was called */

    int                        bits;      /* of our deflate window */

    void                      *data;      /* the user's */
    ngx_http_request_t        *r;         /* the handshake, until its answer
                                             has left */
    ngx_mentara_ws_handler_t  *handler;
    ngx_queue_t                queue;     /* of all sockets of the worker */

    ngx_buf_t                 *rest;      /* read and not yet taken */

    u_char                    *msg;       /* being put together */
    size_t                     msg_len;
    size_t                     msg_size;
    mentara_inflate_t         *inflate;

    ngx_msec_t                 heard;     /* ms, when octets last came */
    ngx_msec_t                 asked;     /* ms, when a ping was sent */
    ngx_uint_t                 code;      /* of the peer's close */

    mentara_ws_reader_t        reader;
};


/* the parts' own; the user hands it on */
struct ngx_mentara_ws_worker_s {
    ngx_log_t                 *log;
    ngx_queue_t                sockets;
    ngx_uint_t                 n;
    ngx_queue_t                due;
    ngx_mentara_ws_alone_t    *alone;     /* before those that are due */
    ngx_uint_t                 nalone;
    ngx_uint_t                 alone_size;
    ngx_event_t                flush;     /* posted: there is something */
    ngx_event_t                tick;
    ngx_uint_t                 share;     /* to close per tick, exiting */
    mentara_deflate_mem_t      memory;
    u_char                    *buf;       /* what is read comes here */
};


/* ends it at once, without a word to the peer; closed() follows */
void ngx_mentara_ws_abort(ngx_mentara_ws_t *ws);

/* what follows is for the parts alone */

/* its frames leave at the end of this turn */
void ngx_mentara_ws_due(ngx_mentara_ws_t *ws);

/* drops frames that have not begun to leave */
void ngx_mentara_ws_discard(ngx_mentara_ws_t *ws);

/* takes back the frame that lies in worker->alone, NULL: there is none */
ngx_mentara_frame_t *ngx_mentara_ws_take_back(ngx_mentara_ws_t *ws);

/* the end: closed(), then the connection is closed and the socket is freed */
void ngx_mentara_ws_finish(ngx_mentara_ws_t *ws);

/* the same after both closes: the peer is waited for to take ours */
void ngx_mentara_ws_part(ngx_mentara_ws_t *ws);

/* the second half of both, for the read handler that one was called from */
void ngx_mentara_ws_leave(ngx_mentara_ws_t *ws);

/* goes on reading, out of an event of its own */
void ngx_mentara_ws_read_again(ngx_mentara_ws_t *ws);

/* of the request's pool, data: the socket; it goes with the handshake */
void ngx_mentara_ws_cleanup(void *data);


#endif /* _NGX_MENTARA_WS_SOCKET_H_INCLUDED_ */
