
#include <ngx_mentara_op.h>


typedef struct {
    const char  *code;
    ngx_uint_t   status;
    const char  *message;
} ngx_mentara_code_t;


static void ngx_mentara_op_done(ngx_mentara_pg_query_t *q);
static void ngx_mentara_op_failed(ngx_mentara_op_t *op, ngx_uint_t error);
static void ngx_mentara_op_result(ngx_mentara_op_t *op, PGresult *res);
static ngx_int_t ngx_mentara_op_success(ngx_mentara_op_t *op,
    ngx_str_t *status);
static void ngx_mentara_op_error(ngx_mentara_op_t *op, ngx_str_t *status,
    ngx_str_t *detail);
static void ngx_mentara_op_fail(ngx_mentara_op_t *op, const char *code,
    const char *message);
static void ngx_mentara_op_publish(ngx_mentara_op_t *op,
    ngx_mentara_view_t *v);
static void ngx_mentara_op_finish(ngx_mentara_op_t *op);
static void ngx_mentara_op_posted(ngx_event_t *ev);
static ngx_mentara_code_t *ngx_mentara_op_code(const char *code, size_t len);


/* the error table of the REST contract, but for what edge alone answers */

static ngx_mentara_code_t  ngx_mentara_op_codes[] = {
    { "validation_failed", 400, "the request is not valid" },
    { "malformed_json", 400, "the body is not valid JSON" },
    { "malformed_event", 400, "the event is not valid" },
    { "invalid_id", 400, "the id is not a UUID" },
    { "idempotency_key_reused", 400,
      "this Idempotency-Key was used with another request" },
    { "attachments_off", 400, "attachments are not configured" },
    { "token_missing", 401, "a token is required" },
    { "token_invalid", 401, "the token is not valid" },
    { "token_expired", 401, "the token has expired" },
    { "forbidden", 403, "you may not do this" },
    { "csrf", 403, "the request's origin is not allowed" },
    { "user_inactive", 403, "this user is unknown or not active" },
    { "cannot_contact", 403, "you cannot contact this person" },
    { "conversation_closed", 403, "the conversation is closed" },
    { "system_message", 403, "a system message cannot be changed" },
    { "not_found", 404, "not found" },
    { "method_not_allowed", 405, "method not allowed" },
    { "last_admin", 409, "the last admin cannot leave or step down" },
    { "already_claimed", 409, "the conversation is claimed already" },
    { "direct_conversation", 409, "not possible in a direct conversation" },
    { "too_large", 413, "the body is too large" },
    { "unsupported_media_type", 415, "the body must be application/json" },
    { "rate_limited", 429, "too many requests" },
    { "internal", 500, "internal error" },
    { "db_unavailable", 503, "the database is not available" },
    { "keys_unavailable", 503, "the keys for tokens are not loaded yet" },
    { "outcome_unknown", 503,
      "the answer was lost: repeat with the same Idempotency-Key" },
    { "timeout", 504, "the database did not answer in time" },
    { NULL, 0, NULL }
};


ngx_mentara_op_t *
ngx_mentara_op_create(ngx_mentara_op_env_t *env, ngx_log_t *log)
{
    ngx_pool_t        *pool;
    ngx_mentara_op_t  *op;

    /* a request's log does not live as long as its op may */

    pool = ngx_create_pool(4096, ngx_cycle->log);
    if (pool == NULL) {
        return NULL;
    }

    op = ngx_pcalloc(pool, sizeof(ngx_mentara_op_t));
    if (op == NULL) {
        ngx_destroy_pool(pool);
        return NULL;
    }

    op->pool = pool;
    op->log = ngx_cycle->log;
    op->env = env;

    return op;
}


void
ngx_mentara_op_free(ngx_mentara_op_t *op)
{
    if (op->event.posted) {
        ngx_delete_posted_event(&op->event);
    }

    if (op->query != NULL) {
        ngx_mentara_pg_drop(op->query);
    }

    if (op->args != NULL) {
        json_decref(op->args);
    }

    ngx_destroy_pool(op->pool);
}


