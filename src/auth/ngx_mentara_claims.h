/*
 * The claims of a token whose signature is good.
 */

#ifndef _NGX_MENTARA_CLAIMS_H_INCLUDED_
#define _NGX_MENTARA_CLAIMS_H_INCLUDED_


#include <ngx_mentara.h>
#include <ngx_mentara_token_cache.h>
#include <jansson.h>


typedef struct {
    ngx_str_t    name;     /* iss, aud or azp */
    ngx_str_t    value;
} ngx_mentara_require_t;


/*
 * Fills in the entry but for its digest and generation; require is of
 * ngx_mentara_require_t.  The clock is not asked.  NGX_OK,
 * NGX_MENTARA_TOKEN_INVALID, NGX_ERROR: out of memory
 */
ngx_int_t ngx_mentara_claims(ngx_array_t *require, json_t *payload,
    ngx_pool_t *pool, ngx_mentara_token_t *entry);


#endif /* _NGX_MENTARA_CLAIMS_H_INCLUDED_ */
