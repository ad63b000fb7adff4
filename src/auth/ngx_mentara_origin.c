
#include <ngx_mentara_origin.h>


/* scheme, host and port of an origin, default port left out */
typedef struct {
    ngx_str_t    scheme;
    ngx_str_t    host;      /* host or host:port */
} ngx_mentara_origin_t;


static ngx_int_t ngx_mentara_origin_split(ngx_str_t *text,
    ngx_mentara_origin_t *o);
static ngx_uint_t ngx_mentara_origin_equal(ngx_str_t *a, ngx_str_t *b);


char *
ngx_mentara_origin_add(ngx_conf_t *cf, ngx_array_t *origins,
    ngx_str_t *value)
{
    ngx_str_t             *s;
    ngx_mentara_origin_t   o;

    if (ngx_mentara_origin_split(value, &o) != NGX_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid origin \"%V\" in \"mentara_origin\", it "
                           "must be like \"https://app.example\"", value);
        return NGX_CONF_ERROR;
    }

    s = ngx_array_push(origins);
    if (s == NULL) {
        return NGX_CONF_ERROR;
    }

    *s = *value;

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_mentara_origin_split(ngx_str_t *text, ngx_mentara_origin_t *o)
{
    size_t       i;
    ngx_uint_t   tls;

    if (text->len > 7
        && ngx_strncasecmp(text->data, (u_char *) "http://", 7) == 0)
    {
        o->scheme.len = 4;
        tls = 0;

    } else if (text->len > 8
               && ngx_strncasecmp(text->data, (u_char *) "https://", 8) == 0)
    {
        o->scheme.len = 5;
        tls = 1;

    } else {
        return NGX_ERROR;
    }

    o->scheme.data = text->data;
    o->host.data = text->data + o->scheme.len + 3;
    o->host.len = text->len - o->scheme.len - 3;

    for (i = 0; i < o->host.len; i++) {
        if (o->host.data[i] <= ' ' || o->host.data[i] == '/'
            || o->host.data[i] == '@' || o->host.data[i] == '?'
            || o->host.data[i] == '#')
        {
            return NGX_ERROR;
        }
    }

    if (!tls && o->host.len > 3
        && ngx_memcmp(o->host.data + o->host.len - 3, ":80", 3) == 0)
    {
        o->host.len -= 3;
    }

    if (tls && o->host.len > 4
        && ngx_memcmp(o->host.data + o->host.len - 4, ":443", 4) == 0)
    {
        o->host.len -= 4;
    }

    return (o->host.len == 0) ? NGX_ERROR : NGX_OK;
}


static ngx_uint_t
ngx_mentara_origin_equal(ngx_str_t *a, ngx_str_t *b)
{
    ngx_mentara_origin_t  x, y;

    if (ngx_mentara_origin_split(a, &x) != NGX_OK
        || ngx_mentara_origin_split(b, &y) != NGX_OK)
    {
        return 0;
    }

    return x.scheme.len == y.scheme.len && x.host.len == y.host.len
           && ngx_strncasecmp(x.scheme.data, y.scheme.data, x.scheme.len)
              == 0
           && ngx_strncasecmp(x.host.data, y.host.data, x.host.len) == 0;
}


ngx_uint_t
ngx_mentara_origin_allowed(ngx_array_t *origins, ngx_str_t *own,
    ngx_str_t *origin)
{
    if (origins != NULL && origins->nelts != 0) {
        return ngx_mentara_origin_listed(origins, origin);
    }

    return ngx_mentara_origin_equal(own, origin);
}


ngx_uint_t
ngx_mentara_origin_listed(ngx_array_t *origins, ngx_str_t *origin)
{
    ngx_str_t   *s;
    ngx_uint_t   i;

    if (origins == NULL) {
        return 0;
    }

    s = origins->elts;

    for (i = 0; i < origins->nelts; i++) {
        if (ngx_mentara_origin_equal(&s[i], origin)) {
            return 1;
        }
    }

    return 0;
}
