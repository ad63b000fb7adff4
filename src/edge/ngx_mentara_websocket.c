
#include <ngx_mentara_websocket.h>


#define NGX_MENTARA_WS_PILE   65536  /* unsent octets: read no more */
#define NGX_MENTARA_WS_TICK   100    /* ms */


static void ngx_mentara_ws_opening(ngx_http_request_t *r);
static void ngx_mentara_ws_open(ngx_mentara_ws_t *ws);
static void ngx_mentara_ws_readable(ngx_event_t *rev);
static void ngx_mentara_ws_read(ngx_mentara_ws_t *ws);
static ngx_uint_t ngx_mentara_ws_halted(ngx_mentara_ws_t *ws);
static void ngx_mentara_ws_take(ngx_mentara_ws_t *ws, u_char *pos,
    u_char *last);
static void ngx_mentara_ws_keep(ngx_mentara_ws_t *ws, u_char *pos,
    u_char *last);
static void ngx_mentara_ws_event(ngx_mentara_ws_t *ws,
    mentara_ws_event_t *ev);
static void ngx_mentara_ws_data(ngx_mentara_ws_t *ws,
    mentara_ws_event_t *ev);
static ngx_int_t ngx_mentara_ws_append(ngx_mentara_ws_t *ws, u_char *data,
    size_t len);
static ngx_int_t ngx_mentara_ws_room(ngx_mentara_ws_t *ws, size_t len);
static void ngx_mentara_ws_inflate(ngx_mentara_ws_t *ws,
    mentara_ws_event_t *ev);
static void ngx_mentara_ws_message(ngx_mentara_ws_t *ws, ngx_uint_t binary,
    u_char *data, size_t len);
static void ngx_mentara_ws_fail(ngx_mentara_ws_t *ws, ngx_uint_t code);
static void ngx_mentara_ws_timedout(ngx_mentara_ws_t *ws);
static void ngx_mentara_ws_tick(ngx_event_t *ev);
static void *ngx_mentara_ws_alloc(void *data, size_t size);
static void ngx_mentara_ws_free(void *data, void *p);


ngx_mentara_ws_worker_t *
ngx_mentara_ws_worker_create(ngx_cycle_t *cycle)
{
    ngx_mentara_ws_worker_t  *worker;

    worker = ngx_pcalloc(cycle->pool, sizeof(ngx_mentara_ws_worker_t));
    if (worker == NULL) {
        return NULL;
    }

    worker->buf = ngx_palloc(cycle->pool, NGX_MENTARA_WS_CHUNK);
    if (worker->buf == NULL) {
        return NULL;
    }

    worker->log = cycle->log;
    worker->memory.alloc = ngx_mentara_ws_alloc;
    worker->memory.free = ngx_mentara_ws_free;
    worker->memory.data = cycle->log;

    ngx_queue_init(&worker->sockets);
    ngx_queue_init(&worker->due);

    worker->flush.handler = ngx_mentara_ws_flush_due;
    worker->flush.data = worker;
    worker->flush.log = cycle->log;

    worker->tick.handler = ngx_mentara_ws_tick;
    worker->tick.data = worker;
    worker->tick.log = cycle->log;
    worker->tick.cancelable = 1;
    ngx_add_timer(&worker->tick, NGX_MENTARA_WS_TICK);

    return worker;
}


static void *
ngx_mentara_ws_alloc(void *data, size_t size)
{
    return ngx_alloc(size, data);
}


static void
ngx_mentara_ws_free(void *data, void *p)
{
    ngx_free(p);
}


/* an exiting worker says so, to a share of its sockets at a time */

