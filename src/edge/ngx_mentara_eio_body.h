/*
 * The body of a POST.
 */

#ifndef _NGX_MENTARA_EIO_BODY_H_INCLUDED_
#define _NGX_MENTARA_EIO_BODY_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


/* rc: NGX_OK, or a status */
typedef void (*ngx_mentara_eio_body_pt)(ngx_http_request_t *r, void *data,
    ngx_str_t *body, ngx_int_t rc);

/* never into a file, at most max octets; the caller holds a reference */
void ngx_mentara_eio_body(ngx_http_request_t *r, size_t max,
    ngx_mentara_eio_body_pt handler, void *data);


#endif /* _NGX_MENTARA_EIO_BODY_H_INCLUDED_ */
