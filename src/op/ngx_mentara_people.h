/*
 * People: oneself, contacts, blocks.
 *
 * Each action binds the parameters of op->query (p_user is bound) and sets
 * op->answer.  NGX_OK: send it; NGX_DONE: refused, the handler will be
 * called; NGX_ERROR: out of memory.
 */

#ifndef _NGX_MENTARA_PEOPLE_H_INCLUDED_
#define _NGX_MENTARA_PEOPLE_H_INCLUDED_


#include <ngx_mentara_op.h>


ngx_int_t ngx_mentara_me(ngx_mentara_op_t *op);
ngx_int_t ngx_mentara_contact_list(ngx_mentara_op_t *op);

ngx_int_t ngx_mentara_block_add(ngx_mentara_op_t *op);
ngx_int_t ngx_mentara_block_remove(ngx_mentara_op_t *op);
ngx_int_t ngx_mentara_block_list(ngx_mentara_op_t *op);


#endif /* _NGX_MENTARA_PEOPLE_H_INCLUDED_ */
