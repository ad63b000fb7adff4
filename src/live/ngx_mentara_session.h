/*
 * One client's connection as the live part sees it, whatever the transport:
 * it starts somewhere in the order of events, catches up, and is then told
 * everything that concerns its user.
 */

#ifndef _NGX_MENTARA_SESSION_H_INCLUDED_
#define _NGX_MENTARA_SESSION_H_INCLUDED_


#include <ngx_mentara_live_types.h>


/*
 * A session for a verified user.  sid: of the token, or empty; both are
 * copied.  expires: when it ends unless renewed.  NULL: no memory.
 */
ngx_mentara_session_t *ngx_mentara_session_create(ngx_mentara_live_t *live,
    const ngx_mentara_door_t *door, void *data, ngx_str_t *user,
    ngx_str_t *sid, time_t expires);

/* the client has gone, or its door closes it: frees the session */
void ngx_mentara_session_close(ngx_mentara_session_t *s);

/* the live part ends it: door->ended, then it is freed */
void ngx_mentara_session_end(ngx_mentara_session_t *s, ngx_uint_t why);

/* frees those that ended while an entry was being told */
void ngx_mentara_session_bury(ngx_mentara_live_t *live);

/* the log was lost: one that was not accepted yet starts again, others end */
void ngx_mentara_session_again(ngx_mentara_session_t *s);

/* writes one event to one session */
void ngx_mentara_session_tell(ngx_mentara_session_t *s, ngx_str_t *name,
    ngx_str_t *body, ngx_str_t *offset);

/* frees the frames of an event */
void ngx_mentara_outgoing_done(ngx_mentara_outgoing_t *o);


#endif /* _NGX_MENTARA_SESSION_H_INCLUDED_ */
