/*
 * Boxes of the shared zone: what a polled session sends and receives between
 * its worker, its owner, and the worker that holds its request, its holder.
 * Plain shared memory; what comes in wakes by eventfd.
 *
 * Everything is changed under the zone's lock.  Who finds that a worker died
 * within it empties all boxes: their clients come back.
 */

#ifndef _NGX_MENTARA_POLLBOX_H_INCLUDED_
#define _NGX_MENTARA_POLLBOX_H_INCLUDED_


#include <ngx_mentara_box.h>
#include <ngx_mentara_pollbox_packet.h>


/* the zone is mapped, slot was claimed; turn: posted when it is woken */
void ngx_mentara_pollbox_init(ngx_mentara_pollbox_t *pb,
    ngx_mentara_zone_t *zone, ngx_int_t slot, int *fds, ngx_event_t *turn);

/*
 * All that follow take the lock.  NGX_DECLINED: there is no such box any
 * more.
 */

/*
 * A box of this worker.  limit: octets that may lie in it on their way in,
 * and a quarter of that on their way out, until ngx_mentara_box_trust(); 0:
 * none.  NGX_BUSY: all are taken.
 */
ngx_int_t ngx_mentara_box_create(ngx_mentara_pollbox_t *pb, u_char *sid,
    uint64_t deadline, size_t limit, ngx_mentara_box_ref_t *ref);

/* its client is known: the limit is no more */
void ngx_mentara_box_trust(ngx_mentara_pollbox_t *pb,
    ngx_mentara_box_ref_t *ref);

ngx_int_t ngx_mentara_box_find(ngx_mentara_pollbox_t *pb, ngx_str_t *sid,
    ngx_mentara_box_ref_t *ref);

/* a copy of what is there, queues aside */
ngx_int_t ngx_mentara_box_look(ngx_mentara_pollbox_t *pb,
    ngx_mentara_box_ref_t *ref, ngx_mentara_box_t *copy);

/* its owner ends it: closed, and gone when the holder has seen that */
void ngx_mentara_box_end(ngx_mentara_pollbox_t *pb,
    ngx_mentara_box_ref_t *ref, ngx_uint_t code);

/*
 * Becomes its owner if that one has gone.  NGX_OK; NGX_BUSY: it has one.
 */
ngx_int_t ngx_mentara_box_adopt(ngx_mentara_pollbox_t *pb,
    ngx_mentara_box_ref_t *ref);

/* its owner leaves it for another; the holder is told */
void ngx_mentara_box_leave(ngx_mentara_pollbox_t *pb,
    ngx_mentara_box_ref_t *ref);

/*
 * Becomes its holder.  NGX_OK; NGX_BUSY: it has one, which is told to end,
 * or it is closed or upgraded.
 */
ngx_int_t ngx_mentara_box_hold(ngx_mentara_pollbox_t *pb,
    ngx_mentara_box_ref_t *ref);

/* holds it no more */
void ngx_mentara_box_drop(ngx_mentara_pollbox_t *pb,
    ngx_mentara_box_ref_t *ref);

/*
 * A WebSocket comes: flag is PROBING; NGX_BUSY: there is one already.  Then
 * it has asked: flag is PROBED; the holder is told.
 */
ngx_int_t ngx_mentara_box_probe(ngx_mentara_pollbox_t *pb,
    ngx_mentara_box_ref_t *ref, ngx_uint_t flag);

/* it did not come to that */
void ngx_mentara_box_unprobe(ngx_mentara_pollbox_t *pb,
    ngx_mentara_box_ref_t *ref);

/* the WebSocket of this worker takes over as holder; the owner is told */
ngx_int_t ngx_mentara_box_upgrade(ngx_mentara_pollbox_t *pb,
    ngx_mentara_box_ref_t *ref);

/* the owner has something to do, by its own wish */
void ngx_mentara_box_poke(ngx_mentara_pollbox_t *pb,
    ngx_mentara_box_ref_t *ref);

/* the client is there until then */
void ngx_mentara_box_heard(ngx_mentara_pollbox_t *pb,
    ngx_mentara_box_ref_t *ref, uint64_t deadline);

/* no more comes or goes; owner and holder are told */
void ngx_mentara_box_close(ngx_mentara_pollbox_t *pb,
    ngx_mentara_box_ref_t *ref, ngx_uint_t code);

/* a poll of this worker ends by itself: closed, if it holds the box still */
void ngx_mentara_box_quit(ngx_mentara_pollbox_t *pb,
    ngx_mentara_box_ref_t *ref);

/*
 * The next box for which this worker has something to do in that role, or
 * NGX_DECLINED.
 */
ngx_int_t ngx_mentara_box_next(ngx_mentara_pollbox_t *pb, ngx_uint_t role,
    ngx_mentara_box_ref_t *ref);

/* frees boxes whose owner has gone and whose client is given up */
void ngx_mentara_pollbox_sweep(ngx_mentara_pollbox_t *pb, uint64_t now);


#endif /* _NGX_MENTARA_POLLBOX_H_INCLUDED_ */
