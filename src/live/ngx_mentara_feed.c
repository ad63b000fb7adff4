
#include <ngx_mentara_feed.h>
#include <ngx_mentara_mark.h>
#include <ngx_mentara_metrics.h>
#include <ngx_mentara_room.h>
#include <ngx_mentara_session.h>


/* one entry on its way to the sessions of this worker */
typedef struct {
    ngx_mentara_live_t      *live;
    ngx_mentara_session_t   *only;       /* who catches up, NULL: all */
    ngx_mentara_entry_t     *e;
    ngx_mentara_outgoing_t   out;
    ngx_uint_t               made;
    ngx_uint_t               told;       /* sessions */
    ngx_int_t                rc;
    u_char                   offset[NGX_MENTARA_OFFSET_LEN];
} ngx_mentara_dispatch_t;


static void ngx_mentara_feed_entry(ngx_mentara_live_t *live,
    ngx_mentara_entry_t *e);
static void ngx_mentara_feed_done(ngx_mentara_dispatch_t *d);
static void ngx_mentara_dispatch(ngx_mentara_dispatch_t *d);
static ngx_uint_t ngx_mentara_dispatch_to(ngx_mentara_dispatch_t *d,
    ngx_mentara_session_t *s);
static void ngx_mentara_dispatch_join(ngx_mentara_dispatch_t *d,
    ngx_str_t list, ngx_uint_t shared);
static ngx_uint_t ngx_mentara_dispatch_knows(ngx_mentara_session_t *s,
    ngx_mentara_entry_t *e);
static void ngx_mentara_dispatch_room(ngx_mentara_dispatch_t *d);
static void ngx_mentara_dispatch_record(ngx_mentara_dispatch_t *d,
    ngx_mentara_record_t *r);
static ngx_uint_t ngx_mentara_dispatch_may(ngx_mentara_entry_t *e,
    ngx_mentara_record_t *r);
static void ngx_mentara_dispatch_staff(ngx_mentara_dispatch_t *d);
static void ngx_mentara_dispatch_block(ngx_mentara_dispatch_t *d);
static void ngx_mentara_dispatch_passing(ngx_mentara_dispatch_t *d);
static void ngx_mentara_dispatch_users(ngx_mentara_dispatch_t *d);
static void ngx_mentara_dispatch_control(ngx_mentara_dispatch_t *d,
    ngx_mentara_session_t *s);
static void ngx_mentara_dispatch_write(ngx_mentara_dispatch_t *d,
    ngx_mentara_session_t *s);


ngx_int_t
ngx_mentara_feed_seat(ngx_mentara_live_t *live)
{
    if (live->seated) {
        return NGX_OK;
    }

    if (ngx_mentara_log_seek(&live->log, &live->reader) != NGX_OK) {
        return NGX_DECLINED;
    }

    live->seated = 1;

    return NGX_OK;
}


ngx_int_t
ngx_mentara_feed_read(ngx_mentara_live_t *live)
{
    ngx_int_t             rc;
    ngx_mentara_slot_t   *slot;
    ngx_mentara_entry_t   e;

    if (!live->seated) {
        return NGX_DECLINED;
    }

    slot = (live->slot < 0) ? NULL
                            : ngx_mentara_slot(live->zone, live->slot);

    rc = ngx_mentara_log_read(&live->log, &live->reader, 0, slot);

    if (rc == NGX_ABORT || rc == NGX_DECLINED) {
        ngx_mentara_metric_add(live->zone, NGX_MENTARA_METRIC_OVERTAKEN, 1);
        ngx_mentara_feed_restart(live);
        return rc;
    }

    while (ngx_mentara_log_next(&live->reader, &e) == NGX_OK) {
        ngx_mentara_feed_entry(live, &e);
    }

    if (rc == NGX_AGAIN) {
        ngx_post_event(&live->turn, &ngx_posted_events);
    }

    return rc;
}


void
ngx_mentara_feed_restart(ngx_mentara_live_t *live)
{
    ngx_queue_t            *q, *next;
    ngx_mentara_session_t  *s;

    live->seated = 0;
    live->busy++;

    for (q = ngx_queue_head(&live->sessions);
         q != ngx_queue_sentinel(&live->sessions);
         q = next)
    {
        next = ngx_queue_next(q);
        s = ngx_queue_data(q, ngx_mentara_session_t, in_live);

        ngx_mentara_session_again(s);
    }

    live->busy--;
    ngx_mentara_session_bury(live);
}


