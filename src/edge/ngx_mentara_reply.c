
#include <ngx_mentara_reply.h>
#include <ngx_mentara_credential.h>
#include <ngx_mentara_origin.h>
#include <mentara_json.h>


#define NGX_MENTARA_CORS_METHODS  "GET, HEAD, POST, PUT, PATCH, DELETE"
#define NGX_MENTARA_CORS_HEADERS                                             \
    "Authorization, Content-Type, Idempotency-Key"
#define NGX_MENTARA_CORS_EXPOSED                                             \
    "Link, Location, Retry-After, RateLimit-Limit, RateLimit-Remaining, "    \
    "RateLimit-Reset, X-Request-Id, Idempotent-Replayed"


static ngx_int_t ngx_mentara_reply_send(ngx_mentara_request_t *q,
    ngx_uint_t status, ngx_str_t *body);
static ngx_int_t ngx_mentara_reply_common(ngx_mentara_request_t *q);
static ngx_int_t ngx_mentara_reply_limits(ngx_mentara_request_t *q);
static ngx_int_t ngx_mentara_reply_number(ngx_http_request_t *r,
    const char *name, ngx_uint_t n);
static ngx_int_t ngx_mentara_reply_advice(ngx_mentara_request_t *q,
    ngx_uint_t status);
static ngx_int_t ngx_mentara_reply_shape(ngx_mentara_request_t *q,
    ngx_uint_t status, const char *code, ngx_str_t *message,
    ngx_uint_t faults, ngx_str_t *body);
static const char *ngx_mentara_reply_phrase(ngx_uint_t status);


static ngx_int_t
ngx_mentara_reply_number(ngx_http_request_t *r, const char *name,
    ngx_uint_t n)
{
    u_char  *p;

    p = ngx_pnalloc(r->pool, NGX_INT_T_LEN);
    if (p == NULL) {
        return NGX_ERROR;
    }

    return ngx_mentara_output_header(r, name, p, ngx_sprintf(p, "%ui", n) - p);
}


ngx_int_t
ngx_mentara_reply_json(ngx_mentara_request_t *q, ngx_uint_t status,
    ngx_str_t *body)
{
    return ngx_mentara_reply_send(q, status, body);
}


