
#include <ngx_mentara_eio_answer.h>


ngx_int_t
ngx_mentara_eio_error(ngx_http_request_t *r, mentara_eio_error_e error)
{
    ngx_str_t                    body;
    const mentara_eio_answer_t  *answer;

    answer = mentara_eio_error(error);
    body.data = answer->body.data;
    body.len = answer->body.len;

    return ngx_mentara_eio_answer(r, answer->status, "application/json",
                                  &body);
}


ngx_int_t
ngx_mentara_eio_later(ngx_http_request_t *r)
{
    ngx_str_t         none;
    ngx_table_elt_t  *h;

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    h->hash = 1;
    ngx_str_set(&h->key, "Retry-After");
    ngx_str_set(&h->value, "1");

    ngx_str_null(&none);

    return ngx_mentara_eio_answer(r, NGX_HTTP_SERVICE_UNAVAILABLE,
                                  "text/plain", &none);
}


ngx_int_t
ngx_mentara_eio_answer(ngx_http_request_t *r, ngx_uint_t status,
    const char *type, ngx_str_t *body)
{
    ngx_buf_t        *b;
    ngx_int_t         rc;
    ngx_chain_t       out;
    ngx_table_elt_t  *h;

    h = ngx_list_push(&r->headers_out.headers);
    b = ngx_create_temp_buf(r->pool, body->len + 1);

    if (h == NULL || b == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    h->hash = 1;
    ngx_str_set(&h->key, "Cache-Control");
    ngx_str_set(&h->value, "no-store");

    r->headers_out.status = status;
    r->headers_out.content_length_n = body->len;
    r->headers_out.content_type.data = (u_char *) type;
    r->headers_out.content_type.len = ngx_strlen(type);
    r->headers_out.content_type_len = r->headers_out.content_type.len;

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only || body->len == 0) {
        return (rc == NGX_OK && !r->header_only)
               ? ngx_http_send_special(r, NGX_HTTP_LAST) : rc;
    }

    b->last = ngx_cpymem(b->last, body->data, body->len);
    b->last_buf = 1;

    out.buf = b;
    out.next = NULL;

    return ngx_http_output_filter(r, &out);
}
