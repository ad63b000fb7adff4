
#include <ngx_mentara_ring.h>
#include <ngx_mentara_fault.h>
#include <ngx_mentara_metrics.h>
#include <ngx_mentara_places.h>


/* the head of a body; the strings follow in this order */
typedef struct {
    uint64_t                 msg_seq;
    uint32_t                 actor;
    uint32_t                 subjects;
    uint32_t                 hidden;
    uint32_t                 only;
    uint32_t                 body;
    uint32_t                 unused;
} ngx_mentara_body_t;


static size_t ngx_mentara_ring_size(ngx_mentara_entry_t *e, size_t max,
    ngx_mentara_body_t *b);
static uint64_t ngx_mentara_ring_room(ngx_mentara_log_t *log, size_t size);
static u_char *ngx_mentara_ring_part(u_char *p, ngx_str_t *s, size_t len);
static void ngx_mentara_ring_copy(u_char *p, ngx_mentara_entry_t *e,
    ngx_mentara_body_t *b);
static u_char *ngx_mentara_ring_string(u_char *p, size_t len, ngx_str_t *s);


#define ngx_mentara_ring_align(n)  ngx_align(n, NGX_MENTARA_RING_ALIGN)

#define ngx_mentara_ring_at(log, position)                                   \
    (&(log)->ring[(position) % (log)->nring])


/*
 * The order of stores is what makes a death harmless: what is overwritten is
 * out of reach first, then body and entry, then the head; what the places
 * know is redone from the entry.
 */

void
ngx_mentara_ring_put(ngx_mentara_log_t *log, ngx_mentara_entry_t *e)
{
    size_t                   size;
    uint64_t                 off, position;
    ngx_mentara_body_t       b;
    ngx_mentara_ring_t      *entry;
    ngx_mentara_log_head_t  *head;

    head = log->head;
    position = head->head + 1;

    size = ngx_mentara_ring_size(e, log->body_max, &b);
    off = ngx_mentara_ring_room(log, size);

    ngx_memory_barrier();
    ngx_mentara_fault("put_tail");

    ngx_mentara_ring_copy(log->bodies + off % log->size, e, &b);
    head->body_head = off + size;

    entry = ngx_mentara_ring_at(log, position);

    entry->position = position;
    entry->conversation = e->conversation;
    entry->event_seq = e->event_seq;
    entry->xid = e->xid;
    entry->floor = head->snapshots[head->snapshot_no & 1].xmin;
    entry->body = off;
    entry->body_len = size;
    entry->kind = e->kind;
    entry->flags = e->flags;

    if (b.body < e->body.len) {
        entry->flags |= NGX_MENTARA_EVENT_BIG;
        ngx_mentara_metric_add(log->zone, NGX_MENTARA_METRIC_OVERSIZED, 1);
    }

    ngx_memory_barrier();
    ngx_mentara_fault("put_entry");

    head->head = position;

    ngx_memory_barrier();
    ngx_mentara_fault("put_head");

    ngx_mentara_ring_redo(log);
}


void
ngx_mentara_ring_redo(ngx_mentara_log_t *log)
{
    ngx_mentara_ring_t   *entry;
    ngx_mentara_place_t  *place;

    if (log->head->applied == log->head->head) {
        return;
    }

    entry = ngx_mentara_ring_at(log, log->head->head);

    if (entry->event_seq != 0) {
        place = ngx_mentara_place_find(log, &entry->conversation);

        if (place != NULL) {
            place->last_xid = entry->xid;
            place->max_xid = ngx_max(place->max_xid, entry->xid);
            place->last = entry->event_seq;
            place->used = 1;
        }
    }

    ngx_memory_barrier();
    ngx_mentara_fault("put_place");

    log->head->applied = log->head->head;

    ngx_mentara_fault("put_applied");
}


/* lengths that fit; what is too large goes without its JSON */

static size_t
ngx_mentara_ring_size(ngx_mentara_entry_t *e, size_t max,
    ngx_mentara_body_t *b)
{
    size_t  size;

    b->msg_seq = e->msg_seq;
    b->actor = e->actor.len;
    b->subjects = e->subjects.len;
    b->hidden = e->hidden.len;
    b->only = e->only.len;
    b->body = e->body.len;
    b->unused = 0;

    size = sizeof(ngx_mentara_body_t) + e->actor.len + e->subjects.len
           + e->hidden.len + e->only.len;

    if (size + e->body.len <= max) {
        return ngx_mentara_ring_align(size + e->body.len);
    }

    b->body = 0;

    if (size > max) {
        b->actor = 0;
        b->subjects = 0;
        b->hidden = 0;
        b->only = 0;
        size = sizeof(ngx_mentara_body_t);
    }

    return ngx_mentara_ring_align(size);
}


/* raises the tail past what will be overwritten */

static uint64_t
ngx_mentara_ring_room(ngx_mentara_log_t *log, size_t size)
{
    uint64_t                 off, tail;
    ngx_mentara_log_head_t  *head;

    head = log->head;
    off = head->body_head;

    if (off % log->size + size > log->size) {
        off += log->size - off % log->size;
    }

    tail = head->tail;

    if (head->head + 1 - tail > log->nring) {
        tail = head->head + 1 - log->nring;
    }

    while (tail < head->head
           && ngx_mentara_ring_at(log, tail + 1)->body + log->size
              < off + size)
    {
        tail++;
    }

    head->tail = tail;

    return off;
}


