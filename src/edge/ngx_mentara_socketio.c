
#include <ngx_mentara_socketio.h>
#include <ngx_mentara_socketio_part.h>
#include <ngx_mentara_attach.h>
#include <ngx_mentara_credential.h>
#include <ngx_mentara_handshake.h>
#include <ngx_mentara_jwks_fetch.h>
#include <ngx_mentara_metrics.h>
#include <ngx_mentara_notice.h>
#include <ngx_mentara_reply.h>


#define NGX_MENTARA_SIO_CONNECT_TIMEOUT  45000   /* ms to the first CONNECT */


static ngx_int_t ngx_mentara_sio_request(ngx_mentara_request_t *q);
static void ngx_mentara_sio_prepared(void *data);
static ngx_int_t ngx_mentara_sio_handshake(ngx_mentara_request_t *q);
static ngx_int_t ngx_mentara_sio_go(ngx_mentara_request_t *q);
static const char *ngx_mentara_sio_later(ngx_mentara_request_t *q);
static ngx_mentara_sio_t *ngx_mentara_sio_create(ngx_mentara_eio_t *eio,
    ngx_http_request_t *r);
static void ngx_mentara_sio_free(ngx_mentara_sio_t *s);
static void ngx_mentara_sio_late(ngx_event_t *ev);

static ngx_int_t ngx_mentara_sio_open(ngx_mentara_eio_t *eio,
    ngx_http_request_t *r);
static ngx_int_t ngx_mentara_sio_adopt(ngx_mentara_eio_t *eio,
    ngx_http_request_t *r, ngx_str_t *state, ngx_str_t *mark);
static void ngx_mentara_sio_message(ngx_mentara_eio_t *eio, ngx_uint_t binary,
    ngx_str_t *msg);
static void ngx_mentara_sio_binary(ngx_mentara_sio_t *s);
static void ngx_mentara_sio_packet(ngx_mentara_sio_t *s,
    mentara_sio_packet_t *packet);
static void ngx_mentara_sio_connect(ngx_mentara_sio_t *s,
    mentara_sio_packet_t *packet);
static void ngx_mentara_sio_auth(ngx_mentara_sio_t *s, json_t *auth,
    ngx_uint_t unread);
static ngx_int_t ngx_mentara_sio_start(ngx_mentara_sio_t *s,
    ngx_str_t *token, ngx_mentara_return_t *back, ngx_pool_t *pool);
static void ngx_mentara_sio_ask(ngx_mentara_sio_t *s,
    mentara_sio_packet_t *packet);
static json_t *ngx_mentara_sio_data(mentara_sio_packet_t *packet);
static void ngx_mentara_sio_drained(ngx_mentara_eio_t *eio);
static void ngx_mentara_sio_closed(ngx_mentara_eio_t *eio,
    ngx_uint_t released);

static void ngx_mentara_sio_ack(ngx_mentara_client_t *c, int64_t id,
    ngx_str_t *data);
static void ngx_mentara_sio_hold(ngx_mentara_client_t *c, ngx_uint_t on);
static void ngx_mentara_sio_moved(ngx_mentara_client_t *c);
static void ngx_mentara_sio_expel(ngx_mentara_client_t *c);

static void ngx_mentara_sio_accepted(ngx_mentara_session_t *session,
    ngx_str_t *pid, ngx_uint_t recovered);
static void ngx_mentara_sio_event(ngx_mentara_session_t *session,
    ngx_mentara_outgoing_t *o);
static void ngx_mentara_sio_release(void *frame);
static size_t ngx_mentara_sio_pending(ngx_mentara_session_t *session);
static void ngx_mentara_sio_notify(ngx_mentara_session_t *session);
static void ngx_mentara_sio_greeted(ngx_mentara_session_t *session);
static void ngx_mentara_sio_ended(ngx_mentara_session_t *session,
    ngx_uint_t why);


static const ngx_mentara_eio_handler_t  ngx_mentara_sio_eio = {
    ngx_mentara_sio_open,
    ngx_mentara_sio_adopt,
    ngx_mentara_sio_message,
    ngx_mentara_sio_drained,
    ngx_mentara_sio_closed
};


static const ngx_mentara_client_door_t  ngx_mentara_sio_client = {
    ngx_mentara_sio_ack,
    ngx_mentara_sio_hold,
    ngx_mentara_sio_moved,
    ngx_mentara_sio_expel
};


