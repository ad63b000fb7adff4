
#include <ngx_mentara_rest.h>
#include <ngx_mentara_admit.h>
#include <ngx_mentara_body.h>
#include <ngx_mentara_credential.h>
#include <ngx_mentara_notice.h>
#include <ngx_mentara_ops.h>
#include <ngx_mentara_publish.h>
#include <ngx_mentara_reply.h>
#include <ngx_mentara_status.h>
#include <mentara_emoji.h>
#include <mentara_id.h>
#include <mentara_text.h>


#define NGX_MENTARA_KEY_MAX  128   /* code points of an Idempotency-Key */


static void ngx_mentara_rest_route(ngx_mentara_request_t *q);
static int ngx_mentara_rest_method(ngx_http_request_t *r);
static void ngx_mentara_rest_begin(ngx_mentara_request_t *q);
static void ngx_mentara_rest_authenticate(ngx_mentara_request_t *q);
static ngx_uint_t ngx_mentara_rest_health(ngx_mentara_request_t *q);
static void ngx_mentara_rest_admitted(ngx_mentara_request_t *q,
    const char *code);
static void ngx_mentara_rest_access(ngx_mentara_request_t *q);
static ngx_int_t ngx_mentara_rest_params(ngx_mentara_request_t *q);
static ngx_int_t ngx_mentara_rest_user(ngx_mentara_request_t *q,
    mentara_slice_t raw);
static ngx_int_t ngx_mentara_rest_emoji(ngx_mentara_request_t *q,
    mentara_slice_t raw);
static ngx_int_t ngx_mentara_rest_limit(ngx_mentara_request_t *q);
static void ngx_mentara_rest_body(ngx_mentara_request_t *q);
static void ngx_mentara_rest_body_done(ngx_mentara_request_t *q,
    ngx_int_t rc);
static void ngx_mentara_rest_query(ngx_mentara_request_t *q);
static void ngx_mentara_rest_checked(ngx_mentara_request_t *q, int rc,
    mentara_faults_t *faults);
static void ngx_mentara_rest_faults(ngx_mentara_request_t *q,
    mentara_faults_t *faults);
static void ngx_mentara_rest_run(ngx_mentara_request_t *q);
static ngx_int_t ngx_mentara_rest_key(ngx_mentara_request_t *q,
    ngx_str_t *key);
static void ngx_mentara_rest_done(ngx_mentara_op_t *op);


