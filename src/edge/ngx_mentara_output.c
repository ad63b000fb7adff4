
#include <ngx_mentara_output.h>


ngx_int_t
ngx_mentara_output_header(ngx_http_request_t *r, const char *name,
    u_char *value, size_t len)
{
    ngx_table_elt_t  *h;

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    h->hash = 1;
    h->key.data = (u_char *) name;
    h->key.len = ngx_strlen(name);
    h->value.data = value;
    h->value.len = len;
#if (nginx_version >= 1023000)
    h->next = NULL;
#endif

    return NGX_OK;
}


/*
 * RFC 9110 10.1.1: who waits for "100 Continue" is not asked for a body that
 * nobody reads; whether it comes nevertheless is not known, hence the close.
 */

ngx_int_t
ngx_mentara_output_unread(ngx_http_request_t *r)
{
    if (r->headers_in.expect != NULL && !r->expect_tested) {
        r->expect_tested = 1;
        r->keepalive = 0;
    }

    return ngx_http_discard_request_body(r);
}
