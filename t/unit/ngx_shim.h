/*
 * A zone in plain shared memory for the unit tests of the hub.
 */

#ifndef _NGX_SHIM_H_INCLUDED_
#define _NGX_SHIM_H_INCLUDED_


#include <ngx_mentara_zone.h>
#include <sys/mman.h>


/* makes it, of so many bytes; it ends with the process */
void shim_zone(ngx_mentara_zone_t *zone, size_t size,
    ngx_mentara_zone_opts_t *opts);


#endif /* _NGX_SHIM_H_INCLUDED_ */
