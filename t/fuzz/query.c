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
    mentara_slice_t   query;
    mentara_faults_t  faults;

    query.data = (unsigned char *) data;
    query.len = size;

    for (endpoint = 0; endpoint < MENTARA_EP_N; endpoint++) {
        if (mentara_query_check(endpoint, query, &args, &faults)
            == MENTARA_OK)
        {
            json_decref(args);
        }
    }

    return 0;
}