static ngx_int_t
ngx_mentara_reply_send(ngx_mentara_request_t *q, ngx_uint_t status,
    ngx_str_t *body)
{
    ngx_buf_t           *b;
    ngx_int_t            rc;
    ngx_chain_t          out;
    ngx_http_request_t  *r;

    r = q->r;
    q->done = 1;

    if (!q->read) {
        rc = ngx_mentara_output_unread(r);
        if (rc != NGX_OK) {
            return rc;
        }
    }

    r->headers_out.status = status;
    r->headers_out.content_length_n = (status == NGX_HTTP_NO_CONTENT)
                                      ? -1 : (off_t) body->len;

    if (body->len != 0) {
        ngx_str_set(&r->headers_out.content_type, "application/json");
        r->headers_out.content_type_len = r->headers_out.content_type.len;
        ngx_str_set(&r->headers_out.charset, "utf-8");
    }

    if (ngx_mentara_reply_common(q) != NGX_OK
        || ngx_mentara_reply_cors(q) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (body->len == 0) {
        r->header_only = 1;
    }

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    b = ngx_calloc_buf(r->pool);
    if (b == NULL) {
        return NGX_ERROR;
    }

    b->pos = body->data;
    b->last = body->data + body->len;
    b->memory = 1;
    b->last_buf = 1;

    out.buf = b;
    out.next = NULL;

    return ngx_http_output_filter(r, &out);
}


static ngx_int_t
ngx_mentara_reply_common(ngx_mentara_request_t *q)
{
    ngx_http_request_t  *r;

    r = q->r;

    if (ngx_mentara_output_set(r, "Cache-Control", "no-store") != NGX_OK
        || ngx_mentara_output_set(r, "X-Content-Type-Options", "nosniff")
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_mentara_output_header(r, "X-Request-Id", q->id, sizeof(q->id));
}


/* only an origin that is listed by name gets these */

ngx_int_t
ngx_mentara_reply_cors(ngx_mentara_request_t *q)
{
    ngx_str_t           *origin;
    ngx_http_request_t  *r;

    r = q->r;

    if (q->mlcf->origins == NULL || q->shared) {
        return NGX_OK;
    }

    q->shared = 1;

    if (ngx_mentara_output_set(r, "Vary", "Origin") != NGX_OK) {
        return NGX_ERROR;
    }

    origin = ngx_mentara_header(r, "origin");

    if (origin == NULL
        || !ngx_mentara_origin_listed(q->mlcf->origins, origin))
    {
        return NGX_OK;
    }

    if (ngx_mentara_output_header(r, "Access-Control-Allow-Origin",
                                  origin->data, origin->len)
        != NGX_OK
        || ngx_mentara_output_set(r, "Access-Control-Allow-Credentials",
                                  "true")
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (r->method != NGX_HTTP_OPTIONS) {
        return ngx_mentara_output_set(r, "Access-Control-Expose-Headers",
                                      NGX_MENTARA_CORS_EXPOSED);
    }

    if (ngx_mentara_output_set(r, "Access-Control-Allow-Methods",
                               NGX_MENTARA_CORS_METHODS)
        != NGX_OK
        || ngx_mentara_output_set(r, "Access-Control-Allow-Headers",
                                  NGX_MENTARA_CORS_HEADERS)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_mentara_output_set(r, "Access-Control-Max-Age", "600");
}


static ngx_int_t
ngx_mentara_reply_limits(ngx_mentara_request_t *q)
{
    if (!q->limited) {
        return NGX_OK;
    }

    if (ngx_mentara_reply_number(q->r, "RateLimit-Limit", q->limit.limit)
        != NGX_OK
        || ngx_mentara_reply_number(q->r, "RateLimit-Remaining",
                                    q->limit.remaining)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_mentara_reply_number(q->r, "RateLimit-Reset", q->limit.reset);
}


ngx_int_t
ngx_mentara_reply_options(ngx_mentara_request_t *q)
{
    ngx_str_t  body;

    ngx_str_null(&body);

    if (ngx_mentara_output_header(q->r, "Allow", (u_char *) q->route.allow,
                                  ngx_strlen(q->route.allow))
        != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_mentara_reply_send(q, NGX_HTTP_NO_CONTENT, &body);
}


ngx_int_t
ngx_mentara_reply_op(ngx_mentara_request_t *q, ngx_mentara_op_t *op)
{
    ngx_http_request_t  *r;

    r = q->r;
    q->pg_time = op->pg_time;

    if (op->code != NULL) {
        return ngx_mentara_reply_error(q, op->code, &op->message,
                                       op->faults);
    }

    if (ngx_mentara_reply_limits(q) != NGX_OK
        || (op->location.len != 0
            && ngx_mentara_output_header(r, "Location", op->location.data,
                                         op->location.len)
               != NGX_OK)
        || (op->link.len != 0
            && ngx_mentara_output_header(r, "Link", op->link.data,
                                         op->link.len)
               != NGX_OK)
        || (op->replayed
            && ngx_mentara_output_set(r, "Idempotent-Replayed", "true")
               != NGX_OK))
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_mentara_reply_send(q, op->status, &op->body);
}


ngx_int_t
ngx_mentara_reply_error(ngx_mentara_request_t *q, const char *code,
    ngx_str_t *message, ngx_uint_t faults)
{
    return ngx_mentara_reply_refusal(q, ngx_mentara_code_status(code), code,
                                     message, faults);
}


ngx_int_t
ngx_mentara_reply_refusal(ngx_mentara_request_t *q, ngx_uint_t status,
    const char *code, ngx_str_t *message, ngx_uint_t faults)
{
    ngx_str_t  body, own;

    q->code = code;

    if (message == NULL) {
        own.data = (u_char *) ngx_mentara_code_message(code);
        own.len = ngx_strlen(own.data);
        message = &own;
    }

    if (ngx_mentara_reply_limits(q) != NGX_OK
        || ngx_mentara_reply_advice(q, status) != NGX_OK
        || ngx_mentara_reply_shape(q, status, code, message, faults, &body)
           != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_mentara_reply_send(q, status, &body);
}


/* headers that tell what to do about it */

static ngx_int_t
ngx_mentara_reply_advice(ngx_mentara_request_t *q, ngx_uint_t status)
{
    switch (status) {

    case NGX_HTTP_UNAUTHORIZED:
        return ngx_mentara_output_set(q->r, "WWW-Authenticate",
                                      "Bearer error=\"invalid_token\"");

    case NGX_HTTP_NOT_ALLOWED:
        return ngx_mentara_output_header(q->r, "Allow",
                                         (u_char *) q->route.allow,
                                         ngx_strlen(q->route.allow));

    case NGX_HTTP_TOO_MANY_REQUESTS:
        return ngx_mentara_reply_number(q->r, "Retry-After",
                                        ngx_max(q->limit.reset, 1));

    case NGX_HTTP_SERVICE_UNAVAILABLE:
    case NGX_HTTP_GATEWAY_TIME_OUT:
        return ngx_mentara_output_set(q->r, "Retry-After", "1");

    default:
        return NGX_OK;
    }
}


static ngx_int_t
ngx_mentara_reply_shape(ngx_mentara_request_t *q, ngx_uint_t status,
    const char *code, ngx_str_t *message, ngx_uint_t faults, ngx_str_t *body)
{
    size_t           size;
    u_char          *p;
    const char      *phrase;
    mentara_json_t   j;

    size = 6 * message->len + 1024;

    p = ngx_pnalloc(q->r->pool, size);
    if (p == NULL) {
        return NGX_ERROR;
    }

    phrase = ngx_mentara_reply_phrase(status);

    mentara_json_init(&j, p, size, NULL, NULL);
    mentara_json_raw(&j, "{\"statusCode\":", sizeof("{\"statusCode\":") - 1);
    mentara_json_int(&j, (int64_t) status);
    mentara_json_raw(&j, ",\"error\":", sizeof(",\"error\":") - 1);
    mentara_json_string(&j, (u_char *) phrase, ngx_strlen(phrase));
    mentara_json_raw(&j, ",\"code\":", sizeof(",\"code\":") - 1);
    mentara_json_string(&j, (u_char *) code, ngx_strlen(code));
    mentara_json_raw(&j, ",\"message\":", sizeof(",\"message\":") - 1);

    if (faults) {
        mentara_json_lines(&j, message->data, message->len);

    } else {
        mentara_json_string(&j, message->data, message->len);
    }

    mentara_json_raw(&j, ",\"requestId\":", sizeof(",\"requestId\":") - 1);
    mentara_json_string(&j, q->id, sizeof(q->id));
    mentara_json_raw(&j, "}", 1);

    if (j.failed) {
        return NGX_ERROR;
    }

    body->data = p;
    body->len = j.pos - p;

    return NGX_OK;
}


/* RFC 9110 15; 413 as the replaced service said it */

static const char *
ngx_mentara_reply_phrase(ngx_uint_t status)
{
    switch (status) {

    case 400:
        return "Bad Request";

    case 401:
        return "Unauthorized";

    case 403:
        return "Forbidden";

    case 404:
        return "Not Found";

    case 405:
        return "Method Not Allowed";

    case 409:
        return "Conflict";

    case 413:
        return "Payload Too Large";

    case 415:
        return "Unsupported Media Type";

    case 426:
        return "Upgrade Required";

    case 429:
        return "Too Many Requests";

    case 503:
        return "Service Unavailable";

    case 504:
        return "Gateway Timeout";

    default:
        return "Internal Server Error";
    }
}
