/*
 * A box of the shared zone as the parts of the pollbox know it: what lies in
 * the zone, how it is entered, and how its workers are told.  Who uses boxes
 * includes ngx_mentara_pollbox.h.
 */

#ifndef _NGX_MENTARA_BOX_H_INCLUDED_
#define _NGX_MENTARA_BOX_H_INCLUDED_


#include <ngx_mentara.h>
#include <ngx_mentara_slots.h>
#include <ngx_mentara_zone.h>


#define NGX_MENTARA_BOX_SID    20
#define NGX_MENTARA_BOX_MARK   80     /* octets of a mark */
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
    uint32_t                 bytes;        /* of its packets */
    uint32_t                 memory;       /* octets of its blocks */
    uint32_t                 n;            /* packets */
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
    uint32_t                 limit;        /* octets that a stranger may have
                                              in it, 0: known by now */
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


/* is this worker of the box alive? */
ngx_uint_t ngx_mentara_box_alive(ngx_mentara_pollbox_t *pb,
    ngx_mentara_box_who_t *who);


/* what follows is for the parts alone; a box is changed under the lock */

#define NGX_MENTARA_BOX_END    (uint32_t) -1  /* of a ready chain */

#define ngx_mentara_box(pb, n)         (&(pb)->boxes[(n) - 1])
#define ngx_mentara_box_n(pb, box)     ((uint32_t) ((box) - (pb)->boxes + 1))

/* takes the zone's lock; what a dead worker left half done is emptied */
void ngx_mentara_pollbox_lock(ngx_mentara_pollbox_t *pb);

/* unlocks, then wakes who was told */
void ngx_mentara_pollbox_unlock(ngx_mentara_pollbox_t *pb);

/* locks; NULL: there is no such box, and it is unlocked again */
ngx_mentara_box_t *ngx_mentara_box_enter(ngx_mentara_pollbox_t *pb,
    ngx_mentara_box_ref_t *ref);

/* puts it into the chain of its worker in that role, which is woken */
void ngx_mentara_box_tell(ngx_mentara_pollbox_t *pb, ngx_mentara_box_t *box,
    ngx_uint_t role);

/* takes it out of the chain of its worker; chains are short */
void ngx_mentara_box_unready(ngx_mentara_pollbox_t *pb,
    ngx_mentara_box_t *box, ngx_uint_t role);

/* tells who it was, and nobody it is */
void ngx_mentara_box_nobody(ngx_mentara_pollbox_t *pb,
    ngx_mentara_box_t *box, ngx_uint_t role);

/* who is this worker */
void ngx_mentara_box_self(ngx_mentara_pollbox_t *pb,
    ngx_mentara_box_who_t *who);

/* closes it; what came in is still taken, and what went out */
void ngx_mentara_box_shut(ngx_mentara_pollbox_t *pb, ngx_mentara_box_t *box,
    ngx_uint_t code);


#endif /* _NGX_MENTARA_BOX_H_INCLUDED_ */
