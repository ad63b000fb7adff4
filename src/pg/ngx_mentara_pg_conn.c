
#include <ngx_mentara_pg_conn.h>


#define NGX_MENTARA_PG_SETUP                                                 \
    "select messaging.schema_version(),"                                     \
    " set_config('statement_timeout', $1, false),"                           \
    " set_config('idle_in_transaction_session_timeout', $1, false)"


static void ngx_mentara_pg_conn_timer(ngx_event_t *ev);
static void ngx_mentara_pg_conn_event(ngx_event_t *ev);
static void ngx_mentara_pg_conn_poll(ngx_mentara_pg_conn_t *conn);
static ngx_int_t ngx_mentara_pg_conn_watch(ngx_mentara_pg_conn_t *conn);
static ngx_int_t ngx_mentara_pg_conn_want(ngx_mentara_pg_conn_t *conn,
    ngx_uint_t write);
static void ngx_mentara_pg_conn_unwatch(ngx_mentara_pg_conn_t *conn);
static ngx_int_t ngx_mentara_pg_conn_setup(ngx_mentara_pg_conn_t *conn);
static ngx_int_t ngx_mentara_pg_conn_prepare(ngx_mentara_pg_conn_t *conn);
static ngx_int_t ngx_mentara_pg_conn_flush(ngx_mentara_pg_conn_t *conn);
static void ngx_mentara_pg_conn_read(ngx_mentara_pg_conn_t *conn);
static ngx_int_t ngx_mentara_pg_conn_result(ngx_mentara_pg_conn_t *conn,
    PGresult *res);
static ngx_int_t ngx_mentara_pg_conn_setup_result(
    ngx_mentara_pg_conn_t *conn, PGresult *res);
static ngx_int_t ngx_mentara_pg_conn_query_result(
    ngx_mentara_pg_conn_t *conn, PGresult *res);
static void ngx_mentara_pg_conn_error(ngx_mentara_pg_conn_t *conn,
    ngx_mentara_pg_query_t *q, PGresult *res);


void
ngx_mentara_pg_conn_init(ngx_mentara_pg_conn_t *conn,
    ngx_mentara_pg_conf_t *conf, const ngx_mentara_pg_conn_calls_t *calls,
    void *data, ngx_uint_t number, ngx_log_t *log)
{
    ngx_memzero(conn, sizeof(ngx_mentara_pg_conn_t));

    conn->conf = conf;
    conn->calls = calls;
    conn->data = data;
    conn->number = number;
    conn->log = log;

    ngx_queue_init(&conn->sent);

    conn->timer.handler = ngx_mentara_pg_conn_timer;
    conn->timer.data = conn;
    conn->timer.log = log;
    conn->timer.cancelable = 1;
}


void
ngx_mentara_pg_conn_connect(ngx_mentara_pg_conn_t *conn)
{
    static const char *const  keys[] = { "dbname", "client_encoding",
                                         "fallback_application_name", NULL };
    const char               *values[4];

    if (conn->timer.timer_set) {
        ngx_del_timer(&conn->timer);
    }

    values[0] = (char *) conn->conf->conninfo.data;
    values[1] = "UTF8";
    values[2] = "mentara";
    values[3] = NULL;

    conn->state = NGX_MENTARA_PG_CONN_CONNECTING;
    conn->since = ngx_current_msec;
    conn->refused = 0;

    conn->pg = PQconnectStartParams(keys, values, 1);

    if (conn->pg == NULL || PQstatus(conn->pg) == CONNECTION_BAD
        || ngx_mentara_pg_conn_watch(conn) != NGX_OK
        || ngx_mentara_pg_conn_want(conn, 1) != NGX_OK)
    {
        ngx_mentara_pg_conn_fail(conn);
        return;
    }

    ngx_add_timer(&conn->timer, conn->conf->timeout);
}


/* while connecting: too late; otherwise it is time for an attempt */

static void
ngx_mentara_pg_conn_timer(ngx_event_t *ev)
{
    ngx_mentara_pg_conn_t  *conn;

    conn = ev->data;

    if (conn->state == NGX_MENTARA_PG_CONN_IDLE) {
        ngx_mentara_pg_conn_connect(conn);
        return;
    }

    ngx_mentara_pg_conn_fail(conn);
}


