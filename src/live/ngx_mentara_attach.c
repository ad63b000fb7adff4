
#include <ngx_mentara_attach.h>
#include <ngx_mentara_attach_live.h>
#include <ngx_mentara_attach_rows.h>
#include <ngx_mentara_current.h>
#include <ngx_mentara_feed.h>
#include <ngx_mentara_mark.h>
#include <ngx_mentara_metrics.h>
#include <ngx_mentara_notice.h>
#include <ngx_mentara_replay.h>
#include <ngx_mentara_room.h>
#include <ngx_mentara_session.h>


static void ngx_mentara_attach_patience(ngx_event_t *ev);
static void ngx_mentara_attach_start(ngx_mentara_attach_t *a);
static void ngx_mentara_attach_run(ngx_mentara_attach_t *a);
static void ngx_mentara_attach_free(ngx_mentara_attach_t *a);
static ngx_uint_t ngx_mentara_attach_from(ngx_mentara_attach_t *a);
static ngx_int_t ngx_mentara_attach_ask(ngx_mentara_attach_t *a);
static ngx_int_t ngx_mentara_attach_bind(ngx_mentara_attach_t *a,
    ngx_mentara_pg_query_t *q);
static ngx_int_t ngx_mentara_attach_bind_sent(ngx_mentara_attach_t *a,
    ngx_mentara_pg_query_t *q);
static void ngx_mentara_attach_wait(ngx_mentara_attach_t *a);
static void ngx_mentara_attach_asked(ngx_mentara_pg_query_t *q);
static void ngx_mentara_attach_answered(ngx_mentara_attach_t *a,
    ngx_mentara_pg_query_t *q);
static void ngx_mentara_attach_rows(ngx_mentara_attach_t *a, PGresult *res);
static void ngx_mentara_attach_judge(ngx_mentara_attach_t *a, PGresult *res);
static ngx_int_t ngx_mentara_attach_accept(ngx_mentara_attach_t *a);
static ngx_int_t ngx_mentara_attach_pid(ngx_mentara_attach_t *a,
    ngx_str_t *pid);
static void ngx_mentara_attach_event(ngx_mentara_attach_t *a);
static ngx_uint_t ngx_mentara_attach_may(ngx_mentara_session_t *s,
    ngx_mentara_event_t *ev, ngx_mentara_record_t **record);
static void ngx_mentara_attach_done(ngx_mentara_attach_t *a);


ngx_int_t
ngx_mentara_attach(ngx_mentara_session_t *s,
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
        || ngx_array_init(&a->contacts, pool, 8, sizeof(ngx_str_t)) != NGX_OK)
    {
        goto failed;
    }

    a->back.pid.len = back->pid.len;
    a->back.offset.len = back->offset.len;
    a->back.quiet = back->quiet;
    a->back.untold = back->untold;
    a->back.recovered = back->recovered;
    a->back.ungreeted = back->ungreeted;

    a->timer.handler = ngx_mentara_attach_patience;
    a->timer.data = a;
    a->timer.log = s->live->logger;
    a->timer.cancelable = 1;
    ngx_add_timer(&a->timer, NGX_MENTARA_PATIENCE);

    s->attach = a;
    s->detach = ngx_mentara_attach_free;

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
ngx_mentara_attach_patience(ngx_event_t *ev)
{
    ngx_mentara_attach_t  *a;

    a = ev->data;

    if (a->session == NULL) {
        return;
    }

    if (!a->session->accepted) {
        ngx_mentara_session_end(a->session,
                                a->crowded ? NGX_MENTARA_END_CROWDED
                                           : NGX_MENTARA_END_AGAIN);
        return;
    }

    /* what is still due comes after `connected`, as everything from now on */

    a->ndue = 0;
    a->upto = 0;
}


void
ngx_mentara_attach_resume(ngx_mentara_live_t *live)
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

        if (s->ending) {
            continue;
        }

        if (s->accepted && !s->attach->more) {
            ngx_mentara_attach_run(s->attach);
            continue;
        }

        ngx_mentara_attach_start(s->attach);
    }

    live->busy--;
    ngx_mentara_session_bury(live);
}


void
ngx_mentara_attach_drained(ngx_mentara_session_t *s)
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


