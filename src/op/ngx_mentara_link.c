
#include <ngx_mentara_link.h>
#include <mentara_id.h>


#define NGX_MENTARA_UUID_TEXT  36


static ngx_int_t ngx_mentara_link_add(ngx_mentara_op_t *op, ngx_str_t *s,
    const void *data, size_t len);


ngx_int_t
ngx_mentara_link_begin(ngx_mentara_op_t *op, const char *path,
    ngx_mentara_uuid_t *id, const char *rest, int64_t limit)
{
    u_char  text[NGX_MENTARA_UUID_TEXT], number[NGX_INT64_LEN + 1], *p;

    ngx_str_null(&op->link);

    if (ngx_mentara_link_add(op, &op->link, "<", 1) != NGX_OK
        || ngx_mentara_link_add(op, &op->link, op->prefix.data,
                                op->prefix.len)
           != NGX_OK
        || ngx_mentara_link_add(op, &op->link, path, ngx_strlen(path))
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (id != NULL) {
        mentara_id_format(text, id->data);

        if (ngx_mentara_link_add(op, &op->link, text, sizeof(text))
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    if (ngx_mentara_link_add(op, &op->link, rest, ngx_strlen(rest)) != NGX_OK
        || ngx_mentara_link_add(op, &op->link, "?limit=", 7) != NGX_OK)
    {
        return NGX_ERROR;
    }

    p = ngx_sprintf(number, "%L", limit);

    return ngx_mentara_link_add(op, &op->link, number, p - number);
}


ngx_int_t
ngx_mentara_link_str(ngx_mentara_op_t *op, const char *name,
    ngx_str_t *value)
{
    size_t      len;
    u_char     *p;
    uintptr_t   escape;

    if (value->len == 0) {
        return NGX_OK;
    }

    escape = ngx_escape_uri(NULL, value->data, value->len,
                            NGX_ESCAPE_URI_COMPONENT);
    len = value->len + 2 * escape;

    p = ngx_pnalloc(op->pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    if (escape == 0) {
        ngx_memcpy(p, value->data, len);

    } else {
        ngx_escape_uri(p, value->data, value->len, NGX_ESCAPE_URI_COMPONENT);
    }

    if (ngx_mentara_link_add(op, &op->link, "&", 1) != NGX_OK
        || ngx_mentara_link_add(op, &op->link, name, ngx_strlen(name))
           != NGX_OK
        || ngx_mentara_link_add(op, &op->link, "=", 1) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_mentara_link_add(op, &op->link, p, len);
}


ngx_int_t
ngx_mentara_link_int(ngx_mentara_op_t *op, const char *name, int64_t value)
{
    u_char     number[NGX_INT64_LEN + 1];
    ngx_str_t  s;

    s.data = number;
    s.len = ngx_sprintf(number, "%L", value) - number;

    return ngx_mentara_link_str(op, name, &s);
}


ngx_int_t
ngx_mentara_link_end(ngx_mentara_op_t *op)
{
    return ngx_mentara_link_add(op, &op->link, ">; rel=\"next\"",
                                sizeof(">; rel=\"next\"") - 1);
}


ngx_int_t
ngx_mentara_link_location(ngx_mentara_op_t *op, const char *path,
    ngx_mentara_uuid_t *id)
{
    u_char  text[NGX_MENTARA_UUID_TEXT];

    mentara_id_format(text, id->data);
    ngx_str_null(&op->location);

    if (ngx_mentara_link_add(op, &op->location, op->prefix.data,
                             op->prefix.len)
        != NGX_OK
        || ngx_mentara_link_add(op, &op->location, path, ngx_strlen(path))
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_mentara_link_add(op, &op->location, text, sizeof(text));
}


/* links are short and rare: each piece makes a new copy */

static ngx_int_t
ngx_mentara_link_add(ngx_mentara_op_t *op, ngx_str_t *s, const void *data,
    size_t len)
{
    u_char  *p;

    p = ngx_pnalloc(op->pool, s->len + len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    if (s->len != 0) {
        ngx_memcpy(p, s->data, s->len);
    }

    ngx_memcpy(p + s->len, data, len);

    s->data = p;
    s->len += len;

    return NGX_OK;
}