static const ngx_mentara_door_t  ngx_mentara_sio_door = {
    ngx_mentara_sio_accepted,
    ngx_mentara_sio_event,
    ngx_mentara_sio_pending,
    ngx_mentara_sio_notify,
    ngx_mentara_sio_greeted,
    ngx_mentara_sio_ended
};


ngx_int_t
ngx_mentara_socketio_handler(ngx_http_request_t *r)
{
    ngx_mentara_request_t  *q;

    q = ngx_mentara_request_create(r);
    if (q == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    switch (ngx_mentara_handshake_origin(q)) {

    case NGX_OK:
        return ngx_mentara_sio_request(q);

    case NGX_DECLINED:
        return ngx_mentara_reply_error(q, "csrf", NULL, 0);

    default:
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
}


static ngx_int_t
ngx_mentara_sio_request(ngx_mentara_request_t *q)
{
    ngx_int_t            rc;
    mentara_slice_t      args;
    mentara_eio_query_t  query;

    if (q->r->method == NGX_HTTP_OPTIONS) {
        q->route.allow = "GET, POST, OPTIONS";
        return ngx_mentara_reply_options(q);
    }

    args.data = q->r->args.data;
    args.len = q->r->args.len;
    mentara_eio_query(&query, args);

    if (query.has_sid) {
        return ngx_mentara_sio_go(q);
    }

    /* CONNECT brings a token when there is no request to fetch keys with */

    rc = ngx_mentara_jwks_prepare(q->r, q->mlcf->auth,
                                  ngx_mentara_sio_prepared, q);

    return (rc == NGX_AGAIN) ? NGX_DONE : ngx_mentara_sio_handshake(q);
}


static void
ngx_mentara_sio_prepared(void *data)
{
    ngx_mentara_request_t *q = data;

    ngx_http_finalize_request(q->r, ngx_mentara_sio_handshake(q));
}


static ngx_int_t
ngx_mentara_sio_handshake(ngx_mentara_request_t *q)
{
    const char  *code;

    code = ngx_mentara_sio_later(q);

    return (code != NULL) ? ngx_mentara_reply_error(q, code, NULL, 0)
                          : ngx_mentara_sio_go(q);
}


static ngx_int_t
ngx_mentara_sio_go(ngx_mentara_request_t *q)
{
    if (ngx_mentara_reply_cors(q) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_mentara_eio_request(q->r, q->mmcf->eio, &q->mlcf->socket.eio,
                                   &ngx_mentara_sio_eio);
}


/*
 * What passes by itself is told at the handshake, where a client tries again.
 * A token that is no good is not: CONNECT may bring another one.
 */

static const char *
ngx_mentara_sio_later(ngx_mentara_request_t *q)
{
    ngx_str_t               token, none;
    ngx_mentara_client_t    c;
    ngx_mentara_identity_t  who;

    if (ngx_mentara_live_ready(q->mmcf->live) != NGX_OK) {
        return "db_unavailable";
    }

    if (!ngx_mentara_auth_usable(q->mlcf->auth)) {
        return "keys_unavailable";
    }

    if (ngx_mentara_handshake_token(q, &token) == NGX_MENTARA_CREDENTIAL_NONE)
    {
        return NULL;
    }

    ngx_str_null(&none);
    ngx_mentara_client_init(&c, q->mmcf, q->mlcf, &ngx_mentara_sio_client);

    if (ngx_mentara_client_judge(&c, &token, &none, q->r->pool, &who) != NULL)
    {
        return NULL;
    }

    q->claims.sub = who.user;
    q->authenticated = 1;

    return (ngx_mentara_handshake_room(q, &who.user) == NGX_OK)
           ? NULL : "rate_limited";
}


static ngx_mentara_sio_t *
ngx_mentara_sio_create(ngx_mentara_eio_t *eio, ngx_http_request_t *r)
{
    ngx_mentara_sio_t  *s;

    s = ngx_calloc(sizeof(ngx_mentara_sio_t), ngx_cycle->log);
    if (s == NULL) {
        return NULL;
    }

    ngx_mentara_client_init(&s->client,
                            ngx_http_get_module_main_conf(r,
                                                          ngx_mentara_module),
                            ngx_http_get_module_loc_conf(r,
                                                         ngx_mentara_module),
                            &ngx_mentara_sio_client);

    s->eio = eio;
    eio->data = s;

    s->timer.handler = ngx_mentara_sio_late;
    s->timer.data = s;
    s->timer.log = ngx_cycle->log;
    s->timer.cancelable = 1;

    return s;
}


static void
ngx_mentara_sio_free(ngx_mentara_sio_t *s)
{
    if (s->timer.timer_set) {
        ngx_del_timer(&s->timer);
    }

    if (s->token.data != NULL) {
        ngx_free(s->token.data);
    }

    if (s->pid.data != NULL) {
        ngx_free(s->pid.data);
    }

    if (s->left.data != NULL) {
        ngx_free(s->left.data);
    }

    ngx_free(s);
}


static void
ngx_mentara_sio_late(ngx_event_t *ev)
{
    ngx_mentara_sio_t  *s;

    s = ev->data;

    ngx_mentara_eio_close(s->eio, 0);
}


/* a token of the request counts unless CONNECT brings one */

static ngx_int_t
ngx_mentara_sio_open(ngx_mentara_eio_t *eio, ngx_http_request_t *r)
{
    ngx_str_t               token;
    ngx_mentara_sio_t      *s;
    ngx_mentara_request_t  *q;

    q = ngx_http_get_module_ctx(r, ngx_mentara_module);

    s = ngx_mentara_sio_create(eio, r);
    if (s == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ngx_mentara_handshake_token(q, &token) != NGX_MENTARA_CREDENTIAL_NONE)
    {
        s->token.data = ngx_alloc(token.len + 1, ngx_cycle->log);

        if (s->token.data == NULL) {
            ngx_mentara_sio_free(s);
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        ngx_memcpy(s->token.data, token.data, token.len);
        s->token.len = token.len;
        s->counted = q->authenticated;
    }

    ngx_add_timer(&s->timer, NGX_MENTARA_SIO_CONNECT_TIMEOUT);
    ngx_mentara_sio_save(s);

    return NGX_OK;
}


static ngx_int_t
ngx_mentara_sio_adopt(ngx_mentara_eio_t *eio, ngx_http_request_t *r,
    ngx_str_t *state, ngx_str_t *mark)
{
    ngx_mentara_sio_t  *s;

    s = ngx_mentara_sio_create(eio, r);
    if (s == NULL) {
        return NGX_ERROR;
    }

    if (ngx_mentara_sio_restore(s, &ngx_mentara_sio_door, state, mark)
        != NGX_OK)
    {
        ngx_mentara_sio_free(s);
        return NGX_ERROR;
    }

    if (s->connected) {
        ngx_mentara_eio_pause(eio);

    } else {
        ngx_add_timer(&s->timer, NGX_MENTARA_SIO_CONNECT_TIMEOUT);
    }

    return NGX_OK;
}


static void
ngx_mentara_sio_message(ngx_mentara_eio_t *eio, ngx_uint_t binary,
    ngx_str_t *msg)
{
    ngx_mentara_sio_t     *s;
    mentara_sio_packet_t   packet;

    s = eio->data;

    if (binary) {
        ngx_mentara_sio_binary(s);
        return;
    }

    if (s->attachments != 0
        || mentara_sio_packet(&packet, msg->data, msg->data + msg->len)
           != MENTARA_OK)
    {
        ngx_mentara_eio_close(eio, 0);
        return;
    }

    ngx_mentara_sio_packet(s, &packet);
}


/* no event here takes octets: they are awaited, then it is refused */

static void
ngx_mentara_sio_binary(ngx_mentara_sio_t *s)
{
    if (s->attachments == 0) {
        ngx_mentara_eio_close(s->eio, 0);
        return;
    }

    if (--s->attachments != 0 || !s->connected) {
        return;
    }

    ngx_mentara_client_malformed(&s->client, NULL,
                                 "binary data is not taken here",
                                 s->has_id ? &s->id : NULL);
}


static void
ngx_mentara_sio_packet(ngx_mentara_sio_t *s, mentara_sio_packet_t *packet)
{
    mentara_slice_t  own;

    own = ngx_mentara_sio_namespace();

    if (packet->nsp.len != own.len
        || ngx_memcmp(packet->nsp.data, own.data, own.len) != 0)
    {
        if (packet->type == MENTARA_SIO_CONNECT) {
            ngx_mentara_sio_put_unknown(s, packet->nsp);

        } else {
            ngx_mentara_eio_close(s->eio, 0);
        }

        return;
    }

    if ((packet->type == MENTARA_SIO_CONNECT) == s->connected) {
        ngx_mentara_eio_close(s->eio, 0);
        return;
    }

    switch (packet->type) {

    case MENTARA_SIO_CONNECT:
        ngx_mentara_sio_connect(s, packet);
        return;

    case MENTARA_SIO_DISCONNECT:
        s->connected = 0;
        ngx_mentara_client_close(&s->client);
        ngx_mentara_sio_save(s);
        ngx_add_timer(&s->timer, NGX_MENTARA_SIO_CONNECT_TIMEOUT);
        return;

    case MENTARA_SIO_EVENT:
        ngx_mentara_sio_ask(s, packet);
        return;

    case MENTARA_SIO_BINARY_EVENT:
    case MENTARA_SIO_BINARY_ACK:
        s->attachments = packet->attachments;
        s->has_id = packet->has_id && packet->type == MENTARA_SIO_BINARY_EVENT;
        s->id = (int64_t) packet->id;
        return;

    default: /* an answer that nobody waits for */
        return;
    }
}


static void
ngx_mentara_sio_connect(ngx_mentara_sio_t *s, mentara_sio_packet_t *packet)
{
    json_t  *auth;

    if (s->timer.timer_set) {
        ngx_del_timer(&s->timer);
    }

    auth = NULL;

    if (packet->payload.len != 0) {
        auth = json_loadb((char *) packet->payload.data, packet->payload.len,
                          0, NULL);
    }

    /* until it is answered nothing else is looked at */

    s->asked = 1;
    s->told = 0;
    s->greeted = 0;
    ngx_mentara_eio_pause(s->eio);

    ngx_mentara_sio_auth(s, auth, auth == NULL && packet->payload.len != 0);
    json_decref(auth);
}


/* unread: what may name a token is no text that JSON strings can hold */

static void
ngx_mentara_sio_auth(ngx_mentara_sio_t *s, json_t *auth, ngx_uint_t unread)
{
    json_t                *value;
    ngx_int_t              rc;
    ngx_str_t              token;
    ngx_pool_t            *pool;
    ngx_mentara_return_t   back;

    ngx_memzero(&back, sizeof(ngx_mentara_return_t));

    value = json_object_get(auth, "token");
    token = s->token;

    if (unread) {
        ngx_str_set(&token, "");
    }

    if (value != NULL && !json_is_null(value)) {
        token = ngx_mentara_sio_field(auth, "token");

        if (token.data == NULL) {
            ngx_str_set(&token, "");
        }
    }

    /* the handshake took from the budget of its own token's user */

    if (token.len != s->token.len
        || ngx_memcmp(token.data, s->token.data, token.len) != 0)
    {
        s->counted = 0;
    }

    ngx_mentara_sio_return(auth, &back);

    pool = ngx_create_pool(2048, ngx_cycle->log);
    if (pool == NULL) {
        ngx_mentara_eio_close(s->eio, MENTARA_WS_TRY_LATER);
        return;
    }

    rc = ngx_mentara_sio_start(s, &token, &back, pool);
    ngx_destroy_pool(pool);

    if (rc == NGX_OK) {
        ngx_mentara_sio_save(s);
        return;
    }

    s->asked = 0;

    if (rc == NGX_BUSY) {
        ngx_mentara_eio_close(s->eio, MENTARA_WS_TRY_LATER);
        return;
    }

    /* refused: it may try another token */

    ngx_add_timer(&s->timer, NGX_MENTARA_SIO_CONNECT_TIMEOUT);
    ngx_mentara_eio_resume(s->eio);
}


/*
 * NGX_OK: the session starts; NGX_DECLINED: refused for good; NGX_BUSY: not
 * now
 */

static ngx_int_t
ngx_mentara_sio_start(ngx_mentara_sio_t *s, ngx_str_t *token,
    ngx_mentara_return_t *back, ngx_pool_t *pool)
{
    const char                 *code;
    ngx_mentara_identity_t      who;
    ngx_mentara_limit_state_t   st;

    if (token->data == NULL) {
        ngx_mentara_sio_put_refusal(s, "token_missing");
        return NGX_DECLINED;
    }

    code = ngx_mentara_client_judge(&s->client, token, &back->pid, pool,
                                    &who);

    if (code != NULL) {

        if (ngx_mentara_code_status(code) != NGX_HTTP_UNAUTHORIZED) {
            return NGX_BUSY;
        }

        ngx_mentara_sio_put_refusal(s, code);
        return NGX_DECLINED;
    }

    if (!s->counted
        && ngx_mentara_client_admit(&s->client, &who.user, &st) != NGX_OK)
    {
        return NGX_BUSY;
    }

    s->counted = 0;

    return (ngx_mentara_client_start(&s->client, &ngx_mentara_sio_door, &who,
                                     back)
            == NGX_OK)
           ? NGX_OK : NGX_BUSY;
}


static void
ngx_mentara_sio_ask(ngx_mentara_sio_t *s, mentara_sio_packet_t *packet)
{
    u_char      text[MENTARA_SIO_NAME_MAX];
    int64_t     id;
    intptr_t    len;
    ngx_str_t   name;

    id = (int64_t) packet->id;
    len = mentara_json_is_string(packet->name)
          ? mentara_json_unescape(packet->name, text, sizeof(text))
          : MENTARA_BAD;

    if (len < 0) {
        ngx_mentara_client_malformed(&s->client, NULL,
                                     "there is no such event",
                                     packet->has_id ? &id : NULL);
        return;
    }

    name.data = text;
    name.len = len;

    if (packet->marks.nul || packet->marks.surrogate) {
        ngx_mentara_client_malformed(&s->client, &name,
                                     "a string holds U+0000 or half of a "
                                     "pair",
                                     packet->has_id ? &id : NULL);
        return;
    }

    ngx_mentara_client_event(&s->client, &name, ngx_mentara_sio_data(packet),
                             packet->has_id ? &id : NULL);
}


/* the first argument, or NULL */

static json_t *
ngx_mentara_sio_data(mentara_sio_packet_t *packet)
{
    json_error_t          error;
    mentara_slice_t       value;
    const unsigned char  *pos;

    pos = NULL;

    /* the name is the first element */

    if (mentara_json_element(packet->payload, &pos, &value) != MENTARA_OK
        || mentara_json_element(packet->payload, &pos, &value) != MENTARA_OK)
    {
        return NULL;
    }

    return json_loadb((char *) value.data, value.len,
                      JSON_DECODE_ANY|JSON_REJECT_DUPLICATES, &error);
}


static void
ngx_mentara_sio_drained(ngx_mentara_eio_t *eio)
{
    ngx_mentara_sio_t  *s;

    s = eio->data;

    if (s->client.session != NULL) {
        ngx_mentara_attach_drained(s->client.session);
    }
}


static void
ngx_mentara_sio_closed(ngx_mentara_eio_t *eio, ngx_uint_t released)
{
    ngx_mentara_sio_t  *s;

    s = eio->data;

    if (eio->slow) {
        ngx_mentara_metric_add(&s->client.mmcf->zone,
                               NGX_MENTARA_METRIC_SLOW_SOCKETS, 1);
    }

    ngx_mentara_client_close(&s->client);
    ngx_mentara_sio_free(s);
}


static void
ngx_mentara_sio_ack(ngx_mentara_client_t *c, int64_t id, ngx_str_t *data)
{
    ngx_mentara_sio_put_ack((ngx_mentara_sio_t *) c, id, data);
}


static void
ngx_mentara_sio_hold(ngx_mentara_client_t *c, ngx_uint_t on)
{
    ngx_mentara_sio_t  *s;

    s = (ngx_mentara_sio_t *) c;

    s->owes = on;
    ngx_mentara_sio_save(s);

    if (on) {
        ngx_mentara_eio_pause(s->eio);

    } else {
        ngx_mentara_eio_resume(s->eio);
    }
}


static void
ngx_mentara_sio_moved(ngx_mentara_client_t *c)
{
    ngx_mentara_sio_save((ngx_mentara_sio_t *) c);
}


static void
ngx_mentara_sio_expel(ngx_mentara_client_t *c)
{
    ngx_mentara_sio_t  *s;

    s = (ngx_mentara_sio_t *) c;

    ngx_mentara_eio_close(s->eio, MENTARA_WS_POLICY);
}


static void
ngx_mentara_sio_accepted(ngx_mentara_session_t *session, ngx_str_t *pid,
    ngx_uint_t recovered)
{
    u_char             *p;
    ngx_mentara_sio_t  *s;

    s = session->data;

    if (!s->adopted) {
        p = ngx_alloc(pid->len + 1, ngx_cycle->log);

        if (p == NULL || ngx_mentara_sio_put_connect(s, pid) != NGX_OK) {
            ngx_free(p);
            ngx_mentara_eio_close(s->eio, MENTARA_WS_TRY_LATER);
            return;
        }

        if (s->pid.data != NULL) {
            ngx_free(s->pid.data);
        }

        ngx_memcpy(p, pid->data, pid->len);
        s->pid.data = p;
        s->pid.len = pid->len;
    }

    if (s->adopted) {
        ngx_mentara_notice_left(session, &s->left);

    } else {
        s->recovered = recovered;
    }

    s->adopted = 0;
    s->asked = 0;
    s->connected = 1;

    ngx_mentara_sio_save(s);
    ngx_mentara_eio_trust(s->eio);
    ngx_mentara_eio_resume(s->eio);
}


static void
ngx_mentara_sio_event(ngx_mentara_session_t *session,
    ngx_mentara_outgoing_t *o)
{
    ngx_mentara_sio_t    *s;
    ngx_mentara_frame_t  *f;

    s = session->data;
    f = o->frames[NGX_MENTARA_SIO_FRAME];

    if (f == NULL) {
        f = ngx_mentara_sio_event_frame(o);
        o->frames[NGX_MENTARA_SIO_FRAME] = f;
        o->release[NGX_MENTARA_SIO_FRAME] = ngx_mentara_sio_release;
    }

    ngx_mentara_eio_send(s->eio, f, o->offset.len ? &o->offset : NULL);

    if (!s->told && o->name.len == sizeof("connected") - 1
        && ngx_memcmp(o->name.data, "connected", o->name.len) == 0)
    {
        s->told = 1;
        ngx_mentara_sio_save(s);
    }

    if (s->eio->ended
        || (s->eio->ws != NULL
            && (s->eio->ws->close_sent || s->eio->ws->broken)))
    {
        session->deaf = 1;
    }
}


static void
ngx_mentara_sio_release(void *frame)
{
    ngx_mentara_frame_unref(frame);
}


static size_t
ngx_mentara_sio_pending(ngx_mentara_session_t *session)
{
    ngx_mentara_sio_t  *s;

    s = session->data;

    return ngx_mentara_eio_pending(s->eio);
}


static void
ngx_mentara_sio_notify(ngx_mentara_session_t *session)
{
    ngx_mentara_sio_t  *s;

    s = session->data;

    ngx_mentara_eio_notify(s->eio);
}


static void
ngx_mentara_sio_greeted(ngx_mentara_session_t *session)
{
    ngx_mentara_sio_t  *s;

    s = session->data;

    s->greeted = 1;
    ngx_mentara_sio_save(s);
}


/* who is to stay away gets a packet that says so, others lose the transport */

static void
ngx_mentara_sio_ended(ngx_mentara_session_t *session, ngx_uint_t why)
{
    ngx_uint_t          connected;
    ngx_mentara_sio_t  *s;

    s = session->data;
    connected = s->connected;

    s->client.session = NULL;
    s->connected = 0;
    s->asked = 0;

    switch (why) {

    case NGX_MENTARA_END_INACTIVE:
    case NGX_MENTARA_END_LOGOUT:
        break;

    case NGX_MENTARA_END_AGAIN:
    case NGX_MENTARA_END_CROWDED:
        ngx_mentara_eio_close(s->eio, MENTARA_WS_TRY_LATER);
        return;

    case NGX_MENTARA_END_EXPIRED:
        ngx_mentara_eio_close(s->eio, 0);
        return;

    default:
        ngx_mentara_eio_close(s->eio, MENTARA_WS_RESTART);
        return;
    }

    ngx_mentara_client_close(&s->client);

    if (connected) {
        ngx_mentara_sio_put_disconnect(s);

    } else {
        ngx_mentara_sio_put_refusal(s, "user_inactive");
    }

    ngx_mentara_sio_save(s);
    ngx_mentara_eio_resume(s->eio);
    ngx_add_timer(&s->timer, NGX_MENTARA_SIO_CONNECT_TIMEOUT);
}
