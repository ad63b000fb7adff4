/*
 * The opening handshake of a WebSocket (RFC 6455, section 4.2).
 */

#ifndef _NGX_MENTARA_WS_HANDSHAKE_H_INCLUDED_
#define _NGX_MENTARA_WS_HANDSHAKE_H_INCLUDED_


#include <ngx_mentara_ws_socket.h>


#define NGX_MENTARA_UPGRADE_REQUIRED  426


/*
 * Is the request a WebSocket handshake?  NGX_OK; NGX_DECLINED: it does not
 * ask for an upgrade; or the status to refuse it with: 400, 405, 426 (then
 * Sec-WebSocket-Version: 13 was added to the answer), 503 (the worker exits).
 * HTTP/2 cannot carry one: NGX_DECLINED.
 */
ngx_int_t ngx_mentara_ws_check(ngx_http_request_t *r);

/*
 * Sends 101; with permessage-deflate if that was agreed (ws->deflate).
 * NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_mentara_ws_answer(ngx_http_request_t *r, ngx_mentara_ws_t *ws);

/* whether it has left: NGX_OK, NGX_AGAIN or NGX_ERROR (also: too late) */
ngx_int_t ngx_mentara_ws_answered(ngx_mentara_ws_t *ws);

/*
 * Ends the request, and writes its line of the access log, but not the
 * connection, which has no handlers then.
 */
void ngx_mentara_ws_let_go(ngx_mentara_ws_t *ws);


#endif /* _NGX_MENTARA_WS_HANDSHAKE_H_INCLUDED_ */
