/* octets from anywhere into a codec of the REST door */

#include <stdlib.h>
#include <mentara_route.h>


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int              method;
    mentara_slice_t  path;
    mentara_route_t  route;

    path.data = (unsigned char *) data;
    path.len = size;

    for (method = 0; method <= MENTARA_OTHER; method++) {
        if (mentara_route_match(method, path, &route) == MENTARA_ROUTE_METHOD
            && route.allow == NULL)
        {
            abort();
        }
    }

    return 0;
}
