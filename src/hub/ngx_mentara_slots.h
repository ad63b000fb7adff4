/*
 * The table of workers in the shared zone: who lives, who has sockets, who
 * was signalled.  Plain shared memory; the event loop's part is
 * ngx_mentara_wake.h.
 */

#ifndef _NGX_MENTARA_SLOTS_H_INCLUDED_
#define _NGX_MENTARA_SLOTS_H_INCLUDED_


#include <ngx_mentara.h>
#include <ngx_mentara_zone.h>


/* of one worker, 64 bytes */
typedef struct {
    uint64_t                 pid;          /* 0: free */
    uint64_t                 generation;   /* counts the owners of a slot */
    uint32_t                 sockets;
    uint32_t                 signalled;    /* woken and has not read yet */
    int32_t                  fd;           /* its eventfd, -1: none */
    uint32_t                 used;         /* in slot 0: slots ever taken */
    u_char                   pad[32];
} ngx_mentara_slot_t;


/* eventfds to write when the lock is released */
typedef struct {
    ngx_uint_t               n;
    int                      fds[NGX_MENTARA_SLOTS];
    uint16_t                 slots[NGX_MENTARA_SLOTS];
} ngx_mentara_targets_t;


/* called with the lock held, once for each worker found dead */
typedef void (*ngx_mentara_reap_pt)(ngx_mentara_zone_t *zone, ngx_uint_t slot,
    void *data);


/*
 * Takes a free slot for this process.  Slots of living processes are never
 * given away.  Returns its number, NGX_DECLINED: all are taken.
 * Takes the lock.
 */
ngx_int_t ngx_mentara_slots_claim(ngx_mentara_zone_t *zone, ngx_pid_t pid,
    int *fds);

/* gives it back; takes the lock */
void ngx_mentara_slots_release(ngx_mentara_zone_t *zone, ngx_uint_t slot);

/*
 * Frees the slots of processes that have died; handler cleans up what they
 * counted.  self: the caller's slot, or -1 if it has none yet: then a slot
 * with its pid is of a dead process that had the same.  Takes the lock.
 * Returns how many.
 */
ngx_uint_t ngx_mentara_slots_reap(ngx_mentara_zone_t *zone, ngx_int_t self,
    ngx_pid_t pid, ngx_mentara_reap_pt handler, void *data);

/*
 * Marks all workers that have sockets and are not signalled yet, and lists
 * them.  With the lock held.
 */
void ngx_mentara_slots_signal(ngx_mentara_zone_t *zone,
    ngx_mentara_targets_t *t);

/*
 * Writes the eventfds; without the lock.  Slot self is left out (a worker
 * posts itself): returns 1 if it was among them.
 */
ngx_uint_t ngx_mentara_slots_wake(ngx_mentara_targets_t *t, ngx_uint_t self);

/* one slot */
ngx_mentara_slot_t *ngx_mentara_slot(ngx_mentara_zone_t *zone,
    ngx_uint_t slot);


#endif /* _NGX_MENTARA_SLOTS_H_INCLUDED_ */