static void
ngx_mentara_feed_entry(ngx_mentara_live_t *live, ngx_mentara_entry_t *e)
{
    ngx_mentara_dispatch_t  d;

    d.live = live;
    d.only = NULL;
    d.e = e;
    d.made = 0;
    d.told = 0;
    d.rc = NGX_OK;

    live->busy++;
    ngx_mentara_dispatch(&d);
    live->busy--;

    ngx_mentara_feed_done(&d);
    ngx_mentara_session_bury(live);
}


ngx_int_t
ngx_mentara_feed_one(ngx_mentara_session_t *s, ngx_mentara_entry_t *e)
{
    ngx_mentara_dispatch_t  d;

    if (e->event_seq == 0) {
        return NGX_OK;
    }

    d.live = s->live;
    d.only = s;
    d.e = e;
    d.made = 0;
    d.told = 0;
    d.rc = NGX_OK;

    s->live->busy++;
    ngx_mentara_dispatch(&d);
    s->live->busy--;

    ngx_mentara_feed_done(&d);

    return d.rc;
}


static void
ngx_mentara_feed_done(ngx_mentara_dispatch_t *d)
{
    if (!d->made) {
        return;
    }

    ngx_mentara_outgoing_done(&d->out);
    ngx_mentara_metric_add(d->live->zone, NGX_MENTARA_METRIC_DELIVERED,
                           d->told);
}


static void
ngx_mentara_dispatch(ngx_mentara_dispatch_t *d)
{
    if (d->e->event_seq == 0) {
        ngx_mentara_dispatch_passing(d);
        return;
    }

    if (d->e->flags & NGX_MENTARA_EVENT_JOIN) {
        ngx_mentara_dispatch_join(d, d->e->subjects, 1);

    } else if (d->e->event_seq == 1 && d->e->only.len != 0) {

        /* the first event of a personal stream: nobody could know of it */

        ngx_mentara_dispatch_join(d, d->e->only, 0);
    }

    if (d->e->kind == NGX_MENTARA_EVENT_USER_BLOCKED
        || d->e->kind == NGX_MENTARA_EVENT_USER_UNBLOCKED)
    {
        ngx_mentara_dispatch_block(d);
    }

    ngx_mentara_dispatch_room(d);

    if (d->e->flags & NGX_MENTARA_EVENT_STAFF) {
        ngx_mentara_dispatch_staff(d);
    }
}


/* whether this session is one of those that the entry goes to now */

static ngx_uint_t
ngx_mentara_dispatch_to(ngx_mentara_dispatch_t *d, ngx_mentara_session_t *s)
{
    if (s->ending || s->deaf) {
        return 0;
    }

    return (d->only != NULL) ? s == d->only : s->on;
}


static void
ngx_mentara_dispatch_join(ngx_mentara_dispatch_t *d, ngx_str_t list,
    ngx_uint_t shared)
{
    ngx_str_t               id;
    ngx_queue_t            *q;
    ngx_mentara_user_t     *u;
    ngx_mentara_session_t  *s;

    while (ngx_mentara_list_next(&list, &id) == NGX_OK) {
        u = ngx_mentara_user_find(d->live, &id);

        if (u == NULL) {
            continue;
        }

        for (q = ngx_queue_head(&u->sessions);
             q != ngx_queue_sentinel(&u->sessions);
             q = ngx_queue_next(q))
        {
            s = ngx_queue_data(q, ngx_mentara_session_t, in_user);

            if (!ngx_mentara_dispatch_to(d, s)
                || ngx_mentara_dispatch_knows(s, d->e))
            {
                continue;
            }

            if (ngx_mentara_record_add(s, &d->e->conversation,
                                       d->e->event_seq, NGX_MENTARA_FOREVER,
                                       d->e->msg_seq, shared)
                == NULL)
            {
                ngx_mentara_session_end(s, NGX_MENTARA_END_RESTART);
            }
        }
    }
}


/* a join that the session's start has seen counts no second time */

