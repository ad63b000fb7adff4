/*
 * The log's table of conversations: how far each of them is in the log.
 * All of it is called with the zone's lock held.
 *
 * A conversation that is not here has exactly those events in the log that
 * the snapshot in force sees; so only one may be forgotten whose events are
 * all seen by it.
 */

#ifndef _NGX_MENTARA_PLACES_H_INCLUDED_
#define _NGX_MENTARA_PLACES_H_INCLUDED_


#include <ngx_mentara_log_types.h>


/* NULL: not here */
ngx_mentara_place_t *ngx_mentara_place_find(ngx_mentara_log_t *log,
    ngx_mentara_uuid_t *conversation);

/*
 * Makes one, of which last is in the log already.  NULL: the table is full
 * of conversations that may not be forgotten.
 */
ngx_mentara_place_t *ngx_mentara_place_add(ngx_mentara_log_t *log,
    ngx_mentara_uuid_t *conversation, uint64_t last);

/* forgets all */
void ngx_mentara_places_clear(ngx_mentara_log_t *log);


#endif /* _NGX_MENTARA_PLACES_H_INCLUDED_ */
