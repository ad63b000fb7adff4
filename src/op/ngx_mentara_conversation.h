/*
 * Conversations, their participants, support and who has looked in.
 *
 * Each action binds the parameters of op->query (p_user is bound) and sets
 * op->answer.  NGX_OK: send it; NGX_DONE: refused, the handler will be
 * called; NGX_ERROR: out of memory.
 */

#ifndef _NGX_MENTARA_CONVERSATION_H_INCLUDED_
#define _NGX_MENTARA_CONVERSATION_H_INCLUDED_


#include <ngx_mentara_op.h>


ngx_int_t ngx_mentara_conversation_create(ngx_mentara_op_t *op);
ngx_int_t ngx_mentara_conversation_list(ngx_mentara_op_t *op);
ngx_int_t ngx_mentara_conversation_get(ngx_mentara_op_t *op);
ngx_int_t ngx_mentara_conversation_update(ngx_mentara_op_t *op);

ngx_int_t ngx_mentara_participant_add(ngx_mentara_op_t *op);
ngx_int_t ngx_mentara_participant_update(ngx_mentara_op_t *op);
ngx_int_t ngx_mentara_participant_remove(ngx_mentara_op_t *op);

ngx_int_t ngx_mentara_support_list(ngx_mentara_op_t *op);
ngx_int_t ngx_mentara_support_claim(ngx_mentara_op_t *op);
ngx_int_t ngx_mentara_support_unclaim(ngx_mentara_op_t *op);

ngx_int_t ngx_mentara_access_list(ngx_mentara_op_t *op);


#endif /* _NGX_MENTARA_CONVERSATION_H_INCLUDED_ */
