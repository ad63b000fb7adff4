
#include <ngx_mentara_publish.h>
#include <ngx_mentara_append.h>
#include <ngx_mentara_notice.h>
#include <ngx_mentara_sweep.h>


void
ngx_mentara_publish(void *data, ngx_mentara_event_t *events,
    ngx_uint_t n, ngx_log_t *log)
{
    ngx_mentara_live_t *live = data;

    ngx_uint_t           i, sweep;
    ngx_mentara_entry_t  e;

    sweep = (n == 0);

    for (i = 0; i < n; i++) {
        ngx_mentara_live_entry(&events[i], &e);
        ngx_mentara_notice_block(live, &e);

        if (ngx_mentara_live_append(live, &e) == NGX_AGAIN) {
            sweep = 1;
        }
    }

    if (sweep) {
        ngx_mentara_sweep_now(live);
    }
}
