/*
 * Answers that several actions share; each is an ngx_mentara_op_answer_pt.
 */

#ifndef _NGX_MENTARA_ANSWER_H_INCLUDED_
#define _NGX_MENTARA_ANSWER_H_INCLUDED_


#include <ngx_mentara_op.h>


/* writes the object of one row; returns the row after it, or -1 */
typedef int (*ngx_mentara_row_pt)(ngx_mentara_view_t *v, int row);


/* nothing: 204 */
ngx_int_t ngx_mentara_answer_empty(ngx_mentara_op_t *op,
    ngx_mentara_view_t *v);

/* {"success":true} */
ngx_int_t ngx_mentara_answer_success(ngx_mentara_op_t *op,
    ngx_mentara_view_t *v);

/* the Conversation, Participant, Message or Reaction in row 1 */
ngx_int_t ngx_mentara_answer_conversation(ngx_mentara_op_t *op,
    ngx_mentara_view_t *v);
ngx_int_t ngx_mentara_answer_participant(ngx_mentara_op_t *op,
    ngx_mentara_view_t *v);
ngx_int_t ngx_mentara_answer_message(ngx_mentara_op_t *op,
    ngx_mentara_view_t *v);
ngx_int_t ngx_mentara_answer_reaction(ngx_mentara_op_t *op,
    ngx_mentara_view_t *v);

/* an array of all rows of a kind from row 1 on */
ngx_int_t ngx_mentara_answer_array(ngx_mentara_op_t *op,
    ngx_mentara_view_t *v, u_char kind, ngx_mentara_row_pt write);

/* for such an array */
int ngx_mentara_row_conversation(ngx_mentara_view_t *v, int row);
int ngx_mentara_row_user(ngx_mentara_view_t *v, int row);


#endif /* _NGX_MENTARA_ANSWER_H_INCLUDED_ */
