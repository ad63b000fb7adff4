
#include <ngx_mentara_pollbox_packet.h>
#include <ngx_mentara_pollbox_queue.h>
#include <mentara_engineio.h>


static ngx_uint_t ngx_mentara_box_fits(ngx_mentara_box_t *box,
    ngx_uint_t queue, size_t len, size_t max);
static void ngx_mentara_box_emptied(ngx_mentara_pollbox_t *pb,
    ngx_mentara_box_t *box);
static size_t ngx_mentara_box_measure(ngx_mentara_pollbox_t *pb,
    ngx_mentara_box_queue_t *q, size_t max);
static u_char *ngx_mentara_box_write(ngx_mentara_pollbox_t *pb,
    ngx_mentara_box_queue_t *q, u_char *p);


ngx_int_t
ngx_mentara_box_put(ngx_mentara_pollbox_t *pb, ngx_mentara_box_ref_t *ref,
    ngx_uint_t queue, ngx_uint_t binary, ngx_str_t *data, size_t max,
    ngx_str_t *mark)
{
    ngx_int_t                 rc;
    ngx_mentara_box_t        *box;
    ngx_mentara_box_queue_t  *q;

    box = ngx_mentara_box_enter(pb, ref);
    if (box == NULL) {
        return NGX_DECLINED;
    }

    q = &box->queues[queue];
    rc = NGX_BUSY;

    if (!(box->flags & NGX_MENTARA_BOX_CLOSED)
        && ngx_mentara_box_fits(box, queue, data->len, max))
    {
        rc = ngx_mentara_boxq_append(pb, q, binary, data);
    }

    if (rc == NGX_OK) {
        if (mark != NULL && mark->len <= NGX_MENTARA_BOX_MARK) {
            ngx_memcpy(box->mark, mark->data, mark->len);
            box->mark_len = mark->len;
        }

        ngx_mentara_box_tell(pb, box, (queue == NGX_MENTARA_BOX_OUT)
                                      ? NGX_MENTARA_BOX_HOLDER
                                      : NGX_MENTARA_BOX_OWNER);
    }

    ngx_mentara_pollbox_unlock(pb);

    return rc;
}


/*
 * Of a stranger a packet counts with the memory that it takes, however short
 * it is; of others with its octets, and any is taken alone.
 */

static ngx_uint_t
ngx_mentara_box_fits(ngx_mentara_box_t *box, ngx_uint_t queue, size_t len,
    size_t max)
{
    size_t                    limit;
    ngx_mentara_box_queue_t  *q;

    q = &box->queues[queue];

    if (box->limit != 0) {
        limit = (queue == NGX_MENTARA_BOX_OUT) ? box->limit / 4 : box->limit;
        return q->memory + ngx_mentara_boxq_memory(len) <= limit;
    }

    return q->bytes == 0 || q->bytes + len <= max;
}


ngx_int_t
ngx_mentara_box_save(ngx_mentara_pollbox_t *pb, ngx_mentara_box_ref_t *ref,
    ngx_str_t *state)
{
    ngx_int_t                 rc;
    ngx_mentara_box_t        *box;
    ngx_mentara_box_queue_t  *q;

    box = ngx_mentara_box_enter(pb, ref);
    if (box == NULL) {
        return NGX_DECLINED;
    }

    q = &box->queues[NGX_MENTARA_BOX_STATE];
    ngx_mentara_boxq_clear(pb, q);
    rc = ngx_mentara_boxq_append(pb, q, 1, state);

    ngx_mentara_pollbox_unlock(pb);

    return rc;
}


ngx_int_t
ngx_mentara_box_take(ngx_mentara_pollbox_t *pb, ngx_mentara_box_ref_t *ref,
    ngx_uint_t queue, ngx_mentara_box_packet_t *packet)
{
    ngx_int_t                 rc;
    ngx_mentara_box_t        *box;
    ngx_mentara_block_t      *b;
    ngx_mentara_box_queue_t  *q;

    box = ngx_mentara_box_enter(pb, ref);
    if (box == NULL) {
        return NGX_DECLINED;
    }

    q = &box->queues[queue];
    b = ngx_mentara_boxq_first(pb, q);
    rc = NGX_AGAIN;

    if (b != NULL) {
        packet->binary = b->binary;
        packet->data.len = b->len;
        packet->data.data = ngx_alloc(b->len + 1, ngx_cycle->log);
        rc = (packet->data.data == NULL) ? NGX_ERROR : NGX_OK;
    }

    if (rc == NGX_OK) {
        ngx_mentara_boxq_copy(pb, q, packet->data.data);

        if (queue != NGX_MENTARA_BOX_STATE) {
            ngx_mentara_boxq_shift(pb, q);
        }

        if (queue == NGX_MENTARA_BOX_OUT) {
            ngx_mentara_box_emptied(pb, box);
        }
    }

    ngx_mentara_pollbox_unlock(pb);

    return rc;
}


