
#include <ngx_mentara_client.h>
#include <ngx_mentara_attach.h>
#include <ngx_mentara_metrics.h>
#include <ngx_mentara_notice.h>
#include <ngx_mentara_ops.h>
#include <ngx_mentara_publish.h>
#include <mentara_fields.h>
#include <mentara_id.h>
#include <mentara_json.h>


#define NGX_MENTARA_CLIENT_HEAD  256   /* octets around an answer's text */


/* one event, while it is judged */
typedef struct {
    ngx_mentara_client_t       *c;
    ngx_str_t                  *name;    /* NULL: it had none */
    json_t                     *data;
    int64_t                    *id;      /* NULL: no answer is wanted */
} ngx_mentara_ask_t;


typedef struct {
    ngx_str_t                   name;
    void                      (*handler)(ngx_mentara_ask_t *ask);
} ngx_mentara_client_event_t;


/* a refusal */
typedef struct {
    const char                 *code;
    ngx_str_t                   message;   /* empty: the code's sentence */
    ngx_uint_t                  faults;    /* lines, an array on the wire */
    ngx_uint_t                  retry;     /* s, 0: not told */
} ngx_mentara_refusal_t;


static void ngx_mentara_client_join(ngx_mentara_ask_t *ask);
static void ngx_mentara_client_leave(ngx_mentara_ask_t *ask);
static void ngx_mentara_client_typing(ngx_mentara_ask_t *ask);
static void ngx_mentara_client_send(ngx_mentara_ask_t *ask);
static void ngx_mentara_client_read(ngx_mentara_ask_t *ask);
static void ngx_mentara_client_authenticate(ngx_mentara_ask_t *ask);
static ngx_int_t ngx_mentara_client_check(ngx_mentara_ask_t *ask,
    ngx_uint_t fields, json_t *data);
static ngx_int_t ngx_mentara_client_id(ngx_mentara_ask_t *ask,
    const char *field, ngx_mentara_uuid_t *id);
static ngx_int_t ngx_mentara_client_limit(ngx_mentara_ask_t *ask,
    ngx_uint_t class);
static void ngx_mentara_client_tell(ngx_mentara_client_t *c, const char *name,
    ngx_mentara_uuid_t *conversation);
static void ngx_mentara_client_run(ngx_mentara_ask_t *ask,
    ngx_uint_t endpoint, ngx_mentara_uuid_t *id);
static void ngx_mentara_client_done(ngx_mentara_op_t *op);
static void ngx_mentara_client_answer(ngx_mentara_client_t *c,
    ngx_mentara_op_t *op);
static void ngx_mentara_client_success(ngx_mentara_ask_t *ask);
static void ngx_mentara_client_fail(ngx_mentara_ask_t *ask, const char *code);
static void ngx_mentara_client_refuse(ngx_mentara_client_t *c,
    ngx_str_t *name, int64_t *id, ngx_mentara_refusal_t *why);
static void ngx_mentara_client_message(mentara_json_t *j,
    ngx_mentara_refusal_t *why);


static ngx_mentara_client_event_t  ngx_mentara_client_events[] = {
    { ngx_string("join_conversation"), ngx_mentara_client_join },
    { ngx_string("leave_conversation"), ngx_mentara_client_leave },
    { ngx_string("typing_indicator"), ngx_mentara_client_typing },
    { ngx_string("send_message"), ngx_mentara_client_send },
    { ngx_string("message_read"), ngx_mentara_client_read },
    { ngx_string("authenticate"), ngx_mentara_client_authenticate },
    { ngx_null_string, NULL }
};


void
ngx_mentara_client_init(ngx_mentara_client_t *c,
    ngx_mentara_main_conf_t *mmcf, ngx_mentara_loc_conf_t *mlcf,
    const ngx_mentara_client_door_t *door)
{
    c->mmcf = mmcf;
    c->mlcf = mlcf;
    c->door = door;
}


