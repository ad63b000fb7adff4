/*
 * Where a browser may come from: mentara_origin, else the request's own
 * scheme, host and port.
 */

#ifndef _NGX_MENTARA_ORIGIN_H_INCLUDED_
#define _NGX_MENTARA_ORIGIN_H_INCLUDED_


#include <ngx_mentara.h>


/* "https://app.example" or "https://app.example:8443"; error text or OK */
char *ngx_mentara_origin_add(ngx_conf_t *cf, ngx_array_t *origins,
    ngx_str_t *value);

/*
 * origin: the Origin header's value; own: "scheme://host[:port]" of the
 * request itself as the client sees it, default port left out.  origins:
 * array of ngx_str_t or NULL (= own only).  Compared after normalisation
 * (case of scheme and host, default port).  "null" never fits.
 * Returns 1 when allowed.
 */
ngx_uint_t ngx_mentara_origin_allowed(ngx_array_t *origins, ngx_str_t *own,
    ngx_str_t *origin);

/* whether the list names it explicitly: CORS headers go to these only */
ngx_uint_t ngx_mentara_origin_listed(ngx_array_t *origins, ngx_str_t *origin);


#endif /* _NGX_MENTARA_ORIGIN_H_INCLUDED_ */
