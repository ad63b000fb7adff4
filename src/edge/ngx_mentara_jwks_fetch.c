
#include <ngx_mentara_jwks_fetch.h>
#include <ngx_mentara_key.h>


/*
 * The subrequest has a connection of its own, which is nobody's: what the
 * client does to its connection does not reach the fetch, and a fetch that
 * fails does not reach the client's connection, its timers or its log.
 *
 * It outlives the request (nginx looks at it after the request was freed), so
 * it is not in the request's pool.
 */

typedef struct ngx_mentara_jwks_s  ngx_mentara_jwks_t;


struct ngx_mentara_jwks_s {
    ngx_mentara_jwks_t        *next;       /* of those that run */
    ngx_mentara_auth_t        *auth;
    ngx_queue_t                waiting;    /* of ngx_mentara_jwks_wait_t */

    ngx_http_request_t        *sr;         /* NULL: freed */
    ngx_pool_cleanup_t        *cln;        /* likewise */
    ngx_log_t                 *log;        /* likewise */
    ngx_connection_t          *client;

    ngx_connection_t           connection; /* of the subrequest */
    ngx_event_t                read;
    ngx_event_t                write;

    ngx_event_t                timer;
    ngx_event_t                event;      /* tells those who wait */

    unsigned                   ended:1;    /* there is a result */
    unsigned                   over:1;     /* the subrequest has ended */
};


typedef struct {
    ngx_queue_t                queue;
    ngx_http_request_t        *r;
    ngx_http_cleanup_t        *cln;
    ngx_mentara_jwks_done_pt   done;
    void                      *data;
} ngx_mentara_jwks_wait_t;


/* nginx expects its own context first */

typedef struct {
    ngx_http_log_ctx_t         http;
    ngx_http_request_t        *sr;
} ngx_mentara_jwks_log_t;


static ngx_mentara_jwks_t *ngx_mentara_jwks_find(ngx_mentara_auth_t *a);
static ngx_mentara_jwks_t *ngx_mentara_jwks_start(ngx_http_request_t *r,
    ngx_mentara_auth_t *a);
static ngx_int_t ngx_mentara_jwks_subrequest(ngx_mentara_jwks_t *f,
    ngx_http_request_t *r);
static ngx_int_t ngx_mentara_jwks_strip(ngx_http_request_t *sr);
static void ngx_mentara_jwks_connection(ngx_mentara_jwks_t *f,
    ngx_http_request_t *r);
static ngx_int_t ngx_mentara_jwks_logging(ngx_mentara_jwks_t *f,
    ngx_http_request_t *r);
static u_char *ngx_mentara_jwks_log(ngx_log_t *log, u_char *buf, size_t len);
static void ngx_mentara_jwks_event(ngx_event_t *ev);
static ngx_int_t ngx_mentara_jwks_wait(ngx_mentara_jwks_t *f,
    ngx_http_request_t *r, ngx_mentara_jwks_done_pt done, void *data);
static void ngx_mentara_jwks_leave(void *data);
static ngx_int_t ngx_mentara_jwks_fetched(ngx_http_request_t *sr, void *data,
    ngx_int_t rc);
static ngx_int_t ngx_mentara_jwks_document(ngx_mentara_jwks_t *f,
    ngx_int_t rc, ngx_str_t *doc);
static void ngx_mentara_jwks_timeout(ngx_event_t *ev);
static void ngx_mentara_jwks_gone(void *data);
static void ngx_mentara_jwks_end(ngx_mentara_jwks_t *f, ngx_str_t *doc);
static void ngx_mentara_jwks_tell(ngx_event_t *ev);
static void ngx_mentara_jwks_free(ngx_mentara_jwks_t *f);


static ngx_mentara_jwks_t  *ngx_mentara_jwks_running;


ngx_int_t
ngx_mentara_jwks_fetch(ngx_http_request_t *r, ngx_mentara_auth_t *a,
    ngx_mentara_jwks_done_pt done, void *data)
{
    ngx_mentara_jwks_t  *f;

    f = ngx_mentara_jwks_find(a);

    if (f == NULL) {
        if (!ngx_mentara_auth_jwks_begin(a, ngx_time(), 0)) {
            return NGX_DECLINED;
        }

        f = ngx_mentara_jwks_start(r, a);
        if (f == NULL) {
            return NGX_ERROR;
        }
    }

    return ngx_mentara_jwks_wait(f, r, done, data);
}


