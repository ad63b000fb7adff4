
#include <ngx_mentara_presence.h>
#include <ngx_mentara_metrics.h>
#include <ngx_md5.h>


#define NGX_MENTARA_PRESENCE_WAYS  8
#define NGX_MENTARA_NO_SLOT        0xffff


typedef enum {
    NGX_MENTARA_HERE = 1,        /* sockets of a user in a slot */
    NGX_MENTARA_TYPES,           /* of a user in a conversation */
    NGX_MENTARA_JOINED,          /* it was told that he joined */
    NGX_MENTARA_LEFT             /* sockets in a slot that have left */
} ngx_mentara_moment_e;


/* 192 octets */
typedef struct {
    u_char                   key[16];
    ngx_mentara_uuid_t       conversation;
    uint64_t                 at;       /* ms: gone since; types until */
    uint64_t                 told;     /* ms: typing was relayed; 1: that
                                          somebody is here */
    uint16_t                 kind;     /* 0: free */
    uint16_t                 slot;
    uint32_t                 count;
    uint32_t                 len;
    uint32_t                 spare;
    u_char                   id[NGX_MENTARA_PRESENCE_ID];
} ngx_mentara_moment_t;


/* one set of ways */
typedef struct {
    ngx_mentara_moment_t    *first;
    u_char                   key[16];
} ngx_mentara_moments_t;


typedef char ngx_mentara_moment_size[sizeof(ngx_mentara_moment_t) == 192 ? 1
                                                                       : -1];


static ngx_mentara_moment_t *ngx_mentara_moment_table(
    ngx_mentara_zone_t *zone, ngx_uint_t *n);
static ngx_int_t ngx_mentara_moments(ngx_mentara_zone_t *zone,
    ngx_uint_t kind, ngx_str_t *user, ngx_mentara_uuid_t *conversation,
    ngx_mentara_moments_t *set);
static ngx_mentara_moment_t *ngx_mentara_moment_find(
    ngx_mentara_moments_t *set, ngx_uint_t slot);
static ngx_mentara_moment_t *ngx_mentara_moment_add(
    ngx_mentara_zone_t *zone, ngx_mentara_moments_t *set, ngx_uint_t kind,
    ngx_uint_t slot, ngx_str_t *user, ngx_mentara_uuid_t *conversation);
static ngx_uint_t ngx_mentara_moment_sum(ngx_mentara_moments_t *set);
static ngx_uint_t ngx_mentara_moment_told(ngx_mentara_moments_t *set);
static void ngx_mentara_moment_gone(ngx_mentara_moments_t *set, uint64_t at);
static void ngx_mentara_moment_copy(ngx_mentara_moment_t *m,
    ngx_mentara_somebody_t *who);
static ngx_int_t ngx_mentara_typing_take(ngx_mentara_zone_t *zone,
    uint64_t now, ngx_str_t *user, ngx_mentara_somebody_t *who);
static ngx_uint_t ngx_mentara_typing_due(ngx_mentara_moment_t *m,
    uint64_t now, ngx_str_t *user);
static void ngx_mentara_presence_forget(ngx_mentara_zone_t *zone,
    ngx_mentara_somebody_t *who);


static ngx_mentara_moment_t *
ngx_mentara_moment_table(ngx_mentara_zone_t *zone, ngx_uint_t *n)
{
    size_t                 size;
    ngx_mentara_moment_t  *table;

    table = ngx_mentara_zone_area(zone, NGX_MENTARA_AREA_PRESENCE, &size);

    *n = size / (sizeof(ngx_mentara_moment_t) * NGX_MENTARA_PRESENCE_WAYS)
         * NGX_MENTARA_PRESENCE_WAYS;

    return table;
}


/* where a user (and conversation) of a kind is kept; NGX_DECLINED: nowhere */

