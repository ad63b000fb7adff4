
#include <ngx_mentara_eio_hold.h>
#include <ngx_mentara_eio_answer.h>


#define NGX_MENTARA_EIO_PILE  65536    /* unsent octets: take no more */


static void ngx_mentara_eio_holder(ngx_mentara_eio_holder_t *h,
    ngx_mentara_eio_worker_t *worker, ngx_mentara_eio_conf_t *conf,
    ngx_mentara_box_ref_t *box);
static void ngx_mentara_eio_holder_cleanup(void *data);
static void ngx_mentara_eio_holder_drop(ngx_mentara_eio_holder_t *h);
static void ngx_mentara_eio_poll_turn(ngx_mentara_eio_holder_t *h);
static void ngx_mentara_eio_poll_octet(ngx_mentara_eio_holder_t *h,
    mentara_eio_type_e type);
static void ngx_mentara_eio_poll_answer(ngx_mentara_eio_holder_t *h,
    ngx_str_t *payload);
static void ngx_mentara_eio_ws_turn(ngx_mentara_eio_holder_t *h);
static void ngx_mentara_eio_hold_message(ngx_mentara_ws_t *ws,
    ngx_uint_t binary, ngx_str_t *msg);
static void ngx_mentara_eio_hold_drained(ngx_mentara_ws_t *ws);
static void ngx_mentara_eio_hold_timer(ngx_mentara_ws_t *ws);
static void ngx_mentara_eio_hold_closed(ngx_mentara_ws_t *ws,
    ngx_uint_t code);
static void ngx_mentara_eio_asked(ngx_mentara_eio_holder_t *h,
    ngx_str_t *msg);
static void ngx_mentara_eio_upgrade(ngx_mentara_eio_holder_t *h);
static void ngx_mentara_eio_move(ngx_mentara_eio_holder_t *h,
    ngx_mentara_eio_t *s);
static void ngx_mentara_eio_came(ngx_mentara_eio_holder_t *h,
    ngx_uint_t binary, ngx_str_t *msg);
static ngx_int_t ngx_mentara_eio_forward(ngx_mentara_ws_t *ws,
    ngx_mentara_eio_worker_t *worker, ngx_mentara_box_ref_t *ref);


static ngx_mentara_ws_handler_t  ngx_mentara_eio_hold_handler = {
    ngx_mentara_eio_hold_message,
    ngx_mentara_eio_hold_drained,
    ngx_mentara_eio_hold_timer,
    ngx_mentara_eio_hold_closed
};


static void
ngx_mentara_eio_holder(ngx_mentara_eio_holder_t *h,
    ngx_mentara_eio_worker_t *worker, ngx_mentara_eio_conf_t *conf,
    ngx_mentara_box_ref_t *box)
{
    ngx_memzero(h, sizeof(ngx_mentara_eio_holder_t));

    h->worker = worker;
    h->conf = conf;
    h->box = *box;

    ngx_queue_insert_tail(&worker->holders, &h->queue);
    ngx_mentara_eio_stay(worker);
}


/*
 * A poll whose client goes ends the session, as the client believes, unless a
 * WebSocket has taken over.
 */

static void
ngx_mentara_eio_holder_cleanup(void *data)
{
    ngx_mentara_eio_holder_t *h = data;

    if (h->gone) {
        return;
    }

    if (h->holds) {
        ngx_mentara_box_quit(&h->worker->pb, &h->box);
    }

    ngx_mentara_eio_holder_drop(h);
}


static void
ngx_mentara_eio_holder_drop(ngx_mentara_eio_holder_t *h)
{
    if (h->gone) {
        return;
    }

    h->gone = 1;
    ngx_queue_remove(&h->queue);
    ngx_mentara_eio_stay(h->worker);

    if (!h->holds) {
        return;
    }

    h->holds = 0;

    if (h->worker->held[h->box.n] == h) {
        h->worker->held[h->box.n] = NULL;
        ngx_mentara_box_drop(&h->worker->pb, &h->box);
    }
}


