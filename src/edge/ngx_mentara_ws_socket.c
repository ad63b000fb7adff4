
#include <ngx_mentara_ws_socket.h>


static void ngx_mentara_ws_release(ngx_mentara_ws_t *ws);


ngx_mentara_ws_t *
ngx_mentara_ws_of(ngx_http_request_t *r)
{
    ngx_pool_cleanup_t  *cln;

    for (cln = r->pool->cleanup; cln != NULL; cln = cln->next) {
        if (cln->handler == ngx_mentara_ws_cleanup) {
            return cln->data;
        }
    }

    return NULL;
}


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
    ws->sent -= f->len;

    return f;
}


/* the request goes, by whatever way */

void
ngx_mentara_ws_cleanup(void *data)
{
    ngx_mentara_ws_t *ws = data;

    ngx_mentara_ws_release(ws);
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
    ws->c->sent += ws->sent;

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
    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    if (ws->done) {
        return;
    }

    r = ws->r;
    c = r->connection;

    ngx_mentara_ws_release(ws);

    if (r->connection->read->timer_set) {
        ngx_del_timer(r->connection->read);
    }

    if (r->connection->write->timer_set) {
        ngx_del_timer(r->connection->write);
    }

    /* the frame around us may still look at the socket: end it later */

    if (ws->reading) {
        return;
    }

    ngx_http_finalize_request(r, (ws->code == MENTARA_WS_ABNORMAL)
                                 ? NGX_HTTP_CLIENT_CLOSED_REQUEST : NGX_OK);
    ngx_http_run_posted_requests(c);
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
        ngx_post_event(ws->r->connection->read, &ngx_posted_events);
    }
}
