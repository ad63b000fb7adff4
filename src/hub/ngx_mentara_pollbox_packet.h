/*
 * What goes through a box: packets to the client and from it, and the saved
 * state.
 *
 * All of it takes the lock.  NGX_DECLINED: there is no such box any more.
 */

#ifndef _NGX_MENTARA_POLLBOX_PACKET_H_INCLUDED_
#define _NGX_MENTARA_POLLBOX_PACKET_H_INCLUDED_


#include <ngx_mentara_box.h>


/*
 * One packet of a queue; data is allocated, the taker frees it with
 * ngx_free()
 */
typedef struct {
    ngx_uint_t               binary;
    ngx_str_t                data;
} ngx_mentara_box_packet_t;


/*
 * Appends to a queue and tells who waits for it.  NGX_BUSY: it would hold
 * more than max octets, or there is no room, or the box is closed.
 */
ngx_int_t ngx_mentara_box_put(ngx_mentara_pollbox_t *pb,
    ngx_mentara_box_ref_t *ref, ngx_uint_t queue, ngx_uint_t binary,
    ngx_str_t *data, size_t max, ngx_str_t *mark);

/* replaces the saved state */
ngx_int_t ngx_mentara_box_save(ngx_mentara_pollbox_t *pb,
    ngx_mentara_box_ref_t *ref, ngx_str_t *state);

/* the first packet; NGX_AGAIN: there is none; NGX_ERROR: no memory */
ngx_int_t ngx_mentara_box_take(ngx_mentara_pollbox_t *pb,
    ngx_mentara_box_ref_t *ref, ngx_uint_t queue,
    ngx_mentara_box_packet_t *packet);

/*
 * A poll's payload of what is in OUT, at most max octets unless one packet
 * alone is longer; allocated from the pool.  NGX_AGAIN: there is nothing.
 */
ngx_int_t ngx_mentara_box_payload(ngx_mentara_pollbox_t *pb,
    ngx_mentara_box_ref_t *ref, size_t max, ngx_pool_t *pool,
    ngx_str_t *payload);

/* octets in OUT */
size_t ngx_mentara_box_pending(ngx_mentara_pollbox_t *pb,
    ngx_mentara_box_ref_t *ref);

/* tells the owner when OUT is empty, at once if it is */
void ngx_mentara_box_notify(ngx_mentara_pollbox_t *pb,
    ngx_mentara_box_ref_t *ref);

/* whether the owner asked to know that OUT is empty, and it is: once */
ngx_uint_t ngx_mentara_box_drained(ngx_mentara_pollbox_t *pb,
    ngx_mentara_box_ref_t *ref);


#endif /* _NGX_MENTARA_POLLBOX_PACKET_H_INCLUDED_ */