static void
ngx_mentara_attach_start(ngx_mentara_attach_t *a)
{
    ngx_mentara_live_t  *live;

    live = a->session->live;

    if (!live->keyed || ngx_mentara_feed_seat(live) != NGX_OK) {
        ngx_mentara_attach_wait(a);
        return;
    }

    if (!a->session->accepted) {

        /* who comes back when it was closed at once would do so for ever */

        a->crowded = ngx_mentara_notice_crowded(a->session, a->most);

        if (a->crowded) {
            ngx_mentara_attach_wait(a);
            return;
        }

        a->mode = ngx_mentara_attach_from(a);
    }

    /* first where we are, then what the database says, then the log */

    a->epoch = live->reader.epoch;
    a->cursor = live->reader.cursor;
    a->floor = live->reader.floor;

    if (ngx_mentara_attach_ask(a) != NGX_OK) {
        ngx_mentara_attach_wait(a);
    }
}


static void
ngx_mentara_attach_wait(ngx_mentara_attach_t *a)
{
    ngx_mentara_session_t  *s;

    s = a->session;

    if (!s->waits) {
        s->waits = 1;
        ngx_queue_insert_tail(&s->live->waiting, &s->in_waiting);
    }
}


/* what the client brought, and how far it is: the mode */

static ngx_uint_t
ngx_mentara_attach_from(ngx_mentara_attach_t *a)
{
    time_t                 token;
    ngx_mentara_live_t    *live;
    ngx_mentara_offset_t   pid, offset, *from;

    live = a->session->live;
    from = NULL;
    a->known = 0;
    a->own = 0;

    if (a->back.pid.len != 0) {
        if (ngx_mentara_pid_read(&a->back.pid, live->key,
                                 &a->session->user->sn.str, &pid, &token)
            != NGX_OK)
        {
            return NGX_MENTARA_ATTACH_NEW;
        }

        from = &pid;
        a->own = 1;
    }

    if (a->back.offset.len != 0) {
        if (ngx_mentara_offset_read(&a->back.offset, &offset) != NGX_OK) {
            return NGX_MENTARA_ATTACH_NEW;
        }

        if (from == NULL) {
            from = &offset;

        } else if (from->tag == offset.tag) {
            from = ngx_mentara_offset_later(from, &offset);

        } else {
            return NGX_MENTARA_ATTACH_NEW;
        }
    }

    if (from == NULL || from->time + live->conf->recovery < ngx_time()) {
        return NGX_MENTARA_ATTACH_NEW;
    }

    a->from = *from;
    a->known = 1;

    if (!a->database && from->epoch == live->reader.epoch) {

        if (from->position > live->reader.cursor
            && ngx_mentara_feed_read(live) == NGX_OK
            && from->position > live->reader.cursor)
        {
            a->known = 0;
            return NGX_MENTARA_ATTACH_NEW;
        }

        if (ngx_mentara_log_holds(&live->log, from->epoch, from->position)) {
            return NGX_MENTARA_ATTACH_RING;
        }
    }

    return NGX_MENTARA_ATTACH_LOG;
}


static ngx_int_t
ngx_mentara_attach_ask(ngx_mentara_attach_t *a)
{
    ngx_mentara_pg_query_t  *q;

    q = ngx_mentara_pg_query(a->session->live->pg, NGX_MENTARA_STMT_ATTACH,
                             a->session->live->logger);
    if (q == NULL) {
        return NGX_ERROR;
    }

    q->handler = ngx_mentara_attach_asked;
    q->data = a;

    if (ngx_mentara_attach_bind(a, q) != NGX_OK
        || ngx_mentara_pg_submit(q) != NGX_OK)
    {
        ngx_mentara_pg_drop(q);
        return NGX_ERROR;
    }

    a->query = q;

    return NGX_OK;
}


