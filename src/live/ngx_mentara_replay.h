/*
 * What a session missed and the log still holds.
 */

#ifndef _NGX_MENTARA_REPLAY_H_INCLUDED_
#define _NGX_MENTARA_REPLAY_H_INCLUDED_


#include <ngx_mentara_attach_types.h>


/*
 * Tells the session as much as it can take now.  NGX_OK: go on; NGX_DONE: it
 * is where the worker is; NGX_DECLINED: the log no longer has it.
 */
ngx_int_t ngx_mentara_replay_step(ngx_mentara_attach_t *a);


#endif /* _NGX_MENTARA_REPLAY_H_INCLUDED_ */
