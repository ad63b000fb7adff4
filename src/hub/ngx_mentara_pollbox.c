
#include <ngx_mentara_pollbox.h>
#include <ngx_mentara_pollbox_queue.h>


static void ngx_mentara_pollbox_format(ngx_mentara_pollbox_t *pb,
    size_t size);
static uint32_t *ngx_mentara_box_bucket(ngx_mentara_pollbox_t *pb,
    u_char *sid);
static uint32_t ngx_mentara_box_alloc(ngx_mentara_pollbox_t *pb);
static void ngx_mentara_box_remove(ngx_mentara_pollbox_t *pb,
    ngx_mentara_box_t *box);


#define NGX_MENTARA_BOX_SHARE  10             /* one part of it for boxes:
                                                 four blocks for each */
#define NGX_MENTARA_BOX_LINGER 2000           /* ms for the holder to see it */


void
ngx_mentara_pollbox_init(ngx_mentara_pollbox_t *pb, ngx_mentara_zone_t *zone,
    ngx_int_t slot, int *fds, ngx_event_t *turn)
{
    size_t                    size;
    u_char                   *p;
    ngx_uint_t                role;
    ngx_mentara_box_ref_t     ref;
    ngx_mentara_box_ready_t  *ready;

    ngx_memzero(pb, sizeof(ngx_mentara_pollbox_t));

    p = ngx_mentara_zone_area(zone, NGX_MENTARA_AREA_POLLBOX, &size);

    pb->zone = zone;
    pb->head = (ngx_mentara_pollbox_head_t *) p;
    pb->slot = slot;
    pb->fds = fds;
    pb->turn = turn;

    if (slot >= 0) {
        pb->generation = (uint32_t) ngx_mentara_slot(zone, slot)->generation;
    }

    ngx_mentara_zone_lock(zone);

    if (!pb->head->formatted) {
        ngx_mentara_pollbox_format(pb, size);
    }

    ngx_mentara_zone_unlock(zone);

    p += ngx_align(sizeof(ngx_mentara_pollbox_head_t), 64);
    pb->buckets = (uint32_t *) p;

    p += ngx_align(pb->head->nbuckets * sizeof(uint32_t), 64);
    pb->boxes = (ngx_mentara_box_t *) p;

    p += ngx_align(pb->head->nboxes * sizeof(ngx_mentara_box_t), 64);
    pb->blocks = (ngx_mentara_block_t *) p;

    if (slot < 0) {
        return;
    }

    /* what a dead worker of the same slot left to be done */

    for (role = 0; role < NGX_MENTARA_BOX_ROLES; role++) {
        while (ngx_mentara_box_next(pb, role, &ref) == NGX_OK) {
            /* void */
        }

        ready = &pb->head->ready[slot];
        ready->first[role] = 0;
    }
}


static void
ngx_mentara_pollbox_format(ngx_mentara_pollbox_t *pb, size_t size)
{
    size_t                       rest;
    ngx_mentara_pollbox_head_t  *head;

    head = pb->head;
    rest = ngx_align(sizeof(ngx_mentara_pollbox_head_t), 64) + 3 * 64;
    rest = (size > rest) ? size - rest : 0;

    head->nboxes = rest / NGX_MENTARA_BOX_SHARE
                   / (sizeof(ngx_mentara_box_t) + sizeof(uint32_t));
    head->nbuckets = head->nboxes;
    head->nblocks = (rest - head->nboxes
                            * (sizeof(ngx_mentara_box_t) + sizeof(uint32_t)))
                    / sizeof(ngx_mentara_block_t);

    if (head->nblocks < 2) {
        head->nboxes = 0;
        head->nblocks = 0;
    }

    head->formatted = 1;
}


/* a sid is random: some of its characters are hash enough */

static uint32_t *
ngx_mentara_box_bucket(ngx_mentara_pollbox_t *pb, u_char *sid)
{
    uint32_t  hash;

    hash = ngx_murmur_hash2(sid, NGX_MENTARA_BOX_SID);

    return &pb->buckets[hash % pb->head->nbuckets];
}