const char *
ngx_mentara_client_judge(ngx_mentara_client_t *c, ngx_str_t *token,
    ngx_str_t *pid, ngx_pool_t *pool, ngx_mentara_identity_t *who)
{
    time_t                 now, valid;
    ngx_int_t              rc;
    ngx_mentara_live_t    *live;
    ngx_mentara_claims_t   claims;
    ngx_mentara_offset_t   start;

    now = ngx_time();
    live = c->mmcf->live;
    ngx_memzero(&claims, sizeof(ngx_mentara_claims_t));

    rc = ngx_mentara_auth_check(c->mlcf->auth, token, now, pool,
                                ngx_cycle->log, &claims);
    who->user = claims.sub;
    who->sid = claims.sid;
    who->token = now;
    who->expires = now + c->mlcf->socket.lifetime;

    switch (rc) {

    case NGX_OK:
        return NULL;

    case NGX_MENTARA_TOKEN_INVALID:
        return "token_invalid";

    case NGX_MENTARA_TOKEN_EXPIRED:
        break;

    case NGX_ERROR:
        return "internal";

    default: /* also a key that may be new: the client comes back */
        return "keys_unavailable";
    }

    if (pid->len == 0) {
        return "token_expired";
    }

    if (!live->keyed) {
        return "db_unavailable";
    }

    if (ngx_mentara_pid_read(pid, live->key, &claims.sub, &start, &valid)
        != NGX_OK
        || valid + c->mlcf->socket.lifetime <= now)
    {
        return "token_expired";
    }

    who->token = valid;
    who->expires = valid + c->mlcf->socket.lifetime;

    return NULL;
}


ngx_int_t
ngx_mentara_client_admit(ngx_mentara_client_t *c, ngx_str_t *user,
    ngx_mentara_limit_state_t *st)
{
    ngx_mentara_limit_conf_t  *limit;

    limit = &c->mlcf->limits[NGX_MENTARA_LIMIT_CONNECT];

    if (limit->n == 0) {
        return NGX_OK;
    }

    return ngx_mentara_limit_take(&c->mmcf->zone, user,
                                  NGX_MENTARA_LIMIT_CONNECT, limit,
                                  ngx_current_msec, st);
}


ngx_int_t
ngx_mentara_client_start(ngx_mentara_client_t *c,
    const ngx_mentara_door_t *door, ngx_mentara_identity_t *who,
    ngx_mentara_return_t *back)
{
    c->session = ngx_mentara_session_create(c->mmcf->live, door, c,
                                            &who->user, &who->sid,
                                            who->expires);
    if (c->session == NULL) {
        return NGX_ERROR;
    }

    if (ngx_mentara_attach(c->session, back, c->mlcf->socket.most,
                                   who->token)
        != NGX_OK)
    {
        ngx_mentara_session_close(c->session);
        c->session = NULL;
        return NGX_ERROR;
    }

    return NGX_OK;
}


void
ngx_mentara_client_close(ngx_mentara_client_t *c)
{
    if (c->op != NULL) {
        ngx_mentara_op_detach(c->op);
        c->op = NULL;
    }

    if (c->session != NULL) {
        ngx_mentara_session_close(c->session);
        c->session = NULL;
    }
}


void
ngx_mentara_client_event(ngx_mentara_client_t *c, ngx_str_t *name,
    json_t *data, int64_t *id)
{
    ngx_mentara_ask_t            ask;
    ngx_mentara_client_event_t  *e;

    ngx_mentara_metric_add(&c->mmcf->zone, NGX_MENTARA_METRIC_EVENTS_IN, 1);

    for (e = ngx_mentara_client_events; e->handler != NULL; e++) {
        if (e->name.len == name->len
            && ngx_memcmp(e->name.data, name->data, name->len) == 0)
        {
            break;
        }
    }

    if (e->handler == NULL) {
        ngx_mentara_client_malformed(c, name, "there is no such event", id);

    } else if (!json_is_object(data)) {
        ngx_mentara_client_malformed(c, name,
                                     "data must be a JSON object with each "
                                     "key once", id);

    } else {
        ask.c = c;
        ask.name = name;
        ask.data = data;
        ask.id = id;

        e->handler(&ask);
        data = ask.data;
    }

    json_decref(data);
}


