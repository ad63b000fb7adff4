
#include <ngx_mentara_pg.h>
#include <ngx_mentara_pg_conn.h>


#define NGX_MENTARA_PG_DEPTH     64     /* queries in one pipeline */
#define NGX_MENTARA_PG_BACKOFF   500    /* ms between attempts while down */
#define NGX_MENTARA_PG_BACKOFF_MAX  2000
#define NGX_MENTARA_PG_ASKED     50     /* ms between those calls ask for */
#define NGX_MENTARA_PG_PATIENCE  250    /* ms that calls wait for one */


struct ngx_mentara_pg_s {
    ngx_mentara_pg_conf_t    *conf;
    ngx_log_t                *log;

    ngx_mentara_pg_conn_t    *conns;      /* the last one is the slow lane */
    ngx_uint_t                nconns;
    ngx_uint_t                nready;
    ngx_uint_t                schema;     /* newest version seen */

    ngx_queue_t               waiting;
    ngx_uint_t                nwaiting;
    ngx_queue_t               order;      /* all that wait for an answer */

    ngx_event_t               dispatch;   /* posted: something to send */
    ngx_event_t               deadline;   /* of the oldest query */
    ngx_msec_t                asked;      /* when a call asked for an attempt */

    ngx_uint_t                queries;
    ngx_uint_t                errors;
    ngx_uint_t                reconnects;

    unsigned                  down:1;     /* the last attempt failed */
    unsigned                  refused:1;  /* the schema does not fit */
    unsigned                  told:1;     /* and that was logged */
    unsigned                  closing:1;
};


static char *ngx_mentara_pg_resolve(ngx_conf_t *cf,
    ngx_mentara_pg_conf_t *conf, const char *host);
static void ngx_mentara_pg_dispatch(ngx_event_t *ev);
static ngx_mentara_pg_conn_t *ngx_mentara_pg_lane(ngx_mentara_pg_t *pg,
    ngx_mentara_pg_query_t *q);
static ngx_uint_t ngx_mentara_pg_hope(ngx_mentara_pg_t *pg);
static void ngx_mentara_pg_unavailable(ngx_mentara_pg_t *pg);
static void ngx_mentara_pg_deadline(ngx_event_t *ev);
static void ngx_mentara_pg_rearm(ngx_mentara_pg_t *pg);
static void ngx_mentara_pg_expire(ngx_mentara_pg_query_t *q);
static void ngx_mentara_pg_stuck(ngx_mentara_pg_t *pg);
static void ngx_mentara_pg_ready(ngx_mentara_pg_conn_t *conn);
static void ngx_mentara_pg_done(ngx_mentara_pg_conn_t *conn,
    ngx_mentara_pg_query_t *q);
static void ngx_mentara_pg_lost(ngx_mentara_pg_conn_t *conn);
static void ngx_mentara_pg_again_later(ngx_mentara_pg_conn_t *conn);
static ngx_uint_t ngx_mentara_pg_may_retry(ngx_mentara_pg_query_t *q);
static void ngx_mentara_pg_requeue(ngx_mentara_pg_query_t *q);
static void ngx_mentara_pg_answer(ngx_mentara_pg_query_t *q,
    ngx_uint_t error);
static void ngx_mentara_pg_free(ngx_mentara_pg_query_t *q);


static const ngx_mentara_pg_conn_calls_t  ngx_mentara_pg_calls = {
    ngx_mentara_pg_ready,
    ngx_mentara_pg_done,
    ngx_mentara_pg_lost
};


char *
ngx_mentara_pg_conf_check(ngx_conf_t *cf, ngx_mentara_pg_conf_t *conf)
{
    char              *error, *rv;
    const char        *host, *hostaddr;
    PQconninfoOption  *options, *o;

    options = PQconninfoParse((char *) conf->conninfo.data, &error);

    if (options == NULL) {
        if (error != NULL) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid conninfo in \"mentara_postgres\": %s",
                               error);
            PQfreemem(error);
        }

        return NGX_CONF_ERROR;
    }

    host = NULL;
    hostaddr = NULL;

    for (o = options; o->keyword != NULL; o++) {
        if (o->val == NULL) {
            continue;
        }

        if (ngx_strcmp(o->keyword, "host") == 0) {
            host = o->val;
        }

        if (ngx_strcmp(o->keyword, "hostaddr") == 0) {
            hostaddr = o->val;
        }
    }

    rv = NGX_CONF_OK;

    /* libpq would resolve a name in a blocking way: do it here, once */

    if (host != NULL && hostaddr == NULL && *host != '/' && *host != '@') {
        rv = ngx_mentara_pg_resolve(cf, conf, host);
    }

    PQconninfoFree(options);

    return rv;
}


