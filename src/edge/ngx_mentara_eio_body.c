
#include <ngx_mentara_eio_body.h>


typedef struct {
    ngx_http_request_t       *r;
    ngx_mentara_eio_body_pt   handler;
    void                     *data;
    size_t                    max;
    size_t                    size;      /* of body's memory */
    ngx_str_t                 body;
} ngx_mentara_eio_body_t;


static void ngx_mentara_eio_body_cleanup(void *data);
static ngx_mentara_eio_body_t *ngx_mentara_eio_body_of(
    ngx_http_request_t *r);
static void ngx_mentara_eio_body_begun(ngx_http_request_t *r);
static void ngx_mentara_eio_body_event(ngx_http_request_t *r);
static void ngx_mentara_eio_body_more(ngx_mentara_eio_body_t *b);
static void ngx_mentara_eio_body_done(ngx_mentara_eio_body_t *b,
    ngx_int_t rc);
static ngx_int_t ngx_mentara_eio_body_collect(ngx_mentara_eio_body_t *b);
static ngx_int_t ngx_mentara_eio_body_room(ngx_mentara_eio_body_t *b,
    size_t len);


/*
 * Unbuffered, so that nginx keeps nothing in a file and the bound is ours,
 * for chunked bodies too.
 */

void
ngx_mentara_eio_body(ngx_http_request_t *r, size_t max,
    ngx_mentara_eio_body_pt handler, void *data)
{
    ngx_int_t                rc;
    ngx_pool_cleanup_t      *cln;
    ngx_mentara_eio_body_t  *b;

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_mentara_eio_body_t));
    if (cln == NULL) {
        handler(r, data, NULL, NGX_HTTP_INTERNAL_SERVER_ERROR);
        return;
    }

    cln->handler = ngx_mentara_eio_body_cleanup;

    b = cln->data;
    ngx_memzero(b, sizeof(ngx_mentara_eio_body_t));
    b->r = r;
    b->handler = handler;
    b->data = data;
    b->max = max;

    if (r->headers_in.content_length_n > (off_t) max) {
        r->keepalive = 0;
        r->lingering_close = 1;
        handler(r, data, NULL, NGX_HTTP_REQUEST_ENTITY_TOO_LARGE);
        return;
    }

    r->request_body_no_buffering = 1;

    rc = ngx_http_read_client_request_body(r, ngx_mentara_eio_body_begun);

    if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {
        handler(r, data, NULL, rc);
    }
}


static void
ngx_mentara_eio_body_cleanup(void *data)
{
    ngx_mentara_eio_body_t *b = data;

    if (b->body.data != NULL) {
        ngx_free(b->body.data);
        b->body.data = NULL;
    }
}


static ngx_mentara_eio_body_t *
ngx_mentara_eio_body_of(ngx_http_request_t *r)
{
    ngx_pool_cleanup_t  *cln;

    for (cln = r->pool->cleanup; cln != NULL; cln = cln->next) {
        if (cln->handler == ngx_mentara_eio_body_cleanup) {
            return cln->data;
        }
    }

    return NULL;
}


/* nginx has taken a reference; the caller's own is enough */

static void
ngx_mentara_eio_body_begun(ngx_http_request_t *r)
{
    r->main->count--;
    ngx_mentara_eio_body_more(ngx_mentara_eio_body_of(r));
}


static void
ngx_mentara_eio_body_event(ngx_http_request_t *r)
{
    ngx_int_t                rc;
    ngx_connection_t        *c;
    ngx_mentara_eio_body_t  *b;

    c = r->connection;
    b = ngx_mentara_eio_body_of(r);

    if (c->read->timedout) {
        c->timedout = 1;
        ngx_mentara_eio_body_done(b, NGX_HTTP_REQUEST_TIME_OUT);
        return;
    }

    rc = ngx_http_read_unbuffered_request_body(r);

    if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {
        ngx_mentara_eio_body_done(b, rc);
        return;
    }

    ngx_mentara_eio_body_more(b);
}


static void
ngx_mentara_eio_body_more(ngx_mentara_eio_body_t *b)
{
    ngx_int_t            rc;
    ngx_http_request_t  *r;

    r = b->r;

    for ( ;; ) {
        rc = ngx_mentara_eio_body_collect(b);

        if (rc != NGX_OK) {
            r->lingering_close = 1;
            ngx_mentara_eio_body_done(b, rc);
            return;
        }

        if (!r->reading_body) {
            ngx_mentara_eio_body_done(b, NGX_OK);
            return;
        }

        rc = ngx_http_read_unbuffered_request_body(r);

        if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {
            ngx_mentara_eio_body_done(b, rc);
            return;
        }

        if (rc == NGX_AGAIN && r->request_body->bufs == NULL) {
            r->read_event_handler = ngx_mentara_eio_body_event;
            return;
        }
    }
}


/* the memory goes with this call: a keepalive connection needs none */

static void
ngx_mentara_eio_body_done(ngx_mentara_eio_body_t *b, ngx_int_t rc)
{
    ngx_str_t  body;

    b->r->read_event_handler = ngx_http_block_reading;

    body = b->body;
    b->body.data = NULL;

    b->handler(b->r, b->data, &body, rc);

    if (body.data != NULL) {
        ngx_free(body.data);
    }
}


static ngx_int_t
ngx_mentara_eio_body_collect(ngx_mentara_eio_body_t *b)
{
    size_t                    len;
    ngx_buf_t                *buf;
    ngx_int_t                 rc;
    ngx_chain_t              *cl;
    ngx_http_request_body_t  *rb;

    rb = b->r->request_body;

    if (rb == NULL) {
        return NGX_OK;
    }

    for (cl = rb->bufs; cl != NULL; cl = cl->next) {
        buf = cl->buf;

        if (!ngx_buf_in_memory(buf)) {
            continue;
        }

        len = buf->last - buf->pos;
        rc = ngx_mentara_eio_body_room(b, len);

        if (rc != NGX_OK) {
            return rc;
        }

        if (len != 0) {
            ngx_memcpy(b->body.data + b->body.len, buf->pos, len);
        }

        b->body.len += len;
        buf->pos = buf->last;
    }

    rb->bufs = NULL;

    return NGX_OK;
}


/* NGX_OK, 413 or 500 */

static ngx_int_t
ngx_mentara_eio_body_room(ngx_mentara_eio_body_t *b, size_t len)
{
    size_t   size;
    u_char  *p;

    if (b->body.len + len > b->max) {
        return NGX_HTTP_REQUEST_ENTITY_TOO_LARGE;
    }

    if (b->body.data != NULL && b->body.len + len <= b->size) {
        return NGX_OK;
    }

    size = ngx_max(b->size * 2, b->body.len + len + 1);

    p = ngx_alloc(size, b->r->connection->log);
    if (p == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (b->body.data != NULL) {
        ngx_memcpy(p, b->body.data, b->body.len);
        ngx_free(b->body.data);
    }

    b->body.data = p;
    b->size = size;

    return NGX_OK;
}