ngx_int_t
ngx_mentara_rest_handler(ngx_http_request_t *r)
{
    ngx_mentara_request_t  *q;

    q = ngx_mentara_request_create(r);
    if (q == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    /*
     * One more reference while we work: answered at once or later, the end
     * is ngx_http_finalize_request() once and NGX_DONE from here.
     */

    r->main->count++;
    ngx_mentara_rest_begin(q);
    q->async = 1;

    return NGX_DONE;
}


static int
ngx_mentara_rest_method(ngx_http_request_t *r)
{
    switch (r->method) {

    case NGX_HTTP_GET:
    case NGX_HTTP_HEAD:
        return MENTARA_GET;

    case NGX_HTTP_POST:
        return MENTARA_POST;

    case NGX_HTTP_PUT:
        return MENTARA_PUT;

    case NGX_HTTP_PATCH:
        return MENTARA_PATCH;

    case NGX_HTTP_DELETE:
        return MENTARA_DELETE;

    case NGX_HTTP_OPTIONS:
        return MENTARA_OPTIONS;

    default:
        return MENTARA_OTHER;
    }
}


/*
 * The raw path counts: an escaped slash belongs to its segment.  Where
 * nginx has merged or resolved something, its own form is taken.
 */

static void
ngx_mentara_rest_route(ngx_mentara_request_t *q)
{
    u_char              *args;
    mentara_slice_t      path;
    ngx_http_request_t  *r;

    r = q->r;
    path.data = r->unparsed_uri.data;
    path.len = r->unparsed_uri.len;

    args = ngx_strlchr(path.data, path.data + path.len, '?');
    if (args != NULL) {
        path.len = args - path.data;
    }

    if (path.len < q->mlcf->prefix.len
        || ngx_memcmp(path.data, q->mlcf->prefix.data, q->mlcf->prefix.len)
           != 0)
    {
        q->match = MENTARA_ROUTE_UNKNOWN;
        return;
    }

    path.data += q->mlcf->prefix.len;
    path.len -= q->mlcf->prefix.len;

    q->match = mentara_route_match(ngx_mentara_rest_method(r), path,
                                   &q->route);
}


static void
ngx_mentara_rest_begin(ngx_mentara_request_t *q)
{
    ngx_mentara_rest_route(q);

    if (q->match == MENTARA_ROUTE_METHOD
        && q->r->method == NGX_HTTP_OPTIONS)
    {
        ngx_mentara_request_finish(q, ngx_mentara_reply_options(q));
        return;
    }

    ngx_mentara_rest_authenticate(q);
}


static void
ngx_mentara_rest_authenticate(ngx_mentara_request_t *q)
{
    q->from = ngx_mentara_credential(q->r, q->mlcf->token_query, &q->token);

    if (q->from != NGX_MENTARA_CREDENTIAL_NONE) {
        ngx_mentara_admit(q, ngx_mentara_rest_admitted);
        return;
    }

    if (ngx_mentara_rest_health(q)) {
        ngx_mentara_request_finish(q, ngx_mentara_status_health(q));
        return;
    }

    ngx_mentara_request_refuse(q, "token_missing");
}


static ngx_uint_t
ngx_mentara_rest_health(ngx_mentara_request_t *q)
{
    return q->match == MENTARA_OK && q->route.endpoint == MENTARA_EP_HEALTH;
}


/* health answers also when the database is away */

static void
ngx_mentara_rest_admitted(ngx_mentara_request_t *q, const char *code)
{
    if (code == NULL) {
        ngx_mentara_rest_access(q);
        return;
    }

    if (q->authenticated && ngx_mentara_rest_health(q)
        && ngx_mentara_code_status(code) >= NGX_HTTP_INTERNAL_SERVER_ERROR)
    {
        ngx_mentara_request_finish(q, ngx_mentara_status_health(q));
        return;
    }

    ngx_mentara_request_refuse(q, code);
}


/* the caller is known: what is refused from here on tells no stranger */

static void
ngx_mentara_rest_access(ngx_mentara_request_t *q)
{
    if (q->match == MENTARA_ROUTE_UNKNOWN) {
        ngx_mentara_request_refuse(q, "not_found");
        return;
    }

    if (q->match == MENTARA_ROUTE_METHOD) {
        ngx_mentara_request_refuse(q, "method_not_allowed");
        return;
    }

    if (ngx_mentara_rest_health(q)) {
        ngx_mentara_request_finish(q, ngx_mentara_status_health(q));
        return;
    }

    q->op = ngx_mentara_op_create(&q->mlcf->env, q->r->connection->log);

    if (q->op == NULL) {
        ngx_mentara_request_refuse(q, "internal");
        return;
    }

    switch (ngx_mentara_rest_params(q)) {

    case NGX_OK:
        break;

    case NGX_DECLINED:
        ngx_mentara_request_refuse(q, "invalid_id");
        return;

    case NGX_ABORT:
        return;

    default:
        ngx_mentara_request_refuse(q, "internal");
        return;
    }

    if (ngx_mentara_rest_limit(q) != NGX_OK) {
        ngx_mentara_request_refuse(q, "rate_limited");
        return;
    }

    ngx_mentara_rest_body(q);
}


/* NGX_OK, NGX_DECLINED: invalid_id, NGX_ABORT: answered, NGX_ERROR */

static ngx_int_t
ngx_mentara_rest_params(ngx_mentara_request_t *q)
{
    int         i;
    ngx_int_t   rc;

    rc = NGX_OK;

    for (i = 0; i < 2 && rc == NGX_OK; i++) {
        switch (q->route.kinds[i]) {

        case MENTARA_PARAM_UUID:
            rc = (mentara_id_parse(q->op->id.data, q->route.params[i].data,
                                   q->route.params[i].len)
                  == MENTARA_OK) ? NGX_OK : NGX_DECLINED;
            break;

        case MENTARA_PARAM_USER:
            rc = ngx_mentara_rest_user(q, q->route.params[i]);
            break;

        case MENTARA_PARAM_EMOJI:
            rc = ngx_mentara_rest_emoji(q, q->route.params[i]);
            break;
        }
    }

    return rc;
}


/* text that cannot be a user's id names nobody */

static ngx_int_t
ngx_mentara_rest_user(ngx_mentara_request_t *q, mentara_slice_t raw)
{
    long              len;
    mentara_slice_t   text;

    text.data = ngx_pnalloc(q->op->pool, raw.len);
    if (text.data == NULL) {
        return NGX_ERROR;
    }

    len = mentara_percent_decode(text.data, raw, 0);
    text.len = (len < 0) ? 0 : (size_t) len;

    if (len < 0
        || mentara_text_check(text, NGX_MENTARA_USER_MAX) != MENTARA_OK)
    {
        return NGX_DECLINED;
    }

    q->op->param.data = text.data;
    q->op->param.len = text.len;

    return NGX_OK;
}


static ngx_int_t
ngx_mentara_rest_emoji(ngx_mentara_request_t *q, mentara_slice_t raw)
{
    long              len;
    ngx_str_t         fault = ngx_string("emoji must be exactly one emoji");
    const char       *emoji;
    mentara_slice_t   text;

    text.data = ngx_pnalloc(q->op->pool, raw.len);
    if (text.data == NULL) {
        return NGX_ERROR;
    }

    len = mentara_percent_decode(text.data, raw, 0);
    text.len = (len < 0) ? 0 : (size_t) len;
    emoji = mentara_emoji(text);

    if (emoji == NULL) {
        ngx_mentara_request_finish(q,
                                ngx_mentara_reply_error(q,
                                                        "validation_failed",
                                                        &fault, 1));
        return NGX_ABORT;
    }

    q->op->param.data = (u_char *) emoji;
    q->op->param.len = ngx_strlen(emoji);

    return NGX_OK;
}


static ngx_int_t
ngx_mentara_rest_limit(ngx_mentara_request_t *q)
{
    ngx_uint_t  class;

    switch (q->route.endpoint) {

    case MENTARA_EP_MESSAGE_SEND:
        class = NGX_MENTARA_LIMIT_SEND;
        break;

    case MENTARA_EP_REACTION_ADD:
    case MENTARA_EP_REACTION_REMOVE:
        class = NGX_MENTARA_LIMIT_REACT;
        break;

    case MENTARA_EP_SEARCH:
    case MENTARA_EP_SEARCH_POST:
        class = NGX_MENTARA_LIMIT_SEARCH;
        break;

    case MENTARA_EP_CONVERSATION_CREATE:
        class = NGX_MENTARA_LIMIT_CREATE;
        break;

    default:
        return NGX_OK;
    }

    if (q->mlcf->limits[class].n == 0) {
        return NGX_OK;
    }

    q->limited = 1;

    return ngx_mentara_limit_take(&q->mmcf->zone, &q->claims.sub, class,
                                  &q->mlcf->limits[class], ngx_current_msec,
                                  &q->limit);
}


static void
ngx_mentara_rest_body(ngx_mentara_request_t *q)
{
    if (q->r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD|NGX_HTTP_DELETE)) {
        ngx_mentara_rest_query(q);
        return;
    }

    ngx_mentara_body_read(q, ngx_mentara_rest_body_done);
}


