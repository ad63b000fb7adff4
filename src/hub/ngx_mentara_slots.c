
#include <ngx_mentara_slots.h>


static ngx_uint_t ngx_mentara_slots_dead(ngx_mentara_slot_t *s,
    ngx_pid_t pid);
static void ngx_mentara_slots_clear(ngx_mentara_slot_t *s);


typedef char ngx_mentara_slot_size[sizeof(ngx_mentara_slot_t) == 64 ? 1 : -1];


ngx_mentara_slot_t *
ngx_mentara_slot(ngx_mentara_zone_t *zone, ngx_uint_t slot)
{
    ngx_mentara_slot_t  *slots;

    slots = ngx_mentara_zone_area(zone, NGX_MENTARA_AREA_SLOTS, NULL);

    return &slots[slot];
}


ngx_int_t
ngx_mentara_slots_claim(ngx_mentara_zone_t *zone, ngx_pid_t pid, int *fds)
{
    ngx_int_t            rc;
    ngx_uint_t           i;
    ngx_mentara_slot_t  *s, *first;

    rc = NGX_DECLINED;

    ngx_mentara_zone_lock(zone);

    for (i = 0; i < NGX_MENTARA_SLOTS; i++) {
        s = ngx_mentara_slot(zone, i);

        if (s->pid != 0) {
            continue;
        }

        s->sockets = 0;
        s->signalled = 0;
        s->fd = (fds != NULL) ? fds[i] : -1;
        s->generation++;

        first = ngx_mentara_slot(zone, 0);
        first->used = ngx_max(first->used, i + 1);

        ngx_memory_barrier();

        s->pid = pid;

        rc = i;
        break;
    }

    ngx_mentara_zone_unlock(zone);

    return rc;
}


void
ngx_mentara_slots_release(ngx_mentara_zone_t *zone, ngx_uint_t slot)
{
    ngx_mentara_zone_lock(zone);

    ngx_mentara_slots_clear(ngx_mentara_slot(zone, slot));

    ngx_mentara_zone_unlock(zone);
}


/* free by one store, the last one */

static void
ngx_mentara_slots_clear(ngx_mentara_slot_t *s)
{
    s->sockets = 0;
    s->signalled = 0;
    s->fd = -1;

    ngx_memory_barrier();

    s->pid = 0;
}


/*
 * A process that may not be signalled is no worker of ours: its pid was
 * given to somebody else.
 */

static ngx_uint_t
ngx_mentara_slots_dead(ngx_mentara_slot_t *s, ngx_pid_t pid)
{
    if (s->pid == 0) {
        return 0;
    }

    return (ngx_pid_t) s->pid == pid || kill((ngx_pid_t) s->pid, 0) == -1;
}


ngx_uint_t
ngx_mentara_slots_reap(ngx_mentara_zone_t *zone, ngx_int_t self,
    ngx_pid_t pid, ngx_mentara_reap_pt handler, void *data)
{
    ngx_uint_t           i, n;
    ngx_mentara_slot_t  *s;

    n = 0;

    for (i = 0; i < ngx_mentara_slot(zone, 0)->used; i++) {
        s = ngx_mentara_slot(zone, i);

        if ((ngx_int_t) i == self || !ngx_mentara_slots_dead(s, pid)) {
            continue;
        }

        ngx_mentara_zone_lock(zone);

        /* another worker may have been quicker */

        if (ngx_mentara_slots_dead(s, pid)) {
            if (handler != NULL) {
                handler(zone, i, data);
            }

            ngx_mentara_slots_clear(s);
            n++;
        }

        ngx_mentara_zone_unlock(zone);
    }

    return n;
}


void
ngx_mentara_slots_signal(ngx_mentara_zone_t *zone, ngx_mentara_targets_t *t)
{
    ngx_uint_t           i;
    ngx_mentara_slot_t  *s;

    for (i = 0; i < ngx_mentara_slot(zone, 0)->used; i++) {
        s = ngx_mentara_slot(zone, i);

        if (s->pid == 0 || s->sockets == 0 || s->signalled) {
            continue;
        }

        s->signalled = 1;

        t->fds[t->n] = s->fd;
        t->slots[t->n] = i;
        t->n++;
    }
}


ngx_uint_t
ngx_mentara_slots_wake(ngx_mentara_targets_t *t, ngx_uint_t self)
{
    uint64_t    one;
    ngx_uint_t  i, found;

    one = 1;
    found = 0;

    for (i = 0; i < t->n; i++) {
        if (t->slots[i] == self) {
            found = 1;
            continue;
        }

        /* a lost wake is made up for by the worker's timer */

        if (t->fds[i] != -1 && write(t->fds[i], &one, sizeof(one)) == -1) {
            continue;
        }
    }

    t->n = 0;

    return found;
}
