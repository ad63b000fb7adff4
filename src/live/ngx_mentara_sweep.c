
#include <ngx_mentara_sweep.h>
#include <ngx_mentara_append.h>
#include <ngx_mentara_attach.h>
#include <ngx_mentara_feed.h>
#include <ngx_mentara_metrics.h>
#include <ngx_mentara_notice.h>
#include <ngx_mentara_view.h>


#define NGX_MENTARA_SWEEP_PAGE  256    /* events of one answer */


struct ngx_mentara_sweep_s {
    ngx_mentara_live_t        *live;
    ngx_pool_t                *pool;       /* of the one that runs */
    ngx_mentara_pg_query_t    *query;
    ngx_mentara_sweep_from_t   from;
    ngx_mentara_snapshot_t     to;
    ngx_mentara_lag_t         *lags;
    ngx_uint_t                 n;
    unsigned                   running:1;
    unsigned                   again:1;
    unsigned                   closed:1;
};


static ngx_int_t ngx_mentara_sweep_ask(ngx_mentara_sweep_t *sw);
static void ngx_mentara_sweep_delta(ngx_mentara_pg_query_t *q);
static ngx_int_t ngx_mentara_sweep_snapshot(ngx_mentara_sweep_t *sw,
    PGresult *res);
static ngx_int_t ngx_mentara_sweep_lags(ngx_mentara_sweep_t *sw,
    PGresult *res);
static ngx_uint_t ngx_mentara_sweep_anew(ngx_mentara_sweep_t *sw);
static void ngx_mentara_sweep_go_on(ngx_mentara_sweep_t *sw);
static ngx_int_t ngx_mentara_sweep_fetch(ngx_mentara_sweep_t *sw,
    ngx_uint_t n);
static void ngx_mentara_sweep_events(ngx_mentara_pg_query_t *q);
static void ngx_mentara_sweep_renew(ngx_mentara_sweep_t *sw,
    const char *why);
static ngx_int_t ngx_mentara_sweep_append(ngx_mentara_sweep_t *sw,
    PGresult *res, ngx_uint_t *added);
static void ngx_mentara_sweep_install(ngx_mentara_sweep_t *sw);
static void ngx_mentara_sweep_end(ngx_mentara_sweep_t *sw, ngx_uint_t failed);


ngx_mentara_sweep_t *
ngx_mentara_sweep_create(ngx_mentara_live_t *live)
{
    ngx_mentara_sweep_t  *sw;

    sw = ngx_calloc(sizeof(ngx_mentara_sweep_t), live->logger);
    if (sw == NULL) {
        return NULL;
    }

    sw->live = live;

    return sw;
}


void
ngx_mentara_sweep_destroy(ngx_mentara_sweep_t *sw)
{
    if (sw->running) {
        (void) ngx_mentara_log_sweep_end(&sw->live->log, ngx_pid);

        if (sw->query != NULL
            && ngx_mentara_pg_cancel(sw->query) != NGX_OK)
        {
            sw->query->handler = NULL;
        }

        ngx_destroy_pool(sw->pool);
    }

    ngx_free(sw);
}


void
ngx_mentara_sweep_now(ngx_mentara_live_t *live)
{
    ngx_mentara_sweep_t  *sw;

    sw = live->sweep;

    if (sw->running) {
        sw->again = 1;
        return;
    }

    if (ngx_mentara_log_sweep(&live->log, ngx_pid, ngx_current_msec,
                              &sw->from)
        != NGX_OK)
    {
        return;
    }

    sw->running = 1;
    sw->again = 0;
    sw->n = 0;

    sw->pool = ngx_create_pool(4096, live->logger);

    if (sw->pool == NULL || ngx_mentara_sweep_ask(sw) != NGX_OK) {
        ngx_mentara_sweep_end(sw, 1);
    }
}


static ngx_int_t
ngx_mentara_sweep_ask(ngx_mentara_sweep_t *sw)
{
    ngx_int_t                rc;
    ngx_mentara_pg_query_t  *q;

    q = ngx_mentara_pg_query(sw->live->pg, NGX_MENTARA_STMT_SWEEP_DELTA,
                             sw->live->logger);
    if (q == NULL) {
        return NGX_ERROR;
    }

    rc = sw->from.open
         ? ngx_mentara_pg_text(q, sw->from.from.text, sw->from.from.len)
         : ngx_mentara_pg_null(q);

    q->handler = ngx_mentara_sweep_delta;
    q->data = sw;

    if (rc != NGX_OK || ngx_mentara_pg_submit(q) != NGX_OK) {
        ngx_mentara_pg_drop(q);
        return NGX_ERROR;
    }

    sw->query = q;

    return NGX_OK;
}