static void
ngx_mentara_ring_copy(u_char *p, ngx_mentara_entry_t *e,
    ngx_mentara_body_t *b)
{
    p = ngx_cpymem(p, b, sizeof(ngx_mentara_body_t));
    p = ngx_mentara_ring_part(p, &e->actor, b->actor);
    p = ngx_mentara_ring_part(p, &e->subjects, b->subjects);
    p = ngx_mentara_ring_part(p, &e->hidden, b->hidden);
    p = ngx_mentara_ring_part(p, &e->only, b->only);
    (void) ngx_mentara_ring_part(p, &e->body, b->body);
}


static u_char *
ngx_mentara_ring_part(u_char *p, ngx_str_t *s, size_t len)
{
    return (len == 0) ? p : ngx_cpymem(p, s->data, len);
}


size_t
ngx_mentara_log_buffer(ngx_mentara_log_t *log)
{
    return ngx_max((size_t) NGX_MENTARA_LOG_TURN,
                   sizeof(ngx_mentara_ring_t)
                   + ngx_mentara_ring_align(log->body_max));
}


ngx_int_t
ngx_mentara_log_seek(ngx_mentara_log_t *log, ngx_mentara_reader_t *r)
{
    ngx_int_t                rc;
    ngx_mentara_log_head_t  *head;

    head = log->head;
    rc = NGX_DECLINED;

    ngx_mentara_zone_lock(log->zone);

    if (head->open) {
        ngx_mentara_ring_redo(log);

        r->epoch = head->epoch;
        r->cursor = head->head;
        r->floor = head->snapshots[head->snapshot_no & 1].xmin;
        r->pos = r->buf;
        r->last = r->buf;

        rc = NGX_OK;
    }

    ngx_mentara_zone_unlock(log->zone);

    return rc;
}


ngx_uint_t
ngx_mentara_log_holds(ngx_mentara_log_t *log, uint64_t epoch,
    uint64_t position)
{
    ngx_uint_t               holds;
    ngx_mentara_log_head_t  *head;

    head = log->head;

    ngx_mentara_zone_lock(log->zone);

    holds = head->open && head->epoch == epoch && position >= head->tail
            && position <= head->head;

    ngx_mentara_zone_unlock(log->zone);

    return holds;
}


ngx_int_t
ngx_mentara_log_read(ngx_mentara_log_t *log, ngx_mentara_reader_t *r,
    uint64_t upto, ngx_mentara_slot_t *slot)
{
    u_char                  *p;
    uint64_t                 last;
    ngx_int_t                rc;
    ngx_mentara_ring_t      *entry;
    ngx_mentara_log_head_t  *head;

    head = log->head;
    p = r->buf;
    rc = NGX_OK;

    ngx_mentara_zone_lock(log->zone);

    if (slot != NULL) {
        slot->signalled = 0;
    }

    if (!head->open || head->epoch != r->epoch) {
        ngx_mentara_zone_unlock(log->zone);
        return NGX_DECLINED;
    }

    ngx_mentara_ring_redo(log);

    if (r->cursor < head->tail) {
        ngx_mentara_zone_unlock(log->zone);
        return NGX_ABORT;
    }

    last = (upto != 0) ? ngx_min(upto, head->head) : head->head;

    while (r->cursor < last) {
        entry = ngx_mentara_ring_at(log, r->cursor + 1);

        if (sizeof(ngx_mentara_ring_t) + entry->body_len
            > (size_t) (r->buf + r->size - p))
        {
            rc = NGX_AGAIN;
            break;
        }

        p = ngx_cpymem(p, entry, sizeof(ngx_mentara_ring_t));
        p = ngx_cpymem(p, log->bodies + entry->body % log->size,
                       entry->body_len);
        r->cursor++;
    }

    /* what is below the floor is at or before the head */

    if (r->cursor == head->head) {
        r->floor = head->snapshots[head->snapshot_no & 1].xmin;
    }

    ngx_mentara_zone_unlock(log->zone);

    r->pos = r->buf;
    r->last = p;

    return rc;
}


ngx_int_t
ngx_mentara_log_next(ngx_mentara_reader_t *r, ngx_mentara_entry_t *e)
{
    u_char              *p;
    ngx_mentara_body_t   b;
    ngx_mentara_ring_t   entry;

    if (r->pos == r->last) {
        return NGX_DONE;
    }

    ngx_memcpy(&entry, r->pos, sizeof(ngx_mentara_ring_t));

    p = r->pos + sizeof(ngx_mentara_ring_t);
    r->pos = p + entry.body_len;

    ngx_memcpy(&b, p, sizeof(ngx_mentara_body_t));
    p += sizeof(ngx_mentara_body_t);

    e->position = entry.position;
    e->floor = entry.floor;
    e->conversation = entry.conversation;
    e->event_seq = entry.event_seq;
    e->xid = entry.xid;
    e->msg_seq = b.msg_seq;
    e->id = 0;
    e->kind = entry.kind;
    e->flags = entry.flags;
    e->data = NULL;

    p = ngx_mentara_ring_string(p, b.actor, &e->actor);
    p = ngx_mentara_ring_string(p, b.subjects, &e->subjects);
    p = ngx_mentara_ring_string(p, b.hidden, &e->hidden);
    p = ngx_mentara_ring_string(p, b.only, &e->only);
    (void) ngx_mentara_ring_string(p, b.body, &e->body);

    return NGX_OK;
}


static u_char *
ngx_mentara_ring_string(u_char *p, size_t len, ngx_str_t *s)
{
    s->data = p;
    s->len = len;

    return p + len;
}
