/*
 * What all answers have in common, of REST and of Engine.IO.
 */

#ifndef _NGX_MENTARA_OUTPUT_H_INCLUDED_
#define _NGX_MENTARA_OUTPUT_H_INCLUDED_


#include <ngx_mentara.h>
#include <ngx_http.h>


/* a response header; it points to what it is given.  NGX_OK or NGX_ERROR */
ngx_int_t ngx_mentara_output_header(ngx_http_request_t *r, const char *name,
    u_char *value, size_t len);

#define ngx_mentara_output_set(r, name, value)                               \
    ngx_mentara_output_header(r, name, (u_char *) (value), sizeof(value) - 1)

/*
 * To be called before an answer that does not wait for the body: what is on
 * its way of it would else be taken for the next request (RFC 9112, 9.3).
 * Does nothing if the body was read.  NGX_OK, or what
 * ngx_http_finalize_request() is to be given.
 */
ngx_int_t ngx_mentara_output_unread(ngx_http_request_t *r);


#endif /* _NGX_MENTARA_OUTPUT_H_INCLUDED_ */
