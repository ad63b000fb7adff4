
#include <ngx_mentara_append.h>
#include <mentara_json.h>


/* microseconds from the epoch of Unix to that of Postgres */
#define NGX_MENTARA_PG_EPOCH  946684800LL


ngx_uint_t
ngx_mentara_slot_number(ngx_mentara_live_t *live)
{
    return (live->slot < 0) ? NGX_MENTARA_SLOTS : (ngx_uint_t) live->slot;
}


void
ngx_mentara_live_entry(ngx_mentara_event_t *ev, ngx_mentara_entry_t *e)
{
    ngx_int_t  kind;

    ngx_memzero(e, sizeof(ngx_mentara_entry_t));

    kind = ngx_mentara_event_kind(&ev->name);

    e->kind = (kind == NGX_DECLINED) ? NGX_MENTARA_EVENT_CONTROL
                                     : (ngx_uint_t) kind;
    e->conversation = ev->conversation;
    e->event_seq = ev->event_seq;
    e->xid = ev->xid;
    e->msg_seq = ev->msg_seq;
    e->id = ev->id;
    e->actor = ev->actor;
    e->subjects = ev->subjects;
    e->hidden = ev->hidden;
    e->only = ev->only;
    e->body = ev->body;

    if (ev->action.len == 4 && ngx_memcmp(ev->action.data, "join", 4) == 0) {
        e->flags |= NGX_MENTARA_EVENT_JOIN;
    }

    if (ev->action.len == 5 && ngx_memcmp(ev->action.data, "leave", 5) == 0) {
        e->flags |= NGX_MENTARA_EVENT_LEAVE;
    }

    if (ev->staff) {
        e->flags |= NGX_MENTARA_EVENT_STAFF;
    }
}


ngx_int_t
ngx_mentara_live_append(ngx_mentara_live_t *live, ngx_mentara_entry_t *e)
{
    ngx_int_t              rc;
    ngx_mentara_targets_t  targets;

    targets.n = 0;
    rc = ngx_mentara_log_append(&live->log, e, &targets);
    ngx_mentara_live_wake(live, &targets);

    return rc;
}


void
ngx_mentara_live_wake(ngx_mentara_live_t *live, ngx_mentara_targets_t *t)
{
    if (ngx_mentara_slots_wake(t, ngx_mentara_slot_number(live))
        && !live->turn.posted)
    {
        ngx_post_event(&live->turn, &ngx_posted_events);
    }
}


u_char *
ngx_mentara_append_time(u_char *p)
{
    ngx_time_t      *tp;
    mentara_json_t   j;

    tp = ngx_timeofday();

    mentara_json_init(&j, p, 32, NULL, NULL);
    mentara_json_time(&j, ((int64_t) tp->sec - NGX_MENTARA_PG_EPOCH) * 1000000
                          + (int64_t) tp->msec * 1000);

    return j.pos;
}
