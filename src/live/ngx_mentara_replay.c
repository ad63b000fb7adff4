
#include <ngx_mentara_replay.h>
#include <ngx_mentara_current.h>
#include <ngx_mentara_feed.h>


static ngx_int_t ngx_mentara_replay_entry(ngx_mentara_attach_t *a,
    ngx_mentara_entry_t *e);


ngx_int_t
ngx_mentara_replay_step(ngx_mentara_attach_t *a)
{
    ngx_int_t               rc;
    ngx_mentara_live_t     *live;
    ngx_mentara_entry_t     e;
    ngx_mentara_reader_t   *r;
    ngx_mentara_session_t  *s;

    s = a->session;
    live = s->live;
    r = &live->scratch;

    if (s->cursor >= live->reader.cursor) {
        return NGX_DONE;
    }

    if (ngx_mentara_current_look(a, 0) != NGX_OK) {
        return NGX_DECLINED;
    }

    r->epoch = s->epoch;
    r->cursor = s->cursor;

    rc = ngx_mentara_log_read(&live->log, r, live->reader.cursor, NULL);

    if (rc == NGX_ABORT || rc == NGX_DECLINED) {
        return NGX_DECLINED;
    }

    while (ngx_mentara_log_next(r, &e) == NGX_OK) {

        if (ngx_mentara_replay_entry(a, &e) != NGX_OK) {
            return NGX_DECLINED;
        }

        s->cursor = e.position;

        if (s->ending || s->door->pending(s) > NGX_MENTARA_LOW_WATER) {
            break;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_mentara_replay_entry(ngx_mentara_attach_t *a, ngx_mentara_entry_t *e)
{
    if (e->event_seq != 0 && !(e->flags & NGX_MENTARA_EVENT_BIG)
        && ngx_mentara_current_body(a, e->kind, e->position, 0, &e->body)
           != NGX_OK)
    {
        return NGX_DECLINED;
    }

    return ngx_mentara_feed_one(a->session, e);
}