static ngx_int_t
ngx_mentara_attach_bind(ngx_mentara_attach_t *a, ngx_mentara_pg_query_t *q)
{
    ngx_int_t  rc;

    if (ngx_mentara_pg_str(q, &a->session->user->sn.str) != NGX_OK) {
        return NGX_ERROR;
    }

    rc = (a->mode == NGX_MENTARA_ATTACH_LOG)
         ? ngx_mentara_pg_int(q, (int64_t) a->from.floor)
         : ngx_mentara_pg_null(q);

    if (rc != NGX_OK || ngx_mentara_attach_bind_sent(a, q) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_mentara_pg_int(q, NGX_MENTARA_REPLAY);
}


static ngx_int_t
ngx_mentara_attach_bind_sent(ngx_mentara_attach_t *a,
    ngx_mentara_pg_query_t *q)
{
    u_char              *p, *ids, *seqs;
    ngx_str_t           *s;
    ngx_uint_t           i, n;
    ngx_mentara_sent_t  *sent;

    if (!a->paged) {
        return (ngx_mentara_pg_null(q) == NGX_OK)
               ? ngx_mentara_pg_null(q) : NGX_ERROR;
    }

    n = a->sent.nelts;
    sent = a->sent.elts;

    s = ngx_palloc(q->pool, (2 * n + 1) * sizeof(ngx_str_t));
    ids = ngx_pnalloc(q->pool, 32 * n + 1);
    seqs = ngx_pnalloc(q->pool, NGX_INT64_LEN * n + 1);

    if (s == NULL || ids == NULL || seqs == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < n; i++) {
        s[i].data = ids;
        ids = ngx_hex_dump(ids, sent[i].conversation.data, 16);
        s[i].len = ids - s[i].data;

        p = seqs;
        seqs = ngx_sprintf(seqs, "%uL", sent[i].event_seq);
        s[n + i].data = p;
        s[n + i].len = seqs - p;
    }

    if (ngx_mentara_pg_array(q, s, n) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_mentara_pg_array(q, s + n, n);
}


static void
ngx_mentara_attach_asked(ngx_mentara_pg_query_t *q)
{
    ngx_mentara_live_t    *live;
    ngx_mentara_attach_t  *a;

    a = q->data;
    a->query = NULL;

    if (a->session == NULL) {
        ngx_mentara_attach_free(a);
        return;
    }

    live = a->session->live;

    live->busy++;
    ngx_mentara_attach_answered(a, q);
    live->busy--;

    ngx_mentara_session_bury(live);
}


static void
ngx_mentara_attach_answered(ngx_mentara_attach_t *a,
    ngx_mentara_pg_query_t *q)
{
    ngx_mentara_live_t  *live;

    live = a->session->live;

    if (q->error == NGX_MENTARA_PG_FAILED
        || (q->error != NGX_MENTARA_PG_OK && a->session->accepted))
    {
        ngx_mentara_session_end(a->session, NGX_MENTARA_END_AGAIN);
        return;
    }

    if (q->error != NGX_MENTARA_PG_OK) {
        ngx_mentara_attach_wait(a);
        return;
    }

    /* the log may have been lost or begun anew in the meantime */

    if (!live->seated || live->reader.epoch != a->epoch) {
        if (a->session->accepted) {
            ngx_mentara_session_end(a->session, NGX_MENTARA_END_RESTART);
            return;
        }

        ngx_mentara_attach_wait(a);
        return;
    }

    ngx_mentara_attach_rows(a, q->result);
}


static void
ngx_mentara_attach_rows(ngx_mentara_attach_t *a, PGresult *res)
{
    ngx_int_t               rc;
    ngx_str_t               status;
    ngx_mentara_live_t     *live;
    ngx_mentara_session_t  *s;

    s = a->session;
    live = s->live;

    status = ngx_mentara_pg_get_str(res, 0, NGX_MENTARA_COL_STATUS);

    if (status.len == sizeof("user_inactive") - 1) {
        ngx_mentara_session_end(s, NGX_MENTARA_END_INACTIVE);
        return;
    }

    ngx_mentara_attach_judge(a, res);

    if (a->paged && a->mode != NGX_MENTARA_ATTACH_LOG) {
        ngx_mentara_session_end(s, NGX_MENTARA_END_RESTART);
        return;
    }

    do {
        rc = ngx_mentara_feed_read(live);
    } while (rc == NGX_AGAIN);

    if (rc != NGX_OK) {

        /* all sessions that had started were ended by that */

        if (!s->ending) {
            ngx_mentara_attach_wait(a);
        }

        return;
    }

    if (s->ending) {
        return;
    }

    s->epoch = live->reader.epoch;
    s->cursor = (a->mode == NGX_MENTARA_ATTACH_RING) ? a->from.position
                                                     : a->cursor;

    ngx_mentara_current_reset(a, s->cursor);

    if (!ngx_mentara_log_holds(&live->log, s->epoch, s->cursor)
        || (a->mode == NGX_MENTARA_ATTACH_RING
            && ngx_mentara_current_look(a, 1) != NGX_OK))
    {
        a->database = 1;
        ngx_mentara_attach_wait(a);
        return;
    }

    if (ngx_mentara_attach_rows_take(a, res) != NGX_OK
        || ngx_mentara_attach_accept(a) != NGX_OK)
    {
        if (!s->ending) {
            ngx_mentara_session_end(s, NGX_MENTARA_END_AGAIN);
        }

        return;
    }

    ngx_mentara_attach_run(a);
}


/* whether the database still has what is behind the client's floor */

static void
ngx_mentara_attach_judge(ngx_mentara_attach_t *a, PGresult *res)
{
    ngx_str_t   id, status;
    ngx_uint_t  refused;

    status = ngx_mentara_pg_get_str(res, 0, NGX_MENTARA_COL_STATUS);
    id = ngx_mentara_pg_get_str(res, 0, NGX_MENTARA_COL_CLIENT_ID);

    a->session->live->tag = ngx_crc32_long(id.data, id.len);

    refused = (status.len != 2)
              || a->from.tag != a->session->live->tag;

    if (a->mode == NGX_MENTARA_ATTACH_LOG && refused) {
        a->mode = NGX_MENTARA_ATTACH_NEW;
    }

    if (a->mode == NGX_MENTARA_ATTACH_NEW) {
        a->known = 0;
    }
}


/* the answer to the connect comes before the first event */

static ngx_int_t
ngx_mentara_attach_accept(ngx_mentara_attach_t *a)
{
    ngx_str_t               pid;
    ngx_mentara_session_t  *s;

    s = a->session;

    if (s->accepted) {
        return NGX_OK;
    }

    if (ngx_mentara_notice_crowded(s, a->most)) {
        ngx_mentara_session_end(s, NGX_MENTARA_END_CROWDED);
        return NGX_ERROR;
    }

    if (ngx_mentara_attach_pid(a, &pid) != NGX_OK) {
        return NGX_ERROR;
    }

    if (a->back.quiet && !a->known) {
        ngx_mentara_session_end(s, NGX_MENTARA_END_RESTART);
        return NGX_ERROR;
    }

    s->accepted = 1;
    a->recovered = a->back.quiet ? a->back.recovered : a->known;

    if (a->timer.timer_set) {
        ngx_del_timer(&a->timer);
    }

    ngx_mentara_notice_counted(s);
    s->door->accepted(s, &pid, a->recovered);

    ngx_mentara_metric_add(s->live->zone, NGX_MENTARA_METRIC_CONNECTS, 1);

    if (a->back.pid.len != 0 || a->back.offset.len != 0) {
        ngx_mentara_metric_add(s->live->zone,
                               a->recovered ? NGX_MENTARA_METRIC_RECOVERED
                                            : NGX_MENTARA_METRIC_NOT_RECOVERED,
                               1);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_mentara_attach_pid(ngx_mentara_attach_t *a, ngx_str_t *pid)
{
    u_char                *p, *end;
    ngx_mentara_live_t    *live;
    ngx_mentara_offset_t   start;

    if (a->known && a->own) {
        *pid = a->back.pid;
        return NGX_OK;
    }

    live = a->session->live;

    start.epoch = live->reader.epoch;
    start.position = a->cursor;
    start.floor = a->floor;
    start.time = ngx_time();
    start.tag = live->tag;

    p = ngx_pnalloc(a->pool, NGX_MENTARA_PID_LEN);
    if (p == NULL) {
        return NGX_ERROR;
    }

    end = ngx_mentara_pid_write(p, live->key, &a->session->user->sn.str,
                                &start, a->token);
    if (end == NULL) {
        return NGX_ERROR;
    }

    pid->data = p;
    pid->len = end - p;

    return NGX_OK;
}


static void
ngx_mentara_attach_run(ngx_mentara_attach_t *a)
{
    ngx_str_t              *contact;
    ngx_mentara_session_t  *s;

    s = a->session;

    while (!s->ending && a->query == NULL && !s->waits) {

        if (s->door->pending(s) > NGX_MENTARA_LOW_WATER) {
            s->door->notify(s);
            return;
        }

        if (s->on) {
            if (a->greeted == a->contacts.nelts) {
                s->attach = NULL;
                ngx_mentara_attach_free(a);
                s->door->greeted(s);
                return;
            }

            contact = a->contacts.elts;
            ngx_mentara_notice_contact(s, &contact[a->greeted++]);
            continue;
        }

        if (a->next < a->events.nelts) {
            ngx_mentara_attach_event(a);
            continue;
        }

        if (a->more) {
            a->paged = 1;
            ngx_mentara_attach_start(a);
            continue;
        }

        switch (ngx_mentara_replay_step(a)) {

        case NGX_OK:
            break;

        case NGX_DONE:
            ngx_mentara_attach_done(a);
            break;

        default:
            if (!s->ending) {
                ngx_mentara_session_end(s, NGX_MENTARA_END_RESTART);
            }

            return;
        }
    }
}


/* one event that the database has kept for this client */

static void
ngx_mentara_attach_event(ngx_mentara_attach_t *a)
{
    u_char                  text[NGX_MENTARA_OFFSET_LEN];
    ngx_int_t               kind;
    ngx_str_t               body, offset;
    ngx_mentara_event_t    *ev;
    ngx_mentara_offset_t    o;
    ngx_mentara_record_t   *r;
    ngx_mentara_session_t  *s;

    s = a->session;
    ev = (ngx_mentara_event_t *) a->events.elts + a->next;

    if (!ngx_mentara_attach_may(s, ev, &r)) {
        a->next++;
        return;
    }

    if (a->more) {
        o = a->from;

    } else {
        o.epoch = 0;
        o.position = 0;
        o.floor = a->floors[a->next];
        o.time = ngx_time();
        o.tag = s->live->tag;
    }

    offset.data = text;
    offset.len = ngx_mentara_offset_write(text, &o) - text;

    /* what came after the database's answer is in the log */

    kind = ngx_mentara_event_kind(&ev->name);
    body = ev->body;

    if (ngx_mentara_current_look(a, 0) != NGX_OK
        || ngx_mentara_current_body(a, kind, 0, r->next, &body) != NGX_OK)
    {
        ngx_mentara_session_end(s, NGX_MENTARA_END_RESTART);
        return;
    }

    a->next++;
    ngx_mentara_session_tell(s, &ev->name, &body, &offset);

    if (kind == NGX_MENTARA_EVENT_NEW_MESSAGE) {
        ngx_mentara_record_delivered(r, &ev->actor, ev->msg_seq);
    }
}


static ngx_uint_t
ngx_mentara_attach_may(ngx_mentara_session_t *s, ngx_mentara_event_t *ev,
    ngx_mentara_record_t **record)
{
    ngx_mentara_room_t    *room;
    ngx_mentara_record_t  *r;

    room = ngx_mentara_room_find(s->live, &ev->conversation);
    r = (room == NULL) ? NULL : ngx_mentara_record_latest(s, room);
    *record = r;

    if (r == NULL
        || ngx_mentara_listed(&ev->hidden, &s->user->sn.str)
        || (ev->only.len != 0
            && !ngx_mentara_listed(&ev->only, &s->user->sn.str)))
    {
        return 0;
    }

    return (ev->action.len == 4 && ngx_memcmp(ev->action.data, "join", 4) == 0)
           || ev->msg_seq == 0 || (uint64_t) ev->msg_seq >= r->visible;
}


static void
ngx_mentara_attach_done(ngx_mentara_attach_t *a)
{
    switch (ngx_mentara_attach_live(a)) {

    case NGX_OK:

        /* who never went knows who is there */

        if (a->back.quiet && !a->back.ungreeted) {
            a->contacts.nelts = 0;
        }

        return;

    case NGX_AGAIN:

        if (!a->timer.timer_set) {
            ngx_add_timer(&a->timer, NGX_MENTARA_PATIENCE);
        }

        ngx_mentara_attach_wait(a);
        return;

    default:
        ngx_mentara_session_end(a->session, NGX_MENTARA_END_RESTART);
        return;
    }
}


static void
ngx_mentara_attach_free(ngx_mentara_attach_t *a)
{
    a->session = NULL;

    if (a->timer.timer_set) {
        ngx_del_timer(&a->timer);
    }

    if (a->query != NULL) {

        /* its answer frees us if it can no more be held back */

        if (ngx_mentara_pg_cancel(a->query) != NGX_OK) {
            return;
        }

        a->query = NULL;
    }

    if (a->page != NULL) {
        ngx_destroy_pool(a->page);
    }

    ngx_mentara_current_free(&a->current);
    ngx_destroy_pool(a->pool);
}
