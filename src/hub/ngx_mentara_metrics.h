/*
 * Counters of all workers, in the shared zone: added to without the lock.
 */

#ifndef _NGX_MENTARA_METRICS_H_INCLUDED_
#define _NGX_MENTARA_METRICS_H_INCLUDED_


#include <ngx_mentara.h>
#include <ngx_mentara_zone.h>


typedef enum {
    NGX_MENTARA_METRIC_LIMITED = 0,
    NGX_MENTARA_METRIC_CONNECTS,
    NGX_MENTARA_METRIC_DISCONNECTS,
    NGX_MENTARA_METRIC_RECOVERED,
    NGX_MENTARA_METRIC_NOT_RECOVERED,
    NGX_MENTARA_METRIC_SLOW_SOCKETS,
    NGX_MENTARA_METRIC_EVENTS_IN,
    NGX_MENTARA_METRIC_EVENTS_REFUSED,
    NGX_MENTARA_METRIC_APPENDED,
    NGX_MENTARA_METRIC_DUPLICATES,
    NGX_MENTARA_METRIC_LATER,
    NGX_MENTARA_METRIC_OVERSIZED,
    NGX_MENTARA_METRIC_DELIVERED,
    NGX_MENTARA_METRIC_OVERTAKEN,
    NGX_MENTARA_METRIC_WAKES,
    NGX_MENTARA_METRIC_SWEEPS,
    NGX_MENTARA_METRIC_SWEPT,
    NGX_MENTARA_METRIC_SWEEP_ERRORS,
    NGX_MENTARA_METRIC_EPOCHS,
    NGX_MENTARA_METRIC_EVICTED,
    NGX_MENTARA_METRIC_DEAD_WORKERS,
    NGX_MENTARA_METRIC_TYPING,
    NGX_MENTARA_METRIC_TYPING_DROPPED,
    NGX_MENTARA_METRIC_PRESENCE_FULL,
    NGX_MENTARA_METRIC_N
} ngx_mentara_metric_e;


typedef struct {
    ngx_str_t                name;
    ngx_str_t                help;
} ngx_mentara_metric_name_t;


/* indexed by ngx_mentara_metric_e; all of them are counters */
extern const ngx_mentara_metric_name_t  ngx_mentara_metric_names[];

void ngx_mentara_metric_add(ngx_mentara_zone_t *zone, ngx_uint_t metric,
    ngx_uint_t n);

ngx_uint_t ngx_mentara_metric_get(ngx_mentara_zone_t *zone,
    ngx_uint_t metric);


#endif /* _NGX_MENTARA_METRICS_H_INCLUDED_ */
