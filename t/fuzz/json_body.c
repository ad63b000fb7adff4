/* octets from anywhere into a codec of the REST door */

#include <stdlib.h>
#include <mentara_fields.h>
#include <mentara_route.h>


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int               endpoint;
    json_t           *args;
    mentara_faults_t  faults;

    for (endpoint = 0; endpoint < MENTARA_EP_N; endpoint++) {
        if (mentara_body_check(endpoint, data, size, 100, &args, &faults)
            == MENTARA_OK)
        {
            json_decref(args);

        } else if (faults.len >= sizeof(faults.text)) {
            abort();
        }
    }

    return 0;
}
