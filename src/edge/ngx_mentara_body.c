
#include <ngx_mentara_body.h>


typedef struct {
    ngx_mentara_request_t        *q;
    ngx_mentara_body_handler_pt   handler;
    size_t                        size;     /* of q->body's buffer */
} ngx_mentara_body_t;


static void ngx_mentara_body_begun(ngx_http_request_t *r);
static void ngx_mentara_body_event(ngx_http_request_t *r);
static void ngx_mentara_body_more(ngx_mentara_body_t *b);
static ngx_int_t ngx_mentara_body_collect(ngx_mentara_body_t *b);
static ngx_int_t ngx_mentara_body_append(ngx_mentara_body_t *b, u_char *data,
    size_t len);
static ngx_mentara_body_t *ngx_mentara_body_of(ngx_http_request_t *r);


ngx_int_t
ngx_mentara_body_type(ngx_http_request_t *r)
{
    size_t      len;
    u_char     *p;
    ngx_str_t  *type;

    if (r->headers_in.content_type == NULL) {
        return NGX_DECLINED;
    }

    type = &r->headers_in.content_type->value;
    p = ngx_strlchr(type->data, type->data + type->len, ';');
    len = (p == NULL) ? type->len : (size_t) (p - type->data);

    while (len > 0 && type->data[len - 1] == ' ') {
        len--;
    }

    if (len == sizeof("application/json") - 1
        && ngx_strncasecmp(type->data, (u_char *) "application/json", len)
           == 0)
    {
        return NGX_OK;
    }

    return NGX_DECLINED;
}


/*
 * Unbuffered, so that nginx keeps nothing in a file and the bound is ours,
 * for chunked bodies too.
 */

void
ngx_mentara_body_read(ngx_mentara_request_t *q,
    ngx_mentara_body_handler_pt handler)
{
    ngx_int_t             rc;
    ngx_mentara_body_t   *b;
    ngx_http_request_t   *r;

    r = q->r;

    if (r->headers_in.content_length_n > NGX_MENTARA_BODY_MAX) {
        handler(q, NGX_HTTP_REQUEST_ENTITY_TOO_LARGE);
        return;
    }

    b = ngx_pcalloc(r->pool, sizeof(ngx_mentara_body_t));
    if (b == NULL) {
        handler(q, NGX_HTTP_INTERNAL_SERVER_ERROR);
        return;
    }

    b->q = q;
    b->handler = handler;

    q->read = 1;
    q->reading = b;
    r->request_body_no_buffering = 1;

    rc = ngx_http_read_client_request_body(r, ngx_mentara_body_begun);

    if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {
        handler(q, rc);
    }
}


static ngx_mentara_body_t *
ngx_mentara_body_of(ngx_http_request_t *r)
{
    ngx_mentara_request_t  *q;

    q = ngx_http_get_module_ctx(r, ngx_mentara_module);

    return q->reading;
}


/* nginx has taken a reference; the one of the door itself is enough */

static void
ngx_mentara_body_begun(ngx_http_request_t *r)
{
    r->main->count--;
    ngx_mentara_body_more(ngx_mentara_body_of(r));
}


static void
ngx_mentara_body_event(ngx_http_request_t *r)
{
    ngx_int_t            rc;
    ngx_connection_t    *c;
    ngx_mentara_body_t  *b;

    c = r->connection;
    b = ngx_mentara_body_of(r);
    b->q->async = 1;

    if (c->read->timedout) {
        c->timedout = 1;
        r->read_event_handler = ngx_http_block_reading;
        b->handler(b->q, NGX_HTTP_REQUEST_TIME_OUT);
        return;
    }

    rc = ngx_http_read_unbuffered_request_body(r);

    if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {
        r->read_event_handler = ngx_http_block_reading;
        b->handler(b->q, rc);
        return;
    }

    ngx_mentara_body_more(b);
}


static void
ngx_mentara_body_more(ngx_mentara_body_t *b)
{
    ngx_int_t            rc;
    ngx_http_request_t  *r;

    r = b->q->r;

    for ( ;; ) {
        rc = ngx_mentara_body_collect(b);

        if (rc != NGX_OK) {
            r->read_event_handler = ngx_http_block_reading;
            r->lingering_close = 1;
            b->handler(b->q, rc);
            return;
        }

        if (!r->reading_body) {
            r->read_event_handler = ngx_http_block_reading;
            b->handler(b->q, NGX_OK);
            return;
        }

        rc = ngx_http_read_unbuffered_request_body(r);

        if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {
            r->read_event_handler = ngx_http_block_reading;
            b->handler(b->q, rc);
            return;
        }

        if (rc == NGX_AGAIN && r->request_body->bufs == NULL) {
            r->read_event_handler = ngx_mentara_body_event;
            return;
        }
    }
}


static ngx_int_t
ngx_mentara_body_collect(ngx_mentara_body_t *b)
{
    ngx_buf_t                *buf;
    ngx_int_t                 rc;
    ngx_chain_t              *cl;
    ngx_http_request_body_t  *rb;

    rb = b->q->r->request_body;

    if (rb == NULL) {
        return NGX_OK;
    }

    for (cl = rb->bufs; cl != NULL; cl = cl->next) {
        buf = cl->buf;

        if (!ngx_buf_in_memory(buf)) {
            continue;
        }

        rc = ngx_mentara_body_append(b, buf->pos, buf->last - buf->pos);
        if (rc != NGX_OK) {
            return rc;
        }

        buf->pos = buf->last;
    }

    rb->bufs = NULL;

    return NGX_OK;
}


static ngx_int_t
ngx_mentara_body_append(ngx_mentara_body_t *b, u_char *data, size_t len)
{
    u_char     *p;
    size_t      size;
    ngx_str_t  *body;

    body = &b->q->body;

    if (len > NGX_MENTARA_BODY_MAX - body->len) {
        return NGX_HTTP_REQUEST_ENTITY_TOO_LARGE;
    }

    if (body->len + len > b->size) {
        size = ngx_max(2 * b->size, body->len + len);

        if (b->q->r->headers_in.content_length_n > 0) {
            size = (size_t) b->q->r->headers_in.content_length_n;
        }

        p = ngx_pnalloc(b->q->r->pool, size);
        if (p == NULL) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        if (body->len != 0) {
            ngx_memcpy(p, body->data, body->len);
        }

        body->data = p;
        b->size = size;
    }

    ngx_memcpy(body->data + body->len, data, len);
    body->len += len;

    return NGX_OK;
}
