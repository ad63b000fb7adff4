/*
 * Who of this worker's sessions belongs to which user and conversation.
 * Plain memory of the worker: nothing here is shared.
 */

#ifndef _NGX_MENTARA_ROOM_H_INCLUDED_
#define _NGX_MENTARA_ROOM_H_INCLUDED_


#include <ngx_mentara_live_types.h>


/* the empty trees of a worker */
void ngx_mentara_rooms_init(ngx_mentara_live_t *live);

/* 1: the id is in a list joined by newline */
ngx_uint_t ngx_mentara_listed(ngx_str_t *list, ngx_str_t *id);

/* takes the next id off such a list; NGX_DONE at its end */
ngx_int_t ngx_mentara_list_next(ngx_str_t *list, ngx_str_t *id);

/* a role's name in static storage */
ngx_str_t ngx_mentara_role(ngx_str_t *name);

ngx_mentara_user_t *ngx_mentara_user_find(ngx_mentara_live_t *live,
    ngx_str_t *id);

/* adds a session to its user, who is made if need be; NGX_ERROR: no memory */
ngx_int_t ngx_mentara_user_enter(ngx_mentara_live_t *live, ngx_str_t *id,
    ngx_mentara_session_t *s);

/* takes it out; the user goes with the last one */
void ngx_mentara_user_leave(ngx_mentara_session_t *s);

/*
 * A block between them was set or lifted; by: by the user.  told: by an
 * event.  NGX_ERROR: no memory.
 */
ngx_int_t ngx_mentara_user_block(ngx_mentara_user_t *u, ngx_str_t *peer,
    ngx_uint_t by, ngx_uint_t on, ngx_uint_t told);

/* whether a block stands between them, either way */
ngx_uint_t ngx_mentara_user_blocked(ngx_mentara_user_t *u, ngx_str_t *peer);

ngx_mentara_room_t *ngx_mentara_room_find(ngx_mentara_live_t *live,
    ngx_mentara_uuid_t *id);

/* NULL: no memory */
ngx_mentara_record_t *ngx_mentara_record_add(ngx_mentara_session_t *s,
    ngx_mentara_uuid_t *conversation, uint64_t next, uint64_t to,
    uint64_t visible, ngx_uint_t shared);

/* the one that stands now, NULL: no participant */
ngx_mentara_record_t *ngx_mentara_record_find(ngx_mentara_session_t *s,
    ngx_mentara_uuid_t *conversation);

/* of several memberships the one that stands, else the last; NULL: none */
ngx_mentara_record_t *ngx_mentara_record_latest(ngx_mentara_session_t *s,
    ngx_mentara_room_t *room);

void ngx_mentara_record_drop(ngx_mentara_record_t *r);

/* all of a session */
void ngx_mentara_records_drop(ngx_mentara_session_t *s);

/* those of a session are about to be replaced */
void ngx_mentara_records_retire(ngx_mentara_session_t *s,
    ngx_queue_t *stale);

/*
 * Their successors are there: what was left stays left, and what was written
 * is still to be marked as delivered.
 */
void ngx_mentara_records_succeed(ngx_mentara_session_t *s,
    ngx_queue_t *stale);


#endif /* _NGX_MENTARA_ROOM_H_INCLUDED_ */
