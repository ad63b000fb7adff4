/* the same octets as a polling body, as a text packet and as a query */

#include <stdlib.h>
#include <mentara_engineio.h>


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


/* a packet that was read can be written, and is as long as was announced */

static void
fuzz_write(mentara_eio_packet_t *packet)
{
    size_t          n;
    unsigned char  *buf;

    n = packet->binary ? mentara_eio_binary_len(packet->data.len)
                       : mentara_eio_text_len(packet->data.len);
    buf = malloc(n);

    if (n != (packet->binary
              ? mentara_eio_put_binary(buf, packet->data)
              : mentara_eio_put_text(buf, packet->type, packet->data)))
    {
        abort();
    }

    free(buf);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned char          *copy;
    mentara_slice_t         args;
    mentara_eio_query_t     query;
    mentara_eio_packet_t    packet;
    mentara_eio_payload_t   payload;

    copy = malloc(size + (size == 0));
    memcpy(copy, data, size);

    args.data = copy;
    args.len = size;
    mentara_eio_query(&query, args);

    if (mentara_eio_packet(&packet, copy, copy + size) == MENTARA_OK) {
        fuzz_write(&packet);
    }

    mentara_eio_payload_init(&payload, copy, copy + size);

    while (mentara_eio_payload_next(&payload, &packet) == MENTARA_OK) {
        fuzz_write(&packet);
    }

    free(copy);

    return 0;
}
