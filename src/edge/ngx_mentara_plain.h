/*
 * The plain door: the content handler of a location with mentara_websocket.
 * JSON in text frames: {"event", "data", "offset"?} to the client,
 * {"event", "data", "id"?} from it, {"ack", "data"} as an answer.
 */

#ifndef _NGX_MENTARA_PLAIN_H_INCLUDED_
#define _NGX_MENTARA_PLAIN_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


ngx_int_t ngx_mentara_plain_handler(ngx_http_request_t *r);


#endif /* _NGX_MENTARA_PLAIN_H_INCLUDED_ */
