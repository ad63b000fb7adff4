/*
 * The shared zone: laid out once from the slab into fixed arrays; nothing is
 * allocated from it at run time.  The slab pool's mutex is the only lock:
 * the master unlocks it when a worker dies.
 */

#ifndef _NGX_MENTARA_ZONE_H_INCLUDED_
#define _NGX_MENTARA_ZONE_H_INCLUDED_


#include <ngx_mentara.h>


#define NGX_MENTARA_ZONE_MIN      (1024 * 1024)   /* bytes */
#define NGX_MENTARA_ZONE_VERSION  3               /* of the layout */
#define NGX_MENTARA_LIMIT_WAYS    4               /* buckets of one hash */
#define NGX_MENTARA_SLOTS         256             /* most workers at a time */


/*
 * What the zone is divided into.  Sizes of "mentara_zone name 32m"; they
 * grow with it, but for those of SLOTS.
 */
typedef enum {
    NGX_MENTARA_AREA_LOG = 0,    /* head of the log */
    NGX_MENTARA_AREA_SLOTS,      /* 256 workers */
    NGX_MENTARA_AREA_METRICS,    /* counters */
    NGX_MENTARA_AREA_KEYS,       /* JWKS: 64k, for auth */
    NGX_MENTARA_AREA_RING,       /* 65,536 entries of 64 bytes */
    NGX_MENTARA_AREA_BODIES,     /* 16m: a ring of bytes */
    NGX_MENTARA_AREA_ROOMS,      /* 65,536 rooms of 48 bytes */
    NGX_MENTARA_AREA_CHAINS,     /* where the chains of rooms begin */
    NGX_MENTARA_AREA_BUCKETS,    /* 2m: budgets */
    NGX_MENTARA_AREA_PRESENCE,   /* who is there, who types */
    NGX_MENTARA_AREA_POLLBOX,    /* the rest, 3.5m: polling sessions */
    NGX_MENTARA_AREA_N
} ngx_mentara_area_e;


/* the budget of one (user, class) */
typedef struct {
    u_char                   key[16];      /* all zero: free */
    ngx_atomic_uint_t        started;      /* ms: begin of the window */
    ngx_atomic_uint_t        taken;
} ngx_mentara_bucket_t;


/* sizes that tests make small; 0: by the size of the zone */
typedef struct {
    ngx_uint_t               ring;         /* entries */
    ngx_uint_t               rooms;
    size_t                   bodies;       /* bytes */
} ngx_mentara_zone_opts_t;


typedef struct {
    u_char                  *data;         /* the same address everywhere */
    size_t                   size;         /* bytes */
    ngx_uint_t               n;            /* elements, 0: just bytes */
} ngx_mentara_area_t;


/* the head of the mapping */
typedef struct {
    ngx_uint_t               version;
    ngx_mentara_zone_opts_t  opts;
    ngx_mentara_area_t       areas[NGX_MENTARA_AREA_N];
} ngx_mentara_zone_head_t;


typedef struct {
    ngx_shm_zone_t           *shm;
    ngx_slab_pool_t          *pool;        /* NULL until the zone is mapped */
    ngx_mentara_zone_head_t  *head;
    ngx_mentara_zone_opts_t   opts;        /* set before create, for tests */
} ngx_mentara_zone_t;


/*
 * Adds the zone at configuration time.  tag: the module.  Returns
 * NGX_CONF_OK or NGX_CONF_ERROR (logged): a size that is too small, a name
 * in use.  A reload with the same size adopts the mapping and what is in it.
 */
char *ngx_mentara_zone_create(ngx_conf_t *cf, ngx_mentara_zone_t *zone,
    ngx_str_t *name, size_t size, void *tag);

/* one parameter of the directive behind the size; NGX_OK or NGX_ERROR */
ngx_int_t ngx_mentara_zone_opt(ngx_mentara_zone_t *zone, ngx_str_t *arg);

/*
 * The zone as fixed arrays in size bytes at base, which are all zero; for
 * the zone's init handler and for unit tests.
 */
void ngx_mentara_zone_layout(ngx_mentara_zone_head_t *head, u_char *base,
    size_t size, ngx_mentara_zone_opts_t *opts);

/*
 * Bytes at an area of a mapped zone, 64-byte aligned, zero when the zone is
 * new; size gets how many.
 */
void *ngx_mentara_zone_area(ngx_mentara_zone_t *zone, ngx_uint_t area,
    size_t *size);

/* elements of an area */
#define ngx_mentara_zone_count(zone, area)  ((zone)->head->areas[area].n)

/* bytes of the largest body that a zone of this size carries */
size_t ngx_mentara_zone_body_max(size_t size, ngx_mentara_zone_opts_t *opts);

void ngx_mentara_zone_lock(ngx_mentara_zone_t *zone);
void ngx_mentara_zone_unlock(ngx_mentara_zone_t *zone);


#endif /* _NGX_MENTARA_ZONE_H_INCLUDED_ */