static uint32_t
ngx_mentara_box_alloc(ngx_mentara_pollbox_t *pb)
{
    uint32_t                     n;
    ngx_mentara_pollbox_head_t  *head;

    head = pb->head;
    n = head->free_box;

    if (n != 0) {
        head->free_box = ngx_mentara_box(pb, n)->chain;
        return n;
    }

    return (head->used_boxes < head->nboxes) ? ++head->used_boxes : 0;
}


ngx_int_t
ngx_mentara_box_create(ngx_mentara_pollbox_t *pb, u_char *sid,
    uint64_t deadline, size_t limit, ngx_mentara_box_ref_t *ref)
{
    uint32_t            n, *bucket;
    ngx_mentara_box_t  *box;

    if (pb->slot < 0 || pb->head->nboxes == 0) {
        return NGX_BUSY;
    }

    ngx_mentara_pollbox_lock(pb);

    n = ngx_mentara_box_alloc(pb);

    if (n == 0) {
        ngx_mentara_pollbox_unlock(pb);
        return NGX_BUSY;
    }

    box = ngx_mentara_box(pb, n);
    ngx_memzero(box, sizeof(ngx_mentara_box_t));

    bucket = ngx_mentara_box_bucket(pb, sid);

    ngx_memcpy(box->sid, sid, NGX_MENTARA_BOX_SID);
    box->deadline = deadline;
    box->limit = (uint32_t) limit;
    box->chain = *bucket;
    box->serial = ++pb->head->serial;

    if (box->serial == 0) {
        box->serial = ++pb->head->serial;
    }

    ngx_mentara_box_self(pb, &box->who[NGX_MENTARA_BOX_OWNER]);
    box->who[NGX_MENTARA_BOX_HOLDER].slot = -1;

    *bucket = n;

    ref->n = n;
    ref->serial = box->serial;

    ngx_mentara_pollbox_unlock(pb);

    return NGX_OK;
}


void
ngx_mentara_box_trust(ngx_mentara_pollbox_t *pb, ngx_mentara_box_ref_t *ref)
{
    ngx_mentara_box_t  *box;

    box = ngx_mentara_box_enter(pb, ref);
    if (box == NULL) {
        return;
    }

    box->limit = 0;

    ngx_mentara_pollbox_unlock(pb);
}


ngx_int_t
ngx_mentara_box_find(ngx_mentara_pollbox_t *pb, ngx_str_t *sid,
    ngx_mentara_box_ref_t *ref)
{
    uint32_t            n;
    ngx_mentara_box_t  *box;

    ref->serial = 0;

    if (sid->len != NGX_MENTARA_BOX_SID || pb->head->nboxes == 0) {
        return NGX_DECLINED;
    }

    ngx_mentara_pollbox_lock(pb);

    n = *ngx_mentara_box_bucket(pb, sid->data);

    while (n != 0) {
        box = ngx_mentara_box(pb, n);

        if (ngx_memcmp(box->sid, sid->data, NGX_MENTARA_BOX_SID) == 0) {
            ref->n = n;
            ref->serial = box->serial;
            break;
        }

        n = box->chain;
    }

    ngx_mentara_pollbox_unlock(pb);

    return (n == 0) ? NGX_DECLINED : NGX_OK;
}


ngx_int_t
ngx_mentara_box_look(ngx_mentara_pollbox_t *pb, ngx_mentara_box_ref_t *ref,
    ngx_mentara_box_t *copy)
{
    ngx_mentara_box_t  *box;

    box = ngx_mentara_box_enter(pb, ref);
    if (box == NULL) {
        return NGX_DECLINED;
    }

    *copy = *box;

    ngx_mentara_pollbox_unlock(pb);

    return NGX_OK;
}


