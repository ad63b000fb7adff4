
#include <ngx_mentara_eio_session.h>


static void ngx_mentara_eio_bury(ngx_mentara_eio_t *s);
static void ngx_mentara_eio_put(ngx_mentara_eio_t *s,
    ngx_mentara_frame_t *f, ngx_str_t *mark);
static void ngx_mentara_eio_ping(ngx_mentara_eio_t *s);
static void ngx_mentara_eio_arm(ngx_mentara_eio_t *s, ngx_msec_t ms);
static void ngx_mentara_eio_timer(ngx_event_t *ev);
static void ngx_mentara_eio_beat(ngx_mentara_eio_t *s);
static ngx_msec_int_t ngx_mentara_eio_left(ngx_mentara_eio_t *s);
static ngx_uint_t ngx_mentara_eio_take(ngx_mentara_eio_t *s);
static void ngx_mentara_eio_ws_message(ngx_mentara_ws_t *ws,
    ngx_uint_t binary, ngx_str_t *msg);
static void ngx_mentara_eio_ws_drained(ngx_mentara_ws_t *ws);
static void ngx_mentara_eio_ws_timer(ngx_mentara_ws_t *ws);
static void ngx_mentara_eio_ws_closed(ngx_mentara_ws_t *ws, ngx_uint_t code);


ngx_mentara_ws_handler_t  ngx_mentara_eio_ws_handler = {
    ngx_mentara_eio_ws_message,
    ngx_mentara_eio_ws_drained,
    ngx_mentara_eio_ws_timer,
    ngx_mentara_eio_ws_closed
};


void
ngx_mentara_eio_stay(ngx_mentara_eio_worker_t *worker)
{
    worker->tick.cancelable = ngx_queue_empty(&worker->sessions)
                              && ngx_queue_empty(&worker->holders);
}


ngx_mentara_eio_t *
ngx_mentara_eio_create(ngx_mentara_eio_worker_t *worker,
    ngx_mentara_eio_conf_t *conf, const ngx_mentara_eio_handler_t *handler)
{
    ngx_mentara_eio_t  *s;

    s = ngx_calloc(sizeof(ngx_mentara_eio_t), worker->log);
    if (s == NULL) {
        return NULL;
    }

    s->worker = worker;
    s->conf = conf;
    s->handler = handler;

    return s;
}


void
ngx_mentara_eio_boxed(ngx_mentara_eio_t *s)
{
    ngx_msec_int_t  left;

    s->worker->owned[s->box.n] = s;
    ngx_queue_insert_tail(&s->worker->sessions, &s->queue);
    ngx_mentara_eio_stay(s->worker);

    s->timer.handler = ngx_mentara_eio_timer;
    s->timer.data = s;
    s->timer.log = s->worker->log;
    s->timer.cancelable = 1;

    /* a session that was adopted may be due for its ping already */

    left = ngx_mentara_eio_left(s) - (ngx_msec_int_t) s->conf->ping_timeout;

    ngx_add_timer(&s->timer, (left > 0) ? left : 1);
}


void
ngx_mentara_eio_carry(ngx_mentara_eio_t *s, ngx_mentara_ws_t *ws)
{
    s->ws = ws;
    ws->data = s;
    ws->handler = &ngx_mentara_eio_ws_handler;

    if (s->box.serial == 0) {
        ngx_mentara_ws_timer(ws, s->conf->ping_interval);
        return;
    }

    s->upgraded = 1;

    if (s->paused) {
        ngx_mentara_ws_pause(ws);
    }
}


void
ngx_mentara_eio_trust(ngx_mentara_eio_t *s)
{
    ngx_mentara_box_trust(&s->worker->pb, &s->box);

    if (s->ws != NULL) {
        ngx_mentara_ws_limit(s->ws, s->conf->ws.max_message);
    }
}


void
ngx_mentara_eio_end(ngx_mentara_eio_t *s, ngx_uint_t release, ngx_uint_t code)
{
    if (s->ended) {
        return;
    }

    s->ended = 1;
    s->release = release;
    s->code = code;

    ngx_queue_insert_tail(&s->worker->ending, &s->ending);

    if (!s->worker->end.posted) {
        ngx_post_event(&s->worker->end, &ngx_posted_events);
    }
}


void
ngx_mentara_eio_worker_end(ngx_event_t *ev)
{
    ngx_queue_t               *q;
    ngx_mentara_eio_t         *s;
    ngx_mentara_eio_worker_t  *worker;

    worker = ev->data;

    while (!ngx_queue_empty(&worker->ending)) {
        q = ngx_queue_head(&worker->ending);
        s = ngx_queue_data(q, ngx_mentara_eio_t, ending);

        ngx_queue_remove(q);
        s->handler->closed(s, s->release);
        ngx_mentara_eio_bury(s);
    }
}