ngx_int_t
ngx_mentara_eio_poll(ngx_http_request_t *r, ngx_mentara_eio_worker_t *worker,
    ngx_mentara_eio_conf_t *conf, ngx_mentara_box_ref_t *box)
{
    ngx_int_t                  rc;
    ngx_str_t                  none;
    ngx_pool_cleanup_t        *cln;
    ngx_mentara_eio_holder_t  *h;

    ngx_str_null(&none);

    rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK) {
        return rc;
    }

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_mentara_eio_holder_t));
    if (cln == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    h = cln->data;
    ngx_mentara_eio_holder(h, worker, conf, box);
    cln->handler = ngx_mentara_eio_holder_cleanup;
    h->r = r;

    rc = ngx_mentara_box_hold(&worker->pb, box);

    if (rc != NGX_OK) {
        ngx_mentara_eio_holder_drop(h);

        return (rc == NGX_BUSY)
               ? ngx_mentara_eio_answer(r, NGX_HTTP_BAD_REQUEST, "text/html",
                                        &none)
               : ngx_mentara_eio_error(r, MENTARA_EIO_UNKNOWN_SID);
    }

    h->holds = 1;
    worker->held[box->n] = h;

    r->main->count++;
    r->read_event_handler = ngx_http_test_reading;
    r->write_event_handler = ngx_http_request_empty_handler;

    ngx_mentara_eio_poll_turn(h);
    h->async = 1;

    return NGX_DONE;
}


void
ngx_mentara_eio_holder_turn(ngx_mentara_eio_holder_t *h)
{
    if (h->ws != NULL) {
        ngx_mentara_eio_ws_turn(h);
        return;
    }

    ngx_mentara_eio_poll_turn(h);
}


static void
ngx_mentara_eio_poll_turn(ngx_mentara_eio_holder_t *h)
{
    ngx_int_t              rc;
    ngx_str_t              payload;
    ngx_mentara_box_t      box;
    ngx_mentara_pollbox_t  *pb;

    pb = &h->worker->pb;

    rc = ngx_mentara_box_payload(pb, &h->box, h->conf->max_payload,
                                 h->r->pool, &payload);
    if (rc == NGX_OK) {
        ngx_mentara_eio_poll_answer(h, &payload);
        return;
    }

    if (rc != NGX_AGAIN || ngx_mentara_box_look(pb, &h->box, &box) != NGX_OK)
    {
        ngx_mentara_eio_poll_octet(h, MENTARA_EIO_CLOSE);
        return;
    }

    if (box.flags & NGX_MENTARA_BOX_CLOSED) {
        ngx_mentara_eio_poll_octet(h, (box.code == NGX_MENTARA_BOX_LEFT)
                                      ? MENTARA_EIO_NOOP
                                      : MENTARA_EIO_CLOSE);
        return;
    }

    if ((box.flags & (NGX_MENTARA_BOX_PROBED|NGX_MENTARA_BOX_UPGRADED))
        || box.who[NGX_MENTARA_BOX_OWNER].slot < 0 || ngx_exiting)
    {
        ngx_mentara_eio_poll_octet(h, MENTARA_EIO_NOOP);
    }
}


static void
ngx_mentara_eio_poll_octet(ngx_mentara_eio_holder_t *h,
    mentara_eio_type_e type)
{
    u_char     octet;
    ngx_str_t  payload;

    octet = (u_char) ('0' + type);
    payload.data = &octet;
    payload.len = 1;

    ngx_mentara_eio_poll_answer(h, &payload);
}


static void
ngx_mentara_eio_poll_answer(ngx_mentara_eio_holder_t *h, ngx_str_t *payload)
{
    ngx_int_t            rc;
    ngx_uint_t           async;
    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    r = h->r;
    c = r->connection;
    async = h->async;

    ngx_mentara_eio_holder_drop(h);

    r->read_event_handler = ngx_http_block_reading;

    rc = ngx_mentara_eio_answer(r, NGX_HTTP_OK, "text/plain; charset=UTF-8",
                                payload);

    ngx_http_finalize_request(r, rc);

    if (async) {
        ngx_http_run_posted_requests(c);
    }
}


void
ngx_mentara_eio_holder_tick(ngx_mentara_eio_holder_t *h)
{
    ngx_mentara_box_t  box;

    if (!h->holds) {
        return;
    }

    if (ngx_mentara_box_look(&h->worker->pb, &h->box, &box) == NGX_OK
        && !(h->ws == NULL && (box.flags & NGX_MENTARA_BOX_UPGRADED))
        && ngx_mentara_box_alive(&h->worker->pb,
                                 &box.who[NGX_MENTARA_BOX_OWNER])
        && !(ngx_exiting && h->ws == NULL))
    {
        return;
    }

    /*
     * Its owner has gone: by polling another one is found, else not.  Or a
     * WebSocket has taken over from a poll.
     */

    if (h->ws == NULL) {
        ngx_mentara_eio_poll_octet(h, MENTARA_EIO_NOOP);
        return;
    }

    ngx_mentara_ws_close(h->ws, MENTARA_WS_RESTART);
}


