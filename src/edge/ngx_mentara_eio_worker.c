
#include <ngx_mentara_eio_worker.h>
#include <ngx_mentara_eio_hold.h>


#define NGX_MENTARA_EIO_TICK  250    /* ms */


static void ngx_mentara_eio_worker_turn(ngx_event_t *ev);
static void ngx_mentara_eio_worker_tick(ngx_event_t *ev);
static void ngx_mentara_eio_worker_leave(ngx_mentara_eio_worker_t *worker);
static ngx_uint_t ngx_mentara_eio_far(ngx_mentara_eio_t *s);


ngx_mentara_eio_worker_t *
ngx_mentara_eio_worker_create(ngx_cycle_t *cycle, ngx_mentara_ws_worker_t *ws,
    ngx_mentara_zone_t *zone, ngx_int_t slot, int *fds)
{
    size_t                     n;
    ngx_mentara_eio_worker_t  *worker;

    worker = ngx_pcalloc(cycle->pool, sizeof(ngx_mentara_eio_worker_t));
    if (worker == NULL) {
        return NULL;
    }

    worker->log = cycle->log;
    worker->ws = ws;

    ngx_queue_init(&worker->sessions);
    ngx_queue_init(&worker->holders);
    ngx_queue_init(&worker->ending);

    worker->turn.handler = ngx_mentara_eio_worker_turn;
    worker->turn.data = worker;
    worker->turn.log = cycle->log;

    worker->end.handler = ngx_mentara_eio_worker_end;
    worker->end.data = worker;
    worker->end.log = cycle->log;

    ngx_mentara_pollbox_init(&worker->pb, zone, slot, fds, &worker->turn);

    n = (worker->pb.head->nboxes + 1) * sizeof(void *);
    worker->owned = ngx_pcalloc(cycle->pool, n);
    worker->held = ngx_pcalloc(cycle->pool, n);

    if (worker->owned == NULL || worker->held == NULL) {
        return NULL;
    }

    worker->tick.handler = ngx_mentara_eio_worker_tick;
    worker->tick.data = worker;
    worker->tick.log = cycle->log;
    worker->tick.cancelable = 1;
    ngx_add_timer(&worker->tick, NGX_MENTARA_EIO_TICK);

    return worker;
}


void
ngx_mentara_eio_woken(void *data)
{
    ngx_mentara_eio_worker_t *worker = data;

    if (!worker->turn.posted) {
        ngx_post_event(&worker->turn, &ngx_posted_events);
    }
}


static void
ngx_mentara_eio_worker_turn(ngx_event_t *ev)
{
    ngx_mentara_eio_t         *s;
    ngx_mentara_box_ref_t      ref;
    ngx_mentara_eio_holder_t  *h;
    ngx_mentara_eio_worker_t  *worker;

    worker = ev->data;

    while (ngx_mentara_box_next(&worker->pb, NGX_MENTARA_BOX_OWNER, &ref)
           == NGX_OK)
    {
        s = worker->owned[ref.n];

        if (s != NULL && s->box.serial == ref.serial) {
            ngx_mentara_eio_turn(s);
        }
    }

    while (ngx_mentara_box_next(&worker->pb, NGX_MENTARA_BOX_HOLDER, &ref)
           == NGX_OK)
    {
        h = worker->held[ref.n];

        if (h != NULL && h->box.serial == ref.serial) {
            ngx_mentara_eio_holder_turn(h);
        }
    }
}


static void
ngx_mentara_eio_worker_tick(ngx_event_t *ev)
{
    ngx_queue_t               *q, *next;
    ngx_mentara_eio_worker_t  *worker;

    worker = ev->data;
    worker->ticks++;

    ngx_add_timer(ev, NGX_MENTARA_EIO_TICK);

    ngx_mentara_eio_worker_turn(&worker->turn);

    for (q = ngx_queue_head(&worker->holders);
         q != ngx_queue_sentinel(&worker->holders);
         q = next)
    {
        next = ngx_queue_next(q);
        ngx_mentara_eio_holder_tick(ngx_queue_data(q,
                                                   ngx_mentara_eio_holder_t,
                                                   queue));
    }

    if (worker->ticks % 4 == 0 && worker->pb.head->used_boxes != 0) {
        ngx_mentara_pollbox_sweep(&worker->pb, ngx_current_msec);
    }

    if (ngx_exiting) {
        ngx_mentara_eio_worker_leave(worker);
    }
}


/*
 * Sessions that are polled go to whoever gets their next request.  Those with
 * a WebSocket at another worker, which need not be about to exit, are ended
 * from here, a share at a time.
 */

static void
ngx_mentara_eio_worker_leave(ngx_mentara_eio_worker_t *worker)
{
    ngx_uint_t          n, turns;
    ngx_queue_t        *q;
    ngx_mentara_eio_t  *s;

    n = 0;

    for (q = ngx_queue_head(&worker->sessions);
         q != ngx_queue_sentinel(&worker->sessions);
         q = ngx_queue_next(q))
    {
        s = ngx_queue_data(q, ngx_mentara_eio_t, queue);

        if (!s->upgraded) {
            ngx_mentara_eio_end(s, 1, 0);
            continue;
        }

        if (ngx_mentara_eio_far(s)) {
            n++;
        }
    }

    if (worker->share == 0 && n != 0) {
        q = ngx_queue_head(&worker->sessions);
        s = ngx_queue_data(q, ngx_mentara_eio_t, queue);
        turns = s->conf->ws.drain / NGX_MENTARA_EIO_TICK;
        worker->share = n / ngx_max(turns, 1) + 1;
    }

    n = 0;

    for (q = ngx_queue_head(&worker->sessions);
         q != ngx_queue_sentinel(&worker->sessions) && n < worker->share;
         q = ngx_queue_next(q))
    {
        s = ngx_queue_data(q, ngx_mentara_eio_t, queue);

        if (ngx_mentara_eio_far(s)) {
            ngx_mentara_eio_end(s, 0, MENTARA_WS_RESTART);
            n++;
        }
    }
}


/* its WebSocket is another worker's */

static ngx_uint_t
ngx_mentara_eio_far(ngx_mentara_eio_t *s)
{
    return s->upgraded && s->ws == NULL && !s->ended;
}
