
#include <ngx_mentara_session.h>
#include <ngx_mentara_append.h>
#include <ngx_mentara_metrics.h>
#include <ngx_mentara_presence.h>
#include <ngx_mentara_room.h>


static void ngx_mentara_session_free(ngx_mentara_session_t *s);
static void ngx_mentara_session_count(ngx_mentara_live_t *live,
    ngx_int_t change);


ngx_mentara_session_t *
ngx_mentara_session_create(ngx_mentara_live_t *live,
    const ngx_mentara_door_t *door, void *data, ngx_str_t *user,
    ngx_str_t *sid, time_t expires)
{
    ngx_mentara_session_t  *s;

    s = ngx_calloc(sizeof(ngx_mentara_session_t) + sid->len, live->logger);
    if (s == NULL) {
        return NULL;
    }

    s->live = live;
    s->door = door;
    s->data = data;
    s->expires = expires;
    s->sid.len = sid->len;
    s->sid.data = (u_char *) s + sizeof(ngx_mentara_session_t);
    ngx_memcpy(s->sid.data, sid->data, sid->len);
    ngx_queue_init(&s->records);

    if (ngx_mentara_user_enter(live, user, s) != NGX_OK) {
        ngx_free(s);
        return NULL;
    }

    ngx_queue_insert_tail(&live->sessions, &s->in_live);
    ngx_mentara_session_count(live, 1);

    return s;
}


/* workers without sockets are not woken */

static void
ngx_mentara_session_count(ngx_mentara_live_t *live, ngx_int_t change)
{
    live->nsessions += change;

    if (live->slot >= 0) {
        ngx_mentara_slot(live->zone, live->slot)->sockets = live->nsessions;
    }

    if (live->nsessions == 0) {
        live->seated = 0;
    }
}


void
ngx_mentara_session_again(ngx_mentara_session_t *s)
{
    if (s->ending) {
        return;
    }

    if (s->attach == NULL || s->accepted) {
        ngx_mentara_session_end(s, NGX_MENTARA_END_RESTART);
        return;
    }

    /* an answer that is on its way is looked at, and asked for again */
}


void
ngx_mentara_session_close(ngx_mentara_session_t *s)
{
    if (s->ending) {
        return;
    }

    s->ending = 1;
    ngx_queue_insert_tail(&s->live->dead, &s->in_dead);
    ngx_mentara_session_bury(s->live);
}


void
ngx_mentara_session_end(ngx_mentara_session_t *s, ngx_uint_t why)
{
    if (s->ending) {
        return;
    }

    s->ending = 1;
    s->door->ended(s, why);

    ngx_queue_insert_tail(&s->live->dead, &s->in_dead);
    ngx_mentara_session_bury(s->live);
}


void
ngx_mentara_session_bury(ngx_mentara_live_t *live)
{
    ngx_queue_t  *q;

    if (live->busy) {
        return;
    }

    while (!ngx_queue_empty(&live->dead)) {
        q = ngx_queue_head(&live->dead);
        ngx_queue_remove(q);
        ngx_mentara_session_free(ngx_queue_data(q, ngx_mentara_session_t,
                                                in_dead));
    }
}


static void
ngx_mentara_session_free(ngx_mentara_session_t *s)
{
    ngx_mentara_live_t  *live;

    live = s->live;

    if (s->accepted) {
        ngx_mentara_metric_add(live->zone, NGX_MENTARA_METRIC_DISCONNECTS, 1);
    }

    if (s->present) {
        ngx_mentara_presence_leave(live->zone, ngx_mentara_slot_number(live),
                                   &s->user->sn.str, ngx_current_msec);
    }

    if (s->attach != NULL) {
        s->detach(s->attach);
    }

    if (s->waits) {
        ngx_queue_remove(&s->in_waiting);
    }

    ngx_mentara_records_drop(s);
    ngx_mentara_user_leave(s);
    ngx_queue_remove(&s->in_live);
    ngx_mentara_session_count(live, -1);
    ngx_free(s);
}


void
ngx_mentara_session_tell(ngx_mentara_session_t *s, ngx_str_t *name,
    ngx_str_t *body, ngx_str_t *offset)
{
    ngx_mentara_outgoing_t  o;

    if (s->ending) {
        return;
    }

    ngx_memzero(&o, sizeof(ngx_mentara_outgoing_t));
    o.name = *name;
    o.body = *body;

    if (offset != NULL) {
        o.offset = *offset;
    }

    s->door->event(s, &o);
    ngx_mentara_outgoing_done(&o);
}


void
ngx_mentara_outgoing_done(ngx_mentara_outgoing_t *o)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_MENTARA_DOORS; i++) {
        if (o->frames[i] != NULL) {
            o->release[i](o->frames[i]);
        }
    }
}
