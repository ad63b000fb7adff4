/*
 * What a session missed and the log still holds.
 */

#ifndef _NGX_MENTARA_REPLAY_H_INCLUDED_
#define _NGX_MENTARA_REPLAY_H_INCLUDED_


#include <ngx_mentara_attach_types.h>


/*
 * Looks through the range first: a message that was changed later in it is
 * told as it is then, so that what was deleted is never sent again.
 * NGX_OK; NGX_DECLINED: the database must tell it; NGX_ERROR: no memory.
 */
ngx_int_t ngx_mentara_replay_look(ngx_mentara_attach_t *a);

/*
 * Tells the session as much as it can take now.  NGX_OK: go on; NGX_DONE: it
 * is where the worker is; NGX_DECLINED: the log no longer has it.
 */
ngx_int_t ngx_mentara_replay_step(ngx_mentara_attach_t *a);


#endif /* _NGX_MENTARA_REPLAY_H_INCLUDED_ */