static void
ngx_mentara_rest_body_done(ngx_mentara_request_t *q, ngx_int_t rc)
{
    mentara_faults_t  faults;

    if (rc == NGX_HTTP_REQUEST_ENTITY_TOO_LARGE) {
        ngx_mentara_request_refuse(q, "too_large");
        return;
    }

    if (rc != NGX_OK) {
        q->done = 1;
        ngx_mentara_request_finish(q, rc);
        return;
    }

    if (q->body.len != 0 && ngx_mentara_body_type(q->r) != NGX_OK) {
        ngx_mentara_request_refuse(q, "unsupported_media_type");
        return;
    }

    rc = mentara_body_check(q->route.endpoint, q->body.data, q->body.len,
                            q->mlcf->max_content, &q->args, &faults);

    ngx_mentara_rest_checked(q, (int) rc, &faults);
}


static void
ngx_mentara_rest_query(ngx_mentara_request_t *q)
{
    int               rc;
    mentara_slice_t   query;
    mentara_faults_t  faults;

    query.data = q->r->args.data;
    query.len = q->r->args.len;

    rc = mentara_query_check(q->route.endpoint, query, &q->args, &faults);

    ngx_mentara_rest_checked(q, rc, &faults);
}


static void
ngx_mentara_rest_checked(ngx_mentara_request_t *q, int rc,
    mentara_faults_t *faults)
{
    switch (rc) {

    case MENTARA_OK:
        ngx_mentara_rest_run(q);
        return;

    case MENTARA_BAD:
        ngx_mentara_rest_faults(q, faults);
        return;

    default:
        ngx_mentara_request_refuse(q, "internal");
        return;
    }
}