static ngx_int_t
ngx_mentara_moments(ngx_mentara_zone_t *zone, ngx_uint_t kind,
    ngx_str_t *user, ngx_mentara_uuid_t *conversation,
    ngx_mentara_moments_t *set)
{
    u_char                 c;
    uint64_t               hash;
    ngx_md5_t              md5;
    ngx_uint_t             n;
    ngx_mentara_moment_t  *table;

    table = ngx_mentara_moment_table(zone, &n);

    if (n == 0 || user->len > NGX_MENTARA_PRESENCE_ID) {
        return NGX_DECLINED;
    }

    c = (u_char) kind;

    ngx_md5_init(&md5);
    ngx_md5_update(&md5, &c, 1);
    ngx_md5_update(&md5, user->data, user->len);

    if (conversation != NULL) {
        ngx_md5_update(&md5, conversation->data, 16);
    }

    ngx_md5_final(set->key, &md5);
    ngx_memcpy(&hash, set->key, sizeof(hash));

    set->first = table + hash % (n / NGX_MENTARA_PRESENCE_WAYS)
                         * NGX_MENTARA_PRESENCE_WAYS;

    return NGX_OK;
}


static ngx_mentara_moment_t *
ngx_mentara_moment_find(ngx_mentara_moments_t *set, ngx_uint_t slot)
{
    ngx_uint_t             i;
    ngx_mentara_moment_t  *m;

    for (i = 0; i < NGX_MENTARA_PRESENCE_WAYS; i++) {
        m = &set->first[i];

        if (m->kind != 0 && m->slot == slot
            && ngx_memcmp(m->key, set->key, 16) == 0)
        {
            return m;
        }
    }

    return NULL;
}


static ngx_mentara_moment_t *
ngx_mentara_moment_add(ngx_mentara_zone_t *zone, ngx_mentara_moments_t *set,
    ngx_uint_t kind, ngx_uint_t slot, ngx_str_t *user,
    ngx_mentara_uuid_t *conversation)
{
    ngx_uint_t             i;
    ngx_mentara_moment_t  *m;

    for (i = 0; i < NGX_MENTARA_PRESENCE_WAYS; i++) {
        m = &set->first[i];

        if (m->kind != 0) {
            continue;
        }

        ngx_memzero(m, sizeof(ngx_mentara_moment_t));
        ngx_memcpy(m->key, set->key, 16);
        m->slot = (uint16_t) slot;
        m->len = (uint32_t) user->len;
        ngx_memcpy(m->id, user->data, user->len);

        if (conversation != NULL) {
            m->conversation = *conversation;
        }

        m->kind = (uint16_t) kind;

        return m;
    }

    ngx_mentara_metric_add(zone, NGX_MENTARA_METRIC_PRESENCE_FULL, 1);

    return NULL;
}


static ngx_uint_t
ngx_mentara_moment_sum(ngx_mentara_moments_t *set)
{
    ngx_uint_t             i, n;
    ngx_mentara_moment_t  *m;

    n = 0;

    for (i = 0; i < NGX_MENTARA_PRESENCE_WAYS; i++) {
        m = &set->first[i];

        if (m->kind != 0 && ngx_memcmp(m->key, set->key, 16) == 0) {
            n += m->count;
        }
    }

    return n;
}


static ngx_uint_t
ngx_mentara_moment_told(ngx_mentara_moments_t *set)
{
    ngx_uint_t             i;
    ngx_mentara_moment_t  *m;

    for (i = 0; i < NGX_MENTARA_PRESENCE_WAYS; i++) {
        m = &set->first[i];

        if (m->kind != 0 && m->told
            && ngx_memcmp(m->key, set->key, 16) == 0)
        {
            return 1;
        }
    }

    return 0;
}


/*
 * Since when nobody is there, 0: somebody is again, who needs no entry that
 * counts nothing.
 */

static void
ngx_mentara_moment_gone(ngx_mentara_moments_t *set, uint64_t at)
{
    ngx_uint_t             i;
    ngx_mentara_moment_t  *m;

    for (i = 0; i < NGX_MENTARA_PRESENCE_WAYS; i++) {
        m = &set->first[i];

        if (m->kind == 0 || ngx_memcmp(m->key, set->key, 16) != 0) {
            continue;
        }

        m->at = at;

        if (at == 0 && m->count == 0) {
            m->kind = 0;
        }
    }
}


static void
ngx_mentara_moment_copy(ngx_mentara_moment_t *m, ngx_mentara_somebody_t *who)
{
    who->conversation = m->conversation;
    who->user.len = m->len;
    who->user.data = who->id;
    ngx_memcpy(who->id, m->id, m->len);
}


