
#include <ngx_mentara_ws_out.h>


#define NGX_MENTARA_WS_IOVS  64
#define NGX_MENTARA_WS_ONLY  16384   /* most octets of a frame on its own */


static ngx_int_t ngx_mentara_ws_fits(ngx_mentara_ws_t *ws,
    ngx_mentara_frame_t *f);
static ngx_int_t ngx_mentara_ws_alone(ngx_mentara_ws_t *ws,
    ngx_mentara_frame_t *f);
static ngx_int_t ngx_mentara_ws_more(ngx_mentara_ws_worker_t *worker);
static ngx_int_t ngx_mentara_ws_queue(ngx_mentara_ws_t *ws,
    ngx_mentara_frame_t *f);
static void ngx_mentara_ws_flush_alone(ngx_mentara_ws_worker_t *worker);
static void ngx_mentara_ws_flush(ngx_mentara_ws_t *ws);
static ngx_int_t ngx_mentara_ws_write(ngx_mentara_ws_t *ws);
static ssize_t ngx_mentara_ws_write_some(ngx_mentara_ws_t *ws);
static void ngx_mentara_ws_sent(ngx_mentara_ws_t *ws, size_t n);
static void ngx_mentara_ws_flushed(ngx_mentara_ws_t *ws);


void
ngx_mentara_ws_send(ngx_mentara_ws_t *ws, ngx_mentara_frame_t *f)
{
    ngx_int_t  rc;

    if (ws->close_sent || ws->broken) {
        return;
    }

    if (f == NULL) {
        goto failed;
    }

    rc = ngx_mentara_ws_fits(ws, f);

    if (rc == NGX_ERROR) {
        goto failed;
    }

    if (rc == NGX_DECLINED) {
        ngx_mentara_ws_discard(ws);
        ngx_mentara_ws_send_close(ws, MENTARA_WS_TRY_LATER);
        ws->slow = 1;

        ngx_log_error(NGX_LOG_INFO, ws->worker->log, 0,
                      "*%uA client reads too slowly, closing connection",
                      ws->c->number);
        return;
    }

    if (ngx_mentara_ws_alone(ws, f) == NGX_OK) {
        return;
    }

    if (ngx_mentara_ws_join(ws) != NGX_OK
        || ngx_mentara_ws_queue(ws, f) != NGX_OK)
    {
        goto failed;
    }

    ngx_mentara_ws_due(ws);

    return;

failed:

    ws->broken = 1;
    ngx_mentara_ws_due(ws);
}


/*
 * The only frame of this turn, of a socket for which nothing waits: it goes
 * into an array of the worker, so that of a thousand sockets none has to be
 * looked at again when it is sent.  NGX_DECLINED: it must be queued.
 */