static void
ngx_mentara_ws_tick(ngx_event_t *ev)
{
    ngx_uint_t                n, turns;
    ngx_queue_t              *q;
    ngx_mentara_ws_t         *ws;
    ngx_mentara_ws_worker_t  *worker;

    worker = ev->data;

    ngx_add_timer(ev, NGX_MENTARA_WS_TICK);

    if (!ngx_exiting || worker->n == 0) {
        return;
    }

    if (worker->share == 0) {
        ws = ngx_queue_data(ngx_queue_head(&worker->sockets),
                            ngx_mentara_ws_t, queue);
        turns = ws->conf->drain / NGX_MENTARA_WS_TICK;
        worker->share = worker->n / ngx_max(turns, 1) + 1;
    }

    n = 0;

    for (q = ngx_queue_head(&worker->sockets);
         q != ngx_queue_sentinel(&worker->sockets) && n < worker->share;
         q = ngx_queue_next(q))
    {
        ws = ngx_queue_data(q, ngx_mentara_ws_t, queue);

        if (!ws->close_sent && !ws->crossing) {
            ngx_mentara_ws_discard(ws);
            ngx_mentara_ws_close(ws, MENTARA_WS_RESTART);
            n++;
        }
    }
}


ngx_mentara_ws_t *
ngx_mentara_ws_accept(ngx_http_request_t *r, ngx_mentara_ws_worker_t *worker,
    ngx_mentara_ws_conf_t *conf, ngx_mentara_ws_handler_t *handler,
    void *data)
{
    ngx_connection_t    *c;
    ngx_mentara_ws_t    *ws;
    ngx_pool_cleanup_t  *cln;

    c = r->connection;

    cln = ngx_pool_cleanup_add(r->pool, 0);
    if (cln == NULL) {
        return NULL;
    }

    ws = ngx_calloc(sizeof(ngx_mentara_ws_t), worker->log);
    if (ws == NULL) {
        return NULL;
    }

    ws->data = data;
    ws->r = r;
    ws->c = c;
    ws->fd = c->fd;
    ws->conf = conf;
    ws->worker = worker;
    ws->handler = handler;
    ws->out_last = &ws->out;
    ws->code = MENTARA_WS_ABNORMAL;
    ws->heard = ngx_current_msec;

    if (ngx_mentara_ws_answer(r, ws) != NGX_OK) {
        ngx_free(ws);
        return NULL;
    }

    cln->handler = ngx_mentara_ws_cleanup;
    cln->data = ws;
    ngx_queue_insert_tail(&worker->sockets, &ws->queue);
    worker->n++;

    mentara_ws_reader_init(&ws->reader, conf->max_message, ws->deflate);

    r->main->count++;
    r->read_event_handler = ngx_mentara_ws_opening;
    r->write_event_handler = ngx_mentara_ws_opening;

    if (c->tcp_nodelay != NGX_TCP_NODELAY_DISABLED) {
        (void) ngx_tcp_nodelay(c);
    }

    if (conf->ping_interval != 0 && handler->timer == NULL) {
        ngx_add_timer(c->read, conf->ping_interval);
    }

    /* frames may have come with the handshake */

    if (r->header_in->pos < r->header_in->last) {
        ngx_mentara_ws_keep(ws, r->header_in->pos, r->header_in->last);
        r->header_in->pos = r->header_in->last;
    }

    ngx_post_event(c->read, &ngx_posted_events);

    return ws;
}


void
ngx_mentara_ws_close(ngx_mentara_ws_t *ws, ngx_uint_t code)
{
    ngx_mentara_ws_send_close(ws, code);
}


void
ngx_mentara_ws_pause(ngx_mentara_ws_t *ws)
{
    ws->paused = 1;
}


void
ngx_mentara_ws_resume(ngx_mentara_ws_t *ws)
{
    if (ws->paused) {
        ws->paused = 0;
        ngx_mentara_ws_read_again(ws);
    }
}


void
ngx_mentara_ws_notify(ngx_mentara_ws_t *ws)
{
    ws->notify = 1;
    ws->clear = 0;

    if (ngx_mentara_ws_join(ws) != NGX_OK) {
        ngx_mentara_ws_abort(ws);
    }
}


void
ngx_mentara_ws_limit(ngx_mentara_ws_t *ws, size_t max)
{
    ws->reader.max = max;
}


void
ngx_mentara_ws_timer(ngx_mentara_ws_t *ws, ngx_msec_t ms)
{
    if (!ws->close_sent && !ws->done) {
        ngx_add_timer(ws->c->read, ms);
    }
}


/* events of the connection while it is the handshake's */