void
ngx_mentara_op_detach(ngx_mentara_op_t *op)
{
    op->handler = NULL;
    op->detached = 1;

    if (op->query == NULL) {
        ngx_mentara_op_free(op);
        return;
    }

    if (ngx_mentara_pg_cancel(op->query) == NGX_OK) {
        op->query = NULL;
        ngx_mentara_op_free(op);
    }
}


ngx_mentara_pg_query_t *
ngx_mentara_op_query(ngx_mentara_op_t *op, ngx_uint_t statement)
{
    ngx_mentara_pg_query_t  *q;

    q = ngx_mentara_pg_query(op->env->pg, statement, op->log);
    if (q == NULL) {
        return NULL;
    }

    if (ngx_mentara_pg_str(q, &op->user) != NGX_OK) {
        ngx_mentara_pg_drop(q);
        return NULL;
    }

    q->handler = ngx_mentara_op_done;
    q->data = op;
    op->query = q;

    return q;
}


void
ngx_mentara_op_submit(ngx_mentara_op_t *op)
{
    if (ngx_mentara_pg_submit(op->query) == NGX_OK) {
        return;
    }

    ngx_mentara_pg_drop(op->query);
    op->query = NULL;

    ngx_mentara_op_refuse(op, "db_unavailable", NULL);
}


void
ngx_mentara_op_refuse(ngx_mentara_op_t *op, const char *code,
    const char *message)
{
    ngx_mentara_op_fail(op, code, message);

    op->event.handler = ngx_mentara_op_posted;
    op->event.data = op;
    op->event.log = op->log;

    ngx_post_event(&op->event, &ngx_posted_events);
}


static void
ngx_mentara_op_posted(ngx_event_t *ev)
{
    ngx_mentara_op_finish(ev->data);
}


static void
ngx_mentara_op_done(ngx_mentara_pg_query_t *q)
{
    ngx_mentara_op_t  *op;

    op = q->data;
    op->query = NULL;
    op->pg_time = q->elapsed;

    if (q->error == NGX_MENTARA_PG_OK) {
        ngx_mentara_op_result(op, q->result);

    } else {
        ngx_mentara_op_failed(op, q->error);
    }

    ngx_mentara_op_finish(op);
}


static void
ngx_mentara_op_finish(ngx_mentara_op_t *op)
{
    if (op->detached) {
        ngx_mentara_op_free(op);
        return;
    }

    op->handler(op);
}


static void
ngx_mentara_op_failed(ngx_mentara_op_t *op, ngx_uint_t error)
{
    switch (error) {

    case NGX_MENTARA_PG_UNAVAILABLE:
        ngx_mentara_op_fail(op, "db_unavailable", NULL);
        return;

    case NGX_MENTARA_PG_UNKNOWN:
        ngx_mentara_op_fail(op, "outcome_unknown", NULL);
        return;

    case NGX_MENTARA_PG_TIMEOUT:
        ngx_mentara_op_fail(op, "timeout", NULL);
        return;

    default:
        ngx_mentara_op_fail(op, "internal", NULL);
        return;
    }
}


static void
ngx_mentara_op_result(ngx_mentara_op_t *op, PGresult *res)
{
    ngx_str_t           status, detail;
    ngx_mentara_view_t  v;

    if (PQnfields(res) != NGX_MENTARA_COL_N_COLUMNS || PQntuples(res) == 0) {
        ngx_log_error(NGX_LOG_ERR, op->log, 0,
                      "mentara: statement %ui answered %d rows of %d columns",
                      op->endpoint, PQntuples(res), PQnfields(res));
        ngx_mentara_op_fail(op, "internal", NULL);
        return;
    }

    status = ngx_mentara_pg_get_str(res, 0, NGX_MENTARA_COL_STATUS);

    if (ngx_mentara_op_success(op, &status) != NGX_OK) {
        detail = ngx_mentara_pg_get_str(res, 0, NGX_MENTARA_COL_CONTENT);
        ngx_mentara_op_error(op, &status, &detail);
        return;
    }

    if (ngx_mentara_view_init(&v, res, op->pool, 2048) != NGX_OK
        || op->answer(op, &v) != NGX_OK)
    {
        ngx_mentara_op_fail(op, "internal", NULL);
    }

    if (op->env->publish != NULL) {
        ngx_mentara_op_publish(op, &v);
    }
}