static void
ngx_mentara_eio_bury(ngx_mentara_eio_t *s)
{
    ngx_mentara_eio_worker_t  *worker;

    worker = s->worker;

    if (s->box.serial != 0) {

        /* emptied boxes may have another session there by now */

        if (worker->owned[s->box.n] == s) {
            worker->owned[s->box.n] = NULL;
        }

        ngx_queue_remove(&s->queue);
        ngx_mentara_eio_stay(worker);

        if (s->timer.timer_set) {
            ngx_del_timer(&s->timer);
        }

        if (s->local) {
            ngx_mentara_box_drop(&worker->pb, &s->box);
        }

        if (s->release) {
            ngx_mentara_box_leave(&worker->pb, &s->box);

        } else {
            ngx_mentara_box_end(&worker->pb, &s->box, s->code);
        }
    }

    ngx_free(s);
}


void
ngx_mentara_eio_send(ngx_mentara_eio_t *s, ngx_mentara_frame_t *f,
    ngx_str_t *mark)
{
    if (s->ended) {
        return;
    }

    if (s->ws != NULL) {
        ngx_mentara_ws_send(s->ws, f);
        return;
    }

    if (f == NULL) {
        ngx_mentara_eio_end(s, 0, MENTARA_WS_INTERNAL);
        return;
    }

    ngx_mentara_eio_put(s, f, mark);
}


static void
ngx_mentara_eio_put(ngx_mentara_eio_t *s, ngx_mentara_frame_t *f,
    ngx_str_t *mark)
{
    ngx_int_t  rc;

    rc = ngx_mentara_box_put(&s->worker->pb, &s->box, NGX_MENTARA_BOX_OUT,
                             f->opcode == MENTARA_WS_BINARY, &f->payload,
                             s->conf->ws.buffer, mark);

    if (rc != NGX_OK) {
        s->slow = 1;

        ngx_log_error(NGX_LOG_INFO, s->worker->log, 0,
                      "client polls too slowly, closing session");

        ngx_mentara_eio_end(s, 0, MENTARA_WS_TRY_LATER);
    }
}


void
ngx_mentara_eio_save(ngx_mentara_eio_t *s, ngx_str_t *state)
{
    if (s->ended || s->ws != NULL || s->box.serial == 0
        || state->len > NGX_MENTARA_EIO_STATE_MAX)
    {
        return;
    }

    if (ngx_mentara_box_save(&s->worker->pb, &s->box, state) != NGX_OK) {
        ngx_mentara_eio_end(s, 0, MENTARA_WS_TRY_LATER);
    }
}


void
ngx_mentara_eio_close(ngx_mentara_eio_t *s, ngx_uint_t code)
{
    if (s->ended) {
        return;
    }

    if (s->ws != NULL) {
        ngx_mentara_ws_close(s->ws, code);
        return;
    }

    ngx_mentara_eio_end(s, 0, code);
}


size_t
ngx_mentara_eio_pending(ngx_mentara_eio_t *s)
{
    if (s->ended) {
        return 0;
    }

    if (s->ws != NULL) {
        return s->ws->pending;
    }

    return ngx_mentara_box_pending(&s->worker->pb, &s->box);
}


void
ngx_mentara_eio_notify(ngx_mentara_eio_t *s)
{
    if (s->ended) {
        return;
    }

    if (s->ws != NULL) {
        ngx_mentara_ws_notify(s->ws);
        return;
    }

    ngx_mentara_box_notify(&s->worker->pb, &s->box);
}


void
ngx_mentara_eio_pause(ngx_mentara_eio_t *s)
{
    s->paused = 1;

    if (s->ws != NULL && !s->ended) {
        ngx_mentara_ws_pause(s->ws);
    }
}


/* what lies in the box was there before what comes by the WebSocket */

void
ngx_mentara_eio_resume(ngx_mentara_eio_t *s)
{
    s->paused = 0;

    if (s->ended) {
        return;
    }

    if (s->box.serial != 0) {
        ngx_mentara_box_poke(&s->worker->pb, &s->box);
        return;
    }

    ngx_mentara_ws_resume(s->ws);
}


void
ngx_mentara_eio_turn(ngx_mentara_eio_t *s)
{
    ngx_mentara_box_t  box;

    if (s->ended) {
        return;
    }

    if (ngx_mentara_eio_take(s) == 0) {
        return;
    }

    if (s->ws != NULL) {
        if (!s->paused) {
            ngx_mentara_ws_resume(s->ws);
        }

        return;
    }

    if (ngx_mentara_box_look(&s->worker->pb, &s->box, &box) != NGX_OK) {
        ngx_mentara_eio_end(s, 0, MENTARA_WS_RESTART);
        return;
    }

    if (box.flags & NGX_MENTARA_BOX_UPGRADED) {
        s->upgraded = 1;
    }

    if ((box.flags & NGX_MENTARA_BOX_CLOSED) && !s->paused) {
        ngx_mentara_eio_end(s, 0, box.code);
        return;
    }

    if (ngx_mentara_box_drained(&s->worker->pb, &s->box)) {
        s->handler->drained(s);
    }
}


/* hands out what the client sent; 0: the session has ended */