ngx_int_t
ngx_mentara_presence_enter(ngx_mentara_zone_t *zone, ngx_uint_t slot,
    ngx_str_t *user)
{
    ngx_uint_t              told;
    ngx_mentara_moment_t   *m;
    ngx_mentara_moments_t   set;

    if (ngx_mentara_moments(zone, NGX_MENTARA_HERE, user, NULL, &set)
        != NGX_OK)
    {
        return NGX_BUSY;
    }

    ngx_mentara_zone_lock(zone);

    told = ngx_mentara_moment_told(&set);
    ngx_mentara_moment_gone(&set, 0);
    m = ngx_mentara_moment_find(&set, slot);

    if (m == NULL) {
        m = ngx_mentara_moment_add(zone, &set, NGX_MENTARA_HERE, slot, user,
                                   NULL);
    }

    if (m != NULL) {
        m->count++;
        m->told = told;
    }

    ngx_mentara_zone_unlock(zone);

    return (m == NULL) ? NGX_BUSY : NGX_OK;
}


ngx_int_t
ngx_mentara_presence_tell(ngx_mentara_zone_t *zone, ngx_str_t *user)
{
    ngx_int_t               rc;
    ngx_uint_t              i;
    ngx_mentara_moment_t   *m;
    ngx_mentara_moments_t   set;

    if (ngx_mentara_moments(zone, NGX_MENTARA_HERE, user, NULL, &set)
        != NGX_OK)
    {
        return NGX_DECLINED;
    }

    rc = NGX_DECLINED;

    ngx_mentara_zone_lock(zone);

    if (!ngx_mentara_moment_told(&set)) {
        for (i = 0; i < NGX_MENTARA_PRESENCE_WAYS; i++) {
            m = &set.first[i];

            if (m->kind != 0 && ngx_memcmp(m->key, set.key, 16) == 0) {
                m->told = 1;
                rc = NGX_OK;
            }
        }
    }

    ngx_mentara_zone_unlock(zone);

    return rc;
}


/* the entry stays for the grace period; of several slots one is enough */

void
ngx_mentara_presence_leave(ngx_mentara_zone_t *zone, ngx_uint_t slot,
    ngx_str_t *user, uint64_t now)
{
    ngx_mentara_moment_t   *m;
    ngx_mentara_moments_t   set;

    if (ngx_mentara_moments(zone, NGX_MENTARA_HERE, user, NULL, &set)
        != NGX_OK)
    {
        return;
    }

    ngx_mentara_zone_lock(zone);

    m = ngx_mentara_moment_find(&set, slot);

    if (m != NULL && m->count > 0) {
        m->count--;

        if (ngx_mentara_moment_sum(&set) == 0) {
            ngx_mentara_moment_gone(&set, now);

        } else if (m->count == 0) {
            m->kind = 0;
        }
    }

    ngx_mentara_zone_unlock(zone);
}


ngx_uint_t
ngx_mentara_presence_count(ngx_mentara_zone_t *zone, ngx_str_t *user)
{
    ngx_uint_t              n;
    ngx_mentara_moments_t   set;

    if (ngx_mentara_moments(zone, NGX_MENTARA_HERE, user, NULL, &set)
        != NGX_OK)
    {
        return 0;
    }

    ngx_mentara_zone_lock(zone);
    n = ngx_mentara_moment_sum(&set);
    ngx_mentara_zone_unlock(zone);

    return n;
}


ngx_uint_t
ngx_mentara_presence_online(ngx_mentara_zone_t *zone, ngx_str_t *user)
{
    ngx_uint_t              told;
    ngx_mentara_moments_t   set;

    if (ngx_mentara_moments(zone, NGX_MENTARA_HERE, user, NULL, &set)
        != NGX_OK)
    {
        return 0;
    }

    ngx_mentara_zone_lock(zone);
    told = ngx_mentara_moment_told(&set);
    ngx_mentara_zone_unlock(zone);

    return told;
}


/* looked for without the lock, judged with it */