/* NGX_OK: op->status is set; NGX_DECLINED: the status is an error code */

static ngx_int_t
ngx_mentara_op_success(ngx_mentara_op_t *op, ngx_str_t *status)
{
    if (status->len == 2 && ngx_memcmp(status->data, "ok", 2) == 0) {
        op->status = op->ok;
        return NGX_OK;
    }

    if (status->len == 7 && ngx_memcmp(status->data, "created", 7) == 0) {
        op->status = 201;
        return NGX_OK;
    }

    if (status->len == 8 && ngx_memcmp(status->data, "existing", 8) == 0) {
        op->status = op->existing;
        return NGX_OK;
    }

    if (status->len == 8 && ngx_memcmp(status->data, "replayed", 8) == 0) {
        op->status = op->repeated;
        op->replayed = 1;
        return NGX_OK;
    }

    return NGX_DECLINED;
}


static void
ngx_mentara_op_error(ngx_mentara_op_t *op, ngx_str_t *status,
    ngx_str_t *detail)
{
    ngx_mentara_code_t  *code;

    code = ngx_mentara_op_code((char *) status->data, status->len);

    if (code == NULL) {
        ngx_log_error(NGX_LOG_ERR, op->log, 0,
                      "mentara: the database answered unknown status \"%V\"",
                      status);
        ngx_mentara_op_fail(op, "internal", NULL);
        return;
    }

    ngx_mentara_op_fail(op, code->code, NULL);

    if (detail->len == 0) {
        return;
    }

    op->message.data = ngx_pstrdup(op->pool, detail);
    op->message.len = (op->message.data == NULL) ? 0 : detail->len;
}


/* the answer is this error; message NULL: the code's own sentence */

static void
ngx_mentara_op_fail(ngx_mentara_op_t *op, const char *code,
    const char *message)
{
    ngx_mentara_code_t  *c;

    c = ngx_mentara_op_code(code, ngx_strlen(code));

    if (message == NULL) {
        message = c->message;
    }

    op->status = c->status;
    op->code = c->code;
    op->message.len = ngx_strlen(message);
    op->message.data = (u_char *) message;
    op->faults = (ngx_strcmp(code, "validation_failed") == 0) ? 1 : 0;

    ngx_str_null(&op->body);
    ngx_str_null(&op->location);
    ngx_str_null(&op->link);
}


/*
 * What is committed is told, whatever became of the answer; if the bodies
 * cannot be made for lack of memory, a sweep brings the events.
 */

static void
ngx_mentara_op_publish(ngx_mentara_op_t *op, ngx_mentara_view_t *v)
{
    int          row;
    ngx_array_t  events;

    row = 1;

    while (row < v->nrows && ngx_mentara_view_kind(v, row) != 'e') {
        row++;
    }

    if (row == v->nrows) {
        return;
    }

    if (ngx_array_init(&events, op->pool, 4, sizeof(ngx_mentara_event_t))
        != NGX_OK
        || ngx_mentara_event_read_all(v, row, 1, &events) != NGX_OK)
    {
        ngx_log_error(NGX_LOG_ERR, op->log, 0,
                      "mentara: the events of an action were not made, "
                      "a sweep brings them");
        op->env->publish(op->env->publish_data, NULL, 0, op->log);
        return;
    }

    op->env->publish(op->env->publish_data, events.elts, events.nelts,
                     op->log);
}


