
#include <ngx_mentara_credential.h>
#include <ngx_mentara_origin.h>
#include <mentara_route.h>


static ngx_uint_t ngx_mentara_credential_cookie(ngx_http_request_t *r,
    ngx_str_t *name, ngx_str_t *token);
static void ngx_mentara_credential_bearer(ngx_str_t *value, ngx_str_t *token);
static ngx_uint_t ngx_mentara_credential_query(ngx_http_request_t *r,
    ngx_str_t *token);


ngx_uint_t
ngx_mentara_credential(ngx_http_request_t *r, ngx_uint_t query_allowed,
    ngx_str_t *token)
{
    ngx_str_t  name = ngx_string("__session");

    ngx_str_null(token);

    if (r->headers_in.authorization != NULL) {
        ngx_mentara_credential_bearer(&r->headers_in.authorization->value,
                                      token);
        return NGX_MENTARA_CREDENTIAL_BEARER;
    }

    if (ngx_mentara_credential_cookie(r, &name, token)) {
        return NGX_MENTARA_CREDENTIAL_COOKIE;
    }

    if (query_allowed && ngx_mentara_credential_query(r, token)) {
        return NGX_MENTARA_CREDENTIAL_QUERY;
    }

    return NGX_MENTARA_CREDENTIAL_NONE;
}


/* nginx 1.23 chains headers of one name */

static ngx_uint_t
ngx_mentara_credential_cookie(ngx_http_request_t *r, ngx_str_t *name,
    ngx_str_t *token)
{
#if (nginx_version >= 1023000)
    return ngx_http_parse_multi_header_lines(r, r->headers_in.cookie, name,
                                             token)
           != NULL;
#else
    return ngx_http_parse_multi_header_lines(&r->headers_in.cookies, name,
                                             token)
           != NGX_DECLINED;
#endif
}


/* RFC 6750 2.1; another scheme is a credential that is bad */

static void
ngx_mentara_credential_bearer(ngx_str_t *value, ngx_str_t *token)
{
    if (value->len <= 7
        || ngx_strncasecmp(value->data, (u_char *) "Bearer ", 7) != 0)
    {
        return;
    }

    token->data = value->data + 7;
    token->len = value->len - 7;

    while (token->len > 0 && token->data[0] == ' ') {
        token->data++;
        token->len--;
    }
}


static ngx_uint_t
ngx_mentara_credential_query(ngx_http_request_t *r, ngx_str_t *token)
{
    mentara_slice_t  rest, name, value;

    rest.data = r->args.data;
    rest.len = r->args.len;

    while (mentara_query_next(&rest, &name, &value) == MENTARA_OK) {
        if (name.len == 5 && ngx_memcmp(name.data, "token", 5) == 0) {
            token->data = value.data;
            token->len = value.len;
            return 1;
        }
    }

    return 0;
}


ngx_str_t *
ngx_mentara_header(ngx_http_request_t *r, const char *name)
{
    size_t            len;
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    len = ngx_strlen(name);
    part = &r->headers_in.headers.part;

    for ( /* void */ ; part != NULL; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {
            if (h[i].key.len == len
                && ngx_memcmp(h[i].lowcase_key, name, len) == 0)
            {
                return &h[i].value;
            }
        }
    }

    return NULL;
}


ngx_int_t
ngx_mentara_own_origin(ngx_http_request_t *r, ngx_str_t *own)
{
    ngx_str_t   host, scheme;

    if (r->headers_in.host == NULL) {
        host = r->headers_in.server;

    } else {
        host = r->headers_in.host->value;
    }

    ngx_str_set(&scheme, "http");

#if (NGX_HTTP_SSL)
    if (r->connection->ssl) {
        ngx_str_set(&scheme, "https");
    }
#endif

    own->len = scheme.len + 3 + host.len;
    own->data = ngx_pnalloc(r->pool, own->len);
    if (own->data == NULL) {
        return NGX_ERROR;
    }

    ngx_sprintf(own->data, "%V://%V", &scheme, &host);

    return NGX_OK;
}


ngx_int_t
ngx_mentara_credential_csrf(ngx_http_request_t *r, ngx_array_t *origins)
{
    ngx_str_t  *origin, *site, own;

    if (r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD|NGX_HTTP_OPTIONS)) {
        return NGX_OK;
    }

    origin = ngx_mentara_header(r, "origin");

    if (origin == NULL) {
        site = ngx_mentara_header(r, "sec-fetch-site");

        return (site != NULL && site->len == 11
                && ngx_memcmp(site->data, "same-origin", 11) == 0)
               ? NGX_OK : NGX_DECLINED;
    }

    if (ngx_mentara_own_origin(r, &own) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_mentara_origin_allowed(origins, &own, origin) ? NGX_OK
                                                            : NGX_DECLINED;
}
