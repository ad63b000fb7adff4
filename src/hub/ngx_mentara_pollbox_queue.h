/*
 * Blocks and packets of the boxes; all with the lock held.
 */

#ifndef _NGX_MENTARA_POLLBOX_QUEUE_H_INCLUDED_
#define _NGX_MENTARA_POLLBOX_QUEUE_H_INCLUDED_


#include <ngx_mentara_box.h>


/* octets of a packet as a poll carries it, its separator included */
size_t ngx_mentara_boxq_size(ngx_mentara_block_t *b);

/* octets of the zone that a packet of len octets takes */
size_t ngx_mentara_boxq_memory(size_t len);

ngx_mentara_block_t *ngx_mentara_boxq_first(ngx_mentara_pollbox_t *pb,
    ngx_mentara_box_queue_t *q);

/* NGX_OK, or NGX_BUSY: there are not enough blocks */
ngx_int_t ngx_mentara_boxq_append(ngx_mentara_pollbox_t *pb,
    ngx_mentara_box_queue_t *q, ngx_uint_t binary, ngx_str_t *data);

/* the first packet into len octets at p, which it has; it stays */
void ngx_mentara_boxq_copy(ngx_mentara_pollbox_t *pb,
    ngx_mentara_box_queue_t *q, u_char *p);

/* the first packet goes */
void ngx_mentara_boxq_shift(ngx_mentara_pollbox_t *pb,
    ngx_mentara_box_queue_t *q);

/* all packets go */
void ngx_mentara_boxq_clear(ngx_mentara_pollbox_t *pb,
    ngx_mentara_box_queue_t *q);


#endif /* _NGX_MENTARA_POLLBOX_QUEUE_H_INCLUDED_ */