static void
ngx_mentara_client_join(ngx_mentara_ask_t *ask)
{
    ngx_mentara_uuid_t  id;

    if (ngx_mentara_client_check(ask, MENTARA_EVENT_CONVERSATION, ask->data)
        != NGX_OK
        || ngx_mentara_client_id(ask, "conversationId", &id) != NGX_OK)
    {
        return;
    }

    if (ngx_mentara_notice_join(ask->c->session, &id) != NGX_OK) {
        ngx_mentara_client_fail(ask, "not_found");
        return;
    }

    if (ask->c->door->moved != NULL) {
        ask->c->door->moved(ask->c);
    }

    ngx_mentara_client_tell(ask->c, "conversation_joined", &id);
    ngx_mentara_client_success(ask);
}


static void
ngx_mentara_client_leave(ngx_mentara_ask_t *ask)
{
    ngx_mentara_uuid_t  id;

    if (ngx_mentara_client_check(ask, MENTARA_EVENT_CONVERSATION, ask->data)
        != NGX_OK
        || ngx_mentara_client_id(ask, "conversationId", &id) != NGX_OK)
    {
        return;
    }

    if (ngx_mentara_notice_leave(ask->c->session, &id) != NGX_OK) {
        ngx_mentara_client_fail(ask, "not_found");
        return;
    }

    if (ask->c->door->moved != NULL) {
        ask->c->door->moved(ask->c);
    }

    ngx_mentara_client_tell(ask->c, "conversation_left", &id);
    ngx_mentara_client_success(ask);
}


static void
ngx_mentara_client_typing(ngx_mentara_ask_t *ask)
{
    json_t              *on;
    ngx_mentara_uuid_t   id;

    if (ngx_mentara_client_limit(ask, NGX_MENTARA_LIMIT_TYPING) != NGX_OK
        || ngx_mentara_client_check(ask, MENTARA_EVENT_TYPING, ask->data)
           != NGX_OK
        || ngx_mentara_client_id(ask, "conversationId", &id) != NGX_OK)
    {
        return;
    }

    on = json_object_get(ask->data, "isTyping");

    if (ngx_mentara_notice_typing(ask->c->session, &id, !json_is_false(on))
        != NGX_OK)
    {
        ngx_mentara_client_fail(ask, "not_found");
        return;
    }

    ngx_mentara_client_success(ask);
}


/* the body of the REST call, and where it goes */

static void
ngx_mentara_client_send(ngx_mentara_ask_t *ask)
{
    json_t              *where;
    ngx_int_t            rc;
    ngx_mentara_uuid_t   id;

    if (ngx_mentara_client_limit(ask, NGX_MENTARA_LIMIT_SEND) != NGX_OK) {
        return;
    }

    /* what is absent stays so, and is refused as that */

    where = json_object();
    (void) json_object_set(where, "conversationId",
                           json_object_get(ask->data, "conversationId"));

    rc = ngx_mentara_client_check(ask, MENTARA_EVENT_CONVERSATION, where);
    json_decref(where);

    if (rc != NGX_OK
        || ngx_mentara_client_id(ask, "conversationId", &id) != NGX_OK)
    {
        return;
    }

    json_object_del(ask->data, "conversationId");

    if (ngx_mentara_client_check(ask, MENTARA_EP_MESSAGE_SEND, ask->data)
        == NGX_OK)
    {
        ngx_mentara_client_run(ask, MENTARA_EP_MESSAGE_SEND, &id);
    }
}


static void
ngx_mentara_client_read(ngx_mentara_ask_t *ask)
{
    ngx_mentara_uuid_t  id;

    if (ngx_mentara_client_check(ask, MENTARA_EVENT_READ, ask->data) == NGX_OK
        && ngx_mentara_client_id(ask, "messageId", &id) == NGX_OK)
    {
        ngx_mentara_client_run(ask, MENTARA_EP_MESSAGE_READ, &id);
    }
}


