
#include <ngx_mentara_zone.h>


#define NGX_MENTARA_ZONE_SHARE  512     /* bytes of the zone per ring entry */
#define NGX_MENTARA_ZONE_LINE   64      /* areas begin on cache lines */


static ngx_int_t ngx_mentara_zone_init(ngx_shm_zone_t *shm, void *data);
static ngx_int_t ngx_mentara_zone_adopt(ngx_mentara_zone_t *zone,
    ngx_mentara_zone_head_t *head);
static size_t ngx_mentara_zone_usable(size_t size);
static void ngx_mentara_zone_plan(size_t size, ngx_mentara_zone_opts_t *opts,
    ngx_mentara_area_t *areas);
static size_t ngx_mentara_zone_total(ngx_mentara_area_t *areas);


char *
ngx_mentara_zone_create(ngx_conf_t *cf, ngx_mentara_zone_t *zone,
    ngx_str_t *name, size_t size, void *tag)
{
    size_t               need;
    ngx_shm_zone_t      *shm;
    ngx_mentara_area_t   areas[NGX_MENTARA_AREA_N];

    ngx_mentara_zone_plan(size, &zone->opts, areas);

    need = ngx_mentara_zone_total(areas);

    if (size < NGX_MENTARA_ZONE_MIN || need > ngx_mentara_zone_usable(size)) {
        need = ngx_max(need + need / 64 + 8 * 4096, NGX_MENTARA_ZONE_MIN);

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "zone \"%V\" in \"mentara_zone\" is too small, "
                           "it must be %uzk at least", name,
                           (need + 1023) / 1024);
        return NGX_CONF_ERROR;
    }

    shm = ngx_shared_memory_add(cf, name, size, tag);
    if (shm == NULL) {
        return NGX_CONF_ERROR;
    }

    if (shm->data != NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "zone \"%V\" in \"mentara_zone\" is in use "
                           "already", name);
        return NGX_CONF_ERROR;
    }

    shm->init = ngx_mentara_zone_init;
    shm->data = zone;
    zone->shm = shm;

    return NGX_CONF_OK;
}


ngx_int_t
ngx_mentara_zone_opt(ngx_mentara_zone_t *zone, ngx_str_t *arg)
{
    ssize_t     bytes;
    ngx_int_t   n;
    ngx_str_t   s;

    s.data = arg->data + 7;
    s.len = arg->len - 7;

    if (arg->len > 7 && ngx_strncmp(arg->data, "bodies=", 7) == 0) {
        bytes = ngx_parse_size(&s);
        if (bytes < 4096) {
            return NGX_ERROR;
        }

        zone->opts.bodies = bytes;

        return NGX_OK;
    }

    if (arg->len > 6 && ngx_strncmp(arg->data, "rooms=", 6) == 0) {
        n = ngx_atoi(arg->data + 6, arg->len - 6);
        if (n < 4) {
            return NGX_ERROR;
        }

        zone->opts.rooms = n;

        return NGX_OK;
    }

    if (arg->len > 5 && ngx_strncmp(arg->data, "ring=", 5) == 0) {
        n = ngx_atoi(arg->data + 5, arg->len - 5);
        if (n < 4) {
            return NGX_ERROR;
        }

        zone->opts.ring = n;

        return NGX_OK;
    }

    return NGX_ERROR;
}


/* a reload with the same size keeps the mapping, and what is in it */

static ngx_int_t
ngx_mentara_zone_init(ngx_shm_zone_t *shm, void *data)
{
    ngx_mentara_zone_t *old = data;

    size_t               size;
    ngx_mentara_zone_t  *zone;

    zone = shm->data;
    zone->pool = (ngx_slab_pool_t *) shm->shm.addr;

    if (old != NULL) {
        return ngx_mentara_zone_adopt(zone, old->head);
    }

    if (shm->shm.exists) {
        return ngx_mentara_zone_adopt(zone, zone->pool->data);
    }

    size = ngx_mentara_zone_usable(shm->shm.size);

    zone->head = ngx_slab_calloc(zone->pool, size);
    if (zone->head == NULL) {
        return NGX_ERROR;
    }

    ngx_mentara_zone_layout(zone->head, (u_char *) zone->head,
                            shm->shm.size, &zone->opts);

    zone->pool->data = zone->head;
    zone->pool->log_nomem = 0;

    return NGX_OK;
}


static ngx_int_t
ngx_mentara_zone_adopt(ngx_mentara_zone_t *zone,
    ngx_mentara_zone_head_t *head)
{
    if (head->version != NGX_MENTARA_ZONE_VERSION) {
        ngx_log_error(NGX_LOG_EMERG, zone->shm->shm.log, 0,
                      "zone \"%V\" in \"mentara_zone\" has layout %ui, this "
                      "module has %d: give it another size, or restart",
                      &zone->shm->shm.name, head->version,
                      NGX_MENTARA_ZONE_VERSION);
        return NGX_ERROR;
    }

    if (head->opts.ring != zone->opts.ring
        || head->opts.rooms != zone->opts.rooms
        || head->opts.bodies != zone->opts.bodies)
    {
        ngx_log_error(NGX_LOG_EMERG, zone->shm->shm.log, 0,
                      "\"ring\", \"rooms\" or \"bodies\" of zone \"%V\" in "
                      "\"mentara_zone\" cannot change without its size",
                      &zone->shm->shm.name);
        return NGX_ERROR;
    }

    zone->head = head;

    return NGX_OK;
}


