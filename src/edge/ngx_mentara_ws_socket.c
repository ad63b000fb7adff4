
#include <ngx_mentara_ws_socket.h>


static void ngx_mentara_ws_release(ngx_mentara_ws_t *ws);
static void ngx_mentara_ws_linger(ngx_connection_t *c);
static void ngx_mentara_ws_lingering(ngx_event_t *rev);
static void ngx_mentara_ws_hang_up(ngx_mentara_ws_t *ws);


void
ngx_mentara_ws_due(ngx_mentara_ws_t *ws)
{
    if (ws->flushing) {
        return;
    }

    ws->flushing = 1;
    ngx_queue_insert_tail(&ws->worker->due, &ws->due);

    if (!ws->worker->flush.posted) {
        ngx_post_event(&ws->worker->flush, &ngx_posted_events);
    }
}


void
ngx_mentara_ws_discard(ngx_mentara_ws_t *ws)
{
    ngx_mentara_ws_out_t  *out, *next;

    ngx_mentara_frame_unref(ngx_mentara_ws_take_back(ws));

    out = ws->out;

    if (out != NULL && ws->out_pos != 0) {
        next = out->next;
        out->next = NULL;
        ws->out_last = &out->next;
        out = next;

    } else {
        ws->out = NULL;
        ws->out_last = &ws->out;
    }

    while (out != NULL) {
        next = out->next;
        ws->pending -= out->frame->len;
        ngx_mentara_frame_unref(out->frame);
        ngx_free(out);
        out = next;
    }
}


ngx_mentara_frame_t *
ngx_mentara_ws_take_back(ngx_mentara_ws_t *ws)
{
    ngx_mentara_frame_t     *f;
    ngx_mentara_ws_alone_t  *a;

    if (ws->alone == 0) {
        return NULL;
    }

    a = &ws->worker->alone[ws->alone - 1];
    f = a->frame;
    a->ws = NULL;

    ws->alone = 0;
    ws->pending = 0;

    return f;
}


void
ngx_mentara_ws_cleanup(void *data)
{
    ngx_mentara_ws_t *ws = data;

    ngx_mentara_ws_release(ws);
    ngx_free(ws);
}


static void
ngx_mentara_ws_release(ngx_mentara_ws_t *ws)
{
    if (ws->done) {
        return;
    }

    ws->done = 1;
    ws->broken = 1;

    if (ws->flushing) {
        ngx_queue_remove(&ws->due);
        ws->flushing = 0;
    }

    ngx_queue_remove(&ws->queue);
    ws->worker->n--;

    ws->out_pos = 0;
    ngx_mentara_ws_discard(ws);

    if (ws->inflate != NULL) {
        mentara_inflate_end(ws->inflate);
        ngx_free(ws->inflate);
    }

    if (ws->msg != NULL) {
        ngx_free(ws->msg);
    }

    if (ws->rest != NULL) {
        ngx_free(ws->rest);
    }

    ws->handler->closed(ws, ws->code);
}


void
ngx_mentara_ws_finish(ngx_mentara_ws_t *ws)
{
    if (ws->done) {
        return;
    }

    ngx_mentara_ws_release(ws);

    /* the frame around us may still look at the socket: end it later */

    if (!ws->reading) {
        ngx_mentara_ws_leave(ws);
    }
}


void
ngx_mentara_ws_part(ngx_mentara_ws_t *ws)
{
    ws->parted = 1;
    ngx_mentara_ws_finish(ws);
}


void
ngx_mentara_ws_leave(ngx_mentara_ws_t *ws)
{
    if (ws->parted) {
        ngx_mentara_ws_linger(ws->c);
        return;
    }

    ngx_mentara_ws_hang_up(ws);
}


/*
 * To close a connection over octets that nobody has read resets it, and a
 * reset may take our close frame from the peer.
 */

static void
ngx_mentara_ws_linger(ngx_connection_t *c)
{
    ngx_mentara_ws_t  *ws;

    ws = c->data;

#if (NGX_HTTP_SSL)

    if (c->ssl) {
        c->ssl->shutdown_without_free = 1;

        switch (ngx_ssl_shutdown(c)) {

        case NGX_OK:
            break;

        case NGX_AGAIN:
            c->ssl->handler = ngx_mentara_ws_linger;
            return;

        default:
            ngx_mentara_ws_hang_up(ws);
            return;
        }
    }

#endif

    (void) ngx_shutdown_socket(c->fd, NGX_WRITE_SHUTDOWN);

    if (c->write->timer_set) {
        ngx_del_timer(c->write);
    }

    c->read->handler = ngx_mentara_ws_lingering;
    c->write->handler = ngx_http_empty_handler;

    ngx_add_timer(c->read, ws->conf->close_timeout);
    ngx_post_event(c->read, &ngx_posted_events);
}


static void
ngx_mentara_ws_lingering(ngx_event_t *rev)
{
    ssize_t            n;
    ngx_uint_t         turns;
    ngx_connection_t  *c;
    ngx_mentara_ws_t  *ws;

    c = rev->data;
    ws = c->data;

    for (turns = 0; turns < NGX_MENTARA_WS_READS; turns++) {

        n = (rev->timedout || c->close)
            ? NGX_ERROR
            : c->recv(c, ws->worker->buf, NGX_MENTARA_WS_CHUNK);

        if (n == NGX_AGAIN && ngx_handle_read_event(rev, 0) == NGX_OK) {
            return;
        }

        if (n <= 0) {
            ngx_mentara_ws_hang_up(ws);
            return;
        }
    }

    ngx_post_event(rev, &ngx_posted_events);
}


static void
ngx_mentara_ws_hang_up(ngx_mentara_ws_t *ws)
{
    ngx_connection_t  *c;

    c = ws->c;

    /* TLS says no goodbye to who is not there */

    if (ws->code == MENTARA_WS_ABNORMAL) {
        c->error = 1;
    }

    ngx_free(ws);
    ngx_http_close_connection(c);
}


void
ngx_mentara_ws_abort(ngx_mentara_ws_t *ws)
{
    ws->broken = 1;

    if (!ws->done) {
        ngx_mentara_ws_due(ws);
    }
}


void
ngx_mentara_ws_read_again(ngx_mentara_ws_t *ws)
{
    ws->piled = 0;

    if (!ws->done) {
        ngx_post_event(ws->c->read, &ngx_posted_events);
    }
}
