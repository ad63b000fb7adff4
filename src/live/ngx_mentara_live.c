
#include <ngx_mentara_live.h>
#include <ngx_mentara_append.h>
#include <ngx_mentara_attach.h>
#include <ngx_mentara_feed.h>
#include <ngx_mentara_mark.h>
#include <ngx_mentara_metrics.h>
#include <ngx_mentara_notice.h>
#include <ngx_mentara_presence.h>
#include <ngx_mentara_room.h>
#include <ngx_mentara_sweep.h>
#include <ngx_mentara_watch.h>
#include <sys/eventfd.h>


#define NGX_MENTARA_TICK        250    /* ms: a look without a wake */
#define NGX_MENTARA_SWEEP_EACH  500    /* ms on this host */
#define NGX_MENTARA_YOUNG       12     /* ticks until it must be connected */


static ngx_int_t ngx_mentara_live_reader(ngx_mentara_live_t *live,
    ngx_mentara_reader_t *r);
static ngx_int_t ngx_mentara_live_listen(ngx_mentara_live_t *live);
static void ngx_mentara_live_woken(ngx_event_t *ev);
static void ngx_mentara_live_turn(ngx_event_t *ev);
static void ngx_mentara_live_tick(ngx_event_t *ev);
static void ngx_mentara_live_second(ngx_mentara_live_t *live);
static void ngx_mentara_live_ask_key(ngx_mentara_live_t *live);
static void ngx_mentara_live_key(ngx_mentara_pg_query_t *q);


int *
ngx_mentara_live_fds(ngx_log_t *log)
{
    int         *fds;
    ngx_uint_t   i;

    fds = ngx_alloc(NGX_MENTARA_SLOTS * sizeof(int), log);
    if (fds == NULL) {
        return NULL;
    }

    /* without one a worker looks by its timer alone */

    for (i = 0; i < NGX_MENTARA_SLOTS; i++) {
        fds[i] = eventfd(0, EFD_NONBLOCK|EFD_CLOEXEC);

        if (fds[i] == -1) {
            ngx_log_error(NGX_LOG_WARN, log, ngx_errno,
                          "mentara: eventfd() failed");
        }
    }

    return fds;
}


ngx_mentara_live_t *
ngx_mentara_live_create(ngx_cycle_t *cycle, ngx_mentara_live_conf_t *conf,
    ngx_mentara_zone_t *zone, ngx_mentara_pg_t *pg, int *fds)
{
    uint64_t             now;
    ngx_mentara_live_t  *live;

    live = ngx_pcalloc(cycle->pool, sizeof(ngx_mentara_live_t));
    if (live == NULL) {
        return NULL;
    }

    live->cycle = cycle;
    live->logger = cycle->log;
    live->conf = conf;
    live->zone = zone;
    live->pg = pg;
    live->fds = fds;

    ngx_mentara_log_init(&live->log, zone);
    ngx_mentara_rooms_init(live);
    ngx_queue_init(&live->sessions);
    ngx_queue_init(&live->waiting);
    ngx_queue_init(&live->dead);
    ngx_queue_init(&live->delivered);

    live->sweep = ngx_mentara_sweep_create(live);

    if (live->sweep == NULL
        || ngx_mentara_live_reader(live, &live->reader) != NGX_OK
        || ngx_mentara_live_reader(live, &live->scratch) != NGX_OK
        || ngx_mentara_live_reader(live, &live->single) != NGX_OK)
    {
        return NULL;
    }

    now = ngx_current_msec;
    ngx_mentara_slots_reap(zone, -1, ngx_pid, ngx_mentara_presence_reap, &now);
    live->slot = ngx_mentara_slots_claim(zone, ngx_pid, fds);

    if (live->slot < 0) {
        live->slot = -1;
        ngx_log_error(NGX_LOG_WARN, cycle->log, 0,
                      "mentara: all slots of workers are taken");

    } else if (ngx_mentara_live_listen(live) != NGX_OK) {
        return NULL;
    }

    live->turn.handler = ngx_mentara_live_turn;
    live->turn.data = live;
    live->turn.log = cycle->log;

    live->tick.handler = ngx_mentara_live_tick;
    live->tick.data = live;
    live->tick.log = cycle->log;
    live->tick.cancelable = 1;
    ngx_add_timer(&live->tick, 1);

    return live;
}


static ngx_int_t
ngx_mentara_live_reader(ngx_mentara_live_t *live, ngx_mentara_reader_t *r)
{
    r->size = ngx_mentara_log_buffer(&live->log);
    r->buf = ngx_palloc(live->cycle->pool, r->size);

    return (r->buf == NULL) ? NGX_ERROR : NGX_OK;
}


static ngx_int_t
ngx_mentara_live_listen(ngx_mentara_live_t *live)
{
    int                fd;
    ngx_connection_t  *c;

    fd = (live->fds == NULL) ? -1 : live->fds[live->slot];

    if (fd == -1) {
        return NGX_OK;
    }

    c = ngx_get_connection(fd, live->logger);
    if (c == NULL) {
        return NGX_ERROR;
    }

    c->data = live;
    c->log = live->logger;
    c->read->log = live->logger;
    c->write->log = live->logger;
    c->read->handler = ngx_mentara_live_woken;

    /* it is no client: an exiting worker does not wait for it */

    c->read->channel = 1;
    c->idle = 0;

    if (ngx_add_event(c->read, NGX_READ_EVENT, 0) != NGX_OK) {
        ngx_free_connection(c);
        return NGX_ERROR;
    }

    live->wake = c;

    return NGX_OK;
}


