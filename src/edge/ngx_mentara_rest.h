/*
 * The REST door: the content handler of a location with mentara_api.
 */

#ifndef _NGX_MENTARA_REST_H_INCLUDED_
#define _NGX_MENTARA_REST_H_INCLUDED_


#include <ngx_mentara_request.h>


ngx_int_t ngx_mentara_rest_handler(ngx_http_request_t *r);


#endif /* _NGX_MENTARA_REST_H_INCLUDED_ */
