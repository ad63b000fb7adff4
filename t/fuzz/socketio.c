/* a Socket.IO packet; what the scanner calls valid, jansson must take */

#include <stdlib.h>
#include <jansson.h>
#include <mentara_socketio.h>


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static void
fuzz_jansson(mentara_sio_packet_t *packet)
{
    json_t        *json;
    json_error_t   error;

    json = json_loadb((char *) packet->payload.data, packet->payload.len,
                      JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);

    /*
     * What jansson cannot hold is left out: half of a pair, a number that is
     * out of range.  UTF-8 is checked by the transport, not here.
     */

    if (json == NULL && !packet->marks.surrogate
        && json_error_code(&error) != json_error_numeric_overflow
        && json_error_code(&error) != json_error_invalid_utf8
        && json_error_code(&error) != json_error_null_byte_in_key
        && json_error_code(&error) != json_error_null_character)
    {
        abort();
    }

    if (json != NULL && json_is_array(json)
        && json_array_size(json) != packet->nargs + (packet->name.len > 0))
    {
        abort();
    }

    json_decref(json);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned              num;
    unsigned char        *copy, text[32];
    mentara_slice_t       extent;
    mentara_sio_packet_t  packet;
    const unsigned char  *pos;

    copy = malloc(size + (size == 0));
    memcpy(copy, data, size);

    if (mentara_sio_packet(&packet, copy, copy + size) == MENTARA_OK) {

        pos = NULL;

        while (mentara_sio_placeholder(packet.payload, &pos, &extent, &num)
               == MENTARA_OK)
        {
            if (mentara_json_scan(extent.data, extent.data + extent.len, NULL,
                                  NULL) != (intptr_t) extent.len)
            {
                abort();
            }
        }

        if (packet.name.len > 0 && mentara_json_is_string(packet.name)) {
            (void) mentara_json_unescape(packet.name, text, sizeof(text));
        }

        if (packet.payload.len > 0) {
            fuzz_jansson(&packet);
        }
    }

    free(copy);

    return 0;
}