static char *
ngx_mentara_pg_resolve(ngx_conf_t *cf, ngx_mentara_pg_conf_t *conf,
    const char *host)
{
    u_char     *p, text[NGX_SOCKADDR_STRLEN];
    size_t      len;
    ngx_url_t   u;

    if (ngx_strchr(conf->conninfo.data, ':') != NULL
        && ngx_strncmp(conf->conninfo.data, "postgres", 8) == 0)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"mentara_postgres\" needs the keyword form "
                           "\"host=... dbname=...\" for a host name");
        return NGX_CONF_ERROR;
    }

    ngx_memzero(&u, sizeof(ngx_url_t));

    u.url.data = (u_char *) host;
    u.url.len = ngx_strlen(host);
    u.no_port = 1;

    if (ngx_strchr(host, ',') != NULL
        || ngx_parse_url(cf->pool, &u) != NGX_OK || u.naddrs == 0)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "host \"%s\" in \"mentara_postgres\" cannot be "
                           "resolved%s%s", host, u.err ? ": " : "",
                           u.err ? u.err : "");
        return NGX_CONF_ERROR;
    }

    len = ngx_sock_ntop(u.addrs[0].sockaddr, u.addrs[0].socklen, text,
                        sizeof(text), 0);

    p = ngx_pnalloc(cf->pool, conf->conninfo.len + sizeof(" hostaddr=")
                              + len);
    if (p == NULL) {
        return NGX_CONF_ERROR;
    }

    len = ngx_sprintf(p, "%V hostaddr=%*s%Z", &conf->conninfo, len, text)
          - p - 1;

    conf->conninfo.data = p;
    conf->conninfo.len = len;

    return NGX_CONF_OK;
}


ngx_mentara_pg_t *
ngx_mentara_pg_open(ngx_cycle_t *cycle, ngx_mentara_pg_conf_t *conf)
{
    ngx_uint_t         i;
    ngx_mentara_pg_t  *pg;

    pg = ngx_pcalloc(cycle->pool, sizeof(ngx_mentara_pg_t));
    if (pg == NULL) {
        return NULL;
    }

    pg->conns = ngx_palloc(cycle->pool, conf->connections
                                        * sizeof(ngx_mentara_pg_conn_t));
    if (pg->conns == NULL) {
        return NULL;
    }

    pg->conf = conf;
    pg->log = cycle->log;
    pg->nconns = conf->connections;

    ngx_queue_init(&pg->waiting);
    ngx_queue_init(&pg->order);

    pg->dispatch.handler = ngx_mentara_pg_dispatch;
    pg->dispatch.data = pg;
    pg->dispatch.log = pg->log;

    /* not cancelable: an exiting worker waits for its answers */

    pg->deadline.handler = ngx_mentara_pg_deadline;
    pg->deadline.data = pg;
    pg->deadline.log = pg->log;

    for (i = 0; i < pg->nconns; i++) {
        ngx_mentara_pg_conn_init(&pg->conns[i], conf, &ngx_mentara_pg_calls,
                                 pg, i, pg->log);
        ngx_add_timer(&pg->conns[i].timer, i);
    }

    return pg;
}


void
ngx_mentara_pg_close(ngx_mentara_pg_t *pg)
{
    ngx_uint_t  i;

    pg->closing = 1;

    for (i = 0; i < pg->nconns; i++) {
        ngx_mentara_pg_conn_close(&pg->conns[i]);
    }
}


ngx_mentara_pg_query_t *
ngx_mentara_pg_query(ngx_mentara_pg_t *pg, ngx_uint_t statement,
    ngx_log_t *log)
{
    ngx_pool_t              *pool;
    ngx_mentara_pg_query_t  *q;

    pool = ngx_create_pool(1024, pg->log);
    if (pool == NULL) {
        return NULL;
    }

    q = ngx_pcalloc(pool, sizeof(ngx_mentara_pg_query_t));
    if (q == NULL) {
        ngx_destroy_pool(pool);
        return NULL;
    }

    q->pg = pg;
    q->pool = pool;
    q->statement = statement;

    return q;
}


