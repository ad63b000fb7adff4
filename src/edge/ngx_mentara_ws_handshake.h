/*
 * The opening handshake of a WebSocket (RFC 6455, section 4.2).
 */

#ifndef _NGX_MENTARA_WS_HANDSHAKE_H_INCLUDED_
#define _NGX_MENTARA_WS_HANDSHAKE_H_INCLUDED_


#include <ngx_mentara_websocket.h>


/*
 * Sends 101; with permessage-deflate if that was agreed (ws->deflate).
 * NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_mentara_ws_answer(ngx_http_request_t *r, ngx_mentara_ws_t *ws);


#endif /* _NGX_MENTARA_WS_HANDSHAKE_H_INCLUDED_ */
