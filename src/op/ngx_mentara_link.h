/*
 * Values of the headers Location and Link (RFC 8288): path-absolute, with
 * the location's own prefix.
 */

#ifndef _NGX_MENTARA_LINK_H_INCLUDED_
#define _NGX_MENTARA_LINK_H_INCLUDED_


#include <ngx_mentara_op.h>


/*
 * Begins op->link: `<prefix path?limit=N`.  path is relative to the prefix.
 * NGX_OK or NGX_ERROR (out of memory).
 */
ngx_int_t ngx_mentara_link_begin(ngx_mentara_op_t *op, const char *path,
    ngx_mentara_uuid_t *id, const char *rest, int64_t limit);

/* `&name=value`, percent-encoded; an empty value is left out */
ngx_int_t ngx_mentara_link_str(ngx_mentara_op_t *op, const char *name,
    ngx_str_t *value);
ngx_int_t ngx_mentara_link_int(ngx_mentara_op_t *op, const char *name,
    int64_t value);

/* `>; rel="next"` */
ngx_int_t ngx_mentara_link_end(ngx_mentara_op_t *op);

/* op->location = prefix path id */
ngx_int_t ngx_mentara_link_location(ngx_mentara_op_t *op, const char *path,
    ngx_mentara_uuid_t *id);


#endif /* _NGX_MENTARA_LINK_H_INCLUDED_ */