ngx_int_t
ngx_mentara_presence_expire(ngx_mentara_zone_t *zone, uint64_t now,
    ngx_msec_t grace, ngx_mentara_somebody_t *who)
{
    ngx_int_t               rc;
    ngx_uint_t              i, n;
    ngx_mentara_moment_t   *m, *table;
    ngx_mentara_moments_t   set;

    rc = NGX_DONE;
    table = ngx_mentara_moment_table(zone, &n);

    for (i = 0; i < n && rc == NGX_DONE; i++) {
        m = &table[i];

        if (m->kind != NGX_MENTARA_HERE || m->count != 0 || m->at == 0
            || m->at + grace > now)
        {
            continue;
        }

        ngx_mentara_zone_lock(zone);

        if (m->kind == NGX_MENTARA_HERE && m->count == 0 && m->at != 0
            && m->at + grace <= now)
        {
            ngx_memcpy(set.key, m->key, 16);
            set.first = table + i / NGX_MENTARA_PRESENCE_WAYS
                                * NGX_MENTARA_PRESENCE_WAYS;

            if (ngx_mentara_moment_sum(&set) == 0) {
                ngx_mentara_moment_copy(m, who);
                ngx_mentara_presence_forget(zone, who);
                rc = m->told ? NGX_OK : NGX_DONE;
            }

            m->kind = 0;
        }

        ngx_mentara_zone_unlock(zone);
    }

    return rc;
}


/* all of somebody, but what dead workers may still count */

static void
ngx_mentara_presence_forget(ngx_mentara_zone_t *zone,
    ngx_mentara_somebody_t *who)
{
    ngx_uint_t             i, n;
    ngx_mentara_moment_t  *m;

    m = ngx_mentara_moment_table(zone, &n);

    for (i = 0; i < n; i++) {
        if ((m[i].kind == NGX_MENTARA_HERE || m[i].kind == NGX_MENTARA_JOINED
             || m[i].kind == NGX_MENTARA_LEFT)
            && m[i].len == who->user.len
            && ngx_memcmp(m[i].id, who->user.data, m[i].len) == 0)
        {
            m[i].kind = 0;
        }
    }
}


void
ngx_mentara_presence_reap(ngx_mentara_zone_t *zone, ngx_uint_t slot,
    void *data)
{
    uint64_t *now = data;

    ngx_uint_t             i, n;
    ngx_mentara_moment_t  *m;

    m = ngx_mentara_moment_table(zone, &n);

    for (i = 0; i < n; i++) {
        if (m[i].kind == 0 || m[i].slot != slot) {
            continue;
        }

        if (m[i].kind == NGX_MENTARA_HERE) {
            m[i].count = 0;
            m[i].at = *now;

        } else {
            m[i].kind = 0;
        }
    }
}


ngx_int_t
ngx_mentara_typing_begin(ngx_mentara_zone_t *zone, ngx_str_t *user,
    ngx_mentara_uuid_t *conversation, uint64_t now, uint64_t until)
{
    ngx_int_t               rc;
    ngx_mentara_moment_t   *m;
    ngx_mentara_moments_t   set;

    if (ngx_mentara_moments(zone, NGX_MENTARA_TYPES, user, conversation, &set)
        != NGX_OK)
    {
        return NGX_BUSY;
    }

    ngx_mentara_zone_lock(zone);

    rc = NGX_BUSY;
    m = ngx_mentara_moment_find(&set, NGX_MENTARA_NO_SLOT);

    if (m == NULL) {
        m = ngx_mentara_moment_add(zone, &set, NGX_MENTARA_TYPES,
                                   NGX_MENTARA_NO_SLOT, user, conversation);
    }

    if (m != NULL) {
        m->at = until;
        rc = NGX_DECLINED;

        if (m->told == 0 || m->told + NGX_MENTARA_TYPING_GAP <= now) {
            m->told = now;
            rc = NGX_OK;
        }
    }

    ngx_mentara_zone_unlock(zone);

    return rc;
}


ngx_int_t
ngx_mentara_typing_end(ngx_mentara_zone_t *zone, ngx_str_t *user,
    ngx_mentara_uuid_t *conversation)
{
    ngx_int_t               rc;
    ngx_mentara_moment_t   *m;
    ngx_mentara_moments_t   set;

    if (ngx_mentara_moments(zone, NGX_MENTARA_TYPES, user, conversation, &set)
        != NGX_OK)
    {
        return NGX_DECLINED;
    }

    rc = NGX_DECLINED;

    ngx_mentara_zone_lock(zone);

    m = ngx_mentara_moment_find(&set, NGX_MENTARA_NO_SLOT);

    if (m != NULL) {
        m->kind = 0;
        rc = NGX_OK;
    }

    ngx_mentara_zone_unlock(zone);

    return rc;
}


