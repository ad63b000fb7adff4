
#include <ngx_mentara_ws_handshake.h>
#include <ngx_mentara_output.h>
#include <ngx_sha1.h>


#define NGX_MENTARA_WS_AGAIN  50   /* ms between looks at a subrequest */


static ngx_int_t ngx_mentara_ws_header(ngx_http_request_t *r, const char *name,
    ngx_str_t *value);
static ngx_int_t ngx_mentara_ws_line(ngx_http_request_t *r, const char *name,
    ngx_uint_t n, ngx_str_t *value);
static ngx_int_t ngx_mentara_ws_token(ngx_http_request_t *r, const char *name,
    const char *token);
static ngx_int_t ngx_mentara_ws_push(ngx_http_request_t *r, const char *name,
    u_char *value, size_t len);
static ngx_int_t ngx_mentara_ws_extension(ngx_http_request_t *r,
    ngx_mentara_ws_t *ws);
static void ngx_mentara_ws_free_chain(ngx_pool_t *pool, ngx_chain_t *cl);
static void ngx_mentara_ws_sha1(u_char digest[20], const u_char *data,
    size_t len);


/* NGX_OK: there is one; NGX_DECLINED: none; NGX_ABORT: several */

static ngx_int_t
ngx_mentara_ws_header(ngx_http_request_t *r, const char *name,
    ngx_str_t *value)
{
    if (ngx_mentara_ws_line(r, name, 1, value) == NGX_OK) {
        return NGX_ABORT;
    }

    return ngx_mentara_ws_line(r, name, 0, value);
}


/* the n-th line of that name, from 0; NGX_DECLINED: there are not so many */

static ngx_int_t
ngx_mentara_ws_line(ngx_http_request_t *r, const char *name, ngx_uint_t n,
    ngx_str_t *value)
{
    size_t            len;
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    len = ngx_strlen(name);
    part = &r->headers_in.headers.part;
    h = part->elts;

    for (i = 0; /* void */ ; i++) {

        if (i >= part->nelts) {
            if (part->next == NULL) {
                return NGX_DECLINED;
            }

            part = part->next;
            h = part->elts;
            i = 0;
        }

        if (h[i].key.len == len
            && ngx_strncmp(h[i].lowcase_key, name, len) == 0
            && n-- == 0)
        {
            *value = h[i].value;
            return NGX_OK;
        }
    }
}


/* in any line of a list (RFC 9110, 5.3) */

static ngx_int_t
ngx_mentara_ws_token(ngx_http_request_t *r, const char *name,
    const char *token)
{
    ngx_str_t         value;
    ngx_uint_t        n;
    mentara_slice_t   s;

    for (n = 0; ngx_mentara_ws_line(r, name, n, &value) == NGX_OK; n++) {
        s.data = value.data;
        s.len = value.len;

        if (mentara_ws_has_token(s, token)) {
            return 1;
        }
    }

    return 0;
}


static ngx_int_t
ngx_mentara_ws_push(ngx_http_request_t *r, const char *name, u_char *value,
    size_t len)
{
    u_char  *copy;

    copy = ngx_pnalloc(r->pool, len);
    if (copy == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(copy, value, len);

    return ngx_mentara_output_header(r, name, copy, len);
}


ngx_int_t
ngx_mentara_ws_check(ngx_http_request_t *r)
{
    ngx_str_t         value;
    mentara_slice_t   key;

    if (r != r->main || r->http_version >= NGX_HTTP_VERSION_20
        || ngx_mentara_ws_header(r, "upgrade", &value) == NGX_DECLINED)
    {
        return NGX_DECLINED;
    }

    if (r->method != NGX_HTTP_GET) {
        return NGX_HTTP_NOT_ALLOWED;
    }

    if (r->http_version != NGX_HTTP_VERSION_11
        || !ngx_mentara_ws_token(r, "upgrade", "websocket")
        || !ngx_mentara_ws_token(r, "connection", "upgrade"))
    {
        return NGX_HTTP_BAD_REQUEST;
    }

    if (ngx_mentara_ws_header(r, "sec-websocket-version", &value) != NGX_OK
        || value.len != 2 || ngx_strncmp(value.data, "13", 2) != 0)
    {
        return (ngx_mentara_ws_push(r, "Sec-WebSocket-Version",
                                    (u_char *) "13", 2) == NGX_OK)
               ? NGX_MENTARA_UPGRADE_REQUIRED
               : NGX_HTTP_BAD_REQUEST;
    }

    if (ngx_mentara_ws_header(r, "sec-websocket-key", &value) != NGX_OK) {
        return NGX_HTTP_BAD_REQUEST;
    }

    key.data = value.data;
    key.len = value.len;

    if (!mentara_ws_key_valid(key)
        || r->headers_in.content_length_n > 0 || r->headers_in.chunked)
    {
        return NGX_HTTP_BAD_REQUEST;
    }

    return ngx_exiting ? NGX_HTTP_SERVICE_UNAVAILABLE : NGX_OK;
}


ngx_int_t
ngx_mentara_ws_answer(ngx_http_request_t *r, ngx_mentara_ws_t *ws)
{
    u_char            accept[MENTARA_WS_ACCEPT_LEN];
    ngx_int_t         rc;
    ngx_str_t         key;
    mentara_slice_t   slice;

    if (ngx_mentara_ws_header(r, "sec-websocket-key", &key) != NGX_OK) {
        return NGX_ERROR;
    }

    slice.data = key.data;
    slice.len = key.len;
    mentara_ws_accept(accept, slice, ngx_mentara_ws_sha1);

    if (ngx_mentara_ws_push(r, "Upgrade", (u_char *) "websocket", 9) != NGX_OK
        || ngx_mentara_ws_push(r, "Sec-WebSocket-Accept", accept,
                               MENTARA_WS_ACCEPT_LEN) != NGX_OK
        || (ws->conf->deflate && ngx_mentara_ws_extension(r, ws) != NGX_OK))
    {
        return NGX_ERROR;
    }

    r->keepalive = 0;
    r->headers_out.status = NGX_HTTP_SWITCHING_PROTOCOLS;
    r->headers_out.status_line.len = 0;
    r->headers_out.content_length_n = -1;
    r->allow_ranges = 0;

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK) {
        return NGX_ERROR;
    }

    return (ngx_http_send_special(r, NGX_HTTP_FLUSH) == NGX_ERROR)
           ? NGX_ERROR : NGX_OK;
}