void
ngx_mentara_box_end(ngx_mentara_pollbox_t *pb, ngx_mentara_box_ref_t *ref,
    ngx_uint_t code)
{
    ngx_mentara_box_t  *box;

    box = ngx_mentara_box_enter(pb, ref);
    if (box == NULL) {
        return;
    }

    ngx_mentara_box_unready(pb, box, NGX_MENTARA_BOX_OWNER);
    box->who[NGX_MENTARA_BOX_OWNER].slot = -1;

    if (!ngx_mentara_box_alive(pb, &box->who[NGX_MENTARA_BOX_HOLDER])) {
        ngx_mentara_box_remove(pb, box);

    } else {
        box->deadline = ngx_current_msec;
        ngx_mentara_box_shut(pb, box, code);
    }

    ngx_mentara_pollbox_unlock(pb);
}


static void
ngx_mentara_box_remove(ngx_mentara_pollbox_t *pb, ngx_mentara_box_t *box)
{
    uint32_t    n, *p;
    ngx_uint_t  i;

    for (i = 0; i < NGX_MENTARA_BOX_ROLES; i++) {
        ngx_mentara_box_unready(pb, box, i);
    }

    for (i = 0; i < NGX_MENTARA_BOX_QUEUES; i++) {
        ngx_mentara_boxq_clear(pb, &box->queues[i]);
    }

    n = ngx_mentara_box_n(pb, box);
    p = ngx_mentara_box_bucket(pb, box->sid);

    while (*p != 0 && *p != n) {
        p = &ngx_mentara_box(pb, *p)->chain;
    }

    if (*p == n) {
        *p = box->chain;
    }

    box->serial = 0;
    box->chain = pb->head->free_box;
    pb->head->free_box = n;
}


ngx_int_t
ngx_mentara_box_adopt(ngx_mentara_pollbox_t *pb, ngx_mentara_box_ref_t *ref)
{
    ngx_int_t               rc;
    ngx_mentara_box_t      *box;
    ngx_mentara_box_who_t  *owner;

    if (pb->slot < 0) {
        return NGX_DECLINED;
    }

    box = ngx_mentara_box_enter(pb, ref);
    if (box == NULL) {
        return NGX_DECLINED;
    }

    owner = &box->who[NGX_MENTARA_BOX_OWNER];
    rc = NGX_BUSY;

    if (!ngx_mentara_box_alive(pb, owner)) {
        ngx_mentara_box_unready(pb, box, NGX_MENTARA_BOX_OWNER);
        ngx_mentara_box_self(pb, owner);
        ngx_mentara_box_tell(pb, box, NGX_MENTARA_BOX_OWNER);
        rc = NGX_OK;
    }

    ngx_mentara_pollbox_unlock(pb);

    return rc;
}


void
ngx_mentara_box_leave(ngx_mentara_pollbox_t *pb, ngx_mentara_box_ref_t *ref)
{
    ngx_mentara_box_t  *box;

    box = ngx_mentara_box_enter(pb, ref);
    if (box == NULL) {
        return;
    }

    ngx_mentara_box_unready(pb, box, NGX_MENTARA_BOX_OWNER);
    box->who[NGX_MENTARA_BOX_OWNER].slot = -1;
    box->flags &= ~NGX_MENTARA_BOX_NOTIFY;

    ngx_mentara_box_tell(pb, box, NGX_MENTARA_BOX_HOLDER);

    ngx_mentara_pollbox_unlock(pb);
}


