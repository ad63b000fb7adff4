
#include <ngx_mentara_box.h>


static void ngx_mentara_pollbox_empty(ngx_mentara_pollbox_t *pb);
static void ngx_mentara_box_wake(ngx_mentara_pollbox_t *pb, int32_t slot);


typedef char ngx_mentara_box_size[sizeof(ngx_mentara_box_t) <= 224 ? 1 : -1];


/* serials go on: who still refers to a box does not find it */

static void
ngx_mentara_pollbox_empty(ngx_mentara_pollbox_t *pb)
{
    ngx_mentara_pollbox_head_t  *head;

    head = pb->head;

    ngx_memzero(pb->buckets, head->nbuckets * sizeof(uint32_t));
    ngx_memzero(pb->boxes, head->used_boxes * sizeof(ngx_mentara_box_t));
    ngx_memzero(head->ready, sizeof(head->ready));

    head->free_box = 0;
    head->free_block = 0;
    head->used_boxes = 0;
    head->used_blocks = 0;
}


void
ngx_mentara_pollbox_lock(ngx_mentara_pollbox_t *pb)
{
    ngx_mentara_zone_lock(pb->zone);

    if (pb->head->busy) {
        ngx_mentara_pollbox_empty(pb);
    }

    pb->head->busy = 1;
    ngx_memory_barrier();
}


void
ngx_mentara_pollbox_unlock(ngx_mentara_pollbox_t *pb)
{
    int          fd;
    int32_t      slot;
    uint64_t     one;
    ngx_uint_t   i;

    ngx_memory_barrier();
    pb->head->busy = 0;

    ngx_mentara_zone_unlock(pb->zone);

    one = 1;

    for (i = 0; i < pb->nwakes; i++) {
        slot = pb->wakes[i];

        if (slot == pb->slot) {
            if (!pb->turn->posted) {
                ngx_post_event(pb->turn, &ngx_posted_events);
            }

            continue;
        }

        fd = (pb->fds == NULL) ? -1 : pb->fds[slot];

        /* a lost wake is made up for by the worker's timer */

        if (fd != -1 && write(fd, &one, sizeof(one)) == -1) {
            continue;
        }
    }

    pb->nwakes = 0;
}


ngx_mentara_box_t *
ngx_mentara_box_enter(ngx_mentara_pollbox_t *pb, ngx_mentara_box_ref_t *ref)
{
    ngx_mentara_box_t  *box;

    if (ref->serial == 0) {
        return NULL;
    }

    ngx_mentara_pollbox_lock(pb);

    box = ngx_mentara_box(pb, ref->n);

    if (box->serial != ref->serial) {
        ngx_mentara_pollbox_unlock(pb);
        return NULL;
    }

    return box;
}


void
ngx_mentara_box_unready(ngx_mentara_pollbox_t *pb, ngx_mentara_box_t *box,
    ngx_uint_t role)
{
    uint32_t  n, *p;
    int32_t   slot;

    slot = box->who[role].slot;

    if (box->ready[role] == 0 || slot < 0) {
        box->ready[role] = 0;
        return;
    }

    n = ngx_mentara_box_n(pb, box);
    p = &pb->head->ready[slot].first[role];

    while (*p != 0 && *p != NGX_MENTARA_BOX_END && *p != n) {
        p = &ngx_mentara_box(pb, *p)->ready[role];
    }

    if (*p == n) {
        *p = box->ready[role];
    }

    box->ready[role] = 0;
}


void
ngx_mentara_box_tell(ngx_mentara_pollbox_t *pb, ngx_mentara_box_t *box,
    ngx_uint_t role)
{
    uint32_t  *first;
    int32_t    slot;

    slot = box->who[role].slot;

    if (slot < 0) {
        return;
    }

    if (box->ready[role] == 0) {
        first = &pb->head->ready[slot].first[role];
        box->ready[role] = (*first == 0) ? NGX_MENTARA_BOX_END : *first;
        *first = ngx_mentara_box_n(pb, box);
    }

    ngx_mentara_box_wake(pb, slot);
}


void
ngx_mentara_box_nobody(ngx_mentara_pollbox_t *pb, ngx_mentara_box_t *box,
    ngx_uint_t role)
{
    int32_t  slot;

    ngx_mentara_box_unready(pb, box, role);

    slot = box->who[role].slot;
    box->who[role].slot = -1;

    if (slot >= 0 && slot != pb->slot) {
        ngx_mentara_box_wake(pb, slot);
    }
}


/* once for all that is changed under this lock */

static void
ngx_mentara_box_wake(ngx_mentara_pollbox_t *pb, int32_t slot)
{
    ngx_uint_t  i;

    for (i = 0; i < pb->nwakes; i++) {
        if (pb->wakes[i] == slot) {
            return;
        }
    }

    if (pb->nwakes < NGX_MENTARA_BOX_WAKES) {
        pb->wakes[pb->nwakes++] = slot;
    }
}


void
ngx_mentara_box_self(ngx_mentara_pollbox_t *pb, ngx_mentara_box_who_t *who)
{
    who->slot = (int32_t) pb->slot;
    who->generation = pb->generation;
}


ngx_uint_t
ngx_mentara_box_alive(ngx_mentara_pollbox_t *pb, ngx_mentara_box_who_t *who)
{
    ngx_mentara_slot_t  *slot;

    if (who->slot < 0) {
        return 0;
    }

    slot = ngx_mentara_slot(pb->zone, who->slot);

    return slot->pid != 0 && (uint32_t) slot->generation == who->generation;
}


void
ngx_mentara_box_shut(ngx_mentara_pollbox_t *pb, ngx_mentara_box_t *box,
    ngx_uint_t code)
{
    if (!(box->flags & NGX_MENTARA_BOX_CLOSED)) {
        box->flags |= NGX_MENTARA_BOX_CLOSED;
        box->code = (uint16_t) code;
    }

    ngx_mentara_box_tell(pb, box, NGX_MENTARA_BOX_OWNER);
    ngx_mentara_box_tell(pb, box, NGX_MENTARA_BOX_HOLDER);
}
