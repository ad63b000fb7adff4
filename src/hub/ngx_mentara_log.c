
#include <ngx_mentara_log.h>
#include <ngx_mentara_fault.h>
#include <ngx_mentara_metrics.h>
#include <ngx_mentara_places.h>
#include <ngx_mentara_ring.h>
#include <openssl/rand.h>


static uint64_t ngx_mentara_log_random(void);
static ngx_uint_t ngx_mentara_log_swept(ngx_mentara_log_t *log,
    ngx_mentara_lag_t *rows, ngx_uint_t n);
static ngx_uint_t ngx_mentara_log_saw(ngx_mentara_log_t *log, uint64_t xid);
static void ngx_mentara_log_open(ngx_mentara_log_t *log);


typedef char ngx_mentara_ring_size[sizeof(ngx_mentara_ring_t) == 64 ? 1 : -1];
typedef char ngx_mentara_place_size[sizeof(ngx_mentara_place_t) == 48 ? 1
                                                                     : -1];
typedef char ngx_mentara_head_size[sizeof(ngx_mentara_log_head_t) <= 16384
                                   ? 1 : -1];


ngx_str_t  ngx_mentara_event_names[] = {
    ngx_string("new_message"),
    ngx_string("message_updated"),
    ngx_string("message_read"),
    ngx_string("message_reaction"),
    ngx_string("conversation_created"),
    ngx_string("conversation_updated"),
    ngx_string("participant_added"),
    ngx_string("participant_updated"),
    ngx_string("participant_removed"),
    ngx_string("user_blocked"),
    ngx_string("user_unblocked"),
    ngx_string("message_delivered"),
    ngx_string("typing_indicator"),
    ngx_string("user_status_changed"),
    ngx_string("user_joined_conversation"),
    ngx_string("user_left_conversation"),
    ngx_string("control"),
};


ngx_int_t
ngx_mentara_event_kind(ngx_str_t *name)
{
    ngx_uint_t   i;
    ngx_str_t   *s;

    for (i = 0; i < NGX_MENTARA_EVENT_N; i++) {
        s = &ngx_mentara_event_names[i];

        if (s->len == name->len
            && ngx_memcmp(s->data, name->data, s->len) == 0)
        {
            return i;
        }
    }

    return NGX_DECLINED;
}


void
ngx_mentara_log_init(ngx_mentara_log_t *log, ngx_mentara_zone_t *zone)
{
    log->zone = zone;
    log->head = ngx_mentara_zone_area(zone, NGX_MENTARA_AREA_LOG, NULL);

    log->ring = ngx_mentara_zone_area(zone, NGX_MENTARA_AREA_RING, NULL);
    log->nring = ngx_mentara_zone_count(zone, NGX_MENTARA_AREA_RING);

    log->bodies = ngx_mentara_zone_area(zone, NGX_MENTARA_AREA_BODIES,
                                        &log->size);
    log->size -= log->size % NGX_MENTARA_RING_ALIGN;
    log->body_max = log->size / 16;

    log->places = ngx_mentara_zone_area(zone, NGX_MENTARA_AREA_ROOMS, NULL);
    log->nplaces = ngx_mentara_zone_count(zone, NGX_MENTARA_AREA_ROOMS);
    log->chains = ngx_mentara_zone_area(zone, NGX_MENTARA_AREA_CHAINS, NULL);

    ngx_mentara_zone_lock(zone);

    if (log->head->epoch == 0) {
        log->head->epoch = ngx_mentara_log_random();
    }

    ngx_mentara_zone_unlock(zone);
}


/*
 * Two hosts with one epoch would take each other's positions for their own,
 * so it is no pseudo-random number of a seeded row.
 */

static uint64_t
ngx_mentara_log_random(void)
{
    uint64_t  n;

    if (RAND_bytes((u_char *) &n, sizeof(n)) != 1) {
        n = ((uint64_t) ngx_random() << 32) ^ ngx_random()
            ^ ((uint64_t) ngx_pid << 16);
    }

    return n | 1;
}


ngx_int_t
ngx_mentara_log_append(ngx_mentara_log_t *log, ngx_mentara_entry_t *e,
    ngx_mentara_targets_t *t)
{
    ngx_int_t             rc;
    ngx_uint_t            metric;
    ngx_mentara_place_t  *place;

    ngx_mentara_zone_lock(log->zone);

    if (!log->head->open) {
        ngx_mentara_zone_unlock(log->zone);
        return NGX_BUSY;
    }

    ngx_mentara_ring_redo(log);

    rc = NGX_OK;
    metric = NGX_MENTARA_METRIC_APPENDED;

    if (e->event_seq != 0) {
        place = ngx_mentara_place_find(log, &e->conversation);

        if (place == NULL || e->event_seq > place->last + 1) {
            log->head->sweep_wanted = 1;
            rc = NGX_AGAIN;
            metric = NGX_MENTARA_METRIC_LATER;

        } else if (e->event_seq <= place->last) {
            rc = NGX_DECLINED;
            metric = NGX_MENTARA_METRIC_DUPLICATES;
        }
    }

    if (rc == NGX_OK) {
        ngx_mentara_ring_put(log, e);
        ngx_mentara_slots_signal(log->zone, t);
        ngx_mentara_fault("after_signal");
    }

    ngx_mentara_zone_unlock(log->zone);

    ngx_mentara_metric_add(log->zone, metric, 1);

    return rc;
}