static void
ngx_mentara_ws_opening(ngx_http_request_t *r)
{
    ngx_int_t            rc;
    ngx_mentara_ws_t    *ws;
    ngx_pool_cleanup_t  *cln;

    for (cln = r->pool->cleanup;
         cln->handler != ngx_mentara_ws_cleanup;
         cln = cln->next)
    {
        /* void */
    }

    ws = cln->data;
    rc = ws->broken ? NGX_ERROR : ngx_mentara_ws_answered(ws);

    if (rc == NGX_AGAIN) {
        return;
    }

    if (rc == NGX_ERROR) {
        ngx_http_finalize_request(r, NGX_HTTP_CLIENT_CLOSED_REQUEST);
        return;
    }

    cln->handler = NULL;
    ngx_mentara_ws_open(ws);
}


/*
 * The request goes, as it does between those of a kept connection: it would
 * be most of what an idle socket holds.  From here on the connection's events
 * are the socket's.
 */

static void
ngx_mentara_ws_open(ngx_mentara_ws_t *ws)
{
    ngx_connection_t  *c;

    c = ws->c;

    ngx_mentara_ws_let_go(ws);

    c->data = ws;
    c->read->handler = ngx_mentara_ws_readable;
    c->write->handler = ngx_mentara_ws_writable;
    c->log->action = "serving a websocket";

    if (ws->out != NULL || ws->broken) {
        ngx_mentara_ws_due(ws);
    }

    /* what came meanwhile is read first */

    if (c->read->timedout) {
        c->read->timedout = 0;
        ngx_add_timer(c->read, ws->close_sent ? ws->conf->close_timeout : 1);
    }

    ngx_mentara_ws_readable(c->read);
}


static void
ngx_mentara_ws_readable(ngx_event_t *rev)
{
    ngx_connection_t  *c;
    ngx_mentara_ws_t  *ws;

    c = rev->data;
    ws = c->data;
    ws->reading = 1;

    /* the time that an exiting worker has is over */

    if (c->close) {
        ngx_mentara_ws_finish(ws);

    } else if (rev->timedout) {
        rev->timedout = 0;
        ngx_mentara_ws_timedout(ws);

    } else {
        ngx_mentara_ws_read(ws);
    }

    ws->reading = 0;

    if (ws->done) {
        ngx_mentara_ws_leave(ws);
    }
}


static void
ngx_mentara_ws_timedout(ngx_mentara_ws_t *ws)
{
    ngx_msec_t  since;

    if (ws->close_sent) {
        ngx_mentara_ws_finish(ws);
        return;
    }

    if (ws->handler->timer != NULL) {
        ws->handler->timer(ws);
        return;
    }

    if (ws->pinged && (ngx_msec_int_t) (ws->heard - ws->asked) < 0) {
        ngx_mentara_ws_finish(ws);
        return;
    }

    if (ws->pinged) {
        ws->pinged = 0;
        since = ngx_current_msec - ws->asked;
        ngx_add_timer(ws->c->read,
                      (since < ws->conf->ping_interval)
                      ? ws->conf->ping_interval - since : 1);
        return;
    }

    ws->pinged = 1;
    ws->asked = ngx_current_msec;
    ngx_mentara_ws_send_data(ws, MENTARA_WS_PING, NULL, 0);
    ngx_add_timer(ws->c->read, ws->conf->ping_timeout);
}


/* whether nothing may be handed out now */

static ngx_uint_t
ngx_mentara_ws_halted(ngx_mentara_ws_t *ws)
{
    if (ws->pending > NGX_MENTARA_WS_PILE && !ws->close_sent) {
        ws->piled = 1;
    }

    /* after our close only the peer's is waited for */

    return ws->done || ws->broken || (ws->paused && !ws->close_sent)
           || ws->piled;
}


