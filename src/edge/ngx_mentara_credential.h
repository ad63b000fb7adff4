/*
 * Where a request's token is, and the rule for tokens from a cookie.
 */

#ifndef _NGX_MENTARA_CREDENTIAL_H_INCLUDED_
#define _NGX_MENTARA_CREDENTIAL_H_INCLUDED_


#include <ngx_mentara_conf.h>


#define NGX_MENTARA_CREDENTIAL_NONE    0
#define NGX_MENTARA_CREDENTIAL_BEARER  1
#define NGX_MENTARA_CREDENTIAL_COOKIE  2
#define NGX_MENTARA_CREDENTIAL_QUERY   3


/*
 * Authorization, else the cookie __session, else (where allowed) the query
 * argument token.  The first that is present counts, also when it is of no
 * use: then token is empty.  Returns NGX_MENTARA_CREDENTIAL_....
 */
ngx_uint_t ngx_mentara_credential(ngx_http_request_t *r,
    ngx_uint_t query_allowed, ngx_str_t *token);

/* a header by its lower-case name, or NULL */
ngx_str_t *ngx_mentara_header(ngx_http_request_t *r, const char *name);

/*
 * With a cookie, an unsafe method needs an Origin that is allowed, or
 * without one Sec-Fetch-Site: same-origin.  NGX_OK, NGX_DECLINED, or
 * NGX_ERROR (out of memory).
 */
ngx_int_t ngx_mentara_credential_csrf(ngx_http_request_t *r,
    ngx_array_t *origins);

/* "scheme://host" of the request as its client sees it */
ngx_int_t ngx_mentara_own_origin(ngx_http_request_t *r, ngx_str_t *own);


#endif /* _NGX_MENTARA_CREDENTIAL_H_INCLUDED_ */
