
#include <ngx_mentara_status.h>
#include <ngx_mentara_metrics.h>
#include <ngx_mentara_reply.h>


typedef struct {
    const char  *name;
    const char  *type;
    const char  *help;
    ngx_uint_t   value;
} ngx_mentara_metric_t;


#define NGX_MENTARA_GAUGES   7    /* of the worker that answers */
#define NGX_MENTARA_METRICS  (NGX_MENTARA_GAUGES + NGX_MENTARA_METRIC_N)


static const char *ngx_mentara_status_database(ngx_mentara_main_conf_t *mmcf);
static void ngx_mentara_status_collect(ngx_mentara_main_conf_t *mmcf,
    ngx_mentara_metric_t *m);
static u_char *ngx_mentara_status_write(ngx_mentara_metric_t *m, u_char *p,
    ngx_uint_t format);


static const char *
ngx_mentara_status_database(ngx_mentara_main_conf_t *mmcf)
{
    switch (ngx_mentara_pg_state(mmcf->pg)) {

    case NGX_OK:
        return "ok";

    case NGX_DECLINED:
        return "schema";

    default:
        return "unavailable";
    }
}


ngx_int_t
ngx_mentara_status_health(ngx_mentara_request_t *q)
{
    u_char                 *p;
    ngx_str_t               body;
    ngx_uint_t              ok, staff;
    const char             *database;
    ngx_mentara_pg_stat_t   st;

    database = ngx_mentara_status_database(q->mmcf);
    ok = (ngx_strcmp(database, "ok") == 0);

    /* moderator or admin, of the four roles */

    staff = q->authenticated && q->account.active
            && (q->account.role.data[0] == 'm'
                || q->account.role.data[0] == 'a');

    p = ngx_pnalloc(q->r->pool, 512);
    if (p == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    body.data = p;

    p = ngx_sprintf(p, "{\"status\":\"%s\"", ok ? "ok" : "unavailable");

    if (staff) {
        ngx_mentara_pg_stat(q->mmcf->pg, &st);

        p = ngx_sprintf(p, ",\"database\":\"%s\",\"schemaVersion\":%ui,"
                           "\"zone\":{\"size\":%uz,\"pagesFree\":%ui}",
                        database, st.schema, q->mmcf->zone.shm->shm.size,
                        q->mmcf->zone.pool->pfree);
    }

    *p++ = '}';
    body.len = p - body.data;

    if (!ok && ngx_mentara_output_header(q->r, "Retry-After",
                                         (u_char *) "1", 1)
               != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_mentara_reply_json(q, ok ? 200 : 503, &body);
}


static void
ngx_mentara_status_collect(ngx_mentara_main_conf_t *mmcf,
    ngx_mentara_metric_t *m)
{
    ngx_uint_t                        i;
    ngx_mentara_pg_stat_t             st;
    const ngx_mentara_metric_name_t  *name;

    ngx_mentara_pg_stat(mmcf->pg, &st);

    m[0] = (ngx_mentara_metric_t) {
        "mentara_pg_connections", "gauge",
        "Postgres connections ready, of the worker that answers.",
        st.connections };
    m[1] = (ngx_mentara_metric_t) {
        "mentara_pg_queued", "gauge",
        "Statements waiting to be sent, of the worker that answers.",
        st.queued };
    m[2] = (ngx_mentara_metric_t) {
        "mentara_pg_inflight", "gauge",
        "Statements sent and not answered, of the worker that answers.",
        st.inflight };
    m[3] = (ngx_mentara_metric_t) {
        "mentara_pg_queries_total", "counter",
        "Statements since the start of the worker that answers.",
        st.queries };
    m[4] = (ngx_mentara_metric_t) {
        "mentara_pg_errors_total", "counter",
        "Statements that failed, of the worker that answers.",
        st.errors };
    m[5] = (ngx_mentara_metric_t) {
        "mentara_pg_connects_total", "counter",
        "Connections made by the worker that answers.",
        st.reconnects };
    m[6] = (ngx_mentara_metric_t) {
        "mentara_schema_version", "gauge",
        "Version of the schema in the database.", st.schema };

    /* of all workers */

    for (i = 0; i < NGX_MENTARA_METRIC_N; i++) {
        name = &ngx_mentara_metric_names[i];

        m[NGX_MENTARA_GAUGES + i] = (ngx_mentara_metric_t) {
            (const char *) name->name.data, "counter",
            (const char *) name->help.data,
            ngx_mentara_metric_get(&mmcf->zone, i) };
    }
}


static u_char *
ngx_mentara_status_write(ngx_mentara_metric_t *m, u_char *p,
    ngx_uint_t format)
{
    ngx_uint_t  i;

    if (format == NGX_MENTARA_STATUS_JSON) {
        for (i = 0; i < NGX_MENTARA_METRICS; i++) {
            p = ngx_sprintf(p, "%c\"%s\":%ui", (i == 0) ? '{' : ',',
                            m[i].name, m[i].value);
        }

        *p++ = '}';

        return p;
    }

    for (i = 0; i < NGX_MENTARA_METRICS; i++) {
        p = ngx_sprintf(p, "# HELP %s %s\n# TYPE %s %s\n%s %ui\n",
                        m[i].name, m[i].help, m[i].name, m[i].type,
                        m[i].name, m[i].value);
    }

    return p;
}


ngx_int_t
ngx_mentara_status_handler(ngx_http_request_t *r)
{
    u_char                   *p;
    ngx_buf_t                *b;
    ngx_int_t                 rc;
    ngx_chain_t               out;
    ngx_mentara_metric_t      m[NGX_MENTARA_METRICS];
    ngx_mentara_loc_conf_t   *mlcf;
    ngx_mentara_main_conf_t  *mmcf;

    if (!(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))) {
        return NGX_HTTP_NOT_ALLOWED;
    }

    rc = ngx_mentara_output_unread(r);
    if (rc != NGX_OK) {
        return rc;
    }

    mmcf = ngx_http_get_module_main_conf(r, ngx_mentara_module);
    mlcf = ngx_http_get_module_loc_conf(r, ngx_mentara_module);

    b = ngx_create_temp_buf(r->pool, NGX_MENTARA_METRICS * 512);
    if (b == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_mentara_status_collect(mmcf, m);
    p = ngx_mentara_status_write(m, b->pos, mlcf->status);

    b->last = p;
    b->last_buf = 1;

    if (mlcf->status == NGX_MENTARA_STATUS_JSON) {
        ngx_str_set(&r->headers_out.content_type, "application/json");

    } else {
        ngx_str_set(&r->headers_out.content_type,
                    "text/plain; version=0.0.4");
    }

    r->headers_out.content_type_len = r->headers_out.content_type.len;
    r->headers_out.status = NGX_HTTP_OK;
    r->headers_out.content_length_n = b->last - b->pos;

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    out.buf = b;
    out.next = NULL;

    return ngx_http_output_filter(r, &out);
}
