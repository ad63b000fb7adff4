/*
 * The Socket.IO door: the content handler of a location with
 * mentara_socketio.  One namespace, /messaging, over Engine.IO sessions.
 */

#ifndef _NGX_MENTARA_SOCKETIO_H_INCLUDED_
#define _NGX_MENTARA_SOCKETIO_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


ngx_int_t ngx_mentara_socketio_handler(ngx_http_request_t *r);


#endif /* _NGX_MENTARA_SOCKETIO_H_INCLUDED_ */
