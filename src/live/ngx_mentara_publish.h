/*
 * From the actions of users into the log.
 */

#ifndef _NGX_MENTARA_PUBLISH_H_INCLUDED_
#define _NGX_MENTARA_PUBLISH_H_INCLUDED_


#include <ngx_mentara_live_types.h>
#include <ngx_mentara_event.h>


/* what was committed, into the log; the publish callback of an op */
void ngx_mentara_publish(void *data, ngx_mentara_event_t *events,
    ngx_uint_t n, ngx_log_t *log);


#endif /* _NGX_MENTARA_PUBLISH_H_INCLUDED_ */
