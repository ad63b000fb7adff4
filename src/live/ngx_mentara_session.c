
#include <ngx_mentara_session.h>
#include <ngx_mentara_attach.h>
#include <ngx_mentara_metrics.h>
#include <ngx_mentara_notice.h>


static void ngx_mentara_session_free(ngx_mentara_session_t *s);
static void ngx_mentara_session_count(ngx_mentara_live_t *live,
    ngx_int_t change);
static void ngx_mentara_session_patience(ngx_event_t *ev);


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


ngx_int_t
ngx_mentara_session_attach(ngx_mentara_session_t *s,
    ngx_mentara_return_t *back, ngx_uint_t most, time_t token)
{
    ngx_pool_t            *pool;
    ngx_mentara_attach_t  *a;

    pool = ngx_create_pool(1024, s->live->logger);
    if (pool == NULL) {
        return NGX_ERROR;
    }

    a = ngx_pcalloc(pool, sizeof(ngx_mentara_attach_t));
    if (a == NULL) {
        goto failed;
    }

    a->pool = pool;
    a->session = s;
    a->most = most;
    a->token = token;

    a->back.pid.data = ngx_pstrdup(pool, &back->pid);
    a->back.offset.data = ngx_pstrdup(pool, &back->offset);

    if (a->back.pid.data == NULL || a->back.offset.data == NULL
        || ngx_array_init(&a->sent, pool, 4, sizeof(ngx_mentara_sent_t))
           != NGX_OK
        || ngx_array_init(&a->updates, pool, 4, sizeof(ngx_mentara_update_t))
           != NGX_OK
        || ngx_array_init(&a->contacts, pool, 8, sizeof(ngx_str_t)) != NGX_OK)
    {
        goto failed;
    }

    a->back.pid.len = back->pid.len;
    a->back.offset.len = back->offset.len;
    a->back.quiet = back->quiet;

    a->timer.handler = ngx_mentara_session_patience;
    a->timer.data = a;
    a->timer.log = s->live->logger;
    a->timer.cancelable = 1;
    ngx_add_timer(&a->timer, NGX_MENTARA_PATIENCE);

    s->attach = a;

    /* not from inside this call */

    s->waits = 1;
    ngx_queue_insert_tail(&s->live->waiting, &s->in_waiting);
    ngx_post_event(&s->live->turn, &ngx_posted_events);

    return NGX_OK;

failed:

    ngx_destroy_pool(pool);

    return NGX_ERROR;
}


static void
ngx_mentara_session_patience(ngx_event_t *ev)
{
    ngx_mentara_attach_t  *a;

    a = ev->data;

    if (a->session != NULL && !a->accepted) {
        ngx_mentara_session_end(a->session, NGX_MENTARA_END_AGAIN);
    }
}


void
ngx_mentara_session_resume(ngx_mentara_live_t *live)
{
    ngx_queue_t             waiting, *q;
    ngx_mentara_session_t  *s;

    if (ngx_queue_empty(&live->waiting)) {
        return;
    }

    /* those that must go on waiting come to the queue again */

    live->busy++;

    ngx_queue_init(&waiting);
    ngx_queue_add(&waiting, &live->waiting);
    ngx_queue_init(&live->waiting);

    while (!ngx_queue_empty(&waiting)) {
        q = ngx_queue_head(&waiting);
        ngx_queue_remove(q);

        s = ngx_queue_data(q, ngx_mentara_session_t, in_waiting);
        s->waits = 0;

        if (!s->ending) {
            ngx_mentara_attach_start(s->attach);
        }
    }

    live->busy--;
    ngx_mentara_session_bury(live);
}


void
ngx_mentara_session_again(ngx_mentara_session_t *s)
{
    if (s->ending) {
        return;
    }

    if (s->attach == NULL || s->attach->accepted) {
        ngx_mentara_session_end(s, NGX_MENTARA_END_RESTART);
        return;
    }

    /* an answer that is on its way is looked at, and asked for again */
}


void
ngx_mentara_session_drained(ngx_mentara_session_t *s)
{
    ngx_mentara_live_t  *live;

    live = s->live;

    if (s->attach == NULL || s->ending) {
        return;
    }

    live->busy++;
    ngx_mentara_attach_run(s->attach);
    live->busy--;

    ngx_mentara_session_bury(live);
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

    if (s->present) {
        ngx_mentara_metric_add(live->zone, NGX_MENTARA_METRIC_DISCONNECTS, 1);
        ngx_mentara_notice_gone(s);
    }

    if (s->attach != NULL) {
        ngx_mentara_attach_free(s->attach);
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