static void
ngx_mentara_rest_faults(ngx_mentara_request_t *q, mentara_faults_t *faults)
{
    ngx_str_t  message;

    message.len = faults->len;
    message.data = (u_char *) faults->text;

    ngx_mentara_request_finish(q,
        ngx_mentara_reply_error(q, faults->code, &message,
                                ngx_strcmp(faults->code, "validation_failed")
                                == 0));
}


static void
ngx_mentara_rest_run(ngx_mentara_request_t *q)
{
    ngx_str_t          key, fault = ngx_string(
                             "Idempotency-Key must have 1 to 128 characters");
    ngx_mentara_op_t  *op;

    if (q->route.endpoint == MENTARA_EP_LOGOUT) {
        if (q->mmcf->live != NULL) {
            ngx_mentara_notice_logout(q->mmcf->live, &q->claims.sub,
                                      &q->claims.sid);
        }

        ngx_str_null(&key);
        ngx_mentara_request_finish(q, ngx_mentara_reply_json(q, 204, &key));
        return;
    }

    if (ngx_mentara_rest_key(q, &key) != NGX_OK) {
        ngx_mentara_request_finish(q,
                                ngx_mentara_reply_error(q,
                                                        "validation_failed",
                                                        &fault, 1));
        return;
    }

    op = q->op;
    op->env->pg = q->mmcf->pg;
    op->env->publish = (q->mmcf->live != NULL) ? ngx_mentara_publish
                                               : NULL;
    op->env->publish_data = q->mmcf->live;
    op->endpoint = q->route.endpoint;
    op->user = q->claims.sub;
    op->role = q->account.role;
    op->key = key;
    op->prefix = q->mlcf->prefix;
    op->args = q->args;
    op->handler = ngx_mentara_rest_done;
    op->data = q;

    q->args = NULL;

    /* what an op keeps must not die with the request */

    op->user.data = ngx_pstrdup(op->pool, &q->claims.sub);
    op->key.data = (key.len == 0) ? NULL : ngx_pstrdup(op->pool, &key);

    if (op->user.data == NULL || (key.len != 0 && op->key.data == NULL)
        || ngx_mentara_op_run(op) != NGX_OK)
    {
        q->op = NULL;
        ngx_mentara_op_free(op);
        ngx_mentara_request_refuse(q, "internal");
        return;
    }

    q->r->read_event_handler = ngx_http_test_reading;
}


static ngx_int_t
ngx_mentara_rest_key(ngx_mentara_request_t *q, ngx_str_t *key)
{
    ngx_str_t        *value;
    mentara_slice_t   text;

    ngx_str_null(key);

    if (q->route.endpoint != MENTARA_EP_MESSAGE_SEND
        && q->route.endpoint != MENTARA_EP_CONVERSATION_CREATE)
    {
        return NGX_OK;
    }

    value = ngx_mentara_header(q->r, "idempotency-key");
    if (value == NULL) {
        return NGX_OK;
    }

    text.data = value->data;
    text.len = value->len;
    *key = *value;

    return (mentara_text_check(text, NGX_MENTARA_KEY_MAX) == MENTARA_OK)
           ? NGX_OK : NGX_DECLINED;
}


static void
ngx_mentara_rest_done(ngx_mentara_op_t *op)
{
    ngx_int_t               rc;
    ngx_pool_cleanup_t     *cln;
    ngx_mentara_request_t  *q;

    q = op->data;
    q->op = NULL;
    q->r->read_event_handler = ngx_http_block_reading;

    /* the body lies in the op's pool: it goes when the request goes */

    cln = ngx_pool_cleanup_add(q->r->pool, 0);

    if (cln == NULL) {
        ngx_mentara_op_free(op);
        ngx_mentara_request_refuse(q, "internal");
        return;
    }

    cln->handler = (ngx_pool_cleanup_pt) ngx_mentara_op_free;
    cln->data = op;

    rc = ngx_mentara_reply_op(q, op);
    ngx_mentara_request_finish(q, rc);
}