void
ngx_mentara_pg_drop(ngx_mentara_pg_query_t *q)
{
    ngx_mentara_pg_free(q);
}


ngx_int_t
ngx_mentara_pg_submit(ngx_mentara_pg_query_t *q)
{
    ngx_mentara_pg_t  *pg;

    pg = q->pg;

    if (pg->nwaiting >= pg->conf->queue) {
        return NGX_BUSY;
    }

    q->submitted = ngx_current_msec;
    pg->queries++;
    pg->nwaiting++;

    ngx_queue_insert_tail(&pg->waiting, &q->queue);
    ngx_queue_insert_tail(&pg->order, &q->order);

    if (!pg->deadline.timer_set) {
        ngx_add_timer(&pg->deadline, pg->conf->timeout);
    }

    ngx_post_event(&pg->dispatch, &ngx_posted_events);

    return NGX_OK;
}


ngx_int_t
ngx_mentara_pg_cancel(ngx_mentara_pg_query_t *q)
{
    if (q->sent) {
        return NGX_DECLINED;
    }

    q->pg->nwaiting--;
    ngx_queue_remove(&q->queue);
    ngx_queue_remove(&q->order);
    ngx_mentara_pg_rearm(q->pg);
    ngx_mentara_pg_free(q);

    return NGX_OK;
}


static void
ngx_mentara_pg_dispatch(ngx_event_t *ev)
{
    ngx_queue_t             *at, *next;
    ngx_mentara_pg_t        *pg;
    ngx_mentara_pg_conn_t   *conn;
    ngx_mentara_pg_query_t  *q;

    pg = ev->data;

    if (pg->nready == 0) {
        if (pg->down && !ngx_mentara_pg_hope(pg)) {
            ngx_mentara_pg_unavailable(pg);
        }

        return;
    }

    for (at = ngx_queue_head(&pg->waiting);
         at != ngx_queue_sentinel(&pg->waiting);
         at = next)
    {
        next = ngx_queue_next(at);
        q = ngx_queue_data(at, ngx_mentara_pg_query_t, queue);

        conn = ngx_mentara_pg_lane(pg, q);
        if (conn == NULL) {
            continue;
        }

        ngx_queue_remove(at);
        pg->nwaiting--;

        if (ngx_mentara_pg_conn_send(conn, q) != NGX_OK) {

            /* the queue has changed under us */

            ngx_post_event(&pg->dispatch, &ngx_posted_events);
            return;
        }
    }
}


/*
 * Equal affinity, equal connection, as long as it is there; a slow statement
 * has the last connection for itself.  NULL: none has room now.
 */

static ngx_mentara_pg_conn_t *
ngx_mentara_pg_lane(ngx_mentara_pg_t *pg, ngx_mentara_pg_query_t *q)
{
    ngx_uint_t              i, fast;
    ngx_mentara_pg_conn_t  *conn, *best;

    fast = pg->nconns - 1;

    if (ngx_mentara_statements[q->statement].flags & NGX_MENTARA_STMT_SLOW) {
        conn = &pg->conns[fast];

    } else if (q->affinity != 0) {
        conn = &pg->conns[q->affinity % fast];

    } else {
        conn = NULL;
    }

    if (conn != NULL && conn->state == NGX_MENTARA_PG_CONN_READY) {
        return (conn->nsent < NGX_MENTARA_PG_DEPTH) ? conn : NULL;
    }

    best = NULL;

    for (i = 0; i < pg->nconns; i++) {
        conn = &pg->conns[i];

        if (conn->state != NGX_MENTARA_PG_CONN_READY
            || conn->nsent >= NGX_MENTARA_PG_DEPTH
            || (i == fast && pg->nready > 1))
        {
            continue;
        }

        if (best == NULL || conn->nsent < best->nsent) {
            best = conn;
        }
    }

    return best;
}


/*
 * Whoever calls may come after the database did: the attempt that is due next
 * is made now, and what waits may wait for it, if it is quick.
 */