ngx_int_t
ngx_mentara_box_hold(ngx_mentara_pollbox_t *pb, ngx_mentara_box_ref_t *ref)
{
    ngx_mentara_box_t      *box;
    ngx_mentara_box_who_t  *holder;

    box = ngx_mentara_box_enter(pb, ref);
    if (box == NULL) {
        return NGX_DECLINED;
    }

    holder = &box->who[NGX_MENTARA_BOX_HOLDER];

    if (box->flags & (NGX_MENTARA_BOX_CLOSED|NGX_MENTARA_BOX_UPGRADED)) {
        ngx_mentara_pollbox_unlock(pb);
        return NGX_BUSY;
    }

    if (ngx_mentara_box_alive(pb, holder)) {
        ngx_mentara_box_shut(pb, box, 0);
        ngx_mentara_pollbox_unlock(pb);
        return NGX_BUSY;
    }

    ngx_mentara_box_unready(pb, box, NGX_MENTARA_BOX_HOLDER);
    ngx_mentara_box_self(pb, holder);

    ngx_mentara_pollbox_unlock(pb);

    return NGX_OK;
}


void
ngx_mentara_box_drop(ngx_mentara_pollbox_t *pb, ngx_mentara_box_ref_t *ref)
{
    ngx_mentara_box_t  *box;

    box = ngx_mentara_box_enter(pb, ref);
    if (box == NULL) {
        return;
    }

    if (box->who[NGX_MENTARA_BOX_HOLDER].slot == pb->slot) {
        ngx_mentara_box_nobody(pb, box, NGX_MENTARA_BOX_HOLDER);
    }

    if ((box->flags & NGX_MENTARA_BOX_CLOSED)
        && box->who[NGX_MENTARA_BOX_OWNER].slot < 0)
    {
        ngx_mentara_box_remove(pb, box);
    }

    ngx_mentara_pollbox_unlock(pb);
}


ngx_int_t
ngx_mentara_box_probe(ngx_mentara_pollbox_t *pb, ngx_mentara_box_ref_t *ref,
    ngx_uint_t flag)
{
    ngx_int_t           rc;
    ngx_mentara_box_t  *box;

    box = ngx_mentara_box_enter(pb, ref);
    if (box == NULL) {
        return NGX_DECLINED;
    }

    rc = NGX_BUSY;

    if (!(box->flags & (flag|NGX_MENTARA_BOX_CLOSED
                        |NGX_MENTARA_BOX_UPGRADED)))
    {
        box->flags |= flag;
        rc = NGX_OK;
    }

    if (rc == NGX_OK && flag == NGX_MENTARA_BOX_PROBED) {
        ngx_mentara_box_tell(pb, box, NGX_MENTARA_BOX_HOLDER);
    }

    ngx_mentara_pollbox_unlock(pb);

    return rc;
}


void
ngx_mentara_box_unprobe(ngx_mentara_pollbox_t *pb,
    ngx_mentara_box_ref_t *ref)
{
    ngx_mentara_box_t  *box;

    box = ngx_mentara_box_enter(pb, ref);
    if (box == NULL) {
        return;
    }

    box->flags &= ~(NGX_MENTARA_BOX_PROBING|NGX_MENTARA_BOX_PROBED);

    ngx_mentara_pollbox_unlock(pb);
}


ngx_int_t
ngx_mentara_box_upgrade(ngx_mentara_pollbox_t *pb,
    ngx_mentara_box_ref_t *ref)
{
    ngx_mentara_box_t  *box;

    box = ngx_mentara_box_enter(pb, ref);
    if (box == NULL) {
        return NGX_DECLINED;
    }

    if (box->flags & (NGX_MENTARA_BOX_CLOSED|NGX_MENTARA_BOX_UPGRADED)) {
        ngx_mentara_pollbox_unlock(pb);
        return NGX_BUSY;
    }

    /* a poll that is still there finds that it holds nothing any more */

    ngx_mentara_box_nobody(pb, box, NGX_MENTARA_BOX_HOLDER);
    ngx_mentara_box_self(pb, &box->who[NGX_MENTARA_BOX_HOLDER]);

    box->flags &= ~(NGX_MENTARA_BOX_PROBING|NGX_MENTARA_BOX_PROBED);
    box->flags |= NGX_MENTARA_BOX_UPGRADED;

    ngx_mentara_box_tell(pb, box, NGX_MENTARA_BOX_OWNER);
    ngx_mentara_box_tell(pb, box, NGX_MENTARA_BOX_HOLDER);

    ngx_mentara_pollbox_unlock(pb);

    return NGX_OK;
}


