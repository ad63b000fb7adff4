
#include <ngx_mentara_token_cache.h>


struct ngx_mentara_token_cache_s {
    ngx_mentara_token_t  slots[NGX_MENTARA_TOKEN_SLOTS];
};


static ngx_mentara_token_t *ngx_mentara_token_slot(
    ngx_mentara_token_cache_t *cache, u_char *digest);


ngx_mentara_token_cache_t *
ngx_mentara_token_cache_create(ngx_log_t *log)
{
    return ngx_calloc(sizeof(ngx_mentara_token_cache_t), log);
}


static ngx_mentara_token_t *
ngx_mentara_token_slot(ngx_mentara_token_cache_t *cache, u_char *digest)
{
    return &cache->slots[(digest[0] << 8 | digest[1])
                         % NGX_MENTARA_TOKEN_SLOTS];
}


ngx_mentara_token_t *
ngx_mentara_token_cache_get(ngx_mentara_token_cache_t *cache, u_char *digest,
    ngx_uint_t generation)
{
    ngx_mentara_token_t  *slot;

    slot = ngx_mentara_token_slot(cache, digest);

    if (slot->sub.data == NULL || slot->generation != generation
        || ngx_memcmp(slot->digest, digest, sizeof(slot->digest)) != 0)
    {
        return NULL;
    }

    return slot;
}


/* one slot per digest: the newer token drives the older one out */

void
ngx_mentara_token_cache_put(ngx_mentara_token_cache_t *cache,
    ngx_mentara_token_t *token, ngx_log_t *log)
{
    u_char               *p;
    ngx_mentara_token_t  *slot;

    p = ngx_alloc(token->sub.len + token->sid.len + 1, log);
    if (p == NULL) {
        return;
    }

    slot = ngx_mentara_token_slot(cache, token->digest);

    if (slot->sub.data != NULL) {
        ngx_free(slot->sub.data);
    }

    *slot = *token;
    slot->sub.data = p;
    slot->sid.data = ngx_cpymem(p, token->sub.data, token->sub.len);
    ngx_memcpy(slot->sid.data, token->sid.data, token->sid.len);
}