static void
ngx_mentara_sweep_delta(ngx_mentara_pg_query_t *q)
{
    ngx_mentara_sweep_t  *sw;

    sw = q->data;
    sw->query = NULL;

    if (q->error != NGX_MENTARA_PG_OK
        || ngx_mentara_sweep_snapshot(sw, q->result) != NGX_OK
        || ngx_mentara_sweep_lags(sw, q->result) != NGX_OK)
    {
        ngx_mentara_sweep_end(sw, 1);
        return;
    }

    ngx_mentara_metric_add(sw->live->zone, NGX_MENTARA_METRIC_SWEEPS, 1);

    if (ngx_mentara_sweep_anew(sw)) {
        ngx_mentara_sweep_end(sw, 0);
        return;
    }

    ngx_mentara_sweep_go_on(sw);
}


static ngx_int_t
ngx_mentara_sweep_snapshot(ngx_mentara_sweep_t *sw, PGresult *res)
{
    ngx_str_t  text, id;

    text = ngx_mentara_pg_get_str(res, 0, NGX_MENTARA_COL_CONTENT);
    id = ngx_mentara_pg_get_str(res, 0, NGX_MENTARA_COL_CLIENT_ID);

    sw->live->tag = ngx_crc32_long(id.data, id.len);

    return ngx_mentara_snapshot_set(&sw->to, &text, &id);
}


static ngx_int_t
ngx_mentara_sweep_lags(ngx_mentara_sweep_t *sw, PGresult *res)
{
    int                 row, n;
    ngx_mentara_lag_t  *lag;

    n = PQntuples(res);

    sw->lags = ngx_pcalloc(sw->pool, n * sizeof(ngx_mentara_lag_t));
    if (sw->lags == NULL) {
        return NGX_ERROR;
    }

    for (row = 1; row < n; row++) {
        lag = &sw->lags[sw->n++];
        lag->conversation = ngx_mentara_pg_get_uuid(res, row,
                                              NGX_MENTARA_COL_CONVERSATION_ID);
        lag->min = ngx_mentara_pg_get_int(res, row, NGX_MENTARA_COL_SEQ);
        lag->max = ngx_mentara_pg_get_int(res, row, NGX_MENTARA_COL_N);
    }

    return NGX_OK;
}


/* another history than the one that the log is of: a fail-over, a restore */

static ngx_uint_t
ngx_mentara_sweep_anew(ngx_mentara_sweep_t *sw)
{
    uint64_t                 was, is;
    ngx_mentara_snapshot_t  *from, *to;

    if (!sw->from.open) {
        return 0;
    }

    from = &sw->from.from;
    to = &sw->to;
    was = to->cut ? from->xmin : from->xmax;
    is = to->cut ? to->xmin : to->xmax;

    if (from->id_len == to->id_len
        && ngx_memcmp(from->id, to->id, to->id_len) == 0
        && was <= is)
    {
        return 0;
    }

    ngx_mentara_sweep_renew(sw, "the database is another one or was taken "
                            "back");

    return 1;
}


/* the log cannot go on: its clients recover from the database */

static void
ngx_mentara_sweep_renew(ngx_mentara_sweep_t *sw, const char *why)
{
    ngx_mentara_targets_t  targets;

    ngx_log_error(NGX_LOG_WARN, sw->live->logger, 0,
                  "mentara: %s, all sockets start anew", why);

    targets.n = 0;
    ngx_mentara_log_new_epoch(&sw->live->log, sw->from.no, &targets);
    ngx_mentara_live_wake(sw->live, &targets);
    sw->again = 1;
}


/* what is still missing is fetched; when nothing is, the snapshot counts */

static void
ngx_mentara_sweep_go_on(ngx_mentara_sweep_t *sw)
{
    ngx_uint_t  i, n;

    if (!sw->from.open) {
        sw->n = 0;
        ngx_mentara_sweep_install(sw);
        return;
    }

    if (ngx_mentara_log_compare(&sw->live->log, sw->from.no, sw->lags, sw->n)
        != NGX_OK)
    {
        ngx_mentara_sweep_end(sw, 0);
        return;
    }

    n = 0;

    for (i = 0; i < sw->n; i++) {
        n += sw->lags[i].lag;
    }

    if (n == 0) {
        ngx_mentara_sweep_install(sw);
        return;
    }

    n = ngx_min(n, NGX_MENTARA_SWEEP_PAGE);

    if (ngx_mentara_sweep_fetch(sw, n) != NGX_OK) {
        ngx_mentara_sweep_end(sw, 1);
    }
}


