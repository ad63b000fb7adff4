/*
 * The sending half of a WebSocket: frames of one turn leave in one writev.
 */

#ifndef _NGX_MENTARA_WS_OUT_H_INCLUDED_
#define _NGX_MENTARA_WS_OUT_H_INCLUDED_


#include <ngx_mentara_websocket.h>


#define NGX_MENTARA_WS_CHUNK  65536     /* octets of one recv() */
#define NGX_MENTARA_WS_PILE   65536     /* unsent octets: read no more */


struct ngx_mentara_ws_worker_s {
    ngx_log_t                 *log;
    ngx_queue_t                sockets;
    ngx_uint_t                 n;
    ngx_queue_t                due;
    ngx_event_t                flush;     /* posted: due has sockets */
    ngx_event_t                tick;
    ngx_uint_t                 share;     /* to close per tick, exiting */
    mentara_deflate_mem_t      memory;
    u_char                    *buf;       /* NGX_MENTARA_WS_CHUNK */
};


/* writes what waits; the socket may be broken after it */
void ngx_mentara_ws_flush(ngx_mentara_ws_t *ws);

/* drops frames that have not begun to leave */
void ngx_mentara_ws_discard(ngx_mentara_ws_t *ws);

/* a close frame is the last one */
void ngx_mentara_ws_send_close(ngx_mentara_ws_t *ws, ngx_uint_t code);

/* the end: closed(), then the request is finalized */
void ngx_mentara_ws_finish(ngx_mentara_ws_t *ws);

/* handler of worker->flush */
void ngx_mentara_ws_flush_due(ngx_event_t *ev);

/* nginx's write event */
void ngx_mentara_ws_writable(ngx_http_request_t *r);

/* goes on reading, out of an event of its own */
void ngx_mentara_ws_read_again(ngx_mentara_ws_t *ws);


#endif /* _NGX_MENTARA_WS_OUT_H_INCLUDED_ */