/* who leaves at once, by SIGTERM, has sessions still: they are gone, too */

void
ngx_mentara_live_close(ngx_mentara_live_t *live)
{
    uint64_t  now;

    ngx_mentara_sweep_destroy(live->sweep);

    if (live->wake != NULL) {
        (void) ngx_del_event(live->wake->read, NGX_READ_EVENT, 0);
        ngx_free_connection(live->wake);
        live->wake->fd = (ngx_socket_t) -1;
        live->wake = NULL;
    }

    if (live->slot >= 0) {
        now = ngx_current_msec;

        ngx_mentara_zone_lock(live->zone);
        ngx_mentara_presence_reap(live->zone, live->slot, &now);
        ngx_mentara_zone_unlock(live->zone);

        ngx_mentara_slots_release(live->zone, live->slot);
        live->slot = -1;
    }
}


ngx_int_t
ngx_mentara_live_ready(ngx_mentara_live_t *live)
{
    if (!live->keyed && live->ticks < NGX_MENTARA_YOUNG) {
        return NGX_OK;
    }

    return (ngx_mentara_pg_state(live->pg) == NGX_OK) ? NGX_OK : NGX_AGAIN;
}


static void
ngx_mentara_live_woken(ngx_event_t *ev)
{
    uint64_t             n;
    ngx_connection_t    *c;
    ngx_mentara_live_t  *live;

    c = ev->data;
    live = c->data;

    if (read(c->fd, &n, sizeof(n)) == -1 && ngx_errno != NGX_EAGAIN) {
        ngx_log_error(NGX_LOG_ALERT, ev->log, ngx_errno,
                      "mentara: read() of an eventfd failed");
    }

    ngx_mentara_metric_add(live->zone, NGX_MENTARA_METRIC_WAKES, 1);
    ngx_mentara_live_turn(&live->turn);

    if (live->woken != NULL) {
        live->woken(live->woken_data);
    }
}


static void
ngx_mentara_live_turn(ngx_event_t *ev)
{
    ngx_mentara_live_t  *live;

    live = ev->data;

    (void) ngx_mentara_feed_read(live);
    ngx_mentara_attach_resume(live);
}


static void
ngx_mentara_live_tick(ngx_event_t *ev)
{
    ngx_mentara_live_t      *live;
    ngx_mentara_log_head_t  *head;

    live = ev->data;
    head = live->log.head;
    live->ticks++;

    ngx_add_timer(ev, NGX_MENTARA_TICK);

    if (!live->keyed) {
        ngx_mentara_live_ask_key(live);
    }

    ngx_mentara_live_turn(&live->turn);
    ngx_mentara_notice_tick(live);

    if (!head->open || head->sweep_wanted
        || ngx_current_msec - head->sweep_started >= NGX_MENTARA_SWEEP_EACH)
    {
        ngx_mentara_sweep_now(live);
    }

    if (live->ticks % 3 == 0) {
        ngx_mentara_watch_accounts(live);
    }

    if (live->ticks % 4 == 0) {
        ngx_mentara_live_second(live);
    }
}


static void
ngx_mentara_live_second(ngx_mentara_live_t *live)
{
    uint64_t    now;
    ngx_uint_t  n;

    ngx_mentara_mark_flush(live);
    ngx_mentara_watch_expired(live);

    now = ngx_current_msec;
    n = ngx_mentara_slots_reap(live->zone, live->slot, ngx_pid,
                               ngx_mentara_presence_reap, &now);

    if (n != 0) {
        ngx_mentara_metric_add(live->zone, NGX_MENTARA_METRIC_DEAD_WORKERS, n);
    }
}


static void
ngx_mentara_live_ask_key(ngx_mentara_live_t *live)
{
    ngx_mentara_pg_query_t  *q;

    if (live->asking) {
        return;
    }

    q = ngx_mentara_pg_query(live->pg, NGX_MENTARA_STMT_SERVER_KEY,
                             live->logger);
    if (q == NULL) {
        return;
    }

    q->handler = ngx_mentara_live_key;
    q->data = live;

    if (ngx_mentara_pg_submit(q) != NGX_OK) {
        ngx_mentara_pg_drop(q);
        return;
    }

    live->asking = 1;
}


static void
ngx_mentara_live_key(ngx_mentara_pg_query_t *q)
{
    ngx_int_t            n;
    ngx_str_t            hex;
    ngx_uint_t           i;
    ngx_mentara_live_t  *live;

    live = q->data;
    live->asking = 0;

    if (q->error != NGX_MENTARA_PG_OK) {
        return;
    }

    hex = ngx_mentara_pg_get_str(q->result, 0, NGX_MENTARA_COL_CONTENT);

    if (hex.len < 2 * NGX_MENTARA_SERVER_KEY) {
        ngx_log_error(NGX_LOG_ERR, live->logger, 0,
                      "mentara: messaging.server_keys has no usable key");
        return;
    }

    for (i = 0; i < NGX_MENTARA_SERVER_KEY; i++) {
        n = ngx_hextoi(hex.data + 2 * i, 2);

        if (n == NGX_ERROR) {
            return;
        }

        live->key[i] = (u_char) n;
    }

    live->keyed = 1;
    ngx_mentara_attach_resume(live);
}
