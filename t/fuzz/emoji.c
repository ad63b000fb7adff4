/* octets from anywhere into a codec of the REST door */

#include <stdlib.h>
#include <mentara_emoji.h>


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    mentara_slice_t  text;

    text.data = (unsigned char *) data;
    text.len = size;

    if (mentara_emoji(text) != NULL && size > MENTARA_EMOJI_MAX) {
        abort();
    }

    return 0;
}