static ngx_uint_t
ngx_mentara_dispatch_knows(ngx_mentara_session_t *s, ngx_mentara_entry_t *e)
{
    ngx_queue_t           *q;
    ngx_mentara_room_t    *room;
    ngx_mentara_record_t  *r;

    room = ngx_mentara_room_find(s->live, &e->conversation);

    if (room == NULL) {
        return 0;
    }

    for (q = ngx_queue_head(&room->records);
         q != ngx_queue_sentinel(&room->records);
         q = ngx_queue_next(q))
    {
        r = ngx_queue_data(q, ngx_mentara_record_t, in_room);

        if (r->session == s
            && (e->event_seq < r->next || e->event_seq <= r->to))
        {
            return 1;
        }
    }

    return 0;
}


/* the room goes with its last record: it is looked at no more then */

static void
ngx_mentara_dispatch_room(ngx_mentara_dispatch_t *d)
{
    ngx_uint_t             last;
    ngx_queue_t           *q, *next;
    ngx_mentara_room_t    *room;
    ngx_mentara_record_t  *r;

    room = ngx_mentara_room_find(d->live, &d->e->conversation);

    if (room == NULL) {
        return;
    }

    last = 0;

    for (q = ngx_queue_head(&room->records); !last; q = next) {
        next = ngx_queue_next(q);
        last = (next == ngx_queue_sentinel(&room->records));

        r = ngx_queue_data(q, ngx_mentara_record_t, in_room);

        if (ngx_mentara_dispatch_to(d, r->session)) {
            ngx_mentara_dispatch_record(d, r);
        }
    }
}


static void
ngx_mentara_dispatch_record(ngx_mentara_dispatch_t *d,
    ngx_mentara_record_t *r)
{
    ngx_mentara_entry_t  *e;

    e = d->e;

    if (r->next <= e->event_seq && e->event_seq <= r->to) {

        if (ngx_mentara_dispatch_may(e, r)) {
            ngx_mentara_dispatch_write(d, r->session);

            if (e->kind == NGX_MENTARA_EVENT_NEW_MESSAGE) {
                ngx_mentara_record_delivered(r, &e->actor, e->msg_seq);
            }
        }

        r->next = e->event_seq + 1;

        if ((e->flags & NGX_MENTARA_EVENT_LEAVE)
            && ngx_mentara_listed(&e->subjects, &r->session->user->sn.str))
        {
            ngx_mentara_record_drop(r);
            return;
        }
    }

    if (r->to <= e->event_seq) {
        ngx_mentara_record_drop(r);
    }
}


static ngx_uint_t
ngx_mentara_dispatch_may(ngx_mentara_entry_t *e, ngx_mentara_record_t *r)
{
    ngx_str_t  *user;

    user = &r->session->user->sn.str;

    if (e->hidden.len != 0 && ngx_mentara_listed(&e->hidden, user)) {
        return 0;
    }

    if (e->only.len != 0 && !ngx_mentara_listed(&e->only, user)) {
        return 0;
    }

    return (e->flags & NGX_MENTARA_EVENT_JOIN) || e->msg_seq == 0
           || e->msg_seq >= r->visible;
}


static void
ngx_mentara_dispatch_staff(ngx_mentara_dispatch_t *d)
{
    ngx_queue_t            *q;
    ngx_mentara_session_t  *s;

    for (q = ngx_queue_head(&d->live->sessions);
         q != ngx_queue_sentinel(&d->live->sessions);
         q = ngx_queue_next(q))
    {
        s = ngx_queue_data(q, ngx_mentara_session_t, in_live);

        if (!ngx_mentara_dispatch_to(d, s) || s->told == d->e->position
            || (s->user->role.data[0] != 'm' && s->user->role.data[0] != 'a'))
        {
            continue;
        }

        ngx_mentara_dispatch_write(d, s);
    }
}


/* who types and who comes and goes is not told across a block */

static void
ngx_mentara_dispatch_block(ngx_mentara_dispatch_t *d)
{
    ngx_uint_t           on;
    ngx_mentara_user_t  *u;

    if (d->only != NULL) {
        return;
    }

    on = (d->e->kind == NGX_MENTARA_EVENT_USER_BLOCKED);

    u = ngx_mentara_user_find(d->live, &d->e->actor);

    if (u != NULL) {
        (void) ngx_mentara_user_block(u, &d->e->subjects, 1, on, 1);
    }

    u = ngx_mentara_user_find(d->live, &d->e->subjects);

    if (u != NULL) {
        (void) ngx_mentara_user_block(u, &d->e->actor, 0, on, 1);
    }
}


