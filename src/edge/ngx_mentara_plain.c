
#include <ngx_mentara_plain.h>
#include <ngx_mentara_admit.h>
#include <ngx_mentara_client.h>
#include <ngx_mentara_attach.h>
#include <ngx_mentara_credential.h>
#include <ngx_mentara_handshake.h>
#include <ngx_mentara_metrics.h>
#include <ngx_mentara_reply.h>
#include <mentara_json.h>
#include <mentara_json_scan.h>


#define NGX_MENTARA_PLAIN_FRAME  1     /* of ngx_mentara_outgoing_t.frames */
#define NGX_MENTARA_PLAIN_HEAD   96    /* octets around an event's parts */


/* the client is first: its session and its events lead back here */
typedef struct {
    ngx_mentara_client_t   client;
    ngx_mentara_ws_t      *ws;
} ngx_mentara_plain_t;


/* what a frame says */
typedef struct {
    json_t                *json;
    json_t                *data;    /* borrowed */
    ngx_str_t              name;
    int64_t                id;
    unsigned               has_id:1;
    unsigned               bad:1;   /* a string cannot be taken */
    unsigned               twice:1; /* a key comes again */
} ngx_mentara_plain_event_t;


static void ngx_mentara_plain_begin(ngx_mentara_request_t *q);
static ngx_int_t ngx_mentara_plain_unfit(ngx_mentara_request_t *q,
    ngx_int_t rc);
static void ngx_mentara_plain_admitted(ngx_mentara_request_t *q,
    const char *code);
static ngx_int_t ngx_mentara_plain_accept(ngx_mentara_request_t *q);

static void ngx_mentara_plain_message(ngx_mentara_ws_t *ws, ngx_uint_t binary,
    ngx_str_t *msg);
static void ngx_mentara_plain_parse(ngx_mentara_plain_event_t *e,
    ngx_str_t *msg);
static void ngx_mentara_plain_mend(u_char *p, u_char *last);
static void ngx_mentara_plain_drained(ngx_mentara_ws_t *ws);
static void ngx_mentara_plain_closed(ngx_mentara_ws_t *ws, ngx_uint_t code);

static void ngx_mentara_plain_ack(ngx_mentara_client_t *c, int64_t id,
    ngx_str_t *data);
static void ngx_mentara_plain_hold(ngx_mentara_client_t *c, ngx_uint_t on);
static void ngx_mentara_plain_expel(ngx_mentara_client_t *c);

static void ngx_mentara_plain_accepted(ngx_mentara_session_t *s,
    ngx_str_t *pid, ngx_uint_t recovered);
static void ngx_mentara_plain_event(ngx_mentara_session_t *s,
    ngx_mentara_outgoing_t *o);
static ngx_mentara_frame_t *ngx_mentara_plain_frame(
    ngx_mentara_outgoing_t *o);
static void ngx_mentara_plain_release(void *frame);
static size_t ngx_mentara_plain_pending(ngx_mentara_session_t *s);
static void ngx_mentara_plain_notify(ngx_mentara_session_t *s);
static void ngx_mentara_plain_greeted(ngx_mentara_session_t *s);
static void ngx_mentara_plain_ended(ngx_mentara_session_t *s, ngx_uint_t why);


static ngx_mentara_ws_handler_t  ngx_mentara_plain_ws = {
    ngx_mentara_plain_message,
    ngx_mentara_plain_drained,
    NULL,
    ngx_mentara_plain_closed
};


static const ngx_mentara_client_door_t  ngx_mentara_plain_client = {
    ngx_mentara_plain_ack,
    ngx_mentara_plain_hold,
    NULL,
    ngx_mentara_plain_expel
};


static const ngx_mentara_door_t  ngx_mentara_plain_door = {
    ngx_mentara_plain_accepted,
    ngx_mentara_plain_event,
    ngx_mentara_plain_pending,
    ngx_mentara_plain_notify,
    ngx_mentara_plain_greeted,
    ngx_mentara_plain_ended
};


