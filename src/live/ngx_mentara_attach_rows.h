/*
 * The rows of the statement `attach`: who it is, rooms, contacts, blocks and
 * what was missed.
 */

#ifndef _NGX_MENTARA_ATTACH_ROWS_H_INCLUDED_
#define _NGX_MENTARA_ATTACH_ROWS_H_INCLUDED_


#include <ngx_mentara_attach_types.h>


/* of one answer, into the session and its attach; NGX_ERROR: no memory */
ngx_int_t ngx_mentara_attach_rows_take(ngx_mentara_attach_t *a,
    PGresult *res);


#endif /* _NGX_MENTARA_ATTACH_ROWS_H_INCLUDED_ */
