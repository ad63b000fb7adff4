/*
 * What ends a session by and by: its time, and an account that is closed or
 * has another role.
 */

#ifndef _NGX_MENTARA_WATCH_H_INCLUDED_
#define _NGX_MENTARA_WATCH_H_INCLUDED_


#include <ngx_mentara_live_types.h>


/* more often than once a second: the accounts of all users here */
void ngx_mentara_watch_accounts(ngx_mentara_live_t *live);

/* sessions whose token has grown too old */
void ngx_mentara_watch_expired(ngx_mentara_live_t *live);


#endif /* _NGX_MENTARA_WATCH_H_INCLUDED_ */