static ngx_uint_t
ngx_mentara_pg_hope(ngx_mentara_pg_t *pg)
{
    ngx_uint_t               i;
    ngx_mentara_pg_conn_t   *conn;
    ngx_mentara_pg_query_t  *q;

    if (ngx_queue_empty(&pg->waiting) || pg->closing || ngx_exiting) {
        return 0;
    }

    /* it has hoped long enough, however many attempts that were */

    q = ngx_queue_data(ngx_queue_head(&pg->waiting), ngx_mentara_pg_query_t,
                       queue);

    if (ngx_current_msec - q->submitted >= NGX_MENTARA_PG_PATIENCE) {
        return 0;
    }

    for (i = 0; i < pg->nconns; i++) {
        conn = &pg->conns[i];

        if (conn->state != NGX_MENTARA_PG_CONN_IDLE) {
            return ngx_current_msec - conn->since < NGX_MENTARA_PG_PATIENCE;
        }
    }

    if (ngx_current_msec - pg->asked < NGX_MENTARA_PG_ASKED) {
        return 0;
    }

    for (i = 0; i < pg->nconns; i++) {
        conn = &pg->conns[i];

        if (conn->timer.timer_set) {
            pg->asked = ngx_current_msec;
            ngx_mentara_pg_conn_connect(conn);
            return 1;
        }
    }

    return 0;
}


/* nothing was sent, nothing was done; what handlers add waits its turn */

static void
ngx_mentara_pg_unavailable(ngx_mentara_pg_t *pg)
{
    ngx_uint_t               n;
    ngx_queue_t             *at;
    ngx_mentara_pg_query_t  *q;

    for (n = pg->nwaiting; n > 0 && !ngx_queue_empty(&pg->waiting); n--) {
        at = ngx_queue_head(&pg->waiting);
        q = ngx_queue_data(at, ngx_mentara_pg_query_t, queue);

        ngx_queue_remove(at);
        pg->nwaiting--;
        q->sent = 1;

        ngx_mentara_pg_answer(q, NGX_MENTARA_PG_UNAVAILABLE);
        ngx_mentara_pg_free(q);
    }
}


static void
ngx_mentara_pg_deadline(ngx_event_t *ev)
{
    ngx_queue_t             *at;
    ngx_mentara_pg_t        *pg;
    ngx_mentara_pg_query_t  *q;

    pg = ev->data;

    while (!ngx_queue_empty(&pg->order)) {
        at = ngx_queue_head(&pg->order);
        q = ngx_queue_data(at, ngx_mentara_pg_query_t, order);

        if (ngx_current_msec - q->submitted < pg->conf->timeout) {
            break;
        }

        ngx_mentara_pg_expire(q);
    }

    ngx_mentara_pg_stuck(pg);
    ngx_mentara_pg_rearm(pg);
}


static void
ngx_mentara_pg_rearm(ngx_mentara_pg_t *pg)
{
    ngx_msec_t               age;
    ngx_mentara_pg_query_t  *q;

    if (ngx_queue_empty(&pg->order)) {
        if (pg->deadline.timer_set) {
            ngx_del_timer(&pg->deadline);
        }

        return;
    }

    if (pg->deadline.timer_set) {
        return;
    }

    q = ngx_queue_data(ngx_queue_head(&pg->order), ngx_mentara_pg_query_t,
                       order);
    age = ngx_current_msec - q->submitted;

    ngx_add_timer(&pg->deadline,
                  (age < pg->conf->timeout) ? pg->conf->timeout - age : 1);
}


/* sent: its place in the pipeline stays until the answer is read */

static void
ngx_mentara_pg_expire(ngx_mentara_pg_query_t *q)
{
    if (q->sent) {
        ngx_mentara_pg_answer(q, NGX_MENTARA_PG_TIMEOUT);
        q->orphan = 1;
        return;
    }

    ngx_queue_remove(&q->queue);
    q->pg->nwaiting--;
    q->sent = 1;

    ngx_mentara_pg_answer(q, NGX_MENTARA_PG_UNAVAILABLE);
    ngx_mentara_pg_free(q);
}


/* a peer that is silent long after the deadline is not coming back */

