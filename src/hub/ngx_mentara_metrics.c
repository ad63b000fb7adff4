
#include <ngx_mentara_metrics.h>


const ngx_mentara_metric_name_t  ngx_mentara_metric_names[] = {
    { ngx_string("mentara_rate_limited_total"),
      ngx_string("Calls refused with 429.") },
    { ngx_string("mentara_socket_connects_total"),
      ngx_string("Sockets that were let in.") },
    { ngx_string("mentara_socket_disconnects_total"),
      ngx_string("Sockets that have ended.") },
    { ngx_string("mentara_sockets_recovered_total"),
      ngx_string("Sockets that came back and missed nothing.") },
    { ngx_string("mentara_sockets_not_recovered_total"),
      ngx_string("Sockets that came back and were told to reload.") },
    { ngx_string("mentara_slow_sockets_total"),
      ngx_string("Sockets closed because they did not read.") },
    { ngx_string("mentara_socket_events_total"),
      ngx_string("Events received from sockets.") },
    { ngx_string("mentara_socket_refusals_total"),
      ngx_string("Events of sockets that were refused.") },
    { ngx_string("mentara_log_appended_total"),
      ngx_string("Events appended to the log of this host.") },
    { ngx_string("mentara_log_duplicates_total"),
      ngx_string("Events that were in the log already.") },
    { ngx_string("mentara_log_later_total"),
      ngx_string("Events that came early and were left to a sweep.") },
    { ngx_string("mentara_log_oversized_total"),
      ngx_string("Events too large for the zone; sockets read the database.")
    },
    { ngx_string("mentara_delivered_total"),
      ngx_string("Events written to sockets.") },
    { ngx_string("mentara_overtaken_total"),
      ngx_string("Times that a worker was overtaken by the log.") },
    { ngx_string("mentara_wakes_total"),
      ngx_string("Workers woken for new events.") },
    { ngx_string("mentara_sweeps_total"),
      ngx_string("Sweeps that ended well.") },
    { ngx_string("mentara_swept_total"),
      ngx_string("Events appended by sweeps.") },
    { ngx_string("mentara_sweep_errors_total"),
      ngx_string("Sweeps given up.") },
    { ngx_string("mentara_epochs_total"),
      ngx_string("Times that the log began anew.") },
    { ngx_string("mentara_rooms_evicted_total"),
      ngx_string("Conversations that left the table of rooms.") },
    { ngx_string("mentara_dead_workers_total"),
      ngx_string("Workers that died and were cleaned up after.") },
    { ngx_string("mentara_typing_total"),
      ngx_string("Typing indicators relayed.") },
    { ngx_string("mentara_typing_dropped_total"),
      ngx_string("Typing indicators dropped for lack of room.") },
    { ngx_string("mentara_presence_full_total"),
      ngx_string("Sockets refused because presence had no room.") },
};


void
ngx_mentara_metric_add(ngx_mentara_zone_t *zone, ngx_uint_t metric,
    ngx_uint_t n)
{
    ngx_atomic_t  *counters;

    counters = ngx_mentara_zone_area(zone, NGX_MENTARA_AREA_METRICS, NULL);

    (void) ngx_atomic_fetch_add(&counters[metric], n);
}


ngx_uint_t
ngx_mentara_metric_get(ngx_mentara_zone_t *zone, ngx_uint_t metric)
{
    ngx_atomic_t  *counters;

    counters = ngx_mentara_zone_area(zone, NGX_MENTARA_AREA_METRICS, NULL);

    return counters[metric];
}