ngx_int_t
ngx_mentara_eio_probe(ngx_http_request_t *r, ngx_mentara_eio_worker_t *worker,
    ngx_mentara_eio_conf_t *conf, ngx_mentara_box_ref_t *box)
{
    ngx_int_t                  rc;
    ngx_mentara_ws_t          *ws;
    ngx_mentara_eio_holder_t  *h;

    rc = ngx_mentara_ws_check(r);

    if (rc == NGX_DECLINED) {
        return ngx_mentara_eio_error(r, MENTARA_EIO_BAD_REQUEST);
    }

    if (rc != NGX_OK) {
        return rc;
    }

    h = ngx_alloc(sizeof(ngx_mentara_eio_holder_t), worker->log);
    if (h == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ws = ngx_mentara_ws_accept(r, worker->ws, &conf->ws,
                               &ngx_mentara_eio_hold_handler, h);
    if (ws == NULL) {
        ngx_free(h);
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_mentara_eio_holder(h, worker, conf, box);
    h->ws = ws;
    ngx_mentara_ws_timer(ws, conf->upgrade_timeout);

    if (conf->stranger != 0) {
        ngx_mentara_ws_limit(ws, conf->stranger);
    }

    /* one that takes over, or did so, is enough */

    if (ngx_mentara_box_probe(&worker->pb, box, NGX_MENTARA_BOX_PROBING)
        != NGX_OK)
    {
        h->box.serial = 0;
        ngx_mentara_ws_close(ws, 0);
    }

    return NGX_DONE;
}


static void
ngx_mentara_eio_hold_message(ngx_mentara_ws_t *ws, ngx_uint_t binary,
    ngx_str_t *msg)
{
    ngx_mentara_eio_holder_t  *h;

    h = ws->data;

    if (h->holds) {
        ngx_mentara_eio_came(h, binary, msg);
        return;
    }

    if (binary || h->box.serial == 0) {
        ngx_mentara_ws_close(ws, 0);
        return;
    }

    ngx_mentara_eio_asked(h, msg);
}


/*
 * `2probe`, then `5`, and nothing else.  Between them the client stops to
 * poll, and a stock one never begins again, though its WebSocket be closed:
 * an exiting worker does not begin with that, and waits for its end.
 */

static void
ngx_mentara_eio_asked(ngx_mentara_eio_holder_t *h, ngx_str_t *msg)
{
    if (!h->probed && !ngx_exiting && msg->len == 6
        && ngx_memcmp(msg->data, "2probe", 6) == 0
        && ngx_mentara_box_probe(&h->worker->pb, &h->box,
                                 NGX_MENTARA_BOX_PROBED)
           == NGX_OK)
    {
        h->probed = 1;
        h->ws->crossing = 1;
        ngx_mentara_ws_send_data(h->ws, MENTARA_WS_TEXT,
                                 (u_char *) "3probe", 6);
        return;
    }

    h->ws->crossing = 0;

    if (h->probed && msg->len == 1 && msg->data[0] == '5'
        && ngx_mentara_box_upgrade(&h->worker->pb, &h->box) == NGX_OK)
    {
        ngx_mentara_eio_upgrade(h);
        return;
    }

    ngx_mentara_ws_close(h->ws, 0);
}


static void
ngx_mentara_eio_upgrade(ngx_mentara_eio_holder_t *h)
{
    ngx_mentara_eio_t         *s;
    ngx_mentara_eio_holder_t  *poll;

    ngx_mentara_box_heard(&h->worker->pb, &h->box,
                          ngx_mentara_eio_deadline(h->conf));

    poll = h->worker->held[h->box.n];

    if (poll != NULL && poll->box.serial == h->box.serial) {
        h->worker->held[h->box.n] = NULL;
        ngx_mentara_eio_poll_octet(poll, MENTARA_EIO_NOOP);
    }

    s = h->worker->owned[h->box.n];

    if (s != NULL && s->box.serial == h->box.serial && !s->ended) {
        ngx_mentara_eio_move(h, s);
        return;
    }

    h->holds = 1;
    h->worker->held[h->box.n] = h;
    ngx_mentara_eio_ws_turn(h);
}


/* the session is this worker's own: no box between it and its WebSocket */

static void
ngx_mentara_eio_move(ngx_mentara_eio_holder_t *h, ngx_mentara_eio_t *s)
{
    ngx_mentara_ws_t   *ws;
    ngx_mentara_box_t   box;

    ws = h->ws;

    /* what the client sent before is handed out first */

    ngx_mentara_eio_turn(s);

    if (s->ended) {
        ngx_mentara_ws_close(ws, 0);
        return;
    }

    if (ngx_mentara_box_look(&s->worker->pb, &s->box, &box) == NGX_OK
        && box.limit == 0)
    {
        ngx_mentara_ws_limit(ws, s->conf->ws.max_message);
    }

    h->holds = 0;
    ngx_mentara_eio_holder_drop(h);

    while (ngx_mentara_eio_forward(ws, s->worker, &s->box) == NGX_OK) {
        /* void */
    }

    s->local = 1;
    ngx_mentara_eio_carry(s, ws);

    if (ngx_mentara_box_drained(&s->worker->pb, &s->box)) {
        ngx_mentara_ws_notify(ws);
    }

    ngx_free(h);
}


/* a packet from the box; NGX_AGAIN: there is none */

static ngx_int_t
ngx_mentara_eio_forward(ngx_mentara_ws_t *ws,
    ngx_mentara_eio_worker_t *worker, ngx_mentara_box_ref_t *ref)
{
    ngx_int_t                 rc;
    ngx_mentara_box_packet_t  packet;

    rc = ngx_mentara_box_take(&worker->pb, ref, NGX_MENTARA_BOX_OUT, &packet);
    if (rc != NGX_OK) {
        return rc;
    }

    ngx_mentara_ws_send_data(ws, packet.binary ? MENTARA_WS_BINARY
                                               : MENTARA_WS_TEXT,
                             packet.data.data, packet.data.len);
    ngx_free(packet.data.data);

    return NGX_OK;
}


/* from the box of another worker's session to the WebSocket */

static void
ngx_mentara_eio_ws_turn(ngx_mentara_eio_holder_t *h)
{
    ngx_int_t          rc;
    ngx_mentara_box_t  box;

    for ( ;; ) {

        if (h->ws->pending > NGX_MENTARA_EIO_PILE) {
            ngx_mentara_ws_notify(h->ws);
            return;
        }

        rc = ngx_mentara_eio_forward(h->ws, h->worker, &h->box);

        if (rc == NGX_AGAIN) {
            break;
        }

        if (rc != NGX_OK) {
            ngx_mentara_ws_close(h->ws, (rc == NGX_DECLINED)
                                        ? MENTARA_WS_RESTART
                                        : MENTARA_WS_INTERNAL);
            return;
        }
    }

    if (ngx_mentara_box_look(&h->worker->pb, &h->box, &box) != NGX_OK) {
        ngx_mentara_ws_close(h->ws, MENTARA_WS_RESTART);
        return;
    }

    if (box.limit == 0) {
        ngx_mentara_ws_limit(h->ws, h->conf->ws.max_message);
    }

    if (box.flags & NGX_MENTARA_BOX_CLOSED) {
        ngx_mentara_ws_close(h->ws, (box.code >= MENTARA_WS_NORMAL)
                                    ? box.code : 0);
    }
}


static void
ngx_mentara_eio_came(ngx_mentara_eio_holder_t *h, ngx_uint_t binary,
    ngx_str_t *msg)
{
    ngx_str_t              data;
    mentara_eio_packet_t   packet;
    ngx_mentara_pollbox_t  *pb;

    pb = &h->worker->pb;

    ngx_mentara_box_heard(pb, &h->box, ngx_mentara_eio_deadline(h->conf));

    data = *msg;

    if (!binary) {

        if (mentara_eio_packet(&packet, msg->data, msg->data + msg->len)
            != MENTARA_OK
            || (packet.type != MENTARA_EIO_MESSAGE
                && packet.type != MENTARA_EIO_PONG))
        {
            ngx_mentara_ws_close(h->ws, 0);
            return;
        }

        if (packet.type == MENTARA_EIO_PONG) {
            return;
        }

        data.data = packet.data.data;
        data.len = packet.data.len;
    }

    if (ngx_mentara_box_put(pb, &h->box, NGX_MENTARA_BOX_IN, binary, &data,
                            2 * h->conf->max_payload, NULL)
        != NGX_OK)
    {
        ngx_mentara_ws_close(h->ws, MENTARA_WS_TRY_LATER);
    }
}


static void
ngx_mentara_eio_hold_drained(ngx_mentara_ws_t *ws)
{
    ngx_mentara_eio_holder_t  *h;

    h = ws->data;

    if (h->holds) {
        ngx_mentara_eio_ws_turn(h);
    }
}


/* the client took too long to decide */

static void
ngx_mentara_eio_hold_timer(ngx_mentara_ws_t *ws)
{
    ngx_mentara_eio_holder_t  *h;

    h = ws->data;

    if (!h->holds) {
        ngx_mentara_ws_close(ws, 0);
    }
}


static void
ngx_mentara_eio_hold_closed(ngx_mentara_ws_t *ws, ngx_uint_t code)
{
    ngx_mentara_eio_holder_t  *h;

    h = ws->data;

    if (h->holds) {
        ngx_mentara_box_close(&h->worker->pb, &h->box, code);

    } else if (h->box.serial != 0) {
        ngx_mentara_box_unprobe(&h->worker->pb, &h->box);
    }

    ngx_mentara_eio_holder_drop(h);
    ngx_free(h);
}