/* a fresh token of the same person and, if there was one, of the same sid */

static void
ngx_mentara_client_authenticate(ngx_mentara_ask_t *ask)
{
    ngx_str_t                token, none, *user, *sid;
    ngx_pool_t              *pool;
    const char              *code;
    ngx_mentara_session_t   *s;
    ngx_mentara_identity_t   who;

    if (ngx_mentara_client_check(ask, MENTARA_EVENT_AUTHENTICATE, ask->data)
        != NGX_OK)
    {
        return;
    }

    pool = ngx_create_pool(2048, ngx_cycle->log);
    if (pool == NULL) {
        ngx_mentara_client_fail(ask, "internal");
        return;
    }

    s = ask->c->session;
    user = &s->user->sn.str;
    sid = &s->sid;

    token.data = (u_char *) json_string_value(json_object_get(ask->data,
                                                              "token"));
    token.len = ngx_strlen(token.data);
    ngx_str_null(&none);

    code = ngx_mentara_client_judge(ask->c, &token, &none, pool, &who);

    if (code != NULL) {
        ngx_mentara_client_fail(ask, code);

    } else if (who.user.len != user->len
               || ngx_memcmp(who.user.data, user->data, user->len) != 0
               || (sid->len != 0
                   && (who.sid.len != sid->len
                       || ngx_memcmp(who.sid.data, sid->data, sid->len)
                          != 0)))
    {
        ngx_mentara_client_fail(ask, "forbidden");
        ask->c->door->expel(ask->c);

    } else {
        s->expires = who.expires;
        ngx_mentara_client_success(ask);
    }

    ngx_destroy_pool(pool);
}


static ngx_int_t
ngx_mentara_client_check(ngx_mentara_ask_t *ask, ngx_uint_t fields,
    json_t *data)
{
    int                    rc;
    mentara_faults_t       faults;
    ngx_mentara_refusal_t  why;

    if (data == NULL) {
        ngx_mentara_client_fail(ask, "internal");
        return NGX_ERROR;
    }

    faults.len = 0;
    rc = mentara_object_check((int) fields, data, ask->c->mlcf->max_content,
                              &faults);

    if (rc == MENTARA_OK) {
        return NGX_OK;
    }

    why.code = faults.code;
    why.message.data = (u_char *) faults.text;
    why.message.len = faults.len;
    why.faults = (ngx_strcmp(faults.code, "validation_failed") == 0);
    why.retry = 0;

    ngx_mentara_client_refuse(ask->c, ask->name, ask->id, &why);

    return NGX_DECLINED;
}


/* a field that was checked to be a UUID */

static ngx_int_t
ngx_mentara_client_id(ngx_mentara_ask_t *ask, const char *field,
    ngx_mentara_uuid_t *id)
{
    json_t  *value;

    value = json_object_get(ask->data, field);

    if (mentara_id_parse(id->data,
                         (const u_char *) json_string_value(value),
                         json_string_length(value))
        == MENTARA_OK)
    {
        return NGX_OK;
    }

    ngx_mentara_client_fail(ask, "invalid_id");

    return NGX_DECLINED;
}


static ngx_int_t
ngx_mentara_client_limit(ngx_mentara_ask_t *ask, ngx_uint_t class)
{
    ngx_mentara_client_t       *c;
    ngx_mentara_refusal_t       why;
    ngx_mentara_limit_conf_t   *limit;
    ngx_mentara_limit_state_t   st;

    c = ask->c;
    limit = &c->mlcf->limits[class];

    if (limit->n == 0
        || ngx_mentara_limit_take(&c->mmcf->zone, &c->session->user->sn.str,
                                  class, limit, ngx_current_msec, &st)
           == NGX_OK)
    {
        return NGX_OK;
    }

    ngx_memzero(&why, sizeof(ngx_mentara_refusal_t));
    why.code = "rate_limited";
    why.retry = ngx_max(st.reset, 1);

    ngx_mentara_client_refuse(c, ask->name, ask->id, &why);

    return NGX_BUSY;
}