static ngx_int_t
ngx_mentara_sweep_fetch(ngx_mentara_sweep_t *sw, ngx_uint_t n)
{
    u_char                  *p;
    ngx_str_t               *s;
    ngx_uint_t               i, k;
    ngx_mentara_pg_query_t  *q;

    q = ngx_mentara_pg_query(sw->live->pg, NGX_MENTARA_STMT_SWEEP_EVENTS,
                             sw->live->logger);
    if (q == NULL) {
        return NGX_ERROR;
    }

    s = ngx_palloc(q->pool, 2 * n * sizeof(ngx_str_t));
    p = ngx_pnalloc(q->pool, n * (32 + NGX_INT64_LEN));

    if (s == NULL || p == NULL) {
        goto failed;
    }

    for (i = 0, k = 0; k < n; i++) {
        if (!sw->lags[i].lag) {
            continue;
        }

        s[k].data = p;
        p = ngx_hex_dump(p, sw->lags[i].conversation.data, 16);
        s[k].len = 32;

        s[n + k].data = p;
        p = ngx_sprintf(p, "%uL", sw->lags[i].last);
        s[n + k].len = p - s[n + k].data;
        k++;
    }

    q->handler = ngx_mentara_sweep_events;
    q->data = sw;

    if (ngx_mentara_pg_array(q, s, n) != NGX_OK
        || ngx_mentara_pg_array(q, s + n, n) != NGX_OK
        || ngx_mentara_pg_int(q, NGX_MENTARA_SWEEP_PAGE) != NGX_OK
        || ngx_mentara_pg_submit(q) != NGX_OK)
    {
        goto failed;
    }

    sw->query = q;

    return NGX_OK;

failed:

    ngx_mentara_pg_drop(q);

    return NGX_ERROR;
}


static void
ngx_mentara_sweep_events(ngx_mentara_pg_query_t *q)
{
    ngx_int_t             rc;
    ngx_uint_t            added;
    ngx_mentara_sweep_t  *sw;

    sw = q->data;
    sw->query = NULL;
    added = 0;

    if (q->error != NGX_MENTARA_PG_OK) {
        ngx_mentara_sweep_end(sw, 1);
        return;
    }

    rc = ngx_mentara_sweep_append(sw, q->result, &added);

    /* one that was cut lists old news, which a new log would get again */

    if (rc == NGX_DECLINED && !sw->from.from.cut) {
        ngx_mentara_sweep_renew(sw, "more conversations have news than there "
                                "are rooms in the zone");
        ngx_mentara_sweep_end(sw, 0);
        return;
    }

    if (rc != NGX_OK) {
        ngx_mentara_sweep_end(sw, rc != NGX_ABORT);
        return;
    }

    /* another sweep of the same events may have been faster: look again */

    if (added == 0 && PQntuples(q->result) <= 1) {
        ngx_mentara_sweep_end(sw, 0);
        return;
    }

    ngx_mentara_sweep_go_on(sw);
}


static ngx_int_t
ngx_mentara_sweep_append(ngx_mentara_sweep_t *sw, PGresult *res,
    ngx_uint_t *added)
{
    ngx_int_t               rc;
    ngx_uint_t              i, k, n;
    ngx_pool_t             *pool;
    ngx_array_t             events;
    ngx_mentara_view_t      v;
    ngx_mentara_event_t    *ev;
    ngx_mentara_entry_t     batch[NGX_MENTARA_LOG_BATCH];
    ngx_mentara_targets_t   targets;

    pool = ngx_create_pool(16384, sw->live->logger);
    if (pool == NULL) {
        return NGX_ERROR;
    }

    rc = NGX_ERROR;

    if (ngx_array_init(&events, pool, 64, sizeof(ngx_mentara_event_t))
        != NGX_OK
        || ngx_mentara_view_init(&v, res, pool, 4096) != NGX_OK
        || ngx_mentara_event_read_all(&v, 1, -1, &events) != NGX_OK)
    {
        goto done;
    }

    ev = events.elts;
    rc = NGX_OK;

    for (i = 0; i < events.nelts && rc == NGX_OK; i += n) {
        n = ngx_min(events.nelts - i, NGX_MENTARA_LOG_BATCH);

        for (k = 0; k < n; k++) {
            ngx_mentara_live_entry(&ev[i + k], &batch[k]);
            ngx_mentara_notice_block(sw->live, &batch[k]);
        }

        targets.n = 0;
        rc = ngx_mentara_log_sweep_append(&sw->live->log, sw->from.no, batch,
                                          n, added, &targets);
        ngx_mentara_live_wake(sw->live, &targets);
    }

done:

    ngx_destroy_pool(pool);

    return rc;
}


static void
ngx_mentara_sweep_install(ngx_mentara_sweep_t *sw)
{
    (void) ngx_mentara_log_install(&sw->live->log, sw->from.no, &sw->to,
                                   sw->lags, sw->n, ngx_current_msec);

    ngx_mentara_sweep_end(sw, 0);

    ngx_mentara_attach_resume(sw->live);
}


static void
ngx_mentara_sweep_end(ngx_mentara_sweep_t *sw, ngx_uint_t failed)
{
    ngx_uint_t  wanted;

    if (failed) {
        ngx_mentara_metric_add(sw->live->zone, NGX_MENTARA_METRIC_SWEEP_ERRORS,
                               1);
    }

    if (sw->pool != NULL) {
        ngx_destroy_pool(sw->pool);
        sw->pool = NULL;
    }

    sw->running = 0;
    wanted = ngx_mentara_log_sweep_end(&sw->live->log, ngx_pid);

    /* after a failure the next tick tries again, not at once */

    if (!failed && (wanted || sw->again)) {
        ngx_mentara_sweep_now(sw->live);
    }
}
