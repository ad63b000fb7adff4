/*
 * The first octet says what the rest is: an offer, or a compressed message in
 * pieces, or a message to compress and inflate again.
 */

#include <stdlib.h>
#include <mentara_deflate.h>


#define FUZZ_MAX  65536


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static void *
fuzz_alloc(void *data, size_t size)
{
    (void) data;

    return malloc(size);
}


static void
fuzz_free(void *data, void *p)
{
    (void) data;

    free(p);
}


static void
fuzz_offer(const uint8_t *data, size_t size)
{
    size_t                    n;
    unsigned char            *copy;
    unsigned char             answer[MENTARA_DEFLATE_ANSWER_MAX];
    mentara_slice_t           header;
    mentara_deflate_params_t  params;

    copy = malloc(size + 1);
    memcpy(copy, data, size);

    header.data = copy;
    header.len = size;

    if (mentara_deflate_negotiate(&params, header) == MENTARA_OK) {
        n = mentara_deflate_answer(answer, &params);

        if (n > sizeof(answer) || params.server_bits < 8
            || params.server_bits > 15)
        {
            abort();
        }
    }

    free(copy);
}


/* the length of the message, or -1 */

static long
fuzz_inflate(const uint8_t *data, size_t size, size_t piece)
{
    size_t                 n, i;
    intptr_t               rc;
    uint64_t               total;
    unsigned char         *copy, out[512];
    mentara_inflate_t      in;
    mentara_deflate_mem_t  mem = { fuzz_alloc, fuzz_free, NULL,
                                   MENTARA_INFLATE_MEMORY };

    if (mentara_inflate_begin(&in, &mem, FUZZ_MAX) != MENTARA_OK) {
        abort();
    }

    total = 0;
    i = 0;

    do {
        n = (size - i < piece) ? size - i : piece;
        copy = malloc(n + 1);
        memcpy(copy, data + i, n);
        i += n;

        mentara_inflate_feed(&in, copy, copy + n, i == size);

        do {
            rc = mentara_inflate_next(&in, out, sizeof(out));
            total += (rc > 0) ? (uint64_t) rc : 0;
        } while (rc > 0);

        free(copy);

        if (total > FUZZ_MAX) {
            abort();
        }

    } while (rc == 0 && i < size);

    mentara_inflate_end(&in);

    return (rc < 0) ? -1 : (long) total;
}


static void
fuzz_round_trip(const uint8_t *data, size_t size, int bits)
{
    intptr_t               n;
    unsigned char         *packed;
    mentara_slice_t        message;
    mentara_deflate_mem_t  mem = { fuzz_alloc, fuzz_free, NULL,
                                   MENTARA_DEFLATE_MEMORY };

    packed = malloc(size + 64);
    message.data = (unsigned char *) data;
    message.len = size;

    n = mentara_deflate_message(&mem, bits, message, packed, size + 64);

    if (size <= FUZZ_MAX && n >= 0
        && fuzz_inflate(packed, (size_t) n, (size_t) n) != (long) size)
    {
        abort();
    }

    free(packed);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned  what;

    if (size == 0) {
        return 0;
    }

    what = data[0];
    data++;
    size--;

    switch (what & 3) {

    case 0:
        fuzz_offer(data, size);
        break;

    case 1:
        fuzz_round_trip(data, size, 8 + (int) (what >> 2 & 7));
        break;

    default:
        if (fuzz_inflate(data, size, (what >> 2) + 1)
            != fuzz_inflate(data, size, size + 1))
        {
            abort();
        }
    }

    return 0;
}
