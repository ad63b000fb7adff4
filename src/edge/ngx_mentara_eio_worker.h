/*
 * What a worker does for its sessions and for the boxes it holds: it looks
 * when it is woken, and from time to time.
 */

#ifndef _NGX_MENTARA_EIO_WORKER_H_INCLUDED_
#define _NGX_MENTARA_EIO_WORKER_H_INCLUDED_


#include <ngx_mentara_eio_session.h>


/* at init_process; slot: of this worker, -1: none.  NULL: no memory */
ngx_mentara_eio_worker_t *ngx_mentara_eio_worker_create(ngx_cycle_t *cycle,
    ngx_mentara_ws_worker_t *ws, ngx_mentara_zone_t *zone, ngx_int_t slot,
    int *fds);

/*
 * Another worker wrote this one's eventfd; without it 250 ms go by.
 * worker: an ngx_mentara_eio_worker_t
 */
void ngx_mentara_eio_woken(void *worker);


#endif /* _NGX_MENTARA_EIO_WORKER_H_INCLUDED_ */
