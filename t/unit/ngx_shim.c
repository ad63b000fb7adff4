
/*
 * The little of nginx that the hub's shared-memory code calls, so that it
 * runs without an event loop.  The mutex is nginx's in kind: a word with the
 * owner's pid, which the parent takes back when the owner has died.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_md5.h>
#include <openssl/evp.h>
#include <sched.h>
#include "ngx_shim.h"


/*
 * Nginx's names are taken for the linker alone: whoever reads or searches the
 * code finds one definition of each, nginx's own.
 */

void shim_shmtx_lock(ngx_shmtx_t *mtx) __asm__("ngx_shmtx_lock");
void shim_shmtx_unlock(ngx_shmtx_t *mtx) __asm__("ngx_shmtx_unlock");
ngx_uint_t shim_shmtx_force_unlock(ngx_shmtx_t *mtx, ngx_pid_t pid)
    __asm__("ngx_shmtx_force_unlock");
void *shim_alloc(size_t size, ngx_log_t *log) __asm__("ngx_alloc");
void *shim_calloc(size_t size, ngx_log_t *log) __asm__("ngx_calloc");
void *shim_slab_calloc(ngx_slab_pool_t *pool, size_t size)
    __asm__("ngx_slab_calloc");
ngx_shm_zone_t *shim_shared_memory_add(ngx_conf_t *cf, ngx_str_t *name,
    size_t size, void *tag) __asm__("ngx_shared_memory_add");
ssize_t shim_parse_size(ngx_str_t *line) __asm__("ngx_parse_size");
ngx_int_t shim_atoi(u_char *line, size_t n) __asm__("ngx_atoi");
void shim_conf_log_error(ngx_uint_t level, ngx_conf_t *cf, ngx_err_t err,
    const char *fmt, ...) __asm__("ngx_conf_log_error");
void shim_log_error_core(ngx_uint_t level, ngx_log_t *log, ngx_err_t err,
    const char *fmt, ...) __asm__("ngx_log_error_core");
void shim_md5_init(ngx_md5_t *ctx) __asm__("ngx_md5_init");
void shim_md5_update(ngx_md5_t *ctx, const void *data, size_t size)
    __asm__("ngx_md5_update");
void shim_md5_final(u_char result[16], ngx_md5_t *ctx)
    __asm__("ngx_md5_final");


ngx_pid_t             ngx_pid;
ngx_int_t             ngx_ncpu = 2;
volatile ngx_msec_t   ngx_current_msec;
volatile ngx_cycle_t *ngx_cycle;

static EVP_MD_CTX    *shim_md5;    /* one at a time */


void
shim_shmtx_lock(ngx_shmtx_t *mtx)
{
    while (!ngx_atomic_cmp_set(mtx->lock, 0, getpid())) {
        sched_yield();
    }
}


void
shim_shmtx_unlock(ngx_shmtx_t *mtx)
{
    if (!ngx_atomic_cmp_set(mtx->lock, getpid(), 0)) {
        abort();
    }
}


ngx_uint_t
shim_shmtx_force_unlock(ngx_shmtx_t *mtx, ngx_pid_t pid)
{
    return ngx_atomic_cmp_set(mtx->lock, pid, 0);
}


void *
shim_alloc(size_t size, ngx_log_t *log)
{
    (void) log;

    return malloc(size);
}


void *
shim_calloc(size_t size, ngx_log_t *log)
{
    (void) log;

    return calloc(1, size);
}


void *
shim_slab_calloc(ngx_slab_pool_t *pool, size_t size)
{
    (void) pool;
    (void) size;

    return NULL;
}


ngx_shm_zone_t *
shim_shared_memory_add(ngx_conf_t *cf, ngx_str_t *name, size_t size, void *tag)
{
    (void) cf;
    (void) name;
    (void) size;
    (void) tag;

    return NULL;
}


ssize_t
shim_parse_size(ngx_str_t *line)
{
    (void) line;

    return NGX_ERROR;
}


ngx_int_t
shim_atoi(u_char *line, size_t n)
{
    ngx_int_t  value;

    for (value = 0; n > 0; n--) {
        value = value * 10 + (*line++ - '0');
    }

    return value;
}


void
shim_md5_init(ngx_md5_t *ctx)
{
    (void) ctx;

    shim_md5 = EVP_MD_CTX_new();

    if (shim_md5 == NULL || !EVP_DigestInit(shim_md5, EVP_md5())) {
        abort();
    }
}


void
shim_md5_update(ngx_md5_t *ctx, const void *data, size_t size)
{
    (void) ctx;

    EVP_DigestUpdate(shim_md5, data, size);
}


void
shim_md5_final(u_char result[16], ngx_md5_t *ctx)
{
    (void) ctx;

    EVP_DigestFinal(shim_md5, result, NULL);
    EVP_MD_CTX_free(shim_md5);
}


void
shim_conf_log_error(ngx_uint_t level, ngx_conf_t *cf, ngx_err_t err,
    const char *fmt, ...)
{
    (void) level;
    (void) cf;
    (void) err;

    fprintf(stderr, "# conf: %s\n", fmt);
}


void
shim_log_error_core(ngx_uint_t level, ngx_log_t *log, ngx_err_t err,
    const char *fmt, ...)
{
    (void) level;
    (void) log;
    (void) err;

    fprintf(stderr, "# log: %s\n", fmt);
}


void
shim_zone(ngx_mentara_zone_t *zone, size_t size,
    ngx_mentara_zone_opts_t *opts)
{
    u_char  *p;

    p = mmap(NULL, size, PROT_READ|PROT_WRITE, MAP_SHARED|MAP_ANONYMOUS, -1,
             0);

    if (p == MAP_FAILED) {
        abort();
    }

    memset(zone, 0, sizeof(ngx_mentara_zone_t));

    ngx_pid = getpid();

    zone->pool = (ngx_slab_pool_t *) p;
    zone->pool->mutex.lock = &zone->pool->lock.lock;
    zone->head = (ngx_mentara_zone_head_t *) (p + 4096);

    ngx_mentara_zone_layout(zone->head, p + 4096, size, opts);
}
