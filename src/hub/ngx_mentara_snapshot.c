
#include <ngx_mentara_snapshot.h>


static u_char *ngx_mentara_snapshot_number(u_char *p, u_char *last,
    uint64_t *n);


/* digits; returns what is behind them, NULL if there are none */

static u_char *
ngx_mentara_snapshot_number(u_char *p, u_char *last, uint64_t *n)
{
    u_char  *start;

    start = p;
    *n = 0;

    while (p < last && *p >= '0' && *p <= '9') {
        *n = *n * 10 + (*p++ - '0');
    }

    return (p == start || p - start > 19) ? NULL : p;
}


ngx_int_t
ngx_mentara_snapshot_set(ngx_mentara_snapshot_t *s, ngx_str_t *text,
    ngx_str_t *id)
{
    u_char    *p, *last;
    uint64_t   xmin, xmax;

    p = text->data;
    last = p + text->len;

    p = ngx_mentara_snapshot_number(p, last, &xmin);
    if (p == NULL || p == last || *p++ != ':') {
        return NGX_ERROR;
    }

    p = ngx_mentara_snapshot_number(p, last, &xmax);
    if (p == NULL || p == last || *p++ != ':' || xmax < xmin
        || id->len > NGX_MENTARA_LOG_ID)
    {
        return NGX_ERROR;
    }

    s->xmin = xmin;
    s->xmax = xmax;
    s->cut = 0;
    s->id_len = id->len;
    ngx_memcpy(s->id, id->data, id->len);

    if (text->len <= NGX_MENTARA_SNAPSHOT_TEXT) {
        s->len = text->len;
        ngx_memcpy(s->text, text->data, text->len);

        return NGX_OK;
    }

    /* "xmin:xmin:" */

    s->xmax = xmin;
    s->cut = 1;

    p = ngx_strlchr(text->data, last, ':');
    s->len = p + 1 - text->data;

    ngx_memcpy(s->text, text->data, s->len);
    ngx_memcpy(s->text + s->len, text->data, s->len);

    s->len += s->len;

    return NGX_OK;
}


ngx_uint_t
ngx_mentara_snapshot_sees(ngx_mentara_snapshot_t *s, uint64_t xid)
{
    u_char    *p, *last;
    uint64_t   n;

    if (xid < s->xmin) {
        return 1;
    }

    if (xid >= s->xmax) {
        return 0;
    }

    p = s->text;
    last = p + s->len;

    /* behind the second colon */

    p = ngx_strlchr(p, last, ':');
    p = ngx_strlchr(p + 1, last, ':');

    for (p++; p < last; p++) {
        p = ngx_mentara_snapshot_number(p, last, &n);

        if (p == NULL) {
            return 0;
        }

        if (n == xid) {
            return 0;
        }
    }

    return 1;
}
