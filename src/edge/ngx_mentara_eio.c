
#include <ngx_mentara_eio.h>
#include <ngx_mentara_eio_body.h>
#include <ngx_mentara_eio_hold.h>
#include <openssl/rand.h>


#define NGX_MENTARA_EIO_FULL  10   /* s between two lines that say so */


typedef struct {
    ngx_mentara_eio_worker_t   *worker;
    ngx_mentara_eio_conf_t     *conf;
    ngx_mentara_box_ref_t       box;
    ngx_uint_t                  async;
} ngx_mentara_eio_post_t;


static ngx_int_t ngx_mentara_eio_polled(ngx_http_request_t *r,
    ngx_mentara_eio_worker_t *worker, ngx_mentara_eio_conf_t *conf,
    const ngx_mentara_eio_handler_t *handler);
static ngx_int_t ngx_mentara_eio_full(ngx_http_request_t *r,
    ngx_mentara_eio_worker_t *worker);
static ngx_int_t ngx_mentara_eio_direct(ngx_http_request_t *r,
    ngx_mentara_eio_worker_t *worker, ngx_mentara_eio_conf_t *conf,
    const ngx_mentara_eio_handler_t *handler);
static ngx_int_t ngx_mentara_eio_known(ngx_http_request_t *r,
    ngx_mentara_eio_worker_t *worker, ngx_mentara_eio_conf_t *conf,
    const ngx_mentara_eio_handler_t *handler, mentara_eio_query_t *query);
static ngx_int_t ngx_mentara_eio_owner(ngx_http_request_t *r,
    ngx_mentara_eio_worker_t *worker, ngx_mentara_eio_conf_t *conf,
    const ngx_mentara_eio_handler_t *handler, ngx_mentara_box_ref_t *ref,
    ngx_mentara_box_t *box);
static ngx_int_t ngx_mentara_eio_adopt(ngx_http_request_t *r,
    ngx_mentara_eio_t *s, ngx_mentara_box_t *box);
static ngx_int_t ngx_mentara_eio_post(ngx_http_request_t *r,
    ngx_mentara_eio_worker_t *worker, ngx_mentara_eio_conf_t *conf,
    ngx_mentara_box_ref_t *box);
static void ngx_mentara_eio_posted(ngx_http_request_t *r, void *data,
    ngx_str_t *body, ngx_int_t rc);
static ngx_int_t ngx_mentara_eio_packets(ngx_mentara_eio_post_t *post,
    ngx_str_t *body);
static ngx_int_t ngx_mentara_eio_packet(ngx_mentara_eio_post_t *post,
    mentara_eio_packet_t *packet);
static size_t ngx_mentara_eio_open_packet(ngx_mentara_eio_t *s, u_char *buf,
    ngx_uint_t upgrades);
static ngx_int_t ngx_mentara_eio_sid(u_char *sid);


ngx_int_t
ngx_mentara_eio_request(ngx_http_request_t *r,
    ngx_mentara_eio_worker_t *worker, ngx_mentara_eio_conf_t *conf,
    const ngx_mentara_eio_handler_t *handler)
{
    mentara_slice_t      args;
    mentara_eio_query_t  query;

    args.data = r->args.data;
    args.len = r->args.len;
    mentara_eio_query(&query, args);

    if (query.transport != MENTARA_EIO_TRANSPORT_POLLING
        && query.transport != MENTARA_EIO_TRANSPORT_WEBSOCKET)
    {
        return ngx_mentara_eio_error(r, MENTARA_EIO_UNKNOWN_TRANSPORT);
    }

    if (query.has_sid) {
        return ngx_mentara_eio_known(r, worker, conf, handler, &query);
    }

    if (r->method != NGX_HTTP_GET) {
        return ngx_mentara_eio_error(r, MENTARA_EIO_BAD_METHOD);
    }

    if (query.version != 4) {
        return ngx_mentara_eio_error(r, MENTARA_EIO_BAD_VERSION);
    }

    if (ngx_exiting) {
        return ngx_mentara_eio_later(r);
    }

    if (query.transport == MENTARA_EIO_TRANSPORT_WEBSOCKET) {
        return ngx_mentara_eio_direct(r, worker, conf, handler);
    }

    return ngx_mentara_eio_polled(r, worker, conf, handler);
}


/* a session by polling */

