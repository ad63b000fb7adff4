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


#include <ngx_mentara_ws_socket.h>
#include <ngx_mentara_ws_handshake.h>
#include <ngx_mentara_ws_out.h>


/* what the sockets of one worker share; at init_process, NULL: no memory */
ngx_mentara_ws_worker_t *ngx_mentara_ws_worker_create(ngx_cycle_t *cycle);

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
 * Sends a close frame (code 0: an empty one) after what is queued, and waits
 * for the peer's.  closed() follows.
 */
void ngx_mentara_ws_close(ngx_mentara_ws_t *ws, ngx_uint_t code);

/* no message is handed out until resume; what comes waits */
void ngx_mentara_ws_pause(ngx_mentara_ws_t *ws);
void ngx_mentara_ws_resume(ngx_mentara_ws_t *ws);

/* asks for one call of drained() */
void ngx_mentara_ws_notify(ngx_mentara_ws_t *ws);

/* octets of a message from now on, instead of what the configuration says */
void ngx_mentara_ws_limit(ngx_mentara_ws_t *ws, size_t max);

/* one call of timer() in so many ms, instead of what was asked before */
void ngx_mentara_ws_timer(ngx_mentara_ws_t *ws, ngx_msec_t ms);


#endif /* _NGX_MENTARA_WEBSOCKET_H_INCLUDED_ */
