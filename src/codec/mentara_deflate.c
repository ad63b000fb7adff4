
#include <mentara_deflate.h>
#include <mentara_ws.h>


static voidpf mentara_deflate_alloc(voidpf opaque, uInt items, uInt size);
static void mentara_deflate_free(voidpf opaque, voidpf p);
static void mentara_deflate_stream(z_stream *z, mentara_deflate_mem_t *mem);
static intptr_t mentara_inflate_fail(mentara_inflate_t *in,
    unsigned status);
static int mentara_inflate_more(mentara_inflate_t *in);
static int mentara_inflate_step(mentara_inflate_t *in);


/* RFC 7692, section 7.2.2: what a sender leaves away */
static unsigned char  mentara_inflate_tail[] = { 0x00, 0x00, 0xff, 0xff };


static voidpf
mentara_deflate_alloc(voidpf opaque, uInt items, uInt size)
{
    size_t                  n;
    mentara_deflate_mem_t  *mem;

    mem = opaque;

    if (size != 0 && items > SIZE_MAX / size) {
        return Z_NULL;
    }

    n = (size_t) items * size;

    if (n > mem->left) {
        return Z_NULL;
    }

    mem->left -= n;

    return mem->alloc(mem->data, n);
}


static void
mentara_deflate_free(voidpf opaque, voidpf p)
{
    mentara_deflate_mem_t  *mem;

    mem = opaque;

    mem->free(mem->data, p);
}


static void
mentara_deflate_stream(z_stream *z, mentara_deflate_mem_t *mem)
{
    memset(z, 0, sizeof(z_stream));

    z->zalloc = mentara_deflate_alloc;
    z->zfree = mentara_deflate_free;
    z->opaque = mem;
}


/* the widest window reads what any narrower one has written */

int
mentara_inflate_begin(mentara_inflate_t *in, mentara_deflate_mem_t *mem,
    uint64_t max)
{
    memset(in, 0, sizeof(mentara_inflate_t));

    in->mem = *mem;
    in->max = max;

    mentara_deflate_stream(&in->z, &in->mem);

    if (inflateInit2(&in->z, -MAX_WBITS) != Z_OK) {
        in->status = MENTARA_WS_INTERNAL;
        return MENTARA_BAD;
    }

    in->open = 1;

    return MENTARA_OK;
}


void
mentara_inflate_feed(mentara_inflate_t *in, unsigned char *pos,
    unsigned char *last, unsigned fin)
{
    in->z.next_in = pos;
    in->z.avail_in = (uInt) (last - pos);
    in->fin = (fin != 0);
}


static intptr_t
mentara_inflate_fail(mentara_inflate_t *in, unsigned status)
{
    mentara_inflate_end(in);

    in->status = status;

    return MENTARA_BAD;
}


intptr_t
mentara_inflate_next(mentara_inflate_t *in, unsigned char *out,
    size_t size)
{
    size_t  n;

    if (!in->open) {
        return MENTARA_BAD;
    }

    if (size > (uInt) -1) {
        size = (uInt) -1;
    }

    /* one octet more than may come tells a message that is too long */

    if (size > in->max - in->total) {
        size = (size_t) (in->max - in->total) + 1;
    }

    in->z.next_out = out;
    in->z.avail_out = (uInt) size;

    while (in->z.avail_out > 0) {

        if (mentara_inflate_step(in) != MENTARA_OK) {
            return MENTARA_BAD;
        }

        if (in->z.avail_in == 0 && in->z.avail_out > 0
            && !mentara_inflate_more(in))
        {
            break;
        }
    }

    n = size - in->z.avail_out;

    if (n > in->max - in->total) {
        return mentara_inflate_fail(in, MENTARA_WS_TOO_BIG);
    }

    in->total += n;

    if (n == 0 && in->fin && !in->between && !in->ended) {
        return mentara_inflate_fail(in, MENTARA_WS_INVALID);
    }

    return (intptr_t) n;
}


/* the last piece is followed by the tail, unless it ended by itself */

static int
mentara_inflate_more(mentara_inflate_t *in)
{
    if (!in->fin || in->tail || in->ended) {
        return 0;
    }

    in->tail = 1;
    in->z.next_in = mentara_inflate_tail;
    in->z.avail_in = sizeof(mentara_inflate_tail);

    return 1;
}


static int
mentara_inflate_step(mentara_inflate_t *in)
{
    int  rc;

    if (in->z.avail_in > 0) {
        in->ended = 0;
    }

    rc = inflate(&in->z, Z_SYNC_FLUSH);

    switch (rc) {

    case Z_OK:

        /* zlib.h: 128 is set between blocks; the low bits count unused ones */

        in->between = ((in->z.data_type & 128) != 0
                       && (in->z.data_type & 63) == 0);

        return MENTARA_OK;

    case Z_BUF_ERROR:      /* nothing to do: neither input nor pending output */
        return MENTARA_OK;

    case Z_STREAM_END:

        /* RFC 7692, section 7.2.3.4: blocks may follow a final one */

        if (inflateReset(&in->z) != Z_OK) {
            break;
        }

        in->ended = 1;

        return MENTARA_OK;

    case Z_MEM_ERROR:
        (void) mentara_inflate_fail(in, MENTARA_WS_INTERNAL);
        return MENTARA_BAD;

    default:
        break;
    }

    (void) mentara_inflate_fail(in, MENTARA_WS_INVALID);

    return MENTARA_BAD;
}


void
mentara_inflate_end(mentara_inflate_t *in)
{
    if (in->open) {
        in->open = 0;
        (void) inflateEnd(&in->z);
    }
}


/*
 * zlib cannot write raw deflate for a window of 2^8: for that the matches are
 * held to runs, which reach one octet back.
 */

intptr_t
mentara_deflate_message(mentara_deflate_mem_t *mem, int bits,
    mentara_slice_t message, unsigned char *out, size_t size)
{
    int        rc, strategy;
    size_t     n;
    z_stream   z;

    strategy = Z_DEFAULT_STRATEGY;

    if (bits <= 8) {
        bits = 9;
        strategy = Z_RLE;
    }

    if (message.len > (uInt) -1) {
        return MENTARA_BAD;
    }

    if (size > (uInt) -1) {
        size = (uInt) -1;
    }

    mentara_deflate_stream(&z, mem);

    rc = deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -bits,
                      MAX_MEM_LEVEL - 1, strategy);
    if (rc != Z_OK) {
        return MENTARA_BAD;
    }

    z.next_in = message.data;
    z.avail_in = (uInt) message.len;
    z.next_out = out;
    z.avail_out = (uInt) size;

    rc = deflate(&z, Z_SYNC_FLUSH);

    n = size - z.avail_out;

    /* room that was used up may hide a rest */

    if (rc != Z_OK || z.avail_in > 0 || z.avail_out == 0 || n < 4) {
        n = 0;
    }

    (void) deflateEnd(&z);

    if (n == 0) {
        return MENTARA_BAD;
    }

    return (intptr_t) (n - 4);
}
