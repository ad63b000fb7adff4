/*
 * Marks of delivery: what was written to a live socket of a user, told to
 * the database in batches and then to the authors.
 */

#ifndef _NGX_MENTARA_MARK_H_INCLUDED_
#define _NGX_MENTARA_MARK_H_INCLUDED_


#include <ngx_mentara_live_types.h>


/* a message of actor was written to a session */
void ngx_mentara_record_delivered(ngx_mentara_record_t *r, ngx_str_t *actor,
    uint64_t seq);

/* once a second: sends what has gathered, unless a batch is on its way */
void ngx_mentara_mark_flush(ngx_mentara_live_t *live);


#endif /* _NGX_MENTARA_MARK_H_INCLUDED_ */
