/*
 * How the module is: health for monitors, metrics for Prometheus.
 */

#ifndef _NGX_MENTARA_STATUS_H_INCLUDED_
#define _NGX_MENTARA_STATUS_H_INCLUDED_


#include <ngx_mentara_request.h>


/*
 * GET /health: 200 or 503; with a staff token also database, schema version
 * and use of the zone.  Returns what ngx_http_finalize_request() is given.
 */
ngx_int_t ngx_mentara_status_health(ngx_mentara_request_t *q);

/* the content handler of a location with mentara_status */
ngx_int_t ngx_mentara_status_handler(ngx_http_request_t *r);


#endif /* _NGX_MENTARA_STATUS_H_INCLUDED_ */
