
#include <ngx_mentara_pg_query.h>
#include <mentara_id.h>


static ngx_int_t ngx_mentara_pg_bind(ngx_mentara_pg_query_t *q,
    const char *value);


static ngx_int_t
ngx_mentara_pg_bind(ngx_mentara_pg_query_t *q, const char *value)
{
    if (q->nparams == NGX_MENTARA_PG_PARAMS_MAX) {
        return NGX_ERROR;
    }

    q->values[q->nparams++] = value;

    return NGX_OK;
}


ngx_int_t
ngx_mentara_pg_null(ngx_mentara_pg_query_t *q)
{
    return ngx_mentara_pg_bind(q, NULL);
}


ngx_int_t
ngx_mentara_pg_text(ngx_mentara_pg_query_t *q, const u_char *data, size_t len)
{
    char  *p;

    p = ngx_pnalloc(q->pool, len + 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(p, data, len);
    p[len] = '\0';

    return ngx_mentara_pg_bind(q, p);
}


ngx_int_t
ngx_mentara_pg_str(ngx_mentara_pg_query_t *q, ngx_str_t *s)
{
    return ngx_mentara_pg_text(q, s->data, s->len);
}


ngx_int_t
ngx_mentara_pg_uuid(ngx_mentara_pg_query_t *q, ngx_mentara_uuid_t *id)
{
    u_char  *p;

    p = ngx_pnalloc(q->pool, MENTARA_ID_TEXT + 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    mentara_id_format(p, id->data);
    p[MENTARA_ID_TEXT] = '\0';

    return ngx_mentara_pg_bind(q, (char *) p);
}


ngx_int_t
ngx_mentara_pg_int(ngx_mentara_pg_query_t *q, int64_t n)
{
    u_char  *p;

    p = ngx_pnalloc(q->pool, NGX_INT64_LEN + 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    *ngx_sprintf(p, "%L", n) = '\0';

    return ngx_mentara_pg_bind(q, (char *) p);
}


ngx_int_t
ngx_mentara_pg_bool(ngx_mentara_pg_query_t *q, ngx_uint_t yes)
{
    return ngx_mentara_pg_bind(q, yes ? "t" : "f");
}


ngx_int_t
ngx_mentara_pg_array(ngx_mentara_pg_query_t *q, ngx_str_t *elts, ngx_uint_t n)
{
    u_char      *p, *start;
    size_t       len, i;
    ngx_uint_t   k;

    len = sizeof("{}");

    for (k = 0; k < n; k++) {
        len += 2 * elts[k].len + sizeof("\"\",") - 1;
    }

    p = ngx_pnalloc(q->pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    start = p;
    *p++ = '{';

    for (k = 0; k < n; k++) {
        if (k > 0) {
            *p++ = ',';
        }

        *p++ = '"';

        for (i = 0; i < elts[k].len; i++) {
            if (elts[k].data[i] == '"' || elts[k].data[i] == '\\') {
                *p++ = '\\';
            }

            *p++ = elts[k].data[i];
        }

        *p++ = '"';
    }

    *p++ = '}';
    *p = '\0';

    return ngx_mentara_pg_bind(q, (char *) start);
}


ngx_str_t
ngx_mentara_pg_get_str(PGresult *res, int row, int col)
{
    ngx_str_t  s;

    ngx_str_null(&s);

    /* a null has no length */

    s.len = PQgetlength(res, row, col);

    if (s.len != 0 || !PQgetisnull(res, row, col)) {
        s.data = (u_char *) PQgetvalue(res, row, col);
    }

    return s;
}


/* network byte order, of 2, 4 or 8 octets; a null has none */

int64_t
ngx_mentara_pg_get_int(PGresult *res, int row, int col)
{
    int        i, len;
    u_char    *p;
    uint64_t   n;

    len = PQgetlength(res, row, col);
    p = (u_char *) PQgetvalue(res, row, col);

    if (len > 8) {
        return 0;
    }

    n = (len > 0 && (p[0] & 0x80)) ? ~(uint64_t) 0 : 0;

    for (i = 0; i < len; i++) {
        n = n << 8 | p[i];
    }

    return (int64_t) n;
}


ngx_mentara_uuid_t
ngx_mentara_pg_get_uuid(PGresult *res, int row, int col)
{
    ngx_mentara_uuid_t  id;

    ngx_memzero(&id, sizeof(ngx_mentara_uuid_t));

    if (PQgetlength(res, row, col) == sizeof(id.data)) {
        ngx_memcpy(id.data, PQgetvalue(res, row, col), sizeof(id.data));
    }

    return id;
}