static void
ngx_mentara_box_emptied(ngx_mentara_pollbox_t *pb, ngx_mentara_box_t *box)
{
    if ((box->flags & NGX_MENTARA_BOX_NOTIFY)
        && box->queues[NGX_MENTARA_BOX_OUT].n == 0)
    {
        ngx_mentara_box_tell(pb, box, NGX_MENTARA_BOX_OWNER);
    }
}


ngx_int_t
ngx_mentara_box_payload(ngx_mentara_pollbox_t *pb,
    ngx_mentara_box_ref_t *ref, size_t max, ngx_pool_t *pool,
    ngx_str_t *payload)
{
    u_char                   *p, *last;
    ngx_int_t                 rc;
    ngx_mentara_box_t        *box;
    ngx_mentara_box_queue_t  *q;

    box = ngx_mentara_box_enter(pb, ref);
    if (box == NULL) {
        return NGX_DECLINED;
    }

    q = &box->queues[NGX_MENTARA_BOX_OUT];
    rc = NGX_AGAIN;
    payload->len = ngx_mentara_box_measure(pb, q, max);

    if (payload->len != 0) {
        payload->data = ngx_pnalloc(pool, payload->len);
        rc = (payload->data == NULL) ? NGX_ERROR : NGX_OK;
    }

    if (rc == NGX_OK) {
        p = payload->data;
        last = p + payload->len;

        while (p < last) {
            p = ngx_mentara_box_write(pb, q, p);
        }

        payload->len--;    /* the last separator */
        ngx_mentara_box_emptied(pb, box);
    }

    ngx_mentara_pollbox_unlock(pb);

    return rc;
}


/* octets of the packets that go into one poll, a separator after each */

static size_t
ngx_mentara_box_measure(ngx_mentara_pollbox_t *pb,
    ngx_mentara_box_queue_t *q, size_t max)
{
    size_t                len, size;
    uint32_t              n;
    ngx_mentara_block_t  *b;

    len = 0;

    for (n = q->first; n != 0; n = b->packet) {
        b = &pb->blocks[n - 1];
        size = ngx_mentara_boxq_size(b);

        if (len != 0 && len + size - 1 > max) {
            break;
        }

        len += size;
    }

    return len;
}


/*
 * Octets are put at the end of their place and encoded from there: the
 * encoder, which has three for four, never overtakes itself.
 */

static u_char *
ngx_mentara_box_write(ngx_mentara_pollbox_t *pb, ngx_mentara_box_queue_t *q,
    u_char *p)
{
    size_t                size;
    mentara_slice_t       raw;
    ngx_mentara_block_t  *b;

    b = ngx_mentara_boxq_first(pb, q);
    size = ngx_mentara_boxq_size(b);

    if (b->binary) {
        raw.len = b->len;
        raw.data = p + size - 1 - raw.len;
        ngx_mentara_boxq_copy(pb, q, raw.data);
        mentara_eio_put_binary(p, raw);

    } else {
        ngx_mentara_boxq_copy(pb, q, p);
    }

    p[size - 1] = MENTARA_EIO_SEPARATOR;
    ngx_mentara_boxq_shift(pb, q);

    return p + size;
}


size_t
ngx_mentara_box_pending(ngx_mentara_pollbox_t *pb,
    ngx_mentara_box_ref_t *ref)
{
    size_t              n;
    ngx_mentara_box_t  *box;

    box = ngx_mentara_box_enter(pb, ref);
    if (box == NULL) {
        return 0;
    }

    n = box->queues[NGX_MENTARA_BOX_OUT].bytes;

    ngx_mentara_pollbox_unlock(pb);

    return n;
}


void
ngx_mentara_box_notify(ngx_mentara_pollbox_t *pb, ngx_mentara_box_ref_t *ref)
{
    ngx_mentara_box_t  *box;

    box = ngx_mentara_box_enter(pb, ref);
    if (box == NULL) {
        return;
    }

    box->flags |= NGX_MENTARA_BOX_NOTIFY;
    ngx_mentara_box_emptied(pb, box);

    ngx_mentara_pollbox_unlock(pb);
}


ngx_uint_t
ngx_mentara_box_drained(ngx_mentara_pollbox_t *pb,
    ngx_mentara_box_ref_t *ref)
{
    ngx_uint_t          drained;
    ngx_mentara_box_t  *box;

    box = ngx_mentara_box_enter(pb, ref);
    if (box == NULL) {
        return 0;
    }

    drained = (box->flags & NGX_MENTARA_BOX_NOTIFY)
              && box->queues[NGX_MENTARA_BOX_OUT].n == 0;

    if (drained) {
        box->flags &= ~NGX_MENTARA_BOX_NOTIFY;
    }

    ngx_mentara_pollbox_unlock(pb);

    return drained;
}