static void
ngx_mentara_pg_conn_event(ngx_event_t *ev)
{
    ngx_connection_t       *c;
    ngx_mentara_pg_conn_t  *conn;

    c = ev->data;
    conn = c->data;

    if (conn->state == NGX_MENTARA_PG_CONN_CONNECTING) {
        ngx_mentara_pg_conn_poll(conn);
        return;
    }

    if (ev->write && ngx_mentara_pg_conn_flush(conn) != NGX_OK) {
        ngx_mentara_pg_conn_fail(conn);
        return;
    }

    ngx_mentara_pg_conn_read(conn);
}


/* libpq may go on with another descriptor between two polls */

static void
ngx_mentara_pg_conn_poll(ngx_mentara_pg_conn_t *conn)
{
    ngx_int_t                  rc;
    PostgresPollingStatusType  status;

    status = PQconnectPoll(conn->pg);

    switch (status) {

    case PGRES_POLLING_READING:
    case PGRES_POLLING_WRITING:
        rc = ngx_mentara_pg_conn_watch(conn);

        if (rc == NGX_OK) {
            rc = ngx_mentara_pg_conn_want(conn,
                                          status == PGRES_POLLING_WRITING);
        }

        break;

    case PGRES_POLLING_OK:
        rc = ngx_mentara_pg_conn_watch(conn);

        if (rc == NGX_OK) {
            rc = ngx_mentara_pg_conn_setup(conn);
        }

        break;

    default:
        rc = NGX_ERROR;
        break;
    }

    if (rc != NGX_OK) {
        ngx_mentara_pg_conn_fail(conn);
    }
}


/*
 * The descriptor is libpq's: it is watched level-triggered, because one
 * PQconsumeInput() need not drain it, and never closed here.
 */

static ngx_int_t
ngx_mentara_pg_conn_watch(ngx_mentara_pg_conn_t *conn)
{
    ngx_socket_t       fd;
    ngx_connection_t  *c;

    fd = PQsocket(conn->pg);

    if (fd < 0) {
        return NGX_ERROR;
    }

    if (conn->c != NULL && conn->c->fd == fd) {
        return NGX_OK;
    }

    ngx_mentara_pg_conn_unwatch(conn);

    c = ngx_get_connection(fd, conn->log);
    if (c == NULL) {
        return NGX_ERROR;
    }

    c->data = conn;
    c->log = conn->log;
    c->read->handler = ngx_mentara_pg_conn_event;
    c->read->log = conn->log;
    c->write->handler = ngx_mentara_pg_conn_event;
    c->write->log = conn->log;

    conn->c = c;

    return ngx_add_event(c->read, NGX_READ_EVENT, NGX_LEVEL_EVENT);
}


static ngx_int_t
ngx_mentara_pg_conn_want(ngx_mentara_pg_conn_t *conn, ngx_uint_t write)
{
    ngx_event_t  *wev;

    wev = conn->c->write;

    if (write && !wev->active) {
        return ngx_add_event(wev, NGX_WRITE_EVENT, NGX_LEVEL_EVENT);
    }

    if (!write && wev->active) {
        return ngx_del_event(wev, NGX_WRITE_EVENT, 0);
    }

    return NGX_OK;
}


/* libpq closes the descriptor, and with it goes its place in the loop */

static void
ngx_mentara_pg_conn_unwatch(ngx_mentara_pg_conn_t *conn)
{
    ngx_connection_t  *c;

    c = conn->c;

    if (c == NULL) {
        return;
    }

    conn->c = NULL;

    if (PQsocket(conn->pg) == c->fd) {
        if (c->write->active) {
            ngx_del_event(c->write, NGX_WRITE_EVENT, 0);
        }

        if (c->read->active) {
            ngx_del_event(c->read, NGX_READ_EVENT, 0);
        }

    } else {
        ngx_del_event(c->write, NGX_WRITE_EVENT, NGX_CLOSE_EVENT);
        ngx_del_event(c->read, NGX_READ_EVENT, NGX_CLOSE_EVENT);
    }

    if (c->read->posted) {
        ngx_delete_posted_event(c->read);
    }

    if (c->write->posted) {
        ngx_delete_posted_event(c->write);
    }

    c->fd = (ngx_socket_t) -1;
    ngx_free_connection(c);
}


