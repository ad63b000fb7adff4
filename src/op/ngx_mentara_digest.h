/*
 * The digest of a request's meaning, kept with an Idempotency-Key: a repeat
 * with another body is refused.
 */

#ifndef _NGX_MENTARA_DIGEST_H_INCLUDED_
#define _NGX_MENTARA_DIGEST_H_INCLUDED_


#include <ngx_mentara_op.h>


/*
 * SHA-256, in hex, of op->args without null fields, in the order of their
 * names, and without the field named except (NULL: with all).  An empty
 * string when op has no key.  NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_mentara_digest(ngx_mentara_op_t *op, const char *except,
    ngx_str_t *hex);


#endif /* _NGX_MENTARA_DIGEST_H_INCLUDED_ */