ngx_int_t
ngx_mentara_log_sweep(ngx_mentara_log_t *log, ngx_pid_t pid, uint64_t now,
    ngx_mentara_sweep_from_t *from)
{
    ngx_mentara_log_head_t  *head;

    head = log->head;

    ngx_mentara_zone_lock(log->zone);

    if (head->sweeper != 0 && (ngx_pid_t) head->sweeper != pid
        && (int64_t) (now - head->sweep_started) < NGX_MENTARA_SWEEP_OLD
        && kill((ngx_pid_t) head->sweeper, 0) == 0)
    {
        ngx_mentara_zone_unlock(log->zone);
        return NGX_BUSY;
    }

    head->sweep_started = now;
    head->sweeper = pid;
    head->sweep_wanted = 0;

    from->no = head->snapshot_no;
    from->open = head->open;

    if (head->open) {
        from->from = head->snapshots[head->snapshot_no & 1];
    }

    ngx_mentara_zone_unlock(log->zone);

    return NGX_OK;
}


ngx_int_t
ngx_mentara_log_compare(ngx_mentara_log_t *log, uint64_t no,
    ngx_mentara_lag_t *rows, ngx_uint_t n)
{
    ngx_uint_t            i;
    ngx_mentara_place_t  *place;

    ngx_mentara_zone_lock(log->zone);

    if (log->head->snapshot_no != no) {
        ngx_mentara_zone_unlock(log->zone);
        return NGX_ABORT;
    }

    ngx_mentara_ring_redo(log);

    for (i = 0; i < n; i++) {
        place = ngx_mentara_place_find(log, &rows[i].conversation);

        /* not here: nothing beyond the snapshot in force was appended */

        rows[i].last = (place != NULL) ? place->last : rows[i].min - 1;
        rows[i].lag = (rows[i].last < rows[i].max);
    }

    ngx_mentara_zone_unlock(log->zone);

    return NGX_OK;
}


ngx_int_t
ngx_mentara_log_sweep_append(ngx_mentara_log_t *log, uint64_t no,
    ngx_mentara_entry_t *events, ngx_uint_t n, ngx_uint_t *added,
    ngx_mentara_targets_t *t)
{
    ngx_int_t             rc;
    ngx_uint_t            i;
    ngx_mentara_entry_t  *e;
    ngx_mentara_place_t  *place;

    rc = NGX_OK;
    *added = 0;

    ngx_mentara_zone_lock(log->zone);

    if (log->head->snapshot_no != no || !log->head->open) {
        ngx_mentara_zone_unlock(log->zone);
        return NGX_ABORT;
    }

    ngx_mentara_ring_redo(log);

    for (i = 0; i < n; i++) {
        e = &events[i];

        place = ngx_mentara_place_find(log, &e->conversation);

        if (place == NULL) {
            place = ngx_mentara_place_add(log, &e->conversation,
                                          e->event_seq - 1);
            if (place == NULL) {
                rc = NGX_DECLINED;
                break;
            }
        }

        if (e->event_seq == place->last + 1) {
            ngx_mentara_ring_put(log, e);
            (*added)++;
        }
    }

    if (*added != 0) {
        ngx_mentara_slots_signal(log->zone, t);
        ngx_mentara_fault("after_signal");
    }

    ngx_mentara_zone_unlock(log->zone);

    ngx_mentara_metric_add(log->zone, NGX_MENTARA_METRIC_SWEPT, *added);

    return rc;
}


ngx_int_t
ngx_mentara_log_install(ngx_mentara_log_t *log, uint64_t no,
    ngx_mentara_snapshot_t *s, ngx_mentara_lag_t *rows, ngx_uint_t n,
    uint64_t now)
{
    ngx_mentara_log_head_t  *head;
    ngx_mentara_snapshot_t  *old;

    head = log->head;

    ngx_mentara_zone_lock(log->zone);

    if (head->snapshot_no != no) {
        ngx_mentara_zone_unlock(log->zone);
        return NGX_ABORT;
    }

    ngx_mentara_ring_redo(log);

    old = &head->snapshots[no & 1];

    if (head->open
        && (s->xmin < old->xmin || !ngx_mentara_log_swept(log, rows, n)))
    {
        ngx_mentara_zone_unlock(log->zone);
        return NGX_AGAIN;
    }

    if (!head->open || s->xmin > old->xmin || s->xmin == s->xmax) {
        head->floor_since = now;
    }

    if (!head->open) {
        ngx_mentara_log_open(log);
    }

    /* into the idle half, and in force by one store */

    head->snapshots[(no + 1) & 1] = *s;

    ngx_memory_barrier();
    ngx_mentara_fault("install_copied");

    head->snapshot_no = no + 1;

    ngx_memory_barrier();
    ngx_mentara_fault("install_done");

    head->open = 1;

    ngx_mentara_zone_unlock(log->zone);

    ngx_mentara_metric_add(log->zone, NGX_MENTARA_METRIC_SWEEPS, 1);

    return NGX_OK;
}


