
#include <ngx_mentara_recover.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>


#define NGX_MENTARA_MAC  16    /* octets of a signature */


static ngx_int_t ngx_mentara_hex(u_char **p, u_char *last, u_char stop,
    uint64_t *n);
static ngx_int_t ngx_mentara_pid_mac(u_char *mac, u_char *key,
    ngx_str_t *user, u_char *data, size_t len);


u_char *
ngx_mentara_offset_write(u_char *p, ngx_mentara_offset_t *o)
{
    return ngx_sprintf(p, "%xL.%xL.%xL.%xL.%xD", o->epoch, o->position,
                       o->floor, (uint64_t) o->time, o->tag);
}


/* digits up to a stop, or to the end if it is 0 */

static ngx_int_t
ngx_mentara_hex(u_char **p, u_char *last, u_char stop, uint64_t *n)
{
    u_char      *s, c;
    ngx_uint_t   digit;

    *n = 0;

    for (s = *p; s < last && *s != stop; s++) {
        c = *s;

        if (c >= '0' && c <= '9') {
            digit = c - '0';

        } else if (c >= 'a' && c <= 'f') {
            digit = c - 'a' + 10;

        } else {
            return NGX_DECLINED;
        }

        if (s - *p == 16) {
            return NGX_DECLINED;
        }

        *n = *n * 16 + digit;
    }

    if (s == *p || (stop != 0 && s == last)) {
        return NGX_DECLINED;
    }

    *p = (stop != 0) ? s + 1 : s;

    return NGX_OK;
}


ngx_int_t
ngx_mentara_offset_read(ngx_str_t *s, ngx_mentara_offset_t *o)
{
    u_char    *p, *last;
    uint64_t   time, tag;

    p = s->data;
    last = s->data + s->len;

    if (ngx_mentara_hex(&p, last, '.', &o->epoch) != NGX_OK
        || ngx_mentara_hex(&p, last, '.', &o->position) != NGX_OK
        || ngx_mentara_hex(&p, last, '.', &o->floor) != NGX_OK
        || ngx_mentara_hex(&p, last, '.', &time) != NGX_OK
        || ngx_mentara_hex(&p, last, 0, &tag) != NGX_OK
        || o->floor > (uint64_t) NGX_MAX_INT_T_VALUE
        || time > (uint64_t) NGX_MAX_INT_T_VALUE || tag > 0xffffffff)
    {
        return NGX_DECLINED;
    }

    o->time = (time_t) time;
    o->tag = (uint32_t) tag;

    return NGX_OK;
}


ngx_mentara_offset_t *
ngx_mentara_offset_later(ngx_mentara_offset_t *a, ngx_mentara_offset_t *b)
{
    if (a->epoch != 0 && a->epoch == b->epoch) {
        return (a->position > b->position) ? a : b;
    }

    return (a->floor > b->floor) ? a : b;
}


u_char *
ngx_mentara_pid_write(u_char *p, u_char *key, ngx_str_t *user,
    ngx_mentara_offset_t *start, time_t token)
{
    u_char  *begin, mac[NGX_MENTARA_MAC];

    begin = p;
    p = ngx_mentara_offset_write(p, start);
    p = ngx_sprintf(p, "-%xL", (uint64_t) token);

    if (ngx_mentara_pid_mac(mac, key, user, begin, p - begin) != NGX_OK) {
        return NULL;
    }

    *p++ = '-';

    return ngx_hex_dump(p, mac, NGX_MENTARA_MAC);
}


ngx_int_t
ngx_mentara_pid_read(ngx_str_t *s, u_char *key, ngx_str_t *user,
    ngx_mentara_offset_t *start, time_t *token)
{
    u_char      *p, *last, mac[NGX_MENTARA_MAC], hex[NGX_MENTARA_MAC * 2];
    uint64_t     time;
    ngx_str_t    offset;

    if (s->len > NGX_MENTARA_PID_LEN || s->len < NGX_MENTARA_MAC * 2 + 1) {
        return NGX_DECLINED;
    }

    last = s->data + s->len - NGX_MENTARA_MAC * 2 - 1;

    p = ngx_strlchr(s->data, last, '-');

    if (p == NULL || *last != '-'
        || ngx_mentara_pid_mac(mac, key, user, s->data, last - s->data)
           != NGX_OK)
    {
        return NGX_DECLINED;
    }

    ngx_hex_dump(hex, mac, NGX_MENTARA_MAC);

    if (CRYPTO_memcmp(hex, last + 1, NGX_MENTARA_MAC * 2) != 0) {
        return NGX_DECLINED;
    }

    offset.data = s->data;
    offset.len = p - s->data;
    p++;

    if (ngx_mentara_offset_read(&offset, start) != NGX_OK
        || ngx_mentara_hex(&p, last, 0, &time) != NGX_OK)
    {
        return NGX_DECLINED;
    }

    *token = (time_t) time;

    return NGX_OK;
}


/* HMAC-SHA256 (RFC 2104), its first half */

static ngx_int_t
ngx_mentara_pid_mac(u_char *mac, u_char *key, ngx_str_t *user, u_char *data,
    size_t len)
{
    u_char        text[NGX_MENTARA_PID_LEN + NGX_MENTARA_USER_MAX * 4 + 1];
    u_char       *p, full[EVP_MAX_MD_SIZE];
    unsigned int  size;

    if (len > NGX_MENTARA_PID_LEN || user->len > NGX_MENTARA_USER_MAX * 4) {
        return NGX_DECLINED;
    }

    p = ngx_cpymem(text, data, len);
    *p++ = '\n';
    p = ngx_cpymem(p, user->data, user->len);

    if (HMAC(EVP_sha256(), key, 32, text, p - text, full, &size) == NULL) {
        return NGX_DECLINED;
    }

    ngx_memcpy(mac, full, NGX_MENTARA_MAC);

    return NGX_OK;
}
