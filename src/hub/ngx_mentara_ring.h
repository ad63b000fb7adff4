/*
 * Entries and bodies of the log: put, redone after a death, read.
 */

#ifndef _NGX_MENTARA_RING_H_INCLUDED_
#define _NGX_MENTARA_RING_H_INCLUDED_


#include <ngx_mentara_log_types.h>


#define NGX_MENTARA_LOG_TURN   262144    /* bytes a reader copies at most */
#define NGX_MENTARA_RING_ALIGN 8


/* a cursor with a buffer of its own */
typedef struct {
    uint64_t                 epoch;
    uint64_t                 cursor;        /* read up to here */
    uint64_t                 floor;         /* when cursor was the head */
    u_char                  *buf;
    size_t                   size;
    u_char                  *pos;           /* of the next copied entry */
    u_char                  *last;
} ngx_mentara_reader_t;


/* appends, whatever it is; with the lock held */
void ngx_mentara_ring_put(ngx_mentara_log_t *log, ngx_mentara_entry_t *e);

/*
 * Finishes what a dead process left half done.  First thing of everybody
 * who takes the lock to look at places, ring or head.
 */
void ngx_mentara_ring_redo(ngx_mentara_log_t *log);

/*
 * Copies what is beyond the cursor, at most the size of the buffer, and
 * clears the worker's signalled mark (slot: NULL for none).  upto: last
 * position wanted, 0: the head.  NGX_OK: all is copied; NGX_AGAIN: there is
 * more; NGX_ABORT: overtaken, nothing was copied; NGX_DECLINED: the epoch is
 * another one, or the log is not open.
 */
ngx_int_t ngx_mentara_log_read(ngx_mentara_log_t *log,
    ngx_mentara_reader_t *r, uint64_t upto, ngx_mentara_slot_t *slot);

/*
 * The next copied entry; its strings point into the reader's buffer.
 * NGX_OK, or NGX_DONE when there are no more.
 */
ngx_int_t ngx_mentara_log_next(ngx_mentara_reader_t *r,
    ngx_mentara_entry_t *e);

/* bytes that a reader's buffer needs */
size_t ngx_mentara_log_buffer(ngx_mentara_log_t *log);

/*
 * Puts a reader at the head.  NGX_OK, or NGX_DECLINED: the log is not open.
 */
ngx_int_t ngx_mentara_log_seek(ngx_mentara_log_t *log,
    ngx_mentara_reader_t *r);

/* whether all behind this position can still be read; takes the lock */
ngx_uint_t ngx_mentara_log_holds(ngx_mentara_log_t *log, uint64_t epoch,
    uint64_t position);


#endif /* _NGX_MENTARA_RING_H_INCLUDED_ */