static void
ngx_mentara_ws_read(ngx_mentara_ws_t *ws)
{
    ssize_t            n;
    ngx_buf_t         *rest;
    ngx_uint_t         turns;
    ngx_connection_t  *c;

    c = ws->c;

    if (ngx_mentara_ws_halted(ws)) {
        return;
    }

    if (ws->rest != NULL) {
        rest = ws->rest;
        ws->rest = NULL;
        ngx_mentara_ws_take(ws, rest->pos, rest->last);
        ngx_free(rest);
    }

    for (turns = 0; !ngx_mentara_ws_halted(ws); turns++) {

        if (turns == NGX_MENTARA_WS_READS) {
            ngx_post_event(c->read, &ngx_posted_events);
            return;
        }

        n = c->recv(c, ws->worker->buf, NGX_MENTARA_WS_CHUNK);

        if (n == NGX_AGAIN) {
            if (ngx_handle_read_event(c->read, 0) != NGX_OK) {
                ngx_mentara_ws_finish(ws);
            }

            return;
        }

        if (n == 0 || n == NGX_ERROR) {
            ngx_mentara_ws_finish(ws);
            return;
        }

        ws->heard = ngx_current_msec;
        ngx_mentara_ws_take(ws, ws->worker->buf, ws->worker->buf + n);
    }
}


static void
ngx_mentara_ws_take(ngx_mentara_ws_t *ws, u_char *pos, u_char *last)
{
    intptr_t            n;
    mentara_ws_event_t  ev;

    while (pos < last) {

        if (ngx_mentara_ws_halted(ws)) {
            ngx_mentara_ws_keep(ws, pos, last);
            return;
        }

        n = mentara_ws_read(&ws->reader, pos, last, &ev);

        if (n == MENTARA_MORE) {
            return;
        }

        if (n < 0) {
            ngx_mentara_ws_fail(ws, ws->reader.status);
            return;
        }

        pos += n;
        ngx_mentara_ws_event(ws, &ev);
    }
}


/* octets that came while nothing may be handed out */

static void
ngx_mentara_ws_keep(ngx_mentara_ws_t *ws, u_char *pos, u_char *last)
{
    ngx_buf_t  *b;

    if (ws->done || ws->broken) {
        return;
    }

    b = ngx_alloc(sizeof(ngx_buf_t) + (last - pos), ws->worker->log);
    if (b == NULL) {
        ngx_mentara_ws_abort(ws);
        return;
    }

    b->pos = (u_char *) b + sizeof(ngx_buf_t);
    b->last = ngx_cpymem(b->pos, pos, last - pos);
    ws->rest = b;
}


static void
ngx_mentara_ws_event(ngx_mentara_ws_t *ws, mentara_ws_event_t *ev)
{
    switch (ev->type) {

    case MENTARA_WS_EVENT_DATA:
        ngx_mentara_ws_data(ws, ev);
        return;

    case MENTARA_WS_EVENT_PING:
        ngx_mentara_ws_send_data(ws, MENTARA_WS_PONG,
                                 (u_char *) ev->data.data, ev->data.len);
        return;

    case MENTARA_WS_EVENT_CLOSE:
        ws->close_seen = 1;
        ws->code = ev->code;

        if (ws->close_sent) {
            if (ws->out == NULL && !ws->c->buffered) {
                ngx_mentara_ws_part(ws);
            }

            return;
        }

        ngx_mentara_ws_send_close(ws, ev->code);
        return;

    default: /* a pong: it was heard */
        return;
    }
}


static void
ngx_mentara_ws_data(ngx_mentara_ws_t *ws, mentara_ws_event_t *ev)
{
    u_char      *msg;
    ngx_uint_t   binary;

    /* after our close nobody listens any more */

    if (ws->close_sent) {
        return;
    }

    if (ev->compressed) {
        ngx_mentara_ws_inflate(ws, ev);
        return;
    }

    binary = (ev->opcode == MENTARA_WS_BINARY);

    if (ev->fin && ws->msg == NULL) {
        ngx_mentara_ws_message(ws, binary, (u_char *) ev->data.data,
                               ev->data.len);
        return;
    }

    if (ngx_mentara_ws_append(ws, (u_char *) ev->data.data, ev->data.len)
        != NGX_OK)
    {
        ngx_mentara_ws_abort(ws);
        return;
    }

    if (ev->fin) {
        msg = ws->msg;
        ws->msg = NULL;
        ngx_mentara_ws_message(ws, binary, msg, ws->msg_len);
        ngx_free(msg);
    }
}


