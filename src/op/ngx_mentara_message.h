/*
 * Messages: send, page, edit, delete, revisions, reading marks, reactions.
 *
 * Each action binds the parameters of op->query (p_user is bound) and sets
 * op->answer.  NGX_OK: send it; NGX_DONE: refused, the handler will be
 * called; NGX_ERROR: out of memory.
 */

#ifndef _NGX_MENTARA_MESSAGE_H_INCLUDED_
#define _NGX_MENTARA_MESSAGE_H_INCLUDED_


#include <ngx_mentara_op.h>


ngx_int_t ngx_mentara_message_send(ngx_mentara_op_t *op);
ngx_int_t ngx_mentara_message_page(ngx_mentara_op_t *op);
ngx_int_t ngx_mentara_message_get(ngx_mentara_op_t *op);
ngx_int_t ngx_mentara_message_edit(ngx_mentara_op_t *op);
ngx_int_t ngx_mentara_message_delete(ngx_mentara_op_t *op);
ngx_int_t ngx_mentara_message_revisions(ngx_mentara_op_t *op);

ngx_int_t ngx_mentara_message_read(ngx_mentara_op_t *op);
ngx_int_t ngx_mentara_message_read_batch(ngx_mentara_op_t *op);

ngx_int_t ngx_mentara_reaction_add(ngx_mentara_op_t *op);
ngx_int_t ngx_mentara_reaction_remove(ngx_mentara_op_t *op);


#endif /* _NGX_MENTARA_MESSAGE_H_INCLUDED_ */