ngx_int_t
ngx_mentara_plain_handler(ngx_http_request_t *r)
{
    ngx_mentara_request_t  *q;

    q = ngx_mentara_request_create(r);
    if (q == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    r->main->count++;
    ngx_mentara_plain_begin(q);
    q->async = 1;

    return NGX_DONE;
}


static void
ngx_mentara_plain_begin(ngx_mentara_request_t *q)
{
    ngx_int_t  rc;

    rc = ngx_mentara_handshake_origin(q);

    if (rc != NGX_OK) {
        ngx_mentara_request_refuse(q, (rc == NGX_DECLINED) ? "csrf"
                                                           : "internal");
        return;
    }

    q->from = ngx_mentara_handshake_token(q, &q->token);

    if (q->from == NGX_MENTARA_CREDENTIAL_NONE) {
        ngx_mentara_request_refuse(q, "token_missing");
        return;
    }

    rc = ngx_mentara_ws_check(q->r);

    if (rc != NGX_OK) {
        ngx_mentara_request_finish(q, ngx_mentara_plain_unfit(q, rc));
        return;
    }

    ngx_mentara_admit(q, ngx_mentara_plain_admitted);
}


/* what ngx_mentara_ws_check() said of it, in the shape of all errors */

static ngx_int_t
ngx_mentara_plain_unfit(ngx_mentara_request_t *q, ngx_int_t rc)
{
    ngx_str_t  none = ngx_string("this location is a WebSocket: ask for an "
                                 "upgrade of HTTP/1.1");
    ngx_str_t  bad = ngx_string("the handshake must be one of RFC 6455, "
                                "version 13, without a body");

    switch (rc) {

    case NGX_HTTP_NOT_ALLOWED:
        q->route.allow = "GET";
        return ngx_mentara_reply_error(q, "method_not_allowed", NULL, 0);

    case NGX_HTTP_SERVICE_UNAVAILABLE:
        return ngx_mentara_reply_error(q, "db_unavailable", NULL, 0);

    case NGX_MENTARA_UPGRADE_REQUIRED:
        return ngx_mentara_reply_refusal(q, rc, "validation_failed", &bad, 1);

    default:
        return ngx_mentara_reply_error(q, "validation_failed",
                                       (rc == NGX_DECLINED) ? &none : &bad,
                                       1);
    }
}


static void
ngx_mentara_plain_admitted(ngx_mentara_request_t *q, const char *code)
{
    if (code == NULL
        && ngx_mentara_handshake_room(q, &q->claims.sub) != NGX_OK)
    {
        code = "rate_limited";
    }

    if (code == NULL && ngx_mentara_plain_accept(q) != NGX_OK) {

        if (q->r->header_sent) {
            ngx_mentara_request_finish(q, NGX_HTTP_CLIENT_CLOSED_REQUEST);
            return;
        }

        code = "internal";
    }

    if (code != NULL) {
        ngx_mentara_request_refuse(q, code);
        return;
    }

    ngx_mentara_request_finish(q, NGX_DONE);
}


static ngx_int_t
ngx_mentara_plain_accept(ngx_mentara_request_t *q)
{
    ngx_mentara_plain_t     *p;
    ngx_mentara_return_t     back;
    ngx_mentara_identity_t   who;

    p = ngx_calloc(sizeof(ngx_mentara_plain_t), q->r->connection->log);
    if (p == NULL) {
        return NGX_ERROR;
    }

    ngx_mentara_client_init(&p->client, q->mmcf, q->mlcf,
                            &ngx_mentara_plain_client);

    p->ws = ngx_mentara_ws_accept(q->r, q->mmcf->ws, &q->mlcf->socket.ws,
                                  &ngx_mentara_plain_ws, p);
    if (p->ws == NULL) {
        ngx_free(p);
        return NGX_ERROR;
    }

    q->done = 1;
    ngx_mentara_ws_pause(p->ws);

    who.user = q->claims.sub;
    who.sid = q->claims.sid;
    who.token = ngx_time();
    who.expires = who.token + q->mlcf->socket.lifetime;

    ngx_memzero(&back, sizeof(ngx_mentara_return_t));
    (void) ngx_http_arg(q->r, (u_char *) "offset", 6, &back.offset);

    if (ngx_mentara_client_start(&p->client, &ngx_mentara_plain_door, &who,
                                 &back)
        != NGX_OK)
    {
        ngx_mentara_ws_close(p->ws, MENTARA_WS_INTERNAL);
    }

    return NGX_OK;
}


static void
ngx_mentara_plain_message(ngx_mentara_ws_t *ws, ngx_uint_t binary,
    ngx_str_t *msg)
{
    int64_t                    *id;
    ngx_mentara_plain_t        *p;
    ngx_mentara_plain_event_t   e;

    p = ws->data;

    if (p->client.session == NULL) {
        return;
    }

    if (binary) {
        ngx_mentara_ws_close(ws, MENTARA_WS_UNSUPPORTED);
        return;
    }

    ngx_mentara_plain_parse(&e, msg);
    id = e.has_id ? &e.id : NULL;

    if (e.name.data == NULL) {
        ngx_mentara_client_malformed(&p->client, NULL,
                                     "a frame must be like {\"event\":name,"
                                     "\"data\":{},\"id\":n}", id);

    } else if (e.bad) {
        ngx_mentara_client_malformed(&p->client, &e.name,
                                     "a string holds U+0000 or half of a "
                                     "pair", id);

    } else if (e.twice) {
        ngx_mentara_client_malformed(&p->client, &e.name,
                                     "a key comes twice", id);

    } else {
        json_incref(e.data);
        ngx_mentara_client_event(&p->client, &e.name, e.data, id);
    }

    json_decref(e.json);
}


/* what can be said of a frame, even if its data cannot be taken */

static void
ngx_mentara_plain_parse(ngx_mentara_plain_event_t *e, ngx_str_t *msg)
{
    json_t                *name, *id;
    json_error_t           error;
    mentara_json_marks_t   marks;

    ngx_memzero(e, sizeof(ngx_mentara_plain_event_t));
    ngx_memzero(&marks, sizeof(mentara_json_marks_t));

    if (mentara_json_scan(msg->data, msg->data + msg->len, NULL, &marks)
        != (intptr_t) msg->len)
    {
        return;
    }

    if (marks.nul || marks.surrogate) {
        ngx_mentara_plain_mend(msg->data, msg->data + msg->len);
        e->bad = 1;
    }

    e->json = json_loadb((char *) msg->data, msg->len, JSON_REJECT_DUPLICATES,
                         &error);

    if (e->json == NULL
        && json_error_code(&error) == json_error_duplicate_key)
    {
        e->twice = 1;
        e->json = json_loadb((char *) msg->data, msg->len, 0, &error);
    }

    if (!json_is_object(e->json)) {
        return;
    }

    name = json_object_get(e->json, "event");
    id = json_object_get(e->json, "id");

    if (!json_is_string(name) || (id != NULL && !json_is_integer(id))) {
        return;
    }

    e->name.data = (u_char *) json_string_value(name);
    e->name.len = json_string_length(name);
    e->data = json_object_get(e->json, "data");

    if (id != NULL) {
        e->id = json_integer_value(id);
        e->has_id = 1;
    }
}


/*
 * Escapes that no parser takes become U+FFFD, so that the event's name and id
 * can be read; its data is refused in any case.
 */

static void
ngx_mentara_plain_mend(u_char *p, u_char *last)
{
    ngx_int_t  code;

    for ( /* void */ ; last - p >= 2; p++) {

        if (*p != '\\') {
            continue;
        }

        p++;

        if (*p != 'u' || last - p < 5) {
            continue;
        }

        code = ngx_hextoi(p + 1, 4);

        if (code == 0 || (code >= 0xd800 && code <= 0xdfff)) {
            ngx_memcpy(p + 1, "fffd", 4);
        }
    }
}


static void
ngx_mentara_plain_drained(ngx_mentara_ws_t *ws)
{
    ngx_mentara_plain_t  *p;

    p = ws->data;

    if (p->client.session != NULL) {
        ngx_mentara_attach_drained(p->client.session);
    }
}


static void
ngx_mentara_plain_closed(ngx_mentara_ws_t *ws, ngx_uint_t code)
{
    ngx_mentara_plain_t  *p;

    p = ws->data;

    if (ws->slow) {
        ngx_mentara_metric_add(&p->client.mmcf->zone,
                               NGX_MENTARA_METRIC_SLOW_SOCKETS, 1);
    }

    ngx_mentara_client_close(&p->client);
    ngx_free(p);
}


static void
ngx_mentara_plain_ack(ngx_mentara_client_t *c, int64_t id, ngx_str_t *data)
{
    u_char                head[NGX_MENTARA_PLAIN_HEAD], *last;
    ngx_mentara_frame_t  *f;
    ngx_mentara_plain_t  *p;

    p = (ngx_mentara_plain_t *) c;
    last = ngx_sprintf(head, "{\"ack\":%L,\"data\":", id);

    f = ngx_mentara_frame_create(MENTARA_WS_TEXT,
                                 last - head + data->len + 1, ngx_cycle->log);

    if (f != NULL) {
        last = ngx_cpymem(f->payload.data, head, last - head);
        last = ngx_cpymem(last, data->data, data->len);
        *last = '}';
    }

    ngx_mentara_ws_send(p->ws, f);
    ngx_mentara_frame_unref(f);
}


static void
ngx_mentara_plain_hold(ngx_mentara_client_t *c, ngx_uint_t on)
{
    ngx_mentara_plain_t  *p;

    p = (ngx_mentara_plain_t *) c;

    if (on) {
        ngx_mentara_ws_pause(p->ws);

    } else {
        ngx_mentara_ws_resume(p->ws);
    }
}


static void
ngx_mentara_plain_expel(ngx_mentara_client_t *c)
{
    ngx_mentara_plain_t  *p;

    p = (ngx_mentara_plain_t *) c;

    ngx_mentara_ws_close(p->ws, MENTARA_WS_POLICY);
}


static void
ngx_mentara_plain_accepted(ngx_mentara_session_t *s, ngx_str_t *pid,
    ngx_uint_t recovered)
{
    ngx_mentara_plain_t  *p;

    p = s->data;

    ngx_mentara_ws_resume(p->ws);
}


static void
ngx_mentara_plain_event(ngx_mentara_session_t *s, ngx_mentara_outgoing_t *o)
{
    ngx_mentara_frame_t  *f;
    ngx_mentara_plain_t  *p;

    p = s->data;
    f = o->frames[NGX_MENTARA_PLAIN_FRAME];

    if (f == NULL) {
        f = ngx_mentara_plain_frame(o);
        o->frames[NGX_MENTARA_PLAIN_FRAME] = f;
        o->release[NGX_MENTARA_PLAIN_FRAME] = ngx_mentara_plain_release;
    }

    ngx_mentara_ws_send(p->ws, f);

    if (p->ws->close_sent || p->ws->broken) {
        s->deaf = 1;
    }
}


static ngx_mentara_frame_t *
ngx_mentara_plain_frame(ngx_mentara_outgoing_t *o)
{
    size_t                len;
    u_char               *p;
    ngx_mentara_frame_t  *f;

    len = sizeof("{\"event\":\"\",\"data\":}") - 1 + o->name.len + o->body.len;

    if (o->offset.len != 0) {
        len += sizeof(",\"offset\":\"\"") - 1 + o->offset.len;
    }

    f = ngx_mentara_frame_create(MENTARA_WS_TEXT, len, ngx_cycle->log);
    if (f == NULL) {
        return NULL;
    }

    p = ngx_sprintf(f->payload.data, "{\"event\":\"%V\",\"data\":%V",
                    &o->name, &o->body);

    if (o->offset.len != 0) {
        p = ngx_sprintf(p, ",\"offset\":\"%V\"", &o->offset);
    }

    *p = '}';

    return f;
}


static void
ngx_mentara_plain_release(void *frame)
{
    ngx_mentara_frame_unref(frame);
}


static size_t
ngx_mentara_plain_pending(ngx_mentara_session_t *s)
{
    ngx_mentara_plain_t  *p;

    p = s->data;

    return p->ws->pending;
}


static void
ngx_mentara_plain_notify(ngx_mentara_session_t *s)
{
    ngx_mentara_plain_t  *p;

    p = s->data;

    ngx_mentara_ws_notify(p->ws);
}


/* nobody else takes this session over, so nothing of it is saved */

static void
ngx_mentara_plain_greeted(ngx_mentara_session_t *s)
{
    (void) s;
}


static void
ngx_mentara_plain_ended(ngx_mentara_session_t *s, ngx_uint_t why)
{
    ngx_uint_t            code;
    ngx_mentara_plain_t  *p;

    p = s->data;
    p->client.session = NULL;

    switch (why) {

    case NGX_MENTARA_END_INACTIVE:
    case NGX_MENTARA_END_LOGOUT:
        code = MENTARA_WS_POLICY;
        break;

    case NGX_MENTARA_END_AGAIN:
    case NGX_MENTARA_END_CROWDED:
        code = MENTARA_WS_TRY_LATER;
        break;

    default: /* it may come back at once */
        code = MENTARA_WS_RESTART;
    }

    ngx_mentara_ws_close(p->ws, code);
}
