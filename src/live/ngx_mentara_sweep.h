/*
 * What became visible between two snapshots, into the log: the one answer to
 * an event that is early, lost, or of another host.
 */

#ifndef _NGX_MENTARA_SWEEP_H_INCLUDED_
#define _NGX_MENTARA_SWEEP_H_INCLUDED_


#include <ngx_mentara_live_types.h>


/* NULL: no memory */
ngx_mentara_sweep_t *ngx_mentara_sweep_create(ngx_mentara_live_t *live);

void ngx_mentara_sweep_destroy(ngx_mentara_sweep_t *sw);

/* starts one, unless one runs: then once more after it */
void ngx_mentara_sweep_now(ngx_mentara_live_t *live);


#endif /* _NGX_MENTARA_SWEEP_H_INCLUDED_ */