ngx_int_t
ngx_mentara_jwks_prepare(ngx_http_request_t *r, ngx_mentara_auth_t *a,
    ngx_mentara_jwks_done_pt done, void *data)
{
    ngx_int_t  rc;

    if (!ngx_mentara_auth_jwks_due(a, ngx_time())) {
        return NGX_OK;
    }

    rc = ngx_mentara_jwks_fetch(r, a, done, data);

    if (rc == NGX_DECLINED && ngx_mentara_auth_usable(a)) {
        return NGX_OK;
    }

    return rc;
}


void
ngx_mentara_jwks_ahead(ngx_http_request_t *r, ngx_mentara_auth_t *a)
{
    if (ngx_mentara_auth_jwks_begin(a, ngx_time(), 1)) {
        (void) ngx_mentara_jwks_start(r, a);
    }
}


static ngx_mentara_jwks_t *
ngx_mentara_jwks_find(ngx_mentara_auth_t *a)
{
    ngx_mentara_jwks_t  *f;

    for (f = ngx_mentara_jwks_running; f != NULL; f = f->next) {
        if (f->auth == a) {
            break;
        }
    }

    return f;
}


static ngx_mentara_jwks_t *
ngx_mentara_jwks_start(ngx_http_request_t *r, ngx_mentara_auth_t *a)
{
    ngx_mentara_jwks_t  *f;

    f = ngx_calloc(sizeof(ngx_mentara_jwks_t), r->connection->log);

    if (f == NULL) {
        (void) ngx_mentara_auth_jwks(a, NULL, ngx_time(), ngx_cycle->log);
        return NULL;
    }

    f->auth = a;
    f->client = r->connection;
    ngx_queue_init(&f->waiting);

    f->timer.handler = ngx_mentara_jwks_timeout;
    f->timer.data = f;
    f->timer.log = ngx_cycle->log;

    f->event.handler = ngx_mentara_jwks_tell;
    f->event.data = f;
    f->event.log = ngx_cycle->log;

    if (ngx_mentara_jwks_logging(f, r) != NGX_OK
        || ngx_mentara_jwks_subrequest(f, r) != NGX_OK)
    {
        (void) ngx_mentara_auth_jwks(a, NULL, ngx_time(), ngx_cycle->log);
        ngx_free(f);
        return NULL;
    }

    f->next = ngx_mentara_jwks_running;
    ngx_mentara_jwks_running = f;

    ngx_add_timer(&f->timer, NGX_MENTARA_JWKS_TIMEOUT);

    return f;
}


/*
 * All that can fail is done before the subrequest exists: it cannot be taken
 * back.  The filter that keeps the body in memory fills the buffer that it
 * finds, and refuses what does not fit.
 */

