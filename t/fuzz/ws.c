/*
 * Frames in pieces: the first octet says how long the pieces are and whether
 * deflate was agreed.  What is read in pieces is what is read at once.
 */

#include <stdlib.h>
#include <mentara_ws.h>


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


typedef struct {
    uint64_t  octets;      /* of messages */
    unsigned  messages;
    unsigned  controls;
    unsigned  status;
    uint32_t  sum;
} fuzz_result_t;


static void
fuzz_event(fuzz_result_t *result, mentara_ws_event_t *ev)
{
    size_t  i;

    for (i = 0; i < ev->data.len; i++) {
        result->sum = result->sum * 31 + ev->data.data[i];
    }

    if (ev->type != MENTARA_WS_EVENT_DATA) {
        result->controls++;
        return;
    }

    result->octets += ev->data.len;
    result->messages += ev->fin;
}


static fuzz_result_t
fuzz_read(const uint8_t *data, size_t size, size_t piece, unsigned deflate)
{
    size_t                n;
    intptr_t              rc;
    unsigned char        *buf, *pos;
    fuzz_result_t         result;
    mentara_ws_event_t    ev;
    mentara_ws_reader_t   r;

    memset(&result, 0, sizeof(result));
    mentara_ws_reader_init(&r, 4096, deflate);

    while (size > 0 && result.status == 0) {
        n = (size < piece) ? size : piece;

        /* of just that size, so that a look behind it is seen */

        buf = malloc(n);
        memcpy(buf, data, n);
        data += n;
        size -= n;
        pos = buf;

        while (pos < buf + n) {
            rc = mentara_ws_read(&r, pos, buf + n, &ev);

            if (rc == MENTARA_MORE) {
                break;
            }

            if (rc == MENTARA_BAD) {
                result.status = r.status;
                break;
            }

            if (rc == 0) {
                abort();
            }

            pos += rc;
            fuzz_event(&result, &ev);
        }

        free(buf);
    }

    return result;
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t         piece;
    unsigned       deflate;
    fuzz_result_t  parts, whole;

    if (size == 0) {
        return 0;
    }

    piece = (data[0] & 0x7f) + 1u;
    deflate = data[0] >> 7;

    parts = fuzz_read(data + 1, size - 1, piece, deflate);
    whole = fuzz_read(data + 1, size - 1, size, deflate);

    if (parts.status != whole.status || parts.messages != whole.messages
        || parts.controls != whole.controls)
    {
        abort();
    }

    /* after a fault in a text, more of it may have been handed out */

    if (parts.status == 0 && parts.octets != whole.octets) {
        abort();
    }

    return 0;
}
