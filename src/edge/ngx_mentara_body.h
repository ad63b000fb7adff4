/*
 * Reads a request body into memory, never into a file, bounded.
 */

#ifndef _NGX_MENTARA_BODY_H_INCLUDED_
#define _NGX_MENTARA_BODY_H_INCLUDED_


#include <ngx_mentara_request.h>


/*
 * rc: NGX_OK (q->body is there), 408, 413 or 500; called once, perhaps from
 * inside ngx_mentara_body_read().
 */
typedef void (*ngx_mentara_body_handler_pt)(ngx_mentara_request_t *q,
    ngx_int_t rc);


/* nothing else may read from the request afterwards */
void ngx_mentara_body_read(ngx_mentara_request_t *q,
    ngx_mentara_body_handler_pt handler);

/* NGX_OK, or NGX_DECLINED: a body with another type than JSON */
ngx_int_t ngx_mentara_body_type(ngx_http_request_t *r);


#endif /* _NGX_MENTARA_BODY_H_INCLUDED_ */