static void
ngx_mentara_pg_stuck(ngx_mentara_pg_t *pg)
{
    ngx_uint_t               i;
    ngx_mentara_pg_conn_t   *conn;
    ngx_mentara_pg_query_t  *q;

    for (i = 0; i < pg->nconns; i++) {
        conn = &pg->conns[i];

        if (ngx_queue_empty(&conn->sent)) {
            continue;
        }

        q = ngx_queue_data(ngx_queue_head(&conn->sent),
                           ngx_mentara_pg_query_t, queue);

        if (ngx_current_msec - q->submitted > 2 * pg->conf->timeout) {
            ngx_log_error(NGX_LOG_ERR, pg->log, 0,
                          "mentara: Postgres connection %ui does not answer, "
                          "closing it", conn->number);
            ngx_mentara_pg_conn_fail(conn);
        }
    }
}


static void
ngx_mentara_pg_ready(ngx_mentara_pg_conn_t *conn)
{
    ngx_uint_t         i;
    ngx_mentara_pg_t  *pg;

    pg = conn->data;

    if (pg->down || pg->refused) {
        ngx_log_error(NGX_LOG_NOTICE, pg->log, 0,
                      "mentara: connected to Postgres");
    }

    pg->nready++;
    pg->reconnects++;
    pg->schema = conn->schema;
    pg->down = 0;
    pg->refused = 0;
    pg->told = 0;

    /* where one gets through, the others do */

    for (i = 0; i < pg->nconns; i++) {
        if (pg->conns[i].state == NGX_MENTARA_PG_CONN_IDLE
            && pg->nready == 1)
        {
            ngx_add_timer(&pg->conns[i].timer, i);
        }
    }

    ngx_post_event(&pg->dispatch, &ngx_posted_events);
}


static void
ngx_mentara_pg_done(ngx_mentara_pg_conn_t *conn, ngx_mentara_pg_query_t *q)
{
    ngx_mentara_pg_t  *pg;

    pg = conn->data;

    if (q->error == NGX_MENTARA_PG_FAILED && !q->orphan && !q->retried
        && (ngx_strcmp(q->sqlstate, "40001") == 0
            || ngx_strcmp(q->sqlstate, "40P01") == 0))
    {
        ngx_mentara_pg_requeue(q);
        ngx_post_event(&pg->dispatch, &ngx_posted_events);
        return;
    }

    if (!q->orphan) {
        if (q->error == NGX_MENTARA_PG_FAILED
            && ngx_strcmp(q->sqlstate, "57014") == 0)
        {
            q->error = NGX_MENTARA_PG_TIMEOUT;
        }

        /* a server that has become read-only has done nothing */

        if (ngx_strcmp(q->sqlstate, "25006") == 0) {
            q->error = NGX_MENTARA_PG_UNAVAILABLE;
        }

        if (q->error == NGX_MENTARA_PG_OK && q->result == NULL) {
            q->error = NGX_MENTARA_PG_FAILED;
        }

        ngx_mentara_pg_answer(q, q->error);
    }

    ngx_mentara_pg_free(q);

    if (pg->nwaiting > 0) {
        ngx_post_event(&pg->dispatch, &ngx_posted_events);
    }
}


static void
ngx_mentara_pg_lost(ngx_mentara_pg_conn_t *conn)
{
    ngx_uint_t               i;
    ngx_queue_t              list, *at;
    ngx_mentara_pg_t        *pg;
    ngx_mentara_pg_query_t  *q;

    pg = conn->data;
    pg->nready = 0;

    for (i = 0; i < pg->nconns; i++) {
        if (pg->conns[i].state == NGX_MENTARA_PG_CONN_READY) {
            pg->nready++;
        }
    }

    if (conn->refused) {
        pg->refused = 1;
        pg->schema = conn->schema;

        if (!pg->told) {
            pg->told = 1;
            ngx_log_error(NGX_LOG_ERR, pg->log, 0,
                          "mentara: the schema version in the database is "
                          "%ui, this module needs %d: run sql/migrate.sh",
                          conn->schema, NGX_MENTARA_SCHEMA_VERSION);
        }
    }

    if (pg->nready == 0 && !pg->down && conn->fails > 0) {
        ngx_log_error(NGX_LOG_ERR, pg->log, 0,
                      "mentara: Postgres is not available");
        pg->down = 1;
    }

    ngx_queue_init(&list);

    if (!ngx_queue_empty(&conn->sent)) {
        ngx_queue_add(&list, &conn->sent);
        ngx_queue_init(&conn->sent);
        conn->nsent = 0;
    }

    ngx_mentara_pg_again_later(conn);

    while (!ngx_queue_empty(&list)) {
        at = ngx_queue_head(&list);
        q = ngx_queue_data(at, ngx_mentara_pg_query_t, queue);
        ngx_queue_remove(at);

        if (!q->orphan && ngx_mentara_pg_may_retry(q)) {
            ngx_mentara_pg_requeue(q);
            continue;
        }

        if (!q->orphan) {
            ngx_mentara_pg_answer(q, NGX_MENTARA_PG_UNKNOWN);
        }

        ngx_mentara_pg_free(q);
    }

    ngx_post_event(&pg->dispatch, &ngx_posted_events);
}