void
ngx_mentara_box_poke(ngx_mentara_pollbox_t *pb, ngx_mentara_box_ref_t *ref)
{
    ngx_mentara_box_t  *box;

    box = ngx_mentara_box_enter(pb, ref);
    if (box == NULL) {
        return;
    }

    ngx_mentara_box_tell(pb, box, NGX_MENTARA_BOX_OWNER);

    ngx_mentara_pollbox_unlock(pb);
}


void
ngx_mentara_box_heard(ngx_mentara_pollbox_t *pb, ngx_mentara_box_ref_t *ref,
    uint64_t deadline)
{
    ngx_mentara_box_t  *box;

    box = ngx_mentara_box_enter(pb, ref);
    if (box == NULL) {
        return;
    }

    box->deadline = deadline;

    ngx_mentara_pollbox_unlock(pb);
}


void
ngx_mentara_box_close(ngx_mentara_pollbox_t *pb, ngx_mentara_box_ref_t *ref,
    ngx_uint_t code)
{
    ngx_mentara_box_t  *box;

    box = ngx_mentara_box_enter(pb, ref);
    if (box == NULL) {
        return;
    }

    ngx_mentara_box_shut(pb, box, code);

    ngx_mentara_pollbox_unlock(pb);
}


void
ngx_mentara_box_quit(ngx_mentara_pollbox_t *pb, ngx_mentara_box_ref_t *ref)
{
    ngx_mentara_box_t  *box;

    box = ngx_mentara_box_enter(pb, ref);
    if (box == NULL) {
        return;
    }

    if (box->who[NGX_MENTARA_BOX_HOLDER].slot == pb->slot
        && !(box->flags & NGX_MENTARA_BOX_UPGRADED))
    {
        ngx_mentara_box_shut(pb, box, NGX_MENTARA_BOX_LEFT);
    }

    ngx_mentara_pollbox_unlock(pb);
}


ngx_int_t
ngx_mentara_box_next(ngx_mentara_pollbox_t *pb, ngx_uint_t role,
    ngx_mentara_box_ref_t *ref)
{
    uint32_t            *first;
    ngx_mentara_box_t   *box;

    if (pb->slot < 0) {
        return NGX_DECLINED;
    }

    first = &pb->head->ready[pb->slot].first[role];

    if (*first == 0) {
        return NGX_DECLINED;
    }

    ngx_mentara_pollbox_lock(pb);

    if (*first == 0 || *first == NGX_MENTARA_BOX_END) {
        *first = 0;
        ngx_mentara_pollbox_unlock(pb);
        return NGX_DECLINED;
    }

    ref->n = *first;
    box = ngx_mentara_box(pb, ref->n);
    ref->serial = box->serial;

    *first = (box->ready[role] == NGX_MENTARA_BOX_END) ? 0
                                                       : box->ready[role];
    box->ready[role] = 0;

    ngx_mentara_pollbox_unlock(pb);

    return NGX_OK;
}


void
ngx_mentara_pollbox_sweep(ngx_mentara_pollbox_t *pb, uint64_t now)
{
    uint32_t            n;
    ngx_mentara_box_t  *box;

    ngx_mentara_pollbox_lock(pb);

    for (n = 1; n <= pb->head->used_boxes; n++) {
        box = ngx_mentara_box(pb, n);

        if (box->serial != 0 && box->deadline + NGX_MENTARA_BOX_LINGER <= now
            && !ngx_mentara_box_alive(pb, &box->who[NGX_MENTARA_BOX_OWNER]))
        {
            ngx_mentara_box_nobody(pb, box, NGX_MENTARA_BOX_HOLDER);
            ngx_mentara_box_remove(pb, box);
        }
    }

    ngx_mentara_pollbox_unlock(pb);
}
