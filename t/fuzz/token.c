/* octets from anywhere into a codec of the REST door */

#include <stdlib.h>
#include <mentara_jws.h>


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned char    *out;
    mentara_jws_t     jws;
    mentara_slice_t   text;

    text.data = (unsigned char *) data;
    text.len = size;

    if (mentara_jws_split(text, &jws) == MENTARA_OK) {
        out = malloc(mentara_base64url_size(jws.payload.len));

        if (out == NULL) {
            return 0;
        }

        mentara_base64url_decode(out, jws.payload);
        free(out);
    }

    return 0;
}
