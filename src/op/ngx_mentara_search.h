/*
 * Search in one's own messages.
 */

#ifndef _NGX_MENTARA_SEARCH_H_INCLUDED_
#define _NGX_MENTARA_SEARCH_H_INCLUDED_


#include <ngx_mentara_op.h>


/*
 * Binds op->query and sets op->answer.  NGX_OK: send it; NGX_ERROR: out of
 * memory.
 */
ngx_int_t ngx_mentara_message_search(ngx_mentara_op_t *op);


#endif /* _NGX_MENTARA_SEARCH_H_INCLUDED_ */