static ngx_int_t
ngx_mentara_eio_polled(ngx_http_request_t *r,
    ngx_mentara_eio_worker_t *worker, ngx_mentara_eio_conf_t *conf,
    const ngx_mentara_eio_handler_t *handler)
{
    u_char              buf[MENTARA_EIO_OPEN_MAX];
    ngx_int_t           rc;
    ngx_str_t           body;
    ngx_mentara_eio_t  *s;

    s = ngx_mentara_eio_create(worker, conf, handler);
    if (s == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ngx_mentara_eio_sid(s->sid) != NGX_OK
        || ngx_mentara_box_create(&worker->pb, s->sid,
                                  ngx_mentara_eio_deadline(conf),
                                  conf->stranger, &s->box)
           != NGX_OK)
    {
        ngx_free(s);
        return ngx_mentara_eio_full(r, worker);
    }

    rc = handler->open(s, r);

    if (rc != NGX_OK) {
        ngx_mentara_box_end(&worker->pb, &s->box, 0);
        ngx_free(s);
        return rc;
    }

    ngx_mentara_eio_boxed(s);

    /* what it must keep found no room */

    if (s->ended) {
        return ngx_mentara_eio_full(r, worker);
    }

    body.data = buf;
    body.len = ngx_mentara_eio_open_packet(s, buf, 1);

    return ngx_mentara_eio_answer(r, NGX_HTTP_OK,
                                  "text/plain; charset=UTF-8", &body);
}


static ngx_int_t
ngx_mentara_eio_full(ngx_http_request_t *r, ngx_mentara_eio_worker_t *worker)
{
    if (ngx_time() - worker->full >= NGX_MENTARA_EIO_FULL) {
        worker->full = ngx_time();
        ngx_log_error(NGX_LOG_ERR, worker->log, 0,
                      "mentara: the zone is full of polled sessions");
    }

    return ngx_mentara_eio_later(r);
}


/* a session by WebSocket from the start; it needs no box */