static ngx_mentara_code_t *
ngx_mentara_op_code(const char *code, size_t len)
{
    ngx_mentara_code_t  *c;

    for (c = ngx_mentara_op_codes; c->code != NULL; c++) {
        if (ngx_strlen(c->code) == len
            && ngx_memcmp(c->code, code, len) == 0)
        {
            return c;
        }
    }

    return NULL;
}


ngx_uint_t
ngx_mentara_code_status(const char *code)
{
    ngx_mentara_code_t  *c;

    c = ngx_mentara_op_code(code, ngx_strlen(code));

    return (c == NULL) ? 500 : c->status;
}


const char *
ngx_mentara_code_message(const char *code)
{
    ngx_mentara_code_t  *c;

    c = ngx_mentara_op_code(code, ngx_strlen(code));

    return (c == NULL) ? "" : c->message;
}


json_t *
ngx_mentara_op_arg(ngx_mentara_op_t *op, const char *name)
{
    json_t  *value;

    value = json_object_get(op->args, name);

    return (value == NULL || json_is_null(value)) ? NULL : value;
}


ngx_str_t
ngx_mentara_op_arg_str(ngx_mentara_op_t *op, const char *name)
{
    json_t     *value;
    ngx_str_t   s;

    ngx_str_null(&s);

    value = ngx_mentara_op_arg(op, name);

    if (json_is_string(value)) {
        s.data = (u_char *) json_string_value(value);
        s.len = json_string_length(value);
    }

    return s;
}


int64_t
ngx_mentara_op_arg_int(ngx_mentara_op_t *op, const char *name, int64_t value)
{
    json_t  *arg;

    arg = ngx_mentara_op_arg(op, name);

    return json_is_integer(arg) ? json_integer_value(arg) : value;
}


ngx_int_t
ngx_mentara_op_bind_text(ngx_mentara_op_t *op, ngx_str_t *s)
{
    if (s->data == NULL) {
        return ngx_mentara_pg_null(op->query);
    }

    return ngx_mentara_pg_str(op->query, s);
}


ngx_int_t
ngx_mentara_op_bind_str(ngx_mentara_op_t *op, const char *name)
{
    ngx_str_t  s;

    s = ngx_mentara_op_arg_str(op, name);

    return ngx_mentara_op_bind_text(op, &s);
}


ngx_int_t
ngx_mentara_op_bind_int(ngx_mentara_op_t *op, const char *name)
{
    json_t  *arg;

    arg = ngx_mentara_op_arg(op, name);

    if (!json_is_integer(arg)) {
        return ngx_mentara_pg_null(op->query);
    }

    return ngx_mentara_pg_int(op->query, json_integer_value(arg));
}


ngx_int_t
ngx_mentara_op_bind_bool(ngx_mentara_op_t *op, const char *name)
{
    json_t  *arg;

    arg = ngx_mentara_op_arg(op, name);

    if (!json_is_boolean(arg)) {
        return ngx_mentara_pg_null(op->query);
    }

    return ngx_mentara_pg_bool(op->query, json_is_true(arg) ? 1 : 0);
}


ngx_int_t
ngx_mentara_op_bind_array(ngx_mentara_op_t *op, const char *name)
{
    size_t      i, n;
    json_t     *arg, *value;
    ngx_str_t  *elts;

    arg = ngx_mentara_op_arg(op, name);

    if (!json_is_array(arg)) {
        return ngx_mentara_pg_null(op->query);
    }

    n = json_array_size(arg);

    elts = ngx_palloc(op->pool, (n + 1) * sizeof(ngx_str_t));
    if (elts == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < n; i++) {
        value = json_array_get(arg, i);
        elts[i].data = (u_char *) json_string_value(value);
        elts[i].len = json_string_length(value);
    }

    return ngx_mentara_pg_array(op->query, elts, n);
}
