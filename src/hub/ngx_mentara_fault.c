
#include <ngx_config.h>
#include <ngx_mentara_fault.h>


#if (NGX_MENTARA_FAULTS)


void  (*ngx_mentara_fault_handler)(const char *point);


void
ngx_mentara_fault(const char *point)
{
    if (ngx_mentara_fault_handler != NULL) {
        ngx_mentara_fault_handler(point);
    }
}


#endif
