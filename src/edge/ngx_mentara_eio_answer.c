
#include <ngx_mentara_eio_answer.h>
#include <ngx_mentara_output.h>


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
    ngx_str_t  none;

    if (ngx_mentara_output_set(r, "Retry-After", "1") != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_str_null(&none);

    return ngx_mentara_eio_answer(r, NGX_HTTP_SERVICE_UNAVAILABLE,
                                  "text/plain", &none);
}


ngx_int_t
ngx_mentara_eio_answer(ngx_http_request_t *r, ngx_uint_t status,
    const char *type, ngx_str_t *body)
{
    ngx_buf_t    *b;
    ngx_int_t     rc;
    ngx_chain_t   out;

    rc = ngx_mentara_output_unread(r);
    if (rc != NGX_OK) {
        return rc;
    }

    b = ngx_create_temp_buf(r->pool, body->len + 1);

    if (b == NULL
        || ngx_mentara_output_set(r, "Cache-Control", "no-store") != NGX_OK
        || ngx_mentara_output_set(r, "X-Content-Type-Options", "nosniff")
           != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

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