/*
 * While nothing gets through, one connection of the worker tries every half
 * second; the others wait for it.
 */

static void
ngx_mentara_pg_again_later(ngx_mentara_pg_conn_t *conn)
{
    ngx_uint_t         i;
    ngx_msec_t         delay;
    ngx_mentara_pg_t  *pg;

    pg = conn->data;

    if (pg->closing || ngx_exiting) {
        return;
    }

    if (pg->nready > 0) {
        delay = ngx_min(100 << ngx_min(conn->fails, 5),
                        NGX_MENTARA_PG_BACKOFF_MAX);
        ngx_add_timer(&conn->timer, delay / 2 + ngx_random() % delay);
        return;
    }

    for (i = 0; i < pg->nconns; i++) {
        if (&pg->conns[i] != conn
            && (pg->conns[i].timer.timer_set
                || pg->conns[i].state != NGX_MENTARA_PG_CONN_IDLE))
        {
            return;
        }
    }

    delay = (conn->fails == 1) ? 50 : NGX_MENTARA_PG_BACKOFF;
    ngx_add_timer(&conn->timer, delay + ngx_random() % 50);
}


static ngx_uint_t
ngx_mentara_pg_may_retry(ngx_mentara_pg_query_t *q)
{
    if (q->retried) {
        return 0;
    }

    if (ngx_mentara_statements[q->statement].flags & NGX_MENTARA_STMT_WRITE) {
        return q->idempotent;
    }

    return 1;
}


static void
ngx_mentara_pg_requeue(ngx_mentara_pg_query_t *q)
{
    if (q->result != NULL) {
        PQclear(q->result);
        q->result = NULL;
    }

    q->error = NGX_MENTARA_PG_OK;
    q->sqlstate[0] = '\0';
    q->retried = 1;
    q->sent = 0;

    ngx_queue_insert_head(&q->pg->waiting, &q->queue);
    q->pg->nwaiting++;
}


static void
ngx_mentara_pg_answer(ngx_mentara_pg_query_t *q, ngx_uint_t error)
{
    ngx_mentara_pg_t  *pg;

    pg = q->pg;

    ngx_queue_remove(&q->order);

    q->error = error;
    q->elapsed = ngx_current_msec - q->submitted;

    if (error != NGX_MENTARA_PG_OK) {
        pg->errors++;
    }

    q->handler(q);

    ngx_mentara_pg_rearm(pg);
}


static void
ngx_mentara_pg_free(ngx_mentara_pg_query_t *q)
{
    if (q->result != NULL) {
        PQclear(q->result);
    }

    ngx_destroy_pool(q->pool);
}


ngx_int_t
ngx_mentara_pg_state(ngx_mentara_pg_t *pg)
{
    if (pg->nready > 0) {
        return NGX_OK;
    }

    return pg->refused ? NGX_DECLINED : NGX_AGAIN;
}


void
ngx_mentara_pg_stat(ngx_mentara_pg_t *pg, ngx_mentara_pg_stat_t *st)
{
    ngx_uint_t  i;

    ngx_memzero(st, sizeof(ngx_mentara_pg_stat_t));

    for (i = 0; i < pg->nconns; i++) {
        st->inflight += pg->conns[i].nsent;
    }

    st->connections = pg->nready;
    st->queued = pg->nwaiting;
    st->queries = pg->queries;
    st->errors = pg->errors;
    st->reconnects = pg->reconnects;
    st->schema = pg->schema;
}