/* what the slab's own tables leave, in one piece */

static size_t
ngx_mentara_zone_usable(size_t size)
{
    return size - size / 128 - 4 * 4096;
}


/* sizes of the areas; the last one gets what remains */

static void
ngx_mentara_zone_plan(size_t size, ngx_mentara_zone_opts_t *opts,
    ngx_mentara_area_t *areas)
{
    size_t               rest;
    ngx_uint_t           n, ring, rooms;
    ngx_mentara_area_t  *a;

    ngx_memzero(areas, NGX_MENTARA_AREA_N * sizeof(ngx_mentara_area_t));

    n = size / NGX_MENTARA_ZONE_SHARE;
    ring = opts->ring ? opts->ring : n;
    rooms = opts->rooms ? opts->rooms : n;

    areas[NGX_MENTARA_AREA_LOG].size = 16384;

    areas[NGX_MENTARA_AREA_SLOTS].n = NGX_MENTARA_SLOTS;
    areas[NGX_MENTARA_AREA_SLOTS].size = NGX_MENTARA_SLOTS * 64;

    areas[NGX_MENTARA_AREA_METRICS].size = 4096;
    areas[NGX_MENTARA_AREA_KEYS].size = ngx_min(size / 64, 65536);

    areas[NGX_MENTARA_AREA_RING].n = ring;
    areas[NGX_MENTARA_AREA_RING].size = ring * 64;

    areas[NGX_MENTARA_AREA_BODIES].size = opts->bodies ? opts->bodies
                                                       : size / 2;

    areas[NGX_MENTARA_AREA_ROOMS].n = rooms;
    areas[NGX_MENTARA_AREA_ROOMS].size = rooms * 48;

    areas[NGX_MENTARA_AREA_CHAINS].n = rooms;
    areas[NGX_MENTARA_AREA_CHAINS].size = rooms * sizeof(uint32_t);

    n = size / 16 / (NGX_MENTARA_LIMIT_WAYS * sizeof(ngx_mentara_bucket_t));

    areas[NGX_MENTARA_AREA_BUCKETS].n = n * NGX_MENTARA_LIMIT_WAYS;
    areas[NGX_MENTARA_AREA_BUCKETS].size = n * NGX_MENTARA_LIMIT_WAYS
                                           * sizeof(ngx_mentara_bucket_t);

    areas[NGX_MENTARA_AREA_PRESENCE].size = size / 12;

    a = &areas[NGX_MENTARA_AREA_POLLBOX];
    a->size = size / 32;

    n = ngx_mentara_zone_total(areas);
    rest = ngx_mentara_zone_usable(size);

    if (rest > n) {
        a->size += (rest - n) / NGX_MENTARA_ZONE_LINE * NGX_MENTARA_ZONE_LINE;
    }
}


static size_t
ngx_mentara_zone_total(ngx_mentara_area_t *areas)
{
    size_t      total;
    ngx_uint_t  i;

    total = ngx_align(sizeof(ngx_mentara_zone_head_t),
                      NGX_MENTARA_ZONE_LINE);

    for (i = 0; i < NGX_MENTARA_AREA_N; i++) {
        total += ngx_align(areas[i].size, NGX_MENTARA_ZONE_LINE);
    }

    return total;
}


void
ngx_mentara_zone_layout(ngx_mentara_zone_head_t *head, u_char *base,
    size_t size, ngx_mentara_zone_opts_t *opts)
{
    u_char      *p;
    ngx_uint_t   i;

    ngx_mentara_zone_plan(size, opts, head->areas);

    p = base + ngx_align(sizeof(ngx_mentara_zone_head_t),
                         NGX_MENTARA_ZONE_LINE);

    for (i = 0; i < NGX_MENTARA_AREA_N; i++) {
        head->areas[i].data = p;
        p += ngx_align(head->areas[i].size, NGX_MENTARA_ZONE_LINE);
    }

    head->opts = *opts;
    head->version = NGX_MENTARA_ZONE_VERSION;
}


void *
ngx_mentara_zone_area(ngx_mentara_zone_t *zone, ngx_uint_t area,
    size_t *size)
{
    if (size != NULL) {
        *size = zone->head->areas[area].size;
    }

    return zone->head->areas[area].data;
}


size_t
ngx_mentara_zone_body_max(size_t size, ngx_mentara_zone_opts_t *opts)
{
    return (opts->bodies ? opts->bodies : size / 2) / 16;
}


void
ngx_mentara_zone_lock(ngx_mentara_zone_t *zone)
{
    ngx_shmtx_lock(&zone->pool->mutex);
}


void
ngx_mentara_zone_unlock(ngx_mentara_zone_t *zone)
{
    ngx_shmtx_unlock(&zone->pool->mutex);
}