static ngx_uint_t
ngx_mentara_eio_take(ngx_mentara_eio_t *s)
{
    ngx_int_t                 rc;
    ngx_mentara_box_packet_t  packet;

    while (!s->paused && !s->ended) {
        rc = ngx_mentara_box_take(&s->worker->pb, &s->box,
                                  NGX_MENTARA_BOX_IN, &packet);
        if (rc == NGX_AGAIN || (rc == NGX_DECLINED && s->ws != NULL)) {
            break;
        }

        if (rc != NGX_OK && s->ws != NULL) {
            ngx_mentara_ws_abort(s->ws);
            break;
        }

        if (rc != NGX_OK) {
            ngx_mentara_eio_end(s, 0, MENTARA_WS_TRY_LATER);
            break;
        }

        s->handler->message(s, packet.binary, &packet.data);
        ngx_free(packet.data.data);
    }

    return !s->ended;
}


static void
ngx_mentara_eio_ping(ngx_mentara_eio_t *s)
{
    ngx_mentara_frame_t  *f;

    f = ngx_mentara_frame_create(MENTARA_WS_TEXT, 1, s->worker->log);

    if (f != NULL) {
        f->payload.data[0] = '0' + MENTARA_EIO_PING;
    }

    ngx_mentara_eio_send(s, f, NULL);
    ngx_mentara_frame_unref(f);
}


static void
ngx_mentara_eio_arm(ngx_mentara_eio_t *s, ngx_msec_t ms)
{
    if (s->box.serial != 0) {
        ngx_add_timer(&s->timer, ms);

    } else {
        ngx_mentara_ws_timer(s->ws, ms);
    }
}


static void
ngx_mentara_eio_timer(ngx_event_t *ev)
{
    ngx_mentara_eio_beat(ev->data);
}


/* a ping, or a look whether its pong has come */

static void
ngx_mentara_eio_beat(ngx_mentara_eio_t *s)
{
    ngx_msec_int_t  left;

    if (s->ended) {
        return;
    }

    if (!s->pinged) {
        s->pinged = 1;
        s->asked = ngx_current_msec;
        ngx_mentara_eio_ping(s);
        ngx_mentara_eio_arm(s, s->conf->ping_timeout);
        return;
    }

    s->pinged = 0;
    left = ngx_mentara_eio_left(s);

    if (left > 0) {
        left -= (ngx_msec_int_t) s->conf->ping_timeout;
        ngx_mentara_eio_arm(s, (left > 0) ? left : 1);
        return;
    }

    if (s->ws != NULL) {
        ngx_mentara_ws_abort(s->ws);
        return;
    }

    ngx_mentara_eio_end(s, 0, 0);
}


/* ms until the client is given up */

static ngx_msec_int_t
ngx_mentara_eio_left(ngx_mentara_eio_t *s)
{
    ngx_mentara_box_t  box;

    if (s->ws == NULL) {
        if (ngx_mentara_box_look(&s->worker->pb, &s->box, &box) != NGX_OK) {
            return 0;
        }

        return (ngx_msec_int_t) (box.deadline - ngx_current_msec);
    }

    if ((ngx_msec_int_t) (s->ws->heard - s->asked) < 0) {
        return 0;
    }

    return (ngx_msec_int_t) (s->ws->heard + s->conf->ping_interval
                             + s->conf->ping_timeout - ngx_current_msec);
}


static void
ngx_mentara_eio_ws_message(ngx_mentara_ws_t *ws, ngx_uint_t binary,
    ngx_str_t *msg)
{
    ngx_str_t              data;
    ngx_mentara_eio_t     *s;
    mentara_eio_packet_t   packet;

    s = ws->data;

    if (s->ended) {
        return;
    }

    if (binary) {
        s->handler->message(s, 1, msg);
        return;
    }

    if (mentara_eio_packet(&packet, msg->data, msg->data + msg->len)
        != MENTARA_OK)
    {
        ngx_mentara_ws_close(ws, 0);
        return;
    }

    switch (packet.type) {

    case MENTARA_EIO_MESSAGE:
        data.data = packet.data.data;
        data.len = packet.data.len;
        s->handler->message(s, 0, &data);
        return;

    case MENTARA_EIO_PONG:
        return;

    default:
        ngx_mentara_ws_close(ws, 0);
        return;
    }
}


static void
ngx_mentara_eio_ws_drained(ngx_mentara_ws_t *ws)
{
    ngx_mentara_eio_t  *s;

    s = ws->data;

    if (!s->ended) {
        s->handler->drained(s);
    }
}


/* with a box it has a timer of its own */

static void
ngx_mentara_eio_ws_timer(ngx_mentara_ws_t *ws)
{
    ngx_mentara_eio_t  *s;

    s = ws->data;

    if (s->box.serial == 0) {
        ngx_mentara_eio_beat(s);
    }
}


static void
ngx_mentara_eio_ws_closed(ngx_mentara_ws_t *ws, ngx_uint_t code)
{
    ngx_mentara_eio_t  *s;

    s = ws->data;
    s->ws = NULL;
    s->slow = ws->slow;
    ngx_mentara_eio_end(s, 0, code);
}