ngx_int_t
ngx_mentara_typing_expire(ngx_mentara_zone_t *zone, uint64_t now,
    ngx_mentara_somebody_t *who)
{
    return ngx_mentara_typing_take(zone, now, NULL, who);
}


ngx_int_t
ngx_mentara_typing_stop(ngx_mentara_zone_t *zone, ngx_str_t *user,
    ngx_mentara_somebody_t *who)
{
    return ngx_mentara_typing_take(zone, 0, user, who);
}


static ngx_int_t
ngx_mentara_typing_take(ngx_mentara_zone_t *zone, uint64_t now,
    ngx_str_t *user, ngx_mentara_somebody_t *who)
{
    ngx_int_t              rc;
    ngx_uint_t             i, n;
    ngx_mentara_moment_t  *m;

    rc = NGX_DONE;
    m = ngx_mentara_moment_table(zone, &n);

    for (i = 0; i < n && rc == NGX_DONE; i++) {
        if (!ngx_mentara_typing_due(&m[i], now, user)) {
            continue;
        }

        ngx_mentara_zone_lock(zone);

        if (ngx_mentara_typing_due(&m[i], now, user)) {
            ngx_mentara_moment_copy(&m[i], who);
            m[i].kind = 0;
            rc = NGX_OK;
        }

        ngx_mentara_zone_unlock(zone);
    }

    return rc;
}


static ngx_uint_t
ngx_mentara_typing_due(ngx_mentara_moment_t *m, uint64_t now,
    ngx_str_t *user)
{
    if (m->kind != NGX_MENTARA_TYPES) {
        return 0;
    }

    if (user == NULL) {
        return m->at <= now;
    }

    return m->len == user->len && ngx_memcmp(m->id, user->data, m->len) == 0;
}


ngx_int_t
ngx_mentara_joined_tell(ngx_mentara_zone_t *zone, ngx_str_t *user,
    ngx_mentara_uuid_t *conversation)
{
    ngx_int_t               rc;
    ngx_mentara_moments_t   set;

    if (ngx_mentara_moments(zone, NGX_MENTARA_JOINED, user, conversation,
                            &set)
        != NGX_OK)
    {
        return NGX_BUSY;
    }

    rc = NGX_DECLINED;

    ngx_mentara_zone_lock(zone);

    if (ngx_mentara_moment_find(&set, NGX_MENTARA_NO_SLOT) == NULL) {
        rc = (ngx_mentara_moment_add(zone, &set, NGX_MENTARA_JOINED,
                                     NGX_MENTARA_NO_SLOT, user, conversation)
              == NULL) ? NGX_BUSY : NGX_OK;
    }

    ngx_mentara_zone_unlock(zone);

    return rc;
}


ngx_uint_t
ngx_mentara_joined_change(ngx_mentara_zone_t *zone, ngx_uint_t slot,
    ngx_str_t *user, ngx_mentara_uuid_t *conversation, ngx_int_t change)
{
    ngx_uint_t              here, left;
    ngx_mentara_moment_t   *m;
    ngx_mentara_moments_t   set, all, told;

    if (ngx_mentara_moments(zone, NGX_MENTARA_LEFT, user, conversation, &set)
        != NGX_OK
        || ngx_mentara_moments(zone, NGX_MENTARA_HERE, user, NULL, &all)
           != NGX_OK
        || ngx_mentara_moments(zone, NGX_MENTARA_JOINED, user, conversation,
                               &told)
           != NGX_OK)
    {
        return 1;
    }

    ngx_mentara_zone_lock(zone);

    m = ngx_mentara_moment_find(&set, slot);

    if (m == NULL && change > 0) {
        m = ngx_mentara_moment_add(zone, &set, NGX_MENTARA_LEFT, slot, user,
                                   conversation);
    }

    if (m != NULL) {
        m->count += (uint32_t) change;

        if (m->count == 0) {
            m->kind = 0;
        }
    }

    here = ngx_mentara_moment_sum(&all);
    left = ngx_mentara_moment_sum(&set);

    if (left >= here && change > 0) {
        m = ngx_mentara_moment_find(&told, NGX_MENTARA_NO_SLOT);

        if (m != NULL) {
            m->kind = 0;
        }
    }

    ngx_mentara_zone_unlock(zone);

    return (here > left) ? here - left : 0;
}
