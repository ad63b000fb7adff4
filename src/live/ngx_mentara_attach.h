/*
 * The start of a session: what it missed is written, from the log or from
 * the database, before it is told what happens now.
 */

#ifndef _NGX_MENTARA_ATTACH_H_INCLUDED_
#define _NGX_MENTARA_ATTACH_H_INCLUDED_


#include <ngx_mentara_live_types.h>


/*
 * Starts it: door->accepted or door->ended follows, not from inside this
 * call.  most: sockets that a user may have.  token: time of the last valid
 * token, for a new pid.  NGX_ERROR: no memory; close it.
 */
ngx_int_t ngx_mentara_attach(ngx_mentara_session_t *s,
    ngx_mentara_return_t *back, ngx_uint_t most, time_t token);

/* answer to door->notify */
void ngx_mentara_attach_drained(ngx_mentara_session_t *s);

/* goes on with those that wait: for the log, the key, or an event */
void ngx_mentara_attach_resume(ngx_mentara_live_t *live);


#endif /* _NGX_MENTARA_ATTACH_H_INCLUDED_ */