static ngx_int_t
ngx_mentara_ws_extension(ngx_http_request_t *r, ngx_mentara_ws_t *ws)
{
    u_char                    answer[MENTARA_DEFLATE_ANSWER_MAX];
    ngx_str_t                 value;
    mentara_slice_t           offers;
    mentara_deflate_params_t  params;

    if (ngx_mentara_ws_header(r, "sec-websocket-extensions", &value) != NGX_OK)
    {
        return NGX_OK;
    }

    offers.data = value.data;
    offers.len = value.len;

    if (mentara_deflate_negotiate(&params, offers) != MENTARA_OK) {
        return NGX_OK;
    }

    ws->deflate = 1;
    ws->bits = params.server_bits;

    return ngx_mentara_ws_push(r, "Sec-WebSocket-Extensions", answer,
                               mentara_deflate_answer(answer, &params));
}


ngx_int_t
ngx_mentara_ws_answered(ngx_mentara_ws_t *ws)
{
    ngx_uint_t           shared;
    ngx_event_t         *wev;
    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    c = ws->c;
    r = ws->r;
    wev = c->write;

    if (wev->timedout) {
        wev->timedout = 0;

        if (ngx_current_msec - ws->heard >= ws->conf->send_timeout) {
            return NGX_ERROR;
        }
    }

    if (c->buffered && ngx_http_output_filter(r, NULL) == NGX_ERROR) {
        return NGX_ERROR;
    }

    /* a subrequest of mirror may still be at work */

    shared = (r->count != 1 || r->blocked);

    if (!c->buffered && !shared) {
        if (wev->timer_set) {
            ngx_del_timer(wev);
        }

        return NGX_OK;
    }

    if (!wev->timer_set) {
        ngx_add_timer(wev, c->buffered ? ws->conf->send_timeout
                                       : NGX_MENTARA_WS_AGAIN);
    }

    return (ngx_handle_write_event(wev, 0) == NGX_OK) ? NGX_AGAIN : NGX_ERROR;
}


void
ngx_mentara_ws_let_go(ngx_mentara_ws_t *ws)
{
    ngx_str_t               client;
    ngx_connection_t       *c;
    ngx_http_request_t     *r;
    ngx_http_connection_t  *hc;

    c = ws->c;
    r = ws->r;
    hc = r->http_connection;
    ws->r = NULL;

    /* who it is to the error log; realip takes that back with the request */

    client = c->addr_text;
    ngx_http_free_request(r, 0);
    c->addr_text = client;

    /* the head was read into these */

    (void) ngx_pfree(c->pool, c->buffer->start);

    ngx_mentara_ws_free_chain(c->pool, hc->busy);
    ngx_mentara_ws_free_chain(c->pool, hc->free);

#if (NGX_HTTP_SSL)

    if (c->ssl) {
        ngx_ssl_free_buffer(c);
    }

#endif
}


static void
ngx_mentara_ws_free_chain(ngx_pool_t *pool, ngx_chain_t *cl)
{
    for ( /* void */ ; cl != NULL; cl = cl->next) {
        (void) ngx_pfree(pool, cl->buf->start);
    }
}


static void
ngx_mentara_ws_sha1(u_char digest[20], const u_char *data, size_t len)
{
    ngx_sha1_t  sha1;

    ngx_sha1_init(&sha1);
    ngx_sha1_update(&sha1, data, len);
    ngx_sha1_final(digest, &sha1);
}
