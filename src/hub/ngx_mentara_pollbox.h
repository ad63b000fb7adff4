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


#include <ngx_mentara.h>
#include <ngx_mentara_slots.h>
#include <ngx_mentara_zone.h>


#define NGX_MENTARA_BOX_SID    20
#define NGX_MENTARA_BOX_MARK   72     /* octets of a mark */
#define NGX_MENTARA_BOX_DATA   496    /* octets of a block */
#define NGX_MENTARA_BOX_WAKES  4      /* workers to wake after one change */


#define NGX_MENTARA_BOX_OUT    0      /* to the client */
#define NGX_MENTARA_BOX_IN     1      /* from it */
#define NGX_MENTARA_BOX_STATE  2      /* saved */
#define NGX_MENTARA_BOX_QUEUES 3

#define NGX_MENTARA_BOX_OWNER  0
#define NGX_MENTARA_BOX_HOLDER 1
#define NGX_MENTARA_BOX_ROLES  2

#define NGX_MENTARA_BOX_CLOSED    1   /* no more comes or goes */
#define NGX_MENTARA_BOX_PROBING   2   /* a WebSocket is about to take over */
#define NGX_MENTARA_BOX_UPGRADED  4   /* it has: the holder is one */
#define NGX_MENTARA_BOX_NOTIFY    8   /* the owner waits for an empty OUT */
#define NGX_MENTARA_BOX_PROBED    16  /* polls are to end, one by one */


/* a block of memory; the first of a packet has its length and kind */
typedef struct {
    uint32_t                 next;         /* of the packet, 0: last */
    uint32_t                 packet;       /* the next one, 0: last */
    uint32_t                 len;          /* octets of the packet */
    uint32_t                 binary;
    u_char                   data[NGX_MENTARA_BOX_DATA];
} ngx_mentara_block_t;


/* why it is closed: an octet for a poll's answer, or a WebSocket's code */
#define NGX_MENTARA_BOX_LEFT   1      /* the client said so: `6` */


typedef struct {
    uint32_t                 first;        /* block, 0: none */
    uint32_t                 last;
    uint32_t                 bytes;
    uint32_t                 n;
} ngx_mentara_box_queue_t;


/* a worker: the same slot is given to others later */
typedef struct {
    int32_t                  slot;         /* -1: nobody */
    uint32_t                 generation;
} ngx_mentara_box_who_t;


typedef struct {
    u_char                   sid[NGX_MENTARA_BOX_SID];
    uint32_t                 serial;       /* 0: free */
    uint32_t                 chain;        /* next box of the hash */
    uint32_t                 flags;        /* NGX_MENTARA_BOX_... */
    uint16_t                 code;         /* of a close */
    uint16_t                 mark_len;
    uint32_t                 ready[NGX_MENTARA_BOX_ROLES];   /* next one */
    ngx_mentara_box_who_t    who[NGX_MENTARA_BOX_ROLES];
    uint64_t                 deadline;     /* ms: the client is given up */
    ngx_mentara_box_queue_t  queues[NGX_MENTARA_BOX_QUEUES];
    u_char                   mark[NGX_MENTARA_BOX_MARK];
} ngx_mentara_box_t;


/* boxes for which somebody has something to do */
typedef struct {
    uint32_t                 first[NGX_MENTARA_BOX_ROLES];
} ngx_mentara_box_ready_t;


typedef struct {
    uint32_t                 formatted;
    uint32_t                 busy;         /* being changed */
    uint32_t                 serial;       /* of the newest box */
    uint32_t                 nboxes;
    uint32_t                 nblocks;
    uint32_t                 nbuckets;
    uint32_t                 free_box;     /* chains, 0: none */
    uint32_t                 free_block;
    uint32_t                 used_boxes;   /* never used: beyond */
    uint32_t                 used_blocks;
    ngx_mentara_box_ready_t  ready[NGX_MENTARA_SLOTS];
} ngx_mentara_pollbox_head_t;


/* numbers of boxes and blocks start at 1 */
typedef struct {
    uint32_t                 n;
    uint32_t                 serial;
} ngx_mentara_box_ref_t;


/* one worker's view */
typedef struct {
    ngx_mentara_zone_t          *zone;
    ngx_mentara_pollbox_head_t  *head;
    uint32_t                    *buckets;
    ngx_mentara_box_t           *boxes;
    ngx_mentara_block_t         *blocks;
    ngx_int_t                    slot;     /* -1: it takes no part */
    uint32_t                     generation;
    int                         *fds;      /* by slot */
    ngx_event_t                 *turn;     /* posted when the own is woken */
    ngx_uint_t                   nwakes;
    int32_t                      wakes[NGX_MENTARA_BOX_WAKES];
} ngx_mentara_pollbox_t;


/*
 * One packet of a queue; data is allocated, the taker frees it with
 * ngx_free()
 */
typedef struct {
    ngx_uint_t               binary;
    ngx_str_t                data;
} ngx_mentara_box_packet_t;


/* the zone is mapped, slot was claimed; turn: see above */
void ngx_mentara_pollbox_init(ngx_mentara_pollbox_t *pb,
    ngx_mentara_zone_t *zone, ngx_int_t slot, int *fds, ngx_event_t *turn);

/*
 * All that follow take the lock.  NGX_DECLINED: there is no such box any
 * more.
 */

/* a box of this worker; NGX_BUSY: all are taken */
ngx_int_t ngx_mentara_box_create(ngx_mentara_pollbox_t *pb, u_char *sid,
    uint64_t deadline, ngx_mentara_box_ref_t *ref);

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

/* the owner has something to do, by its own wish */
void ngx_mentara_box_poke(ngx_mentara_pollbox_t *pb,
    ngx_mentara_box_ref_t *ref);

/* the client is there until then */
void ngx_mentara_box_heard(ngx_mentara_pollbox_t *pb,
    ngx_mentara_box_ref_t *ref, uint64_t deadline);

/* no more comes or goes; owner and holder are told */
void ngx_mentara_box_close(ngx_mentara_pollbox_t *pb,
    ngx_mentara_box_ref_t *ref, ngx_uint_t code);

/*
 * The next box for which this worker has something to do in that role, or
 * NGX_DECLINED.
 */
ngx_int_t ngx_mentara_box_next(ngx_mentara_pollbox_t *pb, ngx_uint_t role,
    ngx_mentara_box_ref_t *ref);

/* frees boxes whose owner has gone and whose client is given up */
void ngx_mentara_pollbox_sweep(ngx_mentara_pollbox_t *pb, uint64_t now);

/* is this worker of the box alive? */
ngx_uint_t ngx_mentara_box_alive(ngx_mentara_pollbox_t *pb,
    ngx_mentara_box_who_t *who);


#endif /* _NGX_MENTARA_POLLBOX_H_INCLUDED_ */
