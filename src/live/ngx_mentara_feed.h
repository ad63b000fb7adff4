/*
 * From the log to the sessions of this worker: which of them an entry
 * concerns, once, in order.
 */

#ifndef _NGX_MENTARA_FEED_H_INCLUDED_
#define _NGX_MENTARA_FEED_H_INCLUDED_


#include <ngx_mentara_live_types.h>


/*
 * Reads what is beyond the worker's position and tells its live sessions;
 * one turn at most, the rest is posted.  Overtaken, or in another epoch: all
 * sessions are sent away to come back.
 * NGX_OK: at the head; NGX_AGAIN: there is more; NGX_DECLINED: the log is
 * not open; NGX_ABORT: the position was lost.
 */
ngx_int_t ngx_mentara_feed_read(ngx_mentara_live_t *live);

/* puts the worker's reader at the head; NGX_DECLINED: the log is not open */
ngx_int_t ngx_mentara_feed_seat(ngx_mentara_live_t *live);

/*
 * One entry to one session that catches up.  NGX_OK; NGX_DECLINED: its body
 * did not fit into the log, the database has it; NGX_ERROR: no memory.
 */
ngx_int_t ngx_mentara_feed_one(ngx_mentara_session_t *s,
    ngx_mentara_entry_t *e);

/* sends all sessions away; those that start begin again */
void ngx_mentara_feed_restart(ngx_mentara_live_t *live);


#endif /* _NGX_MENTARA_FEED_H_INCLUDED_ */
