
#include <ngx_mentara_limit.h>
#include <ngx_mentara_metrics.h>
#include <ngx_md5.h>


static ngx_mentara_bucket_t *ngx_mentara_limit_bucket(
    ngx_mentara_zone_t *zone, u_char *key, ngx_msec_t now);


ngx_int_t
ngx_mentara_limit_take(ngx_mentara_zone_t *zone, ngx_str_t *user,
    ngx_uint_t class, ngx_mentara_limit_conf_t *conf, ngx_msec_t now,
    ngx_mentara_limit_state_t *st)
{
    u_char                 key[16], name;
    ngx_int_t              rc;
    ngx_md5_t              md5;
    ngx_mentara_bucket_t  *b;

    name = (u_char) class;

    ngx_md5_init(&md5);
    ngx_md5_update(&md5, &name, 1);
    ngx_md5_update(&md5, user->data, user->len);
    ngx_md5_final(key, &md5);

    ngx_mentara_zone_lock(zone);

    b = ngx_mentara_limit_bucket(zone, key, now);

    if (now - b->started >= conf->period) {
        b->started = now;
        b->taken = 0;
    }

    rc = NGX_BUSY;

    if (b->taken < conf->n) {
        b->taken++;
        rc = NGX_OK;
    }

    st->limit = conf->n;
    st->remaining = conf->n - ngx_min(b->taken, conf->n);
    st->reset = (conf->period - (now - b->started) + 999) / 1000;

    ngx_mentara_zone_unlock(zone);

    if (rc == NGX_BUSY) {
        ngx_mentara_metric_add(zone, NGX_MENTARA_METRIC_LIMITED, 1);
    }

    return rc;
}


/* a set of few ways: its own, a free one, or the one that began first */

static ngx_mentara_bucket_t *
ngx_mentara_limit_bucket(ngx_mentara_zone_t *zone, u_char *key,
    ngx_msec_t now)
{
    uint32_t               hash;
    ngx_uint_t             i, n;
    ngx_mentara_bucket_t  *set, *b, *oldest;

    ngx_memcpy(&hash, key, sizeof(uint32_t));

    n = ngx_mentara_zone_count(zone, NGX_MENTARA_AREA_BUCKETS)
        / NGX_MENTARA_LIMIT_WAYS;

    set = ngx_mentara_zone_area(zone, NGX_MENTARA_AREA_BUCKETS, NULL);
    set += hash % n * NGX_MENTARA_LIMIT_WAYS;
    oldest = set;

    for (i = 0; i < NGX_MENTARA_LIMIT_WAYS; i++) {
        b = &set[i];

        if (ngx_memcmp(b->key, key, sizeof(b->key)) == 0) {
            return b;
        }

        if (now - b->started > now - oldest->started) {
            oldest = b;
        }
    }

    ngx_memcpy(oldest->key, key, sizeof(oldest->key));
    oldest->started = now;
    oldest->taken = 0;

    return oldest;
}


ngx_int_t
ngx_mentara_limit_parse(ngx_str_t *value, ngx_mentara_limit_conf_t *conf)
{
    u_char     *slash;
    ngx_int_t   n, period;
    ngx_str_t   s;

    slash = ngx_strlchr(value->data, value->data + value->len, '/');
    if (slash == NULL) {
        return NGX_ERROR;
    }

    n = ngx_atoi(value->data, slash - value->data);

    s.data = slash + 1;
    s.len = value->data + value->len - s.data;
    period = ngx_parse_time(&s, 0);

    if (n == NGX_ERROR || n == 0 || n > 1000000
        || period == (ngx_int_t) NGX_ERROR || period < 1000)
    {
        return NGX_ERROR;
    }

    conf->n = n;
    conf->period = period;

    return NGX_OK;
}