/* what is of the moment: no order, no offset, nothing is kept for later */

static void
ngx_mentara_dispatch_passing(ngx_mentara_dispatch_t *d)
{
    ngx_queue_t           *q;
    ngx_mentara_room_t    *room;
    ngx_mentara_user_t    *actor;
    ngx_mentara_entry_t   *e;
    ngx_mentara_record_t  *r;

    e = d->e;

    if (e->only.len != 0) {
        ngx_mentara_dispatch_users(d);
        return;
    }

    room = ngx_mentara_room_find(d->live, &e->conversation);

    if (room == NULL) {
        return;
    }

    actor = ngx_mentara_user_find(d->live, &e->actor);

    for (q = ngx_queue_head(&room->records);
         q != ngx_queue_sentinel(&room->records);
         q = ngx_queue_next(q))
    {
        r = ngx_queue_data(q, ngx_mentara_record_t, in_room);

        if (!r->joined || r->to != NGX_MENTARA_FOREVER
            || !ngx_mentara_dispatch_to(d, r->session)
            || r->session->user == actor
            || ngx_mentara_user_blocked(r->session->user, &e->actor))
        {
            continue;
        }

        ngx_mentara_dispatch_write(d, r->session);
    }
}


static void
ngx_mentara_dispatch_users(ngx_mentara_dispatch_t *d)
{
    ngx_str_t               list, id;
    ngx_queue_t            *q;
    ngx_mentara_user_t     *u;
    ngx_mentara_session_t  *s;

    list = d->e->only;

    while (ngx_mentara_list_next(&list, &id) == NGX_OK) {
        u = ngx_mentara_user_find(d->live, &id);

        if (u == NULL) {
            continue;
        }

        for (q = ngx_queue_head(&u->sessions);
             q != ngx_queue_sentinel(&u->sessions);
             q = ngx_queue_next(q))
        {
            s = ngx_queue_data(q, ngx_mentara_session_t, in_user);

            if (d->e->kind == NGX_MENTARA_EVENT_CONTROL) {
                ngx_mentara_dispatch_control(d, s);

            } else if (ngx_mentara_dispatch_to(d, s)
                       && !ngx_mentara_user_blocked(u, &d->e->actor))
            {
                ngx_mentara_dispatch_write(d, s);
            }
        }
    }
}


/* a logout: of one session of tokens, or of all that the user has */

static void
ngx_mentara_dispatch_control(ngx_mentara_dispatch_t *d,
    ngx_mentara_session_t *s)
{
    ngx_str_t  *sid;

    sid = &d->e->body;

    if (s->ending
        || (sid->len != 0
            && (sid->len != s->sid.len
                || ngx_memcmp(sid->data, s->sid.data, sid->len) != 0)))
    {
        return;
    }

    ngx_mentara_session_end(s, NGX_MENTARA_END_LOGOUT);
}


static void
ngx_mentara_dispatch_write(ngx_mentara_dispatch_t *d,
    ngx_mentara_session_t *s)
{
    ngx_mentara_entry_t   *e;
    ngx_mentara_offset_t   o;

    e = d->e;

    if (e->flags & NGX_MENTARA_EVENT_BIG) {
        d->rc = NGX_DECLINED;

        if (d->only == NULL) {
            ngx_mentara_session_end(s, NGX_MENTARA_END_RESTART);
        }

        return;
    }

    if (!d->made) {
        ngx_memzero(&d->out, sizeof(ngx_mentara_outgoing_t));
        d->out.name = ngx_mentara_event_names[e->kind];
        d->out.body = e->body;
        d->made = 1;

        if (e->event_seq != 0) {
            o.epoch = d->live->reader.epoch;
            o.position = e->position;
            o.floor = e->floor;
            o.time = ngx_time();
            o.tag = d->live->tag;

            d->out.offset.data = d->offset;
            d->out.offset.len = ngx_mentara_offset_write(d->offset, &o)
                                - d->offset;
        }
    }

    s->told = e->position;
    s->door->event(s, &d->out);

    if (!s->deaf) {
        d->told++;
    }
}