static ngx_int_t
ngx_mentara_ws_append(ngx_mentara_ws_t *ws, u_char *data, size_t len)
{
    if (ngx_mentara_ws_room(ws, len) != NGX_OK) {
        return NGX_ERROR;
    }

    if (len != 0) {
        ngx_memcpy(ws->msg + ws->msg_len, data, len);
    }

    ws->msg_len += len;

    return NGX_OK;
}


/* the reader has bounded it; room is taken as octets come, not as announced */

static ngx_int_t
ngx_mentara_ws_room(ngx_mentara_ws_t *ws, size_t len)
{
    u_char  *msg;
    size_t   size;

    if (ws->msg == NULL) {
        ws->msg_len = 0;
        ws->msg_size = 0;
    }

    if (ws->msg != NULL && ws->msg_len + len <= ws->msg_size) {
        return NGX_OK;
    }

    size = ngx_max(ws->msg_size * 2, ws->msg_len + len);
    size = ngx_max(size, 1024);

    msg = ngx_alloc(size, ws->worker->log);
    if (msg == NULL) {
        return NGX_ERROR;
    }

    if (ws->msg != NULL) {
        ngx_memcpy(msg, ws->msg, ws->msg_len);
        ngx_free(ws->msg);
    }

    ws->msg = msg;
    ws->msg_size = size;

    return NGX_OK;
}


static void
ngx_mentara_ws_inflate(ngx_mentara_ws_t *ws, mentara_ws_event_t *ev)
{
    u_char     *msg;
    intptr_t    n;

    if (ws->inflate == NULL) {
        ws->inflate = ngx_calloc(sizeof(mentara_inflate_t), ws->worker->log);

        if (ws->inflate == NULL) {
            ngx_mentara_ws_abort(ws);
            return;
        }

        ws->worker->memory.left = MENTARA_INFLATE_MEMORY;

        if (mentara_inflate_begin(ws->inflate, &ws->worker->memory,
                                  ws->reader.max)
            != MENTARA_OK)
        {
            ngx_mentara_ws_fail(ws, ws->inflate->status);
            return;
        }
    }

    mentara_inflate_feed(ws->inflate, (u_char *) ev->data.data,
                         (u_char *) ev->data.data + ev->data.len, ev->fin);

    do {
        if (ngx_mentara_ws_room(ws, 4096) != NGX_OK) {
            ngx_mentara_ws_abort(ws);
            return;
        }

        n = mentara_inflate_next(ws->inflate, ws->msg + ws->msg_len,
                                 ws->msg_size - ws->msg_len);

        if (n < 0) {
            ngx_mentara_ws_fail(ws, ws->inflate->status);
            return;
        }

        if (ev->opcode == MENTARA_WS_TEXT
            && mentara_ws_text(&ws->reader, ws->msg + ws->msg_len,
                               ws->msg + ws->msg_len + n,
                               n == 0 && ev->fin)
               != MENTARA_OK)
        {
            ngx_mentara_ws_fail(ws, ws->reader.status);
            return;
        }

        ws->msg_len += n;

    } while (n > 0);

    if (!ev->fin) {
        return;
    }

    mentara_inflate_end(ws->inflate);
    ngx_free(ws->inflate);
    ws->inflate = NULL;

    msg = ws->msg;
    ws->msg = NULL;
    ngx_mentara_ws_message(ws, ev->opcode == MENTARA_WS_BINARY, msg,
                           ws->msg_len);
    ngx_free(msg);
}


static void
ngx_mentara_ws_message(ngx_mentara_ws_t *ws, ngx_uint_t binary, u_char *data,
    size_t len)
{
    ngx_str_t  msg;

    msg.data = data;
    msg.len = len;

    ws->handler->message(ws, binary, &msg);
}


/* the peer broke the protocol: what it sends from now on is swallowed */

static void
ngx_mentara_ws_fail(ngx_mentara_ws_t *ws, ngx_uint_t code)
{
    ws->failed = 1;
    ngx_mentara_ws_close(ws, code);
}