static ngx_int_t
ngx_mentara_eio_direct(ngx_http_request_t *r,
    ngx_mentara_eio_worker_t *worker, ngx_mentara_eio_conf_t *conf,
    const ngx_mentara_eio_handler_t *handler)
{
    u_char              buf[MENTARA_EIO_OPEN_MAX];
    ngx_int_t           rc;
    ngx_mentara_ws_t   *ws;
    ngx_mentara_eio_t  *s;

    rc = ngx_mentara_ws_check(r);

    if (rc == NGX_DECLINED) {
        return ngx_mentara_eio_error(r, MENTARA_EIO_BAD_REQUEST);
    }

    if (rc != NGX_OK) {
        return rc;
    }

    s = ngx_mentara_eio_create(worker, conf, handler);
    if (s == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ngx_mentara_eio_sid(s->sid) != NGX_OK) {
        ngx_free(s);
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = handler->open(s, r);

    if (rc != NGX_OK) {
        ngx_free(s);
        return rc;
    }

    ws = ngx_mentara_ws_accept(r, worker->ws, &conf->ws,
                               &ngx_mentara_eio_ws_handler, s);
    if (ws == NULL) {
        ngx_mentara_eio_end(s, 0, MENTARA_WS_INTERNAL);
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_mentara_eio_carry(s, ws);

    if (conf->stranger != 0) {
        ngx_mentara_ws_limit(ws, conf->stranger);
    }

    ngx_mentara_ws_send_data(ws, MENTARA_WS_TEXT, buf,
                             ngx_mentara_eio_open_packet(s, buf, 0));

    return NGX_DONE;
}


/* a request of a session that there is already */

static ngx_int_t
ngx_mentara_eio_known(ngx_http_request_t *r,
    ngx_mentara_eio_worker_t *worker, ngx_mentara_eio_conf_t *conf,
    const ngx_mentara_eio_handler_t *handler, mentara_eio_query_t *query)
{
    ngx_int_t              rc;
    ngx_str_t              sid;
    ngx_mentara_box_t      box;
    ngx_mentara_box_ref_t  ref;

    sid.data = query->sid.data;
    sid.len = query->sid.len;

    if (ngx_mentara_box_find(&worker->pb, &sid, &ref) != NGX_OK
        || ngx_mentara_box_look(&worker->pb, &ref, &box) != NGX_OK
        || (box.flags & NGX_MENTARA_BOX_CLOSED)
        || box.deadline <= ngx_current_msec)
    {
        return ngx_mentara_eio_error(r, MENTARA_EIO_UNKNOWN_SID);
    }

    rc = ngx_mentara_eio_owner(r, worker, conf, handler, &ref, &box);

    if (rc == NGX_DECLINED) {
        return ngx_mentara_eio_error(r, MENTARA_EIO_UNKNOWN_SID);
    }

    if (rc != NGX_OK) {
        return ngx_mentara_eio_later(r);
    }

    if (query->transport == MENTARA_EIO_TRANSPORT_WEBSOCKET) {
        return ngx_mentara_eio_probe(r, worker, conf, &ref);
    }

    if (box.flags & NGX_MENTARA_BOX_UPGRADED) {
        return ngx_mentara_eio_error(r, MENTARA_EIO_BAD_REQUEST);
    }

    switch (r->method) {

    case NGX_HTTP_GET:
        return ngx_mentara_eio_poll(r, worker, conf, &ref);

    case NGX_HTTP_POST:
        return ngx_mentara_eio_post(r, worker, conf, &ref);

    default:
        return ngx_mentara_eio_error(r, MENTARA_EIO_BAD_REQUEST);
    }
}


/*
 * NGX_OK: the session has an owner, perhaps this worker from now on, or gets
 * one with the client's next request; NGX_DECLINED: it cannot go on;
 * NGX_ERROR: not here, not now.
 */

static ngx_int_t
ngx_mentara_eio_owner(ngx_http_request_t *r, ngx_mentara_eio_worker_t *worker,
    ngx_mentara_eio_conf_t *conf, const ngx_mentara_eio_handler_t *handler,
    ngx_mentara_box_ref_t *ref, ngx_mentara_box_t *box)
{
    ngx_int_t           rc;
    ngx_mentara_eio_t  *s;

    if (ngx_mentara_box_alive(&worker->pb,
                              &box->who[NGX_MENTARA_BOX_OWNER]))
    {
        return NGX_OK;
    }

    /* what the request brings waits in the box for another worker */

    if (ngx_exiting) {
        return NGX_OK;
    }

    rc = ngx_mentara_box_adopt(&worker->pb, ref);

    if (rc == NGX_BUSY) {
        return NGX_OK;
    }

    if (rc != NGX_OK) {
        return NGX_DECLINED;
    }

    s = ngx_mentara_eio_create(worker, conf, handler);

    if (s == NULL) {
        ngx_mentara_box_leave(&worker->pb, ref);
        return NGX_ERROR;
    }

    s->box = *ref;
    ngx_memcpy(s->sid, box->sid, sizeof(s->sid));

    if (ngx_mentara_eio_adopt(r, s, box) != NGX_OK) {
        ngx_mentara_box_end(&worker->pb, ref, 0);
        ngx_free(s);
        return NGX_DECLINED;
    }

    ngx_mentara_eio_boxed(s);

    return NGX_OK;
}


static ngx_int_t
ngx_mentara_eio_adopt(ngx_http_request_t *r, ngx_mentara_eio_t *s,
    ngx_mentara_box_t *box)
{
    ngx_int_t                 rc;
    ngx_str_t                 mark;
    ngx_mentara_box_packet_t  state;

    if (ngx_mentara_box_take(&s->worker->pb, &s->box, NGX_MENTARA_BOX_STATE,
                             &state)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    mark.data = box->mark;
    mark.len = box->mark_len;

    rc = s->handler->adopt(s, r, &state.data, &mark);
    ngx_free(state.data.data);

    return rc;
}


static ngx_int_t
ngx_mentara_eio_post(ngx_http_request_t *r, ngx_mentara_eio_worker_t *worker,
    ngx_mentara_eio_conf_t *conf, ngx_mentara_box_ref_t *box)
{
    ngx_str_t                none, *type;
    ngx_mentara_eio_post_t  *post;

    ngx_str_null(&none);

    if (r->headers_in.content_type != NULL) {
        type = &r->headers_in.content_type->value;

        if (type->len == sizeof("application/octet-stream") - 1
            && ngx_strncasecmp(type->data,
                               (u_char *) "application/octet-stream",
                               type->len)
               == 0)
        {
            return ngx_mentara_eio_answer(r, NGX_HTTP_BAD_REQUEST,
                                          "text/html", &none);
        }
    }

    post = ngx_palloc(r->pool, sizeof(ngx_mentara_eio_post_t));
    if (post == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    post->worker = worker;
    post->conf = conf;
    post->box = *box;
    post->async = 0;

    r->main->count++;
    ngx_mentara_eio_body(r, conf->max_payload, ngx_mentara_eio_posted, post);
    post->async = 1;

    return NGX_DONE;
}


static void
ngx_mentara_eio_posted(ngx_http_request_t *r, void *data, ngx_str_t *body,
    ngx_int_t rc)
{
    ngx_mentara_eio_post_t *post = data;

    ngx_str_t          text;
    ngx_uint_t         async;
    ngx_connection_t  *c;

    c = r->connection;
    async = post->async;
    ngx_str_null(&text);

    if (rc == NGX_OK) {
        rc = ngx_mentara_eio_packets(post, body);
    }

    if (rc == NGX_OK) {
        ngx_str_set(&text, "ok");
        rc = NGX_HTTP_OK;
    }

    if (rc == NGX_HTTP_SERVICE_UNAVAILABLE) {
        rc = ngx_mentara_eio_later(r);

    } else if (rc == NGX_HTTP_OK || rc == NGX_HTTP_BAD_REQUEST
               || rc == NGX_HTTP_REQUEST_ENTITY_TOO_LARGE)
    {
        rc = ngx_mentara_eio_answer(r, rc, "text/html", &text);
    }

    ngx_http_finalize_request(r, rc);

    if (async) {
        ngx_http_run_posted_requests(c);
    }
}


/* NGX_OK or an HTTP status; what is malformed ends the session */

static ngx_int_t
ngx_mentara_eio_packets(ngx_mentara_eio_post_t *post, ngx_str_t *body)
{
    int                     rc;
    ngx_int_t               status;
    mentara_eio_packet_t    packet;
    mentara_eio_payload_t   payload;

    ngx_mentara_box_heard(&post->worker->pb, &post->box,
                          ngx_mentara_eio_deadline(post->conf));

    mentara_eio_payload_init(&payload, body->data, body->data + body->len);

    for ( ;; ) {
        rc = mentara_eio_payload_next(&payload, &packet);

        if (rc == MENTARA_MORE) {
            return NGX_OK;
        }

        if (rc != MENTARA_OK) {
            ngx_mentara_box_close(&post->worker->pb, &post->box, 0);
            return NGX_HTTP_BAD_REQUEST;
        }

        status = ngx_mentara_eio_packet(post, &packet);

        if (status != NGX_OK) {
            return status;
        }
    }
}


static ngx_int_t
ngx_mentara_eio_packet(ngx_mentara_eio_post_t *post,
    mentara_eio_packet_t *packet)
{
    ngx_str_t               data;
    ngx_mentara_pollbox_t  *pb;

    pb = &post->worker->pb;

    switch (packet->type) {

    case MENTARA_EIO_MESSAGE:
        data.data = packet->data.data;
        data.len = packet->data.len;

        return (ngx_mentara_box_put(pb, &post->box, NGX_MENTARA_BOX_IN,
                                    packet->binary, &data,
                                    2 * post->conf->max_payload, NULL)
                == NGX_OK)
               ? NGX_OK : NGX_HTTP_SERVICE_UNAVAILABLE;

    case MENTARA_EIO_PONG:
        return NGX_OK;

    case MENTARA_EIO_CLOSE:
        ngx_mentara_box_close(pb, &post->box, NGX_MENTARA_BOX_LEFT);
        return NGX_OK;

    default:
        ngx_mentara_box_close(pb, &post->box, 0);
        return NGX_HTTP_BAD_REQUEST;
    }
}


static size_t
ngx_mentara_eio_open_packet(ngx_mentara_eio_t *s, u_char *buf,
    ngx_uint_t upgrades)
{
    mentara_eio_open_t  open;

    open.sid.data = s->sid;
    open.sid.len = sizeof(s->sid);
    open.upgrades = upgrades;
    open.ping_interval = s->conf->ping_interval;
    open.ping_timeout = s->conf->ping_timeout;
    open.max_payload = s->conf->max_payload;

    return mentara_eio_put_open(buf, &open);
}


/* 15 random octets are 20 characters */

static ngx_int_t
ngx_mentara_eio_sid(u_char *sid)
{
    u_char     random[NGX_MENTARA_BOX_SID / 4 * 3];
    ngx_str_t  src, dst;

    if (RAND_bytes(random, sizeof(random)) != 1) {
        return NGX_ERROR;
    }

    src.data = random;
    src.len = sizeof(random);
    dst.data = sid;
    ngx_encode_base64url(&dst, &src);

    return NGX_OK;
}