static ngx_int_t
ngx_mentara_pg_conn_setup(ngx_mentara_pg_conn_t *conn)
{
    u_char       text[NGX_INT_T_LEN + 1];
    const char  *values[1];

    /* the module's own deadline comes first */

    *ngx_sprintf(text, "%M", conn->conf->timeout + 500) = '\0';
    values[0] = (char *) text;

    conn->state = NGX_MENTARA_PG_CONN_SETUP;

    if (PQsetnonblocking(conn->pg, 1) != 0
        || PQenterPipelineMode(conn->pg) != 1
        || PQsendQueryParams(conn->pg, NGX_MENTARA_PG_SETUP, 1, NULL, values,
                             NULL, NULL, 0)
           != 1
        || PQpipelineSync(conn->pg) != 1)
    {
        return NGX_ERROR;
    }

    return ngx_mentara_pg_conn_flush(conn);
}


static ngx_int_t
ngx_mentara_pg_conn_prepare(ngx_mentara_pg_conn_t *conn)
{
    ngx_uint_t                 i;
    const ngx_mentara_stmt_t  *st;

    conn->state = NGX_MENTARA_PG_CONN_PREPARE;

    for (i = 0; i < NGX_MENTARA_STMT_N; i++) {
        st = &ngx_mentara_statements[i];

        if (PQsendPrepare(conn->pg, st->name, st->sql, 0, NULL) != 1) {
            return NGX_ERROR;
        }
    }

    if (PQpipelineSync(conn->pg) != 1) {
        return NGX_ERROR;
    }

    return ngx_mentara_pg_conn_flush(conn);
}


