/*
 * Verified tokens of one worker, keyed by SHA-256 of the token and the
 * generation of the key set; a fixed number of slots.
 */

#ifndef _NGX_MENTARA_TOKEN_CACHE_H_INCLUDED_
#define _NGX_MENTARA_TOKEN_CACHE_H_INCLUDED_


#include <ngx_mentara.h>


#define NGX_MENTARA_TOKEN_SLOTS  4096


typedef struct ngx_mentara_token_cache_s  ngx_mentara_token_cache_t;


typedef struct {
    u_char       digest[32];
    ngx_uint_t   generation;
    time_t       exp;
    time_t       nbf;
    time_t       iat;
    ngx_str_t    sub;      /* malloc'd; data = NULL: a free slot */
    ngx_str_t    sid;      /* behind sub in the same block */
} ngx_mentara_token_t;


/* NULL: out of memory */
ngx_mentara_token_cache_t *ngx_mentara_token_cache_create(ngx_log_t *log);

/* the entry, or NULL */
ngx_mentara_token_t *ngx_mentara_token_cache_get(
    ngx_mentara_token_cache_t *cache, u_char *digest, ngx_uint_t generation);

/* copies the entry; when there is no memory, it is just not kept */
void ngx_mentara_token_cache_put(ngx_mentara_token_cache_t *cache,
    ngx_mentara_token_t *token, ngx_log_t *log);


#endif /* _NGX_MENTARA_TOKEN_CACHE_H_INCLUDED_ */