static ngx_int_t
ngx_mentara_ws_alone(ngx_mentara_ws_t *ws, ngx_mentara_frame_t *f)
{
    ngx_mentara_ws_alone_t   *a;
    ngx_mentara_ws_worker_t  *worker;

    if (!ws->clear || ws->alone != 0 || ws->flushing
        || f->opcode >= MENTARA_WS_CLOSE || f->len > NGX_MENTARA_WS_ONLY)
    {
        return NGX_DECLINED;
    }

    worker = ws->worker;

    if (worker->nalone == worker->alone_size
        && ngx_mentara_ws_more(worker) != NGX_OK)
    {
        return NGX_DECLINED;
    }

    ngx_mentara_frame_ref(f);

    a = &worker->alone[worker->nalone++];
    a->ws = ws;
    a->frame = f;
    a->fd = ws->fd;

    ws->alone = worker->nalone;
    ws->pending = f->len;

    if (!worker->flush.posted) {
        ngx_post_event(&worker->flush, &ngx_posted_events);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_mentara_ws_more(ngx_mentara_ws_worker_t *worker)
{
    ngx_uint_t               n;
    ngx_mentara_ws_alone_t  *alone;

    n = worker->alone_size ? 2 * worker->alone_size : 64;

    alone = ngx_alloc(n * sizeof(ngx_mentara_ws_alone_t), worker->log);
    if (alone == NULL) {
        return NGX_ERROR;
    }

    if (worker->alone != NULL) {
        ngx_memcpy(alone, worker->alone,
                   worker->nalone * sizeof(ngx_mentara_ws_alone_t));
        ngx_free(worker->alone);
    }

    worker->alone = alone;
    worker->alone_size = n;

    return NGX_OK;
}


ngx_int_t
ngx_mentara_ws_join(ngx_mentara_ws_t *ws)
{
    ngx_int_t             rc;
    ngx_mentara_frame_t  *f;

    f = ngx_mentara_ws_take_back(ws);

    if (f == NULL) {
        return NGX_OK;
    }

    rc = ngx_mentara_ws_queue(ws, f);
    ngx_mentara_frame_unref(f);

    if (rc == NGX_OK) {
        ngx_mentara_ws_due(ws);
    }

    return rc;
}


static ngx_int_t
ngx_mentara_ws_queue(ngx_mentara_ws_t *ws, ngx_mentara_frame_t *f)
{
    ngx_mentara_ws_out_t  *out;

    out = ngx_alloc(sizeof(ngx_mentara_ws_out_t), ws->worker->log);
    if (out == NULL) {
        return NGX_ERROR;
    }

    ngx_mentara_frame_ref(f);

    out->frame = f;
    out->next = NULL;
    *ws->out_last = out;
    ws->out_last = &out->next;
    ws->pending += f->len;

    return NGX_OK;
}


/*
 * Whether the socket may keep that much: NGX_OK, NGX_DECLINED or NGX_ERROR.
 * Many events of one turn have not been tried yet: who reads is not slow.
 */

static ngx_int_t
ngx_mentara_ws_fits(ngx_mentara_ws_t *ws, ngx_mentara_frame_t *f)
{
    if (ws->pending + f->len <= ws->conf->buffer
        || ws->pending == 0 || f->opcode >= MENTARA_WS_CLOSE)
    {
        return NGX_OK;
    }

    if (!ws->c->buffered
        && (ngx_mentara_ws_join(ws) != NGX_OK
            || ngx_mentara_ws_write(ws) == NGX_ERROR))
    {
        return NGX_ERROR;
    }

    return (ws->pending + f->len <= ws->conf->buffer || ws->pending == 0)
           ? NGX_OK : NGX_DECLINED;
}


void
ngx_mentara_ws_send_data(ngx_mentara_ws_t *ws, ngx_uint_t opcode,
    u_char *data, size_t len)
{
    ngx_mentara_frame_t  *f;

    f = ngx_mentara_frame_create(opcode, len, ws->worker->log);

    if (f != NULL && len != 0) {
        ngx_memcpy(f->payload.data, data, len);
    }

    ngx_mentara_ws_send(ws, f);
    ngx_mentara_frame_unref(f);
}


void
ngx_mentara_ws_send_close(ngx_mentara_ws_t *ws, ngx_uint_t code)
{
    size_t                 len;
    u_char                 buf[MENTARA_WS_CLOSE_MAX];
    mentara_slice_t        reason;
    ngx_mentara_frame_t   *f;

    if (ws->close_sent || ws->broken) {
        return;
    }

    reason.data = NULL;
    reason.len = 0;

    len = mentara_ws_close(buf, code, reason);
    f = ngx_mentara_frame_raw(buf, len, ws->worker->log);

    if (f != NULL) {
        f->opcode = MENTARA_WS_CLOSE;
    }

    ngx_mentara_ws_send(ws, f);
    ngx_mentara_frame_unref(f);

    ws->close_sent = 1;

    /* from now on it is the close that is waited for */

    ngx_add_timer(ws->c->read, ws->conf->close_timeout);

    if (ws->c->write->timer_set && ws->r == NULL) {
        ngx_del_timer(ws->c->write);
    }
}


void
ngx_mentara_ws_flush_due(ngx_event_t *ev)
{
    ngx_queue_t              *q;
    ngx_mentara_ws_t         *ws;
    ngx_mentara_ws_worker_t  *worker;

    worker = ev->data;

    ngx_mentara_ws_flush_alone(worker);

    while (!ngx_queue_empty(&worker->due)) {
        q = ngx_queue_head(&worker->due);
        ws = ngx_queue_data(q, ngx_mentara_ws_t, due);

        ngx_queue_remove(q);
        ws->flushing = 0;

        ngx_mentara_ws_flush(ws);
    }
}


/* in most turns each send() takes all: nothing is read of the socket then */

static void
ngx_mentara_ws_flush_alone(ngx_mentara_ws_worker_t *worker)
{
    ssize_t                  n;
    ngx_uint_t               i;
    ngx_mentara_ws_t        *ws;
    ngx_mentara_frame_t     *f;
    ngx_mentara_ws_alone_t  *a;

    for (i = 0; i < worker->nalone; i++) {
        a = &worker->alone[i];
        ws = a->ws;
        f = a->frame;

        if (ws == NULL) {
            continue;
        }

        n = send(a->fd, f->data + f->start, f->len, 0);

        if (n == (ssize_t) f->len) {
            ws->alone = 0;
            ws->pending = 0;
            ngx_mentara_frame_unref(f);
            continue;
        }

        /* the flush meets the error again, or finds the socket full */

        if (ngx_mentara_ws_join(ws) != NGX_OK) {
            ngx_mentara_ws_abort(ws);

        } else if (n > 0) {
            ngx_mentara_ws_sent(ws, (size_t) n);
        }
    }

    worker->nalone = 0;
}


/* writes what waits; the socket may be gone after it */

static void
ngx_mentara_ws_flush(ngx_mentara_ws_t *ws)
{
    off_t              sent;
    ngx_int_t          rc;
    ngx_event_t       *wev;
    ngx_connection_t  *c;

    c = ws->c;
    wev = c->write;
    sent = c->sent;
    ws->clear = 0;

    /* the handshake's answer is still on its way */

    if (ws->r != NULL) {
        if (ws->broken) {
            ngx_post_event(c->read, &ngx_posted_events);
        }

        return;
    }

    rc = ws->broken ? NGX_ERROR : ngx_mentara_ws_write(ws);

    if (rc == NGX_ERROR) {
        ws->broken = 1;
        ngx_mentara_ws_finish(ws);
        return;
    }

    if (rc == NGX_AGAIN) {
        if (!wev->timer_set) {
            ngx_add_timer(wev, ws->close_sent ? ws->conf->close_timeout
                                              : ws->conf->send_timeout);

        } else if (c->sent != sent && !ws->close_sent) {
            ngx_add_timer(wev, ws->conf->send_timeout);
        }

        if (ngx_handle_write_event(wev, 0) != NGX_OK) {
            ws->broken = 1;
            ngx_mentara_ws_finish(ws);
        }

        return;
    }

    if (wev->timer_set) {
        ngx_del_timer(wev);
    }

    /* not with TLS, which writes into a buffer of its own */

    ws->clear = (c->send == ngx_send);

#if (NGX_HTTP_SSL)

    if (c->ssl) {
        ngx_ssl_free_buffer(c);
    }

#endif

    ngx_mentara_ws_flushed(ws);
}


/* NGX_OK: all has left; NGX_AGAIN; NGX_ERROR */

static ngx_int_t
ngx_mentara_ws_write(ngx_mentara_ws_t *ws)
{
    ssize_t            n;
    ngx_connection_t  *c;

    c = ws->c;

    /* of TLS */

    if (c->buffered && c->send_chain(c, NULL, 0) == NGX_CHAIN_ERROR) {
        return NGX_ERROR;
    }

    while (ws->out != NULL) {

        if (!c->write->ready) {
            return NGX_AGAIN;
        }

        n = ngx_mentara_ws_write_some(ws);

        if (n == NGX_ERROR) {
            return NGX_ERROR;
        }

        if (n == 0) {
            return NGX_AGAIN;
        }

        ngx_mentara_ws_sent(ws, (size_t) n);
    }

    return c->buffered ? NGX_AGAIN : NGX_OK;
}


/*
 * Octets that were taken, NGX_ERROR.  What TLS has taken lies in a buffer of
 * its own and counts, so c->sent does not tell.
 */

static ssize_t
ngx_mentara_ws_write_some(ngx_mentara_ws_t *ws)
{
    ssize_t                n;
    ngx_buf_t              bufs[NGX_MENTARA_WS_IOVS];
    ngx_uint_t             i;
    ngx_chain_t           *cl, chain[NGX_MENTARA_WS_IOVS];
    ngx_connection_t      *c;
    ngx_mentara_ws_out_t  *out;

    c = ws->c;

    for (i = 0, out = ws->out;
         out != NULL && i < NGX_MENTARA_WS_IOVS;
         out = out->next, i++)
    {
        ngx_memzero(&bufs[i], sizeof(ngx_buf_t));
        bufs[i].pos = out->frame->data + out->frame->start;
        bufs[i].last = bufs[i].pos + out->frame->len;
        bufs[i].memory = 1;

        chain[i].buf = &bufs[i];
        chain[i].next = &chain[i + 1];
    }

    chain[i - 1].next = NULL;
    bufs[i - 1].flush = 1;
    bufs[0].pos += ws->out_pos;
    n = -(ssize_t) ws->out_pos;

    if (c->send_chain(c, chain, 0) == NGX_CHAIN_ERROR) {
        return NGX_ERROR;
    }

    for (out = ws->out; i-- > 0; out = out->next) {
        n += out->frame->len;
    }

    for (cl = chain; cl != NULL; cl = cl->next) {
        n -= cl->buf->last - cl->buf->pos;
    }

    return n;
}


static void
ngx_mentara_ws_sent(ngx_mentara_ws_t *ws, size_t n)
{
    size_t                 left;
    ngx_mentara_ws_out_t  *out;

    ws->pending -= n;

    while (n > 0) {
        out = ws->out;
        left = out->frame->len - ws->out_pos;

        if (n < left) {
            ws->out_pos += n;
            return;
        }

        n -= left;
        ws->out_pos = 0;
        ws->out = out->next;

        if (ws->out == NULL) {
            ws->out_last = &ws->out;
        }

        ngx_mentara_frame_unref(out->frame);
        ngx_free(out);
    }
}


/* nothing waits any more */

static void
ngx_mentara_ws_flushed(ngx_mentara_ws_t *ws)
{
    if (ws->slow) {
        ngx_mentara_ws_part(ws);
        return;
    }

    if (ws->close_seen) {
        ngx_mentara_ws_part(ws);
        return;
    }

    /*
     * The peer's close is waited for, but not for ever; one that broke the
     * protocol is not understood any more: it hears of the end.
     */

    if (ws->close_sent) {

        if (ws->failed) {
            (void) ngx_shutdown_socket(ws->fd, NGX_WRITE_SHUTDOWN);
        }

        ngx_add_timer(ws->c->read, ws->conf->close_timeout);
        ngx_mentara_ws_read_again(ws);
        return;
    }

    if (ws->notify) {
        ws->notify = 0;
        ws->handler->drained(ws);
    }

    if (ws->piled) {
        ngx_mentara_ws_read_again(ws);
    }
}


void
ngx_mentara_ws_writable(ngx_event_t *wev)
{
    ngx_connection_t  *c;
    ngx_mentara_ws_t  *ws;

    c = wev->data;
    ws = c->data;

    if (wev->timedout) {
        ws->broken = 1;
    }

    if (ws->out != NULL || ws->broken || c->buffered) {
        ngx_mentara_ws_flush(ws);
    }
}
