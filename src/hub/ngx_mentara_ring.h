/*
 * Entries and bodies of the log: put, redone after a death, read.
 */

#ifndef _NGX_MENTARA_RING_H_INCLUDED_
#define _NGX_MENTARA_RING_H_INCLUDED_


#include <ngx_mentara.h>
#include <ngx_mentara_log.h>


#define NGX_MENTARA_RING_ALIGN  8


/* appends, whatever it is; with the lock held */
void ngx_mentara_ring_put(ngx_mentara_log_t *log, ngx_mentara_entry_t *e);

/*
 * Finishes what a dead process left half done.  First thing of everybody
 * who takes the lock to look at places, ring or head.
 */
void ngx_mentara_ring_redo(ngx_mentara_log_t *log);


#endif /* _NGX_MENTARA_RING_H_INCLUDED_ */