ngx_int_t
ngx_mentara_pg_conn_send(ngx_mentara_pg_conn_t *conn,
    ngx_mentara_pg_query_t *q)
{
    const ngx_mentara_stmt_t  *st;

    st = &ngx_mentara_statements[q->statement];

    ngx_queue_insert_tail(&conn->sent, &q->queue);
    conn->nsent++;
    q->sent = 1;

    if (PQsendQueryPrepared(conn->pg, st->name, q->nparams, q->values, NULL,
                            NULL, 1)
        != 1
        || PQpipelineSync(conn->pg) != 1
        || ngx_mentara_pg_conn_flush(conn) != NGX_OK)
    {
        ngx_mentara_pg_conn_fail(conn);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_mentara_pg_conn_flush(ngx_mentara_pg_conn_t *conn)
{
    int  rc;

    rc = PQflush(conn->pg);

    if (rc < 0) {
        return NGX_ERROR;
    }

    return ngx_mentara_pg_conn_want(conn, rc == 1);
}


static void
ngx_mentara_pg_conn_read(ngx_mentara_pg_conn_t *conn)
{
    PGconn    *pg;
    PGresult  *res;

    pg = conn->pg;

    if (PQconsumeInput(pg) != 1) {
        ngx_mentara_pg_conn_fail(conn);
        return;
    }

    /* a handler may give the connection up: conn->pg changes then */

    while (conn->pg == pg && !PQisBusy(pg)) {
        res = PQgetResult(pg);

        if (res == NULL) {
            if (conn->nsent == 0
                && conn->state == NGX_MENTARA_PG_CONN_READY)
            {
                break;
            }

            if (PQstatus(pg) == CONNECTION_BAD) {
                ngx_mentara_pg_conn_fail(conn);
                return;
            }

            continue;
        }

        if (ngx_mentara_pg_conn_result(conn, res) != NGX_OK) {
            ngx_mentara_pg_conn_fail(conn);
            return;
        }
    }
}


/* owns res; NGX_ERROR: the connection is of no use any more */

static ngx_int_t
ngx_mentara_pg_conn_result(ngx_mentara_pg_conn_t *conn, PGresult *res)
{
    ngx_int_t  rc;

    switch (conn->state) {

    case NGX_MENTARA_PG_CONN_SETUP:
        rc = ngx_mentara_pg_conn_setup_result(conn, res);
        PQclear(res);
        return rc;

    case NGX_MENTARA_PG_CONN_PREPARE:

        if (PQresultStatus(res) == PGRES_PIPELINE_SYNC) {
            PQclear(res);
            ngx_del_timer(&conn->timer);
            conn->state = NGX_MENTARA_PG_CONN_READY;
            conn->fails = 0;
            conn->calls->ready(conn);
            return NGX_OK;
        }

        rc = (PQresultStatus(res) == PGRES_COMMAND_OK) ? NGX_OK : NGX_ERROR;

        if (rc != NGX_OK) {
            ngx_log_error(NGX_LOG_ERR, conn->log, 0,
                          "mentara: a statement cannot be prepared (%s)",
                          PQresultErrorField(res, PG_DIAG_SQLSTATE));
            conn->refused = 1;
        }

        PQclear(res);
        return rc;

    case NGX_MENTARA_PG_CONN_READY:
        return ngx_mentara_pg_conn_query_result(conn, res);

    default:
        PQclear(res);
        return NGX_ERROR;
    }
}


static ngx_int_t
ngx_mentara_pg_conn_setup_result(ngx_mentara_pg_conn_t *conn, PGresult *res)
{
    char  *state;

    switch (PQresultStatus(res)) {

    case PGRES_TUPLES_OK:
        conn->schema = ngx_atoi((u_char *) PQgetvalue(res, 0, 0),
                                PQgetlength(res, 0, 0));
        break;

    case PGRES_PIPELINE_SYNC:
        return ngx_mentara_pg_conn_prepare(conn);

    default:
        state = PQresultErrorField(res, PG_DIAG_SQLSTATE);

        /* undefined function, undefined schema: no schema at all yet */

        if (state == NULL
            || (ngx_strcmp(state, "42883") != 0
                && ngx_strcmp(state, "3F000") != 0))
        {
            return NGX_ERROR;
        }

        conn->schema = 0;
        break;
    }

    if (conn->schema != NGX_MENTARA_SCHEMA_VERSION) {
        conn->refused = 1;
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_mentara_pg_conn_query_result(ngx_mentara_pg_conn_t *conn, PGresult *res)
{
    ngx_queue_t             *head;
    ngx_mentara_pg_query_t  *q;

    if (conn->nsent == 0) {
        PQclear(res);
        return NGX_ERROR;
    }

    head = ngx_queue_head(&conn->sent);
    q = ngx_queue_data(head, ngx_mentara_pg_query_t, queue);

    switch (PQresultStatus(res)) {

    case PGRES_TUPLES_OK:
        q->result = res;
        return NGX_OK;

    case PGRES_PIPELINE_SYNC:
        PQclear(res);
        ngx_queue_remove(&q->queue);
        conn->nsent--;
        conn->calls->done(conn, q);
        return NGX_OK;

    case PGRES_FATAL_ERROR:
        ngx_mentara_pg_conn_error(conn, q, res);
        PQclear(res);
        return (ngx_strncmp(q->sqlstate, "57P", 3) == 0
                || ngx_strncmp(q->sqlstate, "08", 2) == 0
                || q->sqlstate[0] == '\0')
               ? NGX_ERROR : NGX_OK;

    default:
        PQclear(res);
        return NGX_OK;
    }
}


/* the text of an error may hold what a person wrote: only its code is kept */

static void
ngx_mentara_pg_conn_error(ngx_mentara_pg_conn_t *conn,
    ngx_mentara_pg_query_t *q, PGresult *res)
{
    char  *state;

    state = PQresultErrorField(res, PG_DIAG_SQLSTATE);

    q->error = NGX_MENTARA_PG_FAILED;
    q->sqlstate[0] = '\0';

    if (state == NULL) {
        return;
    }

    ngx_cpystrn((u_char *) q->sqlstate, (u_char *) state,
                sizeof(q->sqlstate));

    ngx_log_error(NGX_LOG_ERR, conn->log, 0,
                  "mentara: statement \"%s\" failed with SQLSTATE %s",
                  ngx_mentara_statements[q->statement].name, q->sqlstate);
}


void
ngx_mentara_pg_conn_fail(ngx_mentara_pg_conn_t *conn)
{
    ngx_mentara_pg_conn_close(conn);

    conn->fails++;
    conn->calls->lost(conn);
}


void
ngx_mentara_pg_conn_close(ngx_mentara_pg_conn_t *conn)
{
    if (conn->timer.timer_set) {
        ngx_del_timer(&conn->timer);
    }

    if (conn->pg != NULL) {
        ngx_mentara_pg_conn_unwatch(conn);
        PQfinish(conn->pg);
        conn->pg = NULL;
    }

    conn->state = NGX_MENTARA_PG_CONN_IDLE;
}
