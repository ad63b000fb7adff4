
#include <ngx_mentara_pollbox_queue.h>
#include <mentara_engineio.h>


static uint32_t ngx_mentara_boxq_alloc(ngx_mentara_pollbox_t *pb);
static void ngx_mentara_boxq_release(ngx_mentara_pollbox_t *pb, uint32_t n);


#define ngx_mentara_block(pb, n)  (&(pb)->blocks[(n) - 1])


/* a block, or 0 */

static uint32_t
ngx_mentara_boxq_alloc(ngx_mentara_pollbox_t *pb)
{
    uint32_t                     n;
    ngx_mentara_block_t         *b;
    ngx_mentara_pollbox_head_t  *head;

    head = pb->head;
    n = head->free_block;

    if (n != 0) {
        head->free_block = ngx_mentara_block(pb, n)->next;

    } else if (head->used_blocks < head->nblocks) {
        n = ++head->used_blocks;

    } else {
        return 0;
    }

    b = ngx_mentara_block(pb, n);
    b->next = 0;
    b->packet = 0;

    return n;
}


/* a packet's blocks */

static void
ngx_mentara_boxq_release(ngx_mentara_pollbox_t *pb, uint32_t n)
{
    uint32_t              next;
    ngx_mentara_block_t  *b;

    while (n != 0) {
        b = ngx_mentara_block(pb, n);
        next = b->next;
        b->next = pb->head->free_block;
        pb->head->free_block = n;
        n = next;
    }
}


ngx_mentara_block_t *
ngx_mentara_boxq_first(ngx_mentara_pollbox_t *pb, ngx_mentara_box_queue_t *q)
{
    return (q->first == 0) ? NULL : ngx_mentara_block(pb, q->first);
}


size_t
ngx_mentara_boxq_size(ngx_mentara_block_t *b)
{
    return (b->binary ? mentara_eio_binary_len(b->len) : b->len) + 1;
}


size_t
ngx_mentara_boxq_memory(size_t len)
{
    size_t  n;

    n = (len + NGX_MENTARA_BOX_DATA - 1) / NGX_MENTARA_BOX_DATA;

    return ngx_max(n, 1) * sizeof(ngx_mentara_block_t);
}


ngx_int_t
ngx_mentara_boxq_append(ngx_mentara_pollbox_t *pb,
    ngx_mentara_box_queue_t *q, ngx_uint_t binary, ngx_str_t *data)
{
    size_t                len, n;
    u_char               *p;
    uint32_t              first, block, last;
    ngx_mentara_block_t  *b;

    first = ngx_mentara_boxq_alloc(pb);
    if (first == 0) {
        return NGX_BUSY;
    }

    p = data->data;
    len = data->len;
    last = first;

    for ( ;; ) {
        b = ngx_mentara_block(pb, last);
        n = ngx_min(len, NGX_MENTARA_BOX_DATA);

        if (n != 0) {
            ngx_memcpy(b->data, p, n);
        }

        p += n;
        len -= n;

        if (len == 0) {
            break;
        }

        block = ngx_mentara_boxq_alloc(pb);

        if (block == 0) {
            ngx_mentara_boxq_release(pb, first);
            return NGX_BUSY;
        }

        b->next = block;
        last = block;
    }

    b = ngx_mentara_block(pb, first);
    b->len = data->len;
    b->binary = binary;

    if (q->first == 0) {
        q->first = first;

    } else {
        ngx_mentara_block(pb, q->last)->packet = first;
    }

    q->last = first;
    q->bytes += data->len;
    q->memory += ngx_mentara_boxq_memory(data->len);
    q->n++;

    return NGX_OK;
}


void
ngx_mentara_boxq_copy(ngx_mentara_pollbox_t *pb, ngx_mentara_box_queue_t *q,
    u_char *p)
{
    size_t                len, n;
    uint32_t              block;
    ngx_mentara_block_t  *b;

    block = q->first;
    len = ngx_mentara_block(pb, block)->len;

    while (block != 0 && len != 0) {
        b = ngx_mentara_block(pb, block);
        n = ngx_min(len, NGX_MENTARA_BOX_DATA);
        p = ngx_cpymem(p, b->data, n);
        len -= n;
        block = b->next;
    }
}


void
ngx_mentara_boxq_shift(ngx_mentara_pollbox_t *pb, ngx_mentara_box_queue_t *q)
{
    uint32_t              n;
    ngx_mentara_block_t  *b;

    n = q->first;
    b = ngx_mentara_block(pb, n);

    q->first = b->packet;
    q->bytes -= b->len;
    q->memory -= ngx_mentara_boxq_memory(b->len);
    q->n--;

    if (q->first == 0) {
        q->last = 0;
    }

    ngx_mentara_boxq_release(pb, n);
}


void
ngx_mentara_boxq_clear(ngx_mentara_pollbox_t *pb, ngx_mentara_box_queue_t *q)
{
    while (q->first != 0) {
        ngx_mentara_boxq_shift(pb, q);
    }
}
