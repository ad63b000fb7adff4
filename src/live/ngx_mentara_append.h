/*
 * Into the log of this host: an entry, and a wake for who must read it.
 */

#ifndef _NGX_MENTARA_APPEND_H_INCLUDED_
#define _NGX_MENTARA_APPEND_H_INCLUDED_


#include <ngx_mentara_live_types.h>
#include <ngx_mentara_event.h>


/* the slot for what is counted by it, also when there was none */
ngx_uint_t ngx_mentara_slot_number(ngx_mentara_live_t *live);

/* an event as an entry of the log */
void ngx_mentara_live_entry(ngx_mentara_event_t *ev, ngx_mentara_entry_t *e);

/*
 * Appends an entry and wakes who must read it; NGX_OK or what
 * ngx_mentara_log_append() says.
 */
ngx_int_t ngx_mentara_live_append(ngx_mentara_live_t *live,
    ngx_mentara_entry_t *e);

/* wakes the workers that an append has marked */
void ngx_mentara_live_wake(ngx_mentara_live_t *live,
    ngx_mentara_targets_t *t);

/* now as a JSON string, at most 32 octets; returns the end */
u_char *ngx_mentara_append_time(u_char *p);


#endif /* _NGX_MENTARA_APPEND_H_INCLUDED_ */