static void
ngx_mentara_client_tell(ngx_mentara_client_t *c, const char *name,
    ngx_mentara_uuid_t *conversation)
{
    u_char           buf[64];
    ngx_str_t        event, body;
    mentara_json_t   j;

    mentara_json_init(&j, buf, sizeof(buf), NULL, NULL);
    mentara_json_raw(&j, "{\"conversationId\":", 18);
    mentara_json_uuid(&j, conversation->data);
    mentara_json_raw(&j, "}", 1);

    event.data = (u_char *) name;
    event.len = ngx_strlen(name);
    body.data = buf;
    body.len = j.pos - buf;

    ngx_mentara_session_tell(c->session, &event, &body, NULL);
}


/* takes the event's data over */

static void
ngx_mentara_client_run(ngx_mentara_ask_t *ask, ngx_uint_t endpoint,
    ngx_mentara_uuid_t *id)
{
    ngx_str_t             *user;
    ngx_mentara_op_t      *op;
    ngx_mentara_client_t  *c;

    c = ask->c;
    user = &c->session->user->sn.str;

    op = ngx_mentara_op_create(&c->mlcf->env, ngx_cycle->log);
    if (op == NULL) {
        ngx_mentara_client_fail(ask, "internal");
        return;
    }

    op->env->pg = c->mmcf->pg;
    op->env->publish = ngx_mentara_publish;
    op->env->publish_data = c->mmcf->live;
    op->endpoint = endpoint;
    op->role = c->session->user->role;
    op->id = *id;
    op->args = ask->data;
    op->handler = ngx_mentara_client_done;
    op->data = c;

    ask->data = NULL;

    op->user.len = user->len;
    op->user.data = ngx_pstrdup(op->pool, user);

    if (op->user.data == NULL || ngx_mentara_op_run(op) != NGX_OK) {
        ngx_mentara_op_free(op);
        ngx_mentara_client_fail(ask, "internal");
        return;
    }

    c->op = op;
    c->has_id = (ask->id != NULL);
    c->id = c->has_id ? *ask->id : 0;
    c->door->hold(c, 1);
}


static void
ngx_mentara_client_done(ngx_mentara_op_t *op)
{
    ngx_mentara_client_t  *c;

    c = op->data;
    c->op = NULL;

    if (c->has_id) {
        ngx_mentara_client_answer(c, op);
    }

    ngx_mentara_op_free(op);
    c->door->hold(c, 0);
}


static void
ngx_mentara_client_answer(ngx_mentara_client_t *c, ngx_mentara_op_t *op)
{
    u_char                 *p;
    ngx_str_t               data;
    ngx_mentara_refusal_t   why;

    if (op->code != NULL) {
        why.code = op->code;
        why.message = op->message;
        why.faults = op->faults;
        why.retry = (op->status >= 503) ? 1 : 0;
        ngx_mentara_client_refuse(c, NULL, &c->id, &why);
        return;
    }

    data = op->body;

    if (op->endpoint == MENTARA_EP_MESSAGE_SEND) {
        data.data = ngx_pnalloc(op->pool,
                                op->body.len + NGX_MENTARA_CLIENT_HEAD);

        if (data.data == NULL) {
            ngx_memzero(&why, sizeof(ngx_mentara_refusal_t));
            why.code = "outcome_unknown";
            ngx_mentara_client_refuse(c, NULL, &c->id, &why);
            return;
        }

        p = ngx_sprintf(data.data, "{\"success\":true,\"message\":%V}",
                        &op->body);
        data.len = p - data.data;
    }

    c->door->ack(c, c->id, &data);
}


static void
ngx_mentara_client_success(ngx_mentara_ask_t *ask)
{
    ngx_str_t  data = ngx_string("{\"success\":true}");

    if (ask->id != NULL) {
        ask->c->door->ack(ask->c, *ask->id, &data);
    }
}


