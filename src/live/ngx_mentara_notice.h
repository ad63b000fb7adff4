/*
 * What is of the moment: who is there, who types, who has a conversation
 * open, a logout.  Never stored, never replayed.
 */

#ifndef _NGX_MENTARA_NOTICE_H_INCLUDED_
#define _NGX_MENTARA_NOTICE_H_INCLUDED_


#include <ngx_mentara_live_types.h>


/* whether the user has that many sockets already, over all workers */
ngx_uint_t ngx_mentara_notice_crowded(ngx_mentara_session_t *s,
    ngx_uint_t most);

/* counts the session as a device of its user */
void ngx_mentara_notice_counted(ngx_mentara_session_t *s);

/* a session is live: the user's contacts hear of it, if they have not yet */
void ngx_mentara_notice_here(ngx_mentara_session_t *s, ngx_str_t *contacts,
    ngx_uint_t n);

/* and it hears of one of them who is there */
void ngx_mentara_notice_contact(ngx_mentara_session_t *s,
    ngx_str_t *contact);

/*
 * An event is about to be told.  If it is a block or its end, whatever these
 * two type has ended, and that is told before.
 */
void ngx_mentara_notice_block(ngx_mentara_live_t *live,
    ngx_mentara_entry_t *e);

/*
 * typing_indicator: NGX_OK; NGX_DECLINED: no participant.  Repeated it is
 * relayed at most every 2 s; it ends by itself.
 */
ngx_int_t ngx_mentara_notice_typing(ngx_mentara_session_t *s,
    ngx_mentara_uuid_t *conversation, ngx_uint_t on);

/* join_conversation; NGX_OK or NGX_DECLINED: no participant */
ngx_int_t ngx_mentara_notice_join(ngx_mentara_session_t *s,
    ngx_mentara_uuid_t *conversation);

/* leave_conversation, likewise */
ngx_int_t ngx_mentara_notice_leave(ngx_mentara_session_t *s,
    ngx_mentara_uuid_t *conversation);

/* what the session had left before, silently; ids: one after the other */
void ngx_mentara_notice_left(ngx_mentara_session_t *s, ngx_str_t *ids);

/* ends the live sockets of a token's session, or all of the user (no sid) */
void ngx_mentara_notice_logout(ngx_mentara_live_t *live, ngx_str_t *user,
    ngx_str_t *sid);

/* each tick: what ends by itself */
void ngx_mentara_notice_tick(ngx_mentara_live_t *live);


#endif /* _NGX_MENTARA_NOTICE_H_INCLUDED_ */
