/*
 * The sending half of a WebSocket: frames of one turn leave in one writev.
 */

#ifndef _NGX_MENTARA_WS_OUT_H_INCLUDED_
#define _NGX_MENTARA_WS_OUT_H_INCLUDED_


#include <ngx_mentara_ws_socket.h>


/*
 * Queues a frame, taking a reference of its own.  After a close nothing is
 * queued.  Out of memory breaks the socket: closed() follows.
 */
void ngx_mentara_ws_send(ngx_mentara_ws_t *ws, ngx_mentara_frame_t *f);

/* the same with octets of the caller's */
void ngx_mentara_ws_send_data(ngx_mentara_ws_t *ws, ngx_uint_t opcode,
    u_char *data, size_t len);

/* a close frame is the last one */
void ngx_mentara_ws_send_close(ngx_mentara_ws_t *ws, ngx_uint_t code);

/* queues the frame that would leave on its own; NGX_ERROR: no memory */
ngx_int_t ngx_mentara_ws_join(ngx_mentara_ws_t *ws);

/* handler of worker->flush */
void ngx_mentara_ws_flush_due(ngx_event_t *ev);

/* handler of the connection's write event */
void ngx_mentara_ws_writable(ngx_event_t *wev);


#endif /* _NGX_MENTARA_WS_OUT_H_INCLUDED_ */
