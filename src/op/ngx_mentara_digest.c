
#include <ngx_mentara_digest.h>
#include <openssl/sha.h>


static json_t *ngx_mentara_digest_object(json_t *args, const char *except);


ngx_int_t
ngx_mentara_digest(ngx_mentara_op_t *op, const char *except, ngx_str_t *hex)
{
    char    *text;
    u_char   sum[SHA256_DIGEST_LENGTH];
    json_t  *object;

    ngx_str_null(hex);

    if (op->key.len == 0) {
        return NGX_OK;
    }

    object = ngx_mentara_digest_object(op->args, except);
    if (object == NULL) {
        return NGX_ERROR;
    }

    text = json_dumps(object, JSON_COMPACT|JSON_SORT_KEYS);
    json_decref(object);

    if (text == NULL) {
        return NGX_ERROR;
    }

    SHA256((u_char *) text, ngx_strlen(text), sum);
    free(text);

    hex->data = ngx_pnalloc(op->pool, 2 * sizeof(sum));
    if (hex->data == NULL) {
        return NGX_ERROR;
    }

    hex->len = 2 * sizeof(sum);
    ngx_hex_dump(hex->data, sum, sizeof(sum));

    return NGX_OK;
}


static json_t *
ngx_mentara_digest_object(json_t *args, const char *except)
{
    json_t      *object, *value;
    const char  *name;

    object = json_object();
    if (object == NULL) {
        return NULL;
    }

    json_object_foreach(args, name, value) {
        if (json_is_null(value)
            || (except != NULL && ngx_strcmp(name, except) == 0))
        {
            continue;
        }

        if (json_object_set(object, name, value) != 0) {
            json_decref(object);
            return NULL;
        }
    }

    return object;
}