static void
ngx_mentara_client_fail(ngx_mentara_ask_t *ask, const char *code)
{
    ngx_mentara_refusal_t  why;

    ngx_memzero(&why, sizeof(ngx_mentara_refusal_t));
    why.code = code;
    why.retry = (ngx_mentara_code_status(code) >= 503) ? 1 : 0;

    ngx_mentara_client_refuse(ask->c, ask->name, ask->id, &why);
}


void
ngx_mentara_client_malformed(ngx_mentara_client_t *c, ngx_str_t *name,
    const char *message, int64_t *id)
{
    ngx_mentara_refusal_t  why;

    ngx_memzero(&why, sizeof(ngx_mentara_refusal_t));
    why.code = "malformed_event";
    why.message.data = (u_char *) message;
    why.message.len = ngx_strlen(message);

    ngx_mentara_client_refuse(c, name, id, &why);
}


/*
 * Without an answer that is wanted, only a join and what is malformed are
 * told of: by the event `error`.
 */

static void
ngx_mentara_client_refuse(ngx_mentara_client_t *c, ngx_str_t *name,
    int64_t *id, ngx_mentara_refusal_t *why)
{
    u_char          *p;
    size_t           size;
    ngx_str_t        event = ngx_string("error"), data;
    ngx_uint_t       told;
    mentara_json_t   j;

    ngx_mentara_metric_add(&c->mmcf->zone, NGX_MENTARA_METRIC_EVENTS_REFUSED,
                           1);

    told = ngx_strcmp(why->code, "malformed_event") == 0
           || (name != NULL && name->len == 17
               && ngx_memcmp(name->data, "join_conversation", 17) == 0);

    if (id == NULL && !told) {
        return;
    }

    if (why->message.len == 0) {
        why->message.data = (u_char *) ngx_mentara_code_message(why->code);
        why->message.len = ngx_strlen(why->message.data);
    }

    size = NGX_MENTARA_CLIENT_HEAD + 6 * why->message.len
           + ((name == NULL) ? 0 : 6 * name->len);

    p = ngx_alloc(size, ngx_cycle->log);
    if (p == NULL) {
        return;
    }

    mentara_json_init(&j, p, size, NULL, NULL);

    if (id != NULL) {
        mentara_json_raw(&j, "{\"success\":false,\"statusCode\":", 30);
        mentara_json_int(&j, (int64_t) ngx_mentara_code_status(why->code));
        mentara_json_raw(&j, ",\"code\":", 8);
        mentara_json_string(&j, (u_char *) why->code, ngx_strlen(why->code));
        mentara_json_raw(&j, ",\"message\":", 11);
        ngx_mentara_client_message(&j, why);

        if (why->retry != 0) {
            mentara_json_raw(&j, ",\"retryAfter\":", 14);
            mentara_json_int(&j, (int64_t) why->retry);
        }

    } else {
        mentara_json_raw(&j, "{\"message\":", 11);
        ngx_mentara_client_message(&j, why);
        mentara_json_raw(&j, ",\"event\":", 9);

        if (name != NULL) {
            mentara_json_string(&j, name->data, name->len);

        } else {
            mentara_json_raw(&j, "null", 4);
        }

        mentara_json_raw(&j, ",\"code\":", 8);
        mentara_json_string(&j, (u_char *) why->code, ngx_strlen(why->code));
    }

    mentara_json_raw(&j, "}", 1);

    data.data = p;
    data.len = j.pos - p;

    if (j.failed) {
        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                      "mentara: a refusal was too long to be told");

    } else if (id != NULL) {
        c->door->ack(c, *id, &data);

    } else {
        ngx_mentara_session_tell(c->session, &event, &data, NULL);
    }

    ngx_free(p);
}


static void
ngx_mentara_client_message(mentara_json_t *j, ngx_mentara_refusal_t *why)
{
    if (why->faults) {
        mentara_json_lines(j, why->message.data, why->message.len);

    } else {
        mentara_json_string(j, why->message.data, why->message.len);
    }
}