static ngx_int_t
ngx_mentara_jwks_subrequest(ngx_mentara_jwks_t *f, ngx_http_request_t *r)
{
    ngx_buf_t                   *b;
    ngx_chain_t                 *out;
    ngx_http_request_t          *sr, bare;
    ngx_pool_cleanup_t          *cln;
    ngx_http_post_subrequest_t  *ps;

    ps = ngx_palloc(r->pool, sizeof(ngx_http_post_subrequest_t));
    out = ngx_alloc_chain_link(r->pool);
    b = ngx_create_temp_buf(r->pool, NGX_MENTARA_JWKS_MAX);
    cln = ngx_pool_cleanup_add(r->pool, 0);

    if (ps == NULL || out == NULL || b == NULL || cln == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(&bare, sizeof(ngx_http_request_t));
    bare.pool = r->pool;
    bare.main_conf = r->main_conf;
    bare.uri = *ngx_mentara_auth_jwks_uri(f->auth);

    if (ngx_mentara_jwks_strip(&bare) != NGX_OK) {
        return NGX_ERROR;
    }

    ps->handler = ngx_mentara_jwks_fetched;
    ps->data = f;

    if (ngx_http_subrequest(r, &bare.uri, NULL, &sr, ps,
                            NGX_HTTP_SUBREQUEST_IN_MEMORY
                            |NGX_HTTP_SUBREQUEST_BACKGROUND)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    b->last_buf = 1;
    out->buf = b;
    out->next = NULL;

    sr->out = out;
    sr->headers_in = bare.headers_in;
    sr->request_body = bare.request_body;
    sr->request_line = bare.request_line;
    sr->unparsed_uri = bare.uri;
    sr->variables = bare.variables;
    sr->discard_body = 0;

    f->sr = sr;
    f->cln = cln;
    cln->handler = ngx_mentara_jwks_gone;
    cln->data = f;

    ngx_mentara_jwks_connection(f, r);

    return NGX_OK;
}


/*
 * What a subrequest has instead of that of its client: no header, a body
 * that was read already, and no variable that was evaluated for the client.
 */

static ngx_int_t
ngx_mentara_jwks_strip(ngx_http_request_t *sr)
{
    u_char                     *p;
    ngx_http_core_main_conf_t  *cmcf;

    cmcf = ngx_http_get_module_main_conf(sr, ngx_http_core_module);

    sr->variables = ngx_pcalloc(sr->pool, cmcf->variables.nelts
                                          * sizeof(ngx_http_variable_value_t));
    sr->request_body = ngx_pcalloc(sr->pool, sizeof(ngx_http_request_body_t));
    p = ngx_pnalloc(sr->pool, sizeof("GET ") - 1 + sr->uri.len);

    if (sr->variables == NULL || sr->request_body == NULL || p == NULL
        || ngx_list_init(&sr->headers_in.headers, sr->pool, 1,
                         sizeof(ngx_table_elt_t))
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    sr->headers_in.content_length_n = -1;
    sr->headers_in.keep_alive_n = -1;

    sr->request_line.data = p;
    sr->request_line.len = ngx_sprintf(p, "GET %V", &sr->uri) - p;

    return NGX_OK;
}


/* it is always writable, never readable, and in no event loop */

static void
ngx_mentara_jwks_connection(ngx_mentara_jwks_t *f, ngx_http_request_t *r)
{
    ngx_connection_t  *c;

    c = &f->connection;
    *c = *r->connection;

    c->fd = (ngx_socket_t) -1;
    c->data = f->sr;
    c->log = f->log;
    c->read = &f->read;
    c->write = &f->write;
    c->buffered = 0;
    c->error = 0;
    c->close = 0;
    c->timedout = 0;
    c->destroyed = 0;
    c->sendfile = 0;
    c->tcp_nodelay = NGX_TCP_NODELAY_DISABLED;
    c->tcp_nopush = NGX_TCP_NOPUSH_DISABLED;
#if (NGX_SSL || NGX_COMPAT)
    c->ssl = NULL;
#endif

    f->read.data = c;
    f->read.handler = ngx_mentara_jwks_event;
    f->read.log = ngx_cycle->log;
    f->read.active = 1;

    f->write.data = c;
    f->write.handler = ngx_mentara_jwks_event;
    f->write.log = ngx_cycle->log;
    f->write.write = 1;
    f->write.ready = 1;
    f->write.active = (ngx_event_flags & NGX_USE_CLEAR_EVENT) ? 1 : 0;

    f->sr->connection = c;
    ((ngx_mentara_jwks_log_t *) f->log->data)->sr = f->sr;
}


/* lines about a fetch do not show the request that came by */

static ngx_int_t
ngx_mentara_jwks_logging(ngx_mentara_jwks_t *f, ngx_http_request_t *r)
{
    ngx_mentara_jwks_log_t  *ctx;

    f->log = ngx_palloc(r->pool, sizeof(ngx_log_t));
    ctx = ngx_pcalloc(r->pool, sizeof(ngx_mentara_jwks_log_t));

    if (f->log == NULL || ctx == NULL) {
        return NGX_ERROR;
    }

    *f->log = *r->connection->log;
    f->log->connection = 0;
    f->log->handler = ngx_mentara_jwks_log;
    f->log->data = ctx;
    f->log->action = NULL;

    return NGX_OK;
}


static u_char *
ngx_mentara_jwks_log(ngx_log_t *log, u_char *buf, size_t len)
{
    u_char                  *p;
    ngx_http_upstream_t     *u;
    ngx_mentara_jwks_log_t  *ctx;

    ctx = log->data;
    p = buf;

    if (log->action != NULL) {
        p = ngx_snprintf(buf, len, " while %s", log->action);
        len -= p - buf;
        buf = p;
    }

    if (ctx->sr == NULL) {
        return p;
    }

    p = ngx_snprintf(buf, len, ", JWKS: \"%V\"", &ctx->sr->uri);
    len -= p - buf;
    buf = p;

    u = ctx->sr->upstream;

    if (u != NULL && u->peer.name != NULL) {
        p = ngx_snprintf(buf, len, ", upstream: \"%V%V%V\"", &u->schema,
                         u->peer.name, &u->uri);
    }

    return p;
}


/* a timer that something in the location has set */

static void
ngx_mentara_jwks_event(ngx_event_t *ev)
{
    ngx_connection_t    *c;
    ngx_http_request_t  *sr;

    c = ev->data;
    sr = c->data;

    if (ev->delayed && ev->timedout) {
        ev->delayed = 0;
        ev->timedout = 0;
    }

    if (ev->write) {
        sr->write_event_handler(sr);

    } else {
        sr->read_event_handler(sr);
    }

    ngx_http_run_posted_requests(c);
}


/*
 * Only the request that carries the subrequest has to stay when its client
 * goes: its end would be that of the fetch.
 */

static ngx_int_t
ngx_mentara_jwks_wait(ngx_mentara_jwks_t *f, ngx_http_request_t *r,
    ngx_mentara_jwks_done_pt done, void *data)
{
    ngx_http_cleanup_t       *cln;
    ngx_mentara_jwks_wait_t  *w;

    w = ngx_palloc(r->pool, sizeof(ngx_mentara_jwks_wait_t));
    cln = ngx_http_cleanup_add(r, 0);

    if (w == NULL || cln == NULL) {
        return NGX_ERROR;
    }

    w->r = r;
    w->cln = cln;
    w->done = done;
    w->data = data;

    cln->handler = ngx_mentara_jwks_leave;
    cln->data = w;

    ngx_queue_insert_tail(&f->waiting, &w->queue);

    r->main->count++;
    r->read_event_handler = (f->client == r->connection)
                            ? ngx_http_block_reading : ngx_http_test_reading;
    r->write_event_handler = ngx_http_request_empty_handler;

    return NGX_AGAIN;
}


static void
ngx_mentara_jwks_leave(void *data)
{
    ngx_mentara_jwks_wait_t *w = data;

    ngx_queue_remove(&w->queue);
}


/*
 * The subrequest has ended, well or not.  NGX_OK in any case: an error would
 * end the client's request too.
 */

static ngx_int_t
ngx_mentara_jwks_fetched(ngx_http_request_t *sr, void *data, ngx_int_t rc)
{
    ngx_mentara_jwks_t *f = data;

    ngx_str_t  doc;

    /* set when the body did not fit, whatever rc says */

    if (sr->connection->error) {
        sr->connection->error = 0;
        rc = NGX_ERROR;
    }

    sr->post_subrequest = NULL;
    sr->buffered = 0;

    f->over = 1;

    if (f->ended) {
        ngx_post_event(&f->event, &ngx_posted_events);

    } else if (ngx_mentara_jwks_document(f, rc, &doc) == NGX_OK) {
        ngx_mentara_jwks_end(f, &doc);

    } else {
        ngx_mentara_jwks_end(f, NULL);
    }

    ngx_pfree(sr->pool, sr->out->buf->start);
    sr->out = NULL;

    return NGX_OK;
}


static ngx_int_t
ngx_mentara_jwks_document(ngx_mentara_jwks_t *f, ngx_int_t rc, ngx_str_t *doc)
{
    ngx_buf_t   *b;
    ngx_uint_t   status;

    f->log->action = NULL;

    if (rc == NGX_ERROR) {
        ngx_log_error(NGX_LOG_ERR, f->log, 0,
                      "mentara: the JWKS could not be read, or has more than "
                      "%d octets", NGX_MENTARA_JWKS_MAX);
        return NGX_ERROR;
    }

    status = (rc >= NGX_HTTP_SPECIAL_RESPONSE) ? (ngx_uint_t) rc
                                               : f->sr->headers_out.status;

    if (status != NGX_HTTP_OK) {
        ngx_log_error(NGX_LOG_ERR, f->log, 0,
                      "mentara: instead of a JWKS came status %ui", status);
        return NGX_ERROR;
    }

    b = f->sr->out->buf;
    doc->data = b->pos;
    doc->len = b->last - b->pos;

    return NGX_OK;
}


/*
 * A peer that hangs is left: the handler that nginx has set for the end of
 * the request closes its connection and gives back the reference.
 */

static void
ngx_mentara_jwks_timeout(ngx_event_t *ev)
{
    ngx_mentara_jwks_t *f = ev->data;

    ngx_connection_t     *c;
    ngx_http_request_t   *sr;
    ngx_http_cleanup_pt   handler;

    ngx_log_error(NGX_LOG_ERR, f->log, 0,
                  "mentara: no JWKS came within %d ms",
                  NGX_MENTARA_JWKS_TIMEOUT);

    ngx_mentara_jwks_end(f, NULL);

    sr = f->sr;

    if (sr->upstream == NULL || sr->upstream->cleanup == NULL) {
        return;
    }

    sr->post_subrequest = NULL;
    f->over = 1;

    c = f->client;
    handler = *sr->upstream->cleanup;
    handler(sr);

    ngx_http_run_posted_requests(c);
}


/* the request that carried the fetch is freed */

static void
ngx_mentara_jwks_gone(void *data)
{
    ngx_mentara_jwks_t *f = data;

    f->connection.destroyed = 1;
    f->sr = NULL;
    f->cln = NULL;
    f->log = NULL;
    f->over = 1;

    if (f->ended) {
        ngx_post_event(&f->event, &ngx_posted_events);

    } else {
        ngx_mentara_jwks_end(f, NULL);
    }
}


/* NULL: it failed */

static void
ngx_mentara_jwks_end(ngx_mentara_jwks_t *f, ngx_str_t *doc)
{
    ngx_mentara_jwks_t  **next;

    for (next = &ngx_mentara_jwks_running; *next != NULL;
         next = &(*next)->next)
    {
        if (*next == f) {
            *next = f->next;
            break;
        }
    }

    if (f->timer.timer_set) {
        ngx_del_timer(&f->timer);
    }

    f->ended = 1;

    (void) ngx_mentara_auth_jwks(f->auth, doc, ngx_time(),
                                 (f->log != NULL) ? f->log : ngx_cycle->log);

    ngx_post_event(&f->event, &ngx_posted_events);
}


/*
 * Out of the events of the subrequest: those who wait may now end.  What its
 * client has done meanwhile is looked at by the next handler.
 */

static void
ngx_mentara_jwks_tell(ngx_event_t *ev)
{
    ngx_mentara_jwks_t *f = ev->data;

    ngx_queue_t              *q;
    ngx_connection_t         *c;
    ngx_mentara_jwks_wait_t  *w;

    while (!ngx_queue_empty(&f->waiting)) {
        q = ngx_queue_head(&f->waiting);
        ngx_queue_remove(q);

        w = ngx_queue_data(q, ngx_mentara_jwks_wait_t, queue);
        w->cln->handler = NULL;
        w->r->read_event_handler = ngx_http_block_reading;
        w->r->write_event_handler = ngx_http_request_empty_handler;

        c = w->r->connection;
        ngx_http_set_log_request(c->log, w->r);
        ngx_post_event(c->read, &ngx_posted_events);

        w->done(w->data);
        ngx_http_run_posted_requests(c);
    }

    if (f->over) {
        ngx_mentara_jwks_free(f);
    }
}


static void
ngx_mentara_jwks_free(ngx_mentara_jwks_t *f)
{
    if (f->sr != NULL) {
        f->cln->handler = NULL;
        f->sr->connection = f->client;
    }

    if (f->read.timer_set) {
        ngx_del_timer(&f->read);
    }

    if (f->write.timer_set) {
        ngx_del_timer(&f->write);
    }

    if (f->read.posted) {
        ngx_delete_posted_event(&f->read);
    }

    if (f->write.posted) {
        ngx_delete_posted_event(&f->write);
    }

    if (f->event.posted) {
        ngx_delete_posted_event(&f->event);
    }

    ngx_free(f);
}
