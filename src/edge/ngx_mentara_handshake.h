/*
 * What both kinds of sockets ask of the request that they begin with: where
 * it comes from, and who is calling.
 */

#ifndef _NGX_MENTARA_HANDSHAKE_H_INCLUDED_
#define _NGX_MENTARA_HANDSHAKE_H_INCLUDED_


#include <ngx_mentara_request.h>


/*
 * A browser's page may open a socket only where mentara_origin allows it.
 * NGX_OK, NGX_DECLINED, or NGX_ERROR: out of memory.
 */
ngx_int_t ngx_mentara_handshake_origin(ngx_mentara_request_t *q);

/*
 * The token of the request, or NGX_MENTARA_CREDENTIAL_NONE; without an
 * Origin a cookie does not count.
 */
ngx_uint_t ngx_mentara_handshake_token(ngx_mentara_request_t *q,
    ngx_str_t *token);

/*
 * Whether the user may have one more socket.  NGX_OK, or NGX_BUSY: q->limit
 * tells until when.  A connection of the user's budget is taken.
 */
ngx_int_t ngx_mentara_handshake_room(ngx_mentara_request_t *q,
    ngx_str_t *user);


#endif /* _NGX_MENTARA_HANDSHAKE_H_INCLUDED_ */
