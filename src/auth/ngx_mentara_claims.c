
#include <ngx_mentara_claims.h>
#include <ngx_mentara_auth.h>
#include <mentara_text.h>


static ngx_int_t ngx_mentara_claims_required(ngx_array_t *require,
    json_t *payload);
static ngx_uint_t ngx_mentara_claims_has(json_t *claim, ngx_str_t *value);
static ngx_int_t ngx_mentara_claims_copy(ngx_pool_t *pool, json_t *value,
    ngx_str_t *s);
static ngx_int_t ngx_mentara_claims_time(json_t *payload, const char *name,
    time_t *t);


ngx_int_t
ngx_mentara_claims(ngx_array_t *require, json_t *payload, ngx_pool_t *pool,
    ngx_mentara_token_t *entry)
{
    json_t           *sub, *sid;
    mentara_slice_t   text;

    sub = json_object_get(payload, "sub");
    sid = json_object_get(payload, "sid");

    if (!json_is_string(sub) || (sid != NULL && !json_is_string(sid))
        || json_string_length(sid) > 255)
    {
        return NGX_MENTARA_TOKEN_INVALID;
    }

    text.data = (u_char *) json_string_value(sub);
    text.len = json_string_length(sub);

    if (mentara_text_check(text, NGX_MENTARA_USER_MAX) != MENTARA_OK
        || json_object_get(payload, "exp") == NULL
        || ngx_mentara_claims_time(payload, "exp", &entry->exp) != NGX_OK
        || ngx_mentara_claims_time(payload, "nbf", &entry->nbf) != NGX_OK
        || ngx_mentara_claims_time(payload, "iat", &entry->iat) != NGX_OK
        || ngx_mentara_claims_required(require, payload) != NGX_OK)
    {
        return NGX_MENTARA_TOKEN_INVALID;
    }

    if (ngx_mentara_claims_copy(pool, sub, &entry->sub) != NGX_OK
        || ngx_mentara_claims_copy(pool, sid, &entry->sid) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* absent: 0; otherwise a number that is not negative (RFC 7519 2) */

static ngx_int_t
ngx_mentara_claims_time(json_t *payload, const char *name, time_t *t)
{
    double   value;
    json_t  *claim;

    *t = 0;
    claim = json_object_get(payload, name);

    if (claim == NULL) {
        return NGX_OK;
    }

    if (!json_is_number(claim)) {
        return NGX_ERROR;
    }

    value = json_number_value(claim);

    if (value < 0 || value > 253402300799.0) {
        return NGX_ERROR;
    }

    *t = (time_t) value;

    return NGX_OK;
}


/* of each name that is required, one of its values */

static ngx_int_t
ngx_mentara_claims_required(ngx_array_t *require, json_t *payload)
{
    char                    name[4];
    ngx_uint_t              i, k, fits;
    ngx_mentara_require_t  *r;

    r = require->elts;

    for (i = 0; i < require->nelts; i++) {
        fits = 0;

        for (k = 0; k < require->nelts && !fits; k++) {
            if (ngx_memcmp(r[i].name.data, r[k].name.data, 3) != 0) {
                continue;
            }

            ngx_memcpy(name, r[k].name.data, 3);
            name[3] = '\0';
            fits = ngx_mentara_claims_has(json_object_get(payload, name),
                                        &r[k].value);
        }

        if (!fits) {
            return NGX_DECLINED;
        }
    }

    return NGX_OK;
}


/* aud may be a list */

static ngx_uint_t
ngx_mentara_claims_has(json_t *claim, ngx_str_t *value)
{
    size_t  i;

    if (json_is_array(claim)) {
        for (i = 0; i < json_array_size(claim); i++) {
            if (json_is_string(json_array_get(claim, i))
                && ngx_mentara_claims_has(json_array_get(claim, i), value))
            {
                return 1;
            }
        }

        return 0;
    }

    return json_is_string(claim)
           && json_string_length(claim) == value->len
           && ngx_memcmp(json_string_value(claim), value->data, value->len)
              == 0;
}


static ngx_int_t
ngx_mentara_claims_copy(ngx_pool_t *pool, json_t *value, ngx_str_t *s)
{
    s->len = json_string_length(value);
    s->data = ngx_pnalloc(pool, s->len + 1);

    if (s->data == NULL) {
        return NGX_ERROR;
    }

    if (s->len != 0) {
        ngx_memcpy(s->data, json_string_value(value), s->len);
    }

    return NGX_OK;
}
