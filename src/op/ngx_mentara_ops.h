/*
 * The table of user actions: endpoint -> statement, binding, answer.
 */

#ifndef _NGX_MENTARA_OPS_H_INCLUDED_
#define _NGX_MENTARA_OPS_H_INCLUDED_


#include <ngx_mentara_op.h>
#include <mentara_route.h>


/*
 * Starts an op whose input is filled in.  The handler is always called,
 * later, also for faults found here: one way out.  NGX_ERROR: out of memory
 * before anything was done; free it and answer 500.
 */
ngx_int_t ngx_mentara_op_run(ngx_mentara_op_t *op);


#endif /* _NGX_MENTARA_OPS_H_INCLUDED_ */