static ngx_uint_t
ngx_mentara_log_swept(ngx_mentara_log_t *log, ngx_mentara_lag_t *rows,
    ngx_uint_t n)
{
    ngx_uint_t            i;
    ngx_mentara_place_t  *place;

    for (i = 0; i < n; i++) {
        place = ngx_mentara_place_find(log, &rows[i].conversation);

        if (place == NULL || place->last < rows[i].max) {
            return 0;
        }
    }

    return 1;
}


uint64_t
ngx_mentara_log_due(ngx_mentara_log_t *log, ngx_mentara_due_t *rows,
    ngx_uint_t *n)
{
    uint64_t              head;
    ngx_uint_t            i, left;
    ngx_mentara_place_t  *place;

    left = 0;

    ngx_mentara_zone_lock(log->zone);

    ngx_mentara_ring_redo(log);

    for (i = 0; i < *n; i++) {
        place = ngx_mentara_place_find(log, &rows[i].conversation);

        /* not here: exactly what the snapshot in force sees was appended */

        if ((place != NULL) ? place->last < rows[i].event_seq
                            : !ngx_mentara_log_saw(log, rows[i].xid))
        {
            rows[left++] = rows[i];
        }
    }

    head = log->head->head;

    if (left != 0) {
        log->head->sweep_wanted = 1;
    }

    ngx_mentara_zone_unlock(log->zone);

    *n = left;

    return head;
}


static ngx_uint_t
ngx_mentara_log_saw(ngx_mentara_log_t *log, uint64_t xid)
{
    ngx_mentara_log_head_t  *head;

    head = log->head;

    return head->open
           && ngx_mentara_snapshot_sees(&head->snapshots[head->snapshot_no
                                                         & 1],
                                        xid);
}


/* a closed log is emptied when it opens: a death in between does no harm */

static void
ngx_mentara_log_open(ngx_mentara_log_t *log)
{
    ngx_mentara_places_clear(log);

    log->head->tail = log->head->head;

    ngx_memory_barrier();
}


ngx_uint_t
ngx_mentara_log_sweep_end(ngx_mentara_log_t *log, ngx_pid_t pid)
{
    ngx_uint_t  wanted;

    ngx_mentara_zone_lock(log->zone);

    wanted = 0;

    if ((ngx_pid_t) log->head->sweeper == pid) {
        log->head->sweeper = 0;
        wanted = log->head->sweep_wanted;
    }

    ngx_mentara_zone_unlock(log->zone);

    return wanted;
}


void
ngx_mentara_log_new_epoch(ngx_mentara_log_t *log, uint64_t no,
    ngx_mentara_targets_t *t)
{
    ngx_mentara_log_head_t  *head;

    head = log->head;

    ngx_mentara_zone_lock(log->zone);

    if (head->snapshot_no != no) {
        ngx_mentara_zone_unlock(log->zone);
        return;
    }

    ngx_mentara_ring_redo(log);

    /* readers first; the number makes all sweeps under way void */

    head->epoch = ngx_mentara_log_random();

    ngx_memory_barrier();
    ngx_mentara_fault("epoch_new");

    head->open = 0;

    ngx_memory_barrier();
    ngx_mentara_fault("epoch_closed");

    head->snapshot_no = no + 2;
    head->sweep_wanted = 1;

    ngx_mentara_slots_signal(log->zone, t);

    ngx_mentara_zone_unlock(log->zone);

    ngx_mentara_metric_add(log->zone, NGX_MENTARA_METRIC_EPOCHS, 1);
}


void
ngx_mentara_log_stat(ngx_mentara_log_t *log, uint64_t now,
    ngx_mentara_log_stat_t *st)
{
    ngx_mentara_log_head_t  *head;
    ngx_mentara_snapshot_t  *s;

    head = log->head;
    s = &head->snapshots[head->snapshot_no & 1];

    st->entries = head->head - head->tail;
    st->evicted = head->evicted;
    st->open = head->open;
    st->floor = head->open ? s->xmin : 0;
    st->floor_age = (head->open && s->xmin != s->xmax)
                    ? now - head->floor_since : 0;
}
