
#include <ngx_mentara_notice.h>
#include <ngx_mentara_append.h>
#include <ngx_mentara_metrics.h>
#include <ngx_mentara_presence.h>
#include <ngx_mentara_room.h>
#include <ngx_mentara_session.h>
#include <mentara_json.h>


#define NGX_MENTARA_NOTICE_BODY  (192 + NGX_MENTARA_USER_MAX * 4 * 6)
#define NGX_MENTARA_NOTICE_LIST  8192    /* octets of ids of one entry */
#define NGX_MENTARA_NOTICE_TURN  64      /* that end by themselves, per tick */


/* somebody has gone: who is told is being asked for */
typedef struct {
    ngx_mentara_live_t      *live;
    ngx_mentara_somebody_t   who;
} ngx_mentara_absence_t;


static void ngx_mentara_notice_status(ngx_mentara_live_t *live,
    ngx_str_t *user, const char *status, ngx_str_t *contacts, ngx_uint_t n);
static size_t ngx_mentara_notice_status_body(u_char *buf, ngx_str_t *user,
    const char *status);
static void ngx_mentara_notice_typed(ngx_mentara_live_t *live,
    ngx_str_t *user, ngx_mentara_uuid_t *conversation, ngx_uint_t on);
static void ngx_mentara_notice_room(ngx_mentara_live_t *live,
    ngx_uint_t kind, ngx_str_t *user, ngx_mentara_uuid_t *conversation,
    const char *more);
static void ngx_mentara_notice_still(ngx_mentara_live_t *live,
    ngx_str_t *user);
static void ngx_mentara_notice_absent(ngx_mentara_live_t *live,
    ngx_mentara_somebody_t *who);
static void ngx_mentara_notice_asked(ngx_mentara_pg_query_t *q);
static void ngx_mentara_notice_later(ngx_mentara_live_t *live,
    ngx_str_t *user);


ngx_uint_t
ngx_mentara_notice_crowded(ngx_mentara_session_t *s, ngx_uint_t most)
{
    return ngx_mentara_presence_count(s->live->zone, &s->user->sn.str)
           >= most;
}


void
ngx_mentara_notice_counted(ngx_mentara_session_t *s)
{
    s->present = (ngx_mentara_presence_enter(s->live->zone,
                                      ngx_mentara_slot_number(s->live),
                                      &s->user->sn.str)
                  == NGX_OK);
}


void
ngx_mentara_notice_here(ngx_mentara_session_t *s, ngx_str_t *contacts,
    ngx_uint_t n)
{
    if (ngx_mentara_presence_tell(s->live->zone, &s->user->sn.str) == NGX_OK)
    {
        ngx_mentara_notice_status(s->live, &s->user->sn.str, "online",
                                  contacts, n);
    }
}


void
ngx_mentara_notice_contact(ngx_mentara_session_t *s, ngx_str_t *contact)
{
    u_char      buf[NGX_MENTARA_NOTICE_BODY];
    ngx_str_t   name, body;

    /* a block may have come since they were asked for */

    if (ngx_mentara_user_blocked(s->user, contact)
        || !ngx_mentara_presence_online(s->live->zone, contact))
    {
        return;
    }

    name = ngx_mentara_event_names[NGX_MENTARA_EVENT_STATUS];
    body.data = buf;
    body.len = ngx_mentara_notice_status_body(buf, contact, "online");

    ngx_mentara_session_tell(s, &name, &body, NULL);
}


/*
 * Only who is there can be told, so nobody else is listed; many of them in
 * several entries, for one has no room for all.
 */

static void
ngx_mentara_notice_status(ngx_mentara_live_t *live, ngx_str_t *user,
    const char *status, ngx_str_t *contacts, ngx_uint_t n)
{
    u_char               *p, list[NGX_MENTARA_NOTICE_LIST];
    u_char                buf[NGX_MENTARA_NOTICE_BODY];
    ngx_uint_t            i;
    ngx_mentara_entry_t   e;

    ngx_memzero(&e, sizeof(ngx_mentara_entry_t));
    e.kind = NGX_MENTARA_EVENT_STATUS;
    e.actor = *user;
    e.only.data = list;
    e.body.data = buf;
    e.body.len = ngx_mentara_notice_status_body(buf, user, status);

    p = list;

    for (i = 0; i < n; i++) {
        if (!ngx_mentara_presence_online(live->zone, &contacts[i])) {
            continue;
        }

        if (p + 1 + contacts[i].len > list + NGX_MENTARA_NOTICE_LIST) {
            e.only.len = p - list;
            (void) ngx_mentara_live_append(live, &e);
            p = list;
        }

        if (p != list) {
            *p++ = '\n';
        }

        p = ngx_cpymem(p, contacts[i].data, contacts[i].len);
    }

    e.only.len = p - list;

    if (e.only.len != 0) {
        (void) ngx_mentara_live_append(live, &e);
    }
}


static size_t
ngx_mentara_notice_status_body(u_char *buf, ngx_str_t *user,
    const char *status)
{
    u_char           time[32];
    mentara_json_t   j;

    mentara_json_init(&j, buf, NGX_MENTARA_NOTICE_BODY, NULL, NULL);
    mentara_json_raw(&j, "{\"userId\":", 10);
    mentara_json_string(&j, user->data, user->len);
    mentara_json_raw(&j, ",\"status\":", 10);
    mentara_json_string(&j, (u_char *) status, ngx_strlen(status));
    mentara_json_raw(&j, ",\"timestamp\":", 13);
    mentara_json_raw(&j, time, ngx_mentara_append_time(time) - time);
    mentara_json_raw(&j, "}", 1);

    return j.pos - j.start;
}


ngx_int_t
ngx_mentara_notice_typing(ngx_mentara_session_t *s,
    ngx_mentara_uuid_t *conversation, ngx_uint_t on)
{
    ngx_int_t            rc;
    ngx_str_t           *user;
    ngx_mentara_live_t  *live;

    live = s->live;
    user = &s->user->sn.str;

    if (ngx_mentara_record_find(s, conversation) == NULL) {
        return NGX_DECLINED;
    }

    ngx_mentara_metric_add(live->zone, NGX_MENTARA_METRIC_TYPING, 1);

    rc = on ? ngx_mentara_typing_begin(live->zone, user, conversation,
                                       ngx_current_msec,
                                       ngx_current_msec
                                       + live->conf->typing_timeout)
            : ngx_mentara_typing_end(live->zone, user, conversation);

    if (rc == NGX_OK) {
        ngx_mentara_notice_typed(live, user, conversation, on);

    } else if (rc == NGX_BUSY) {
        ngx_mentara_metric_add(live->zone, NGX_MENTARA_METRIC_TYPING_DROPPED,
                               1);
    }

    return NGX_OK;
}


static void
ngx_mentara_notice_typed(ngx_mentara_live_t *live, ngx_str_t *user,
    ngx_mentara_uuid_t *conversation, ngx_uint_t on)
{
    ngx_mentara_notice_room(live, NGX_MENTARA_EVENT_TYPING, user,
                            conversation, on ? ",\"isTyping\":true"
                                             : ",\"isTyping\":false");
}


static void
ngx_mentara_notice_room(ngx_mentara_live_t *live, ngx_uint_t kind,
    ngx_str_t *user, ngx_mentara_uuid_t *conversation, const char *more)
{
    u_char                buf[NGX_MENTARA_NOTICE_BODY];
    mentara_json_t        j;
    ngx_mentara_entry_t   e;

    mentara_json_init(&j, buf, NGX_MENTARA_NOTICE_BODY, NULL, NULL);
    mentara_json_raw(&j, "{\"conversationId\":", 18);
    mentara_json_uuid(&j, conversation->data);
    mentara_json_raw(&j, ",\"userId\":", 10);
    mentara_json_string(&j, user->data, user->len);
    mentara_json_raw(&j, more, ngx_strlen(more));
    mentara_json_raw(&j, "}", 1);

    ngx_memzero(&e, sizeof(ngx_mentara_entry_t));
    e.kind = kind;
    e.conversation = *conversation;
    e.actor = *user;
    e.body.data = buf;
    e.body.len = j.pos - j.start;

    (void) ngx_mentara_live_append(live, &e);
}


ngx_int_t
ngx_mentara_notice_join(ngx_mentara_session_t *s,
    ngx_mentara_uuid_t *conversation)
{
    ngx_str_t             *user;
    ngx_mentara_live_t    *live;
    ngx_mentara_record_t  *r;

    live = s->live;
    user = &s->user->sn.str;

    r = ngx_mentara_record_find(s, conversation);
    if (r == NULL) {
        return NGX_DECLINED;
    }

    if (!r->joined) {
        r->joined = 1;
        (void) ngx_mentara_joined_change(live->zone,
                                         ngx_mentara_slot_number(live), user,
                                         conversation, -1);
    }

    if (ngx_mentara_joined_tell(live->zone, user, conversation) == NGX_OK) {
        ngx_mentara_notice_room(live, NGX_MENTARA_EVENT_USER_JOINED, user,
                                conversation, "");
    }

    return NGX_OK;
}


ngx_int_t
ngx_mentara_notice_leave(ngx_mentara_session_t *s,
    ngx_mentara_uuid_t *conversation)
{
    ngx_str_t             *user;
    ngx_mentara_live_t    *live;
    ngx_mentara_record_t  *r;

    live = s->live;
    user = &s->user->sn.str;

    r = ngx_mentara_record_find(s, conversation);
    if (r == NULL) {
        return NGX_DECLINED;
    }

    if (ngx_mentara_typing_end(live->zone, user, conversation) == NGX_OK) {
        ngx_mentara_notice_typed(live, user, conversation, 0);
    }

    if (!r->joined) {
        return NGX_OK;
    }

    r->joined = 0;

    if (ngx_mentara_joined_change(live->zone, ngx_mentara_slot_number(live),
                                  user, conversation, 1)
        == 0)
    {
        ngx_mentara_notice_room(live, NGX_MENTARA_EVENT_USER_LEFT, user,
                                conversation, "");
    }

    return NGX_OK;
}


void
ngx_mentara_notice_left(ngx_mentara_session_t *s, ngx_str_t *ids)
{
    size_t                 pos;
    ngx_mentara_uuid_t     id;
    ngx_mentara_record_t  *r;

    for (pos = 0; pos < ids->len; pos += sizeof(ngx_mentara_uuid_t)) {
        ngx_memcpy(id.data, ids->data + pos, sizeof(ngx_mentara_uuid_t));
        r = ngx_mentara_record_find(s, &id);

        if (r != NULL && r->joined) {
            r->joined = 0;
            (void) ngx_mentara_joined_change(s->live->zone,
                                             ngx_mentara_slot_number(s->live),
                                             &s->user->sn.str, &id, 1);
        }
    }
}


void
ngx_mentara_notice_logout(ngx_mentara_live_t *live, ngx_str_t *user,
    ngx_str_t *sid)
{
    ngx_mentara_entry_t  e;

    ngx_memzero(&e, sizeof(ngx_mentara_entry_t));
    e.kind = NGX_MENTARA_EVENT_CONTROL;
    e.only = *user;
    e.body = *sid;

    (void) ngx_mentara_live_append(live, &e);
}


/*
 * Nobody is told across a block that somebody has stopped typing, so both
 * stop before it begins or ends.
 */

void
ngx_mentara_notice_block(ngx_mentara_live_t *live, ngx_mentara_entry_t *e)
{
    if (e->kind == NGX_MENTARA_EVENT_USER_BLOCKED
        || e->kind == NGX_MENTARA_EVENT_USER_UNBLOCKED)
    {
        ngx_mentara_notice_still(live, &e->actor);
        ngx_mentara_notice_still(live, &e->subjects);
    }
}


static void
ngx_mentara_notice_still(ngx_mentara_live_t *live, ngx_str_t *user)
{
    ngx_uint_t              i;
    ngx_mentara_somebody_t  who;

    for (i = 0; i < NGX_MENTARA_NOTICE_TURN; i++) {
        if (ngx_mentara_typing_stop(live->zone, user, &who) != NGX_OK) {
            return;
        }

        ngx_mentara_notice_typed(live, &who.user, &who.conversation, 0);
    }
}


void
ngx_mentara_notice_tick(ngx_mentara_live_t *live)
{
    ngx_uint_t              i;
    ngx_mentara_somebody_t  who;

    for (i = 0; i < NGX_MENTARA_NOTICE_TURN; i++) {
        if (ngx_mentara_typing_expire(live->zone, ngx_current_msec, &who)
            != NGX_OK)
        {
            break;
        }

        ngx_mentara_notice_typed(live, &who.user, &who.conversation, 0);
    }

    if (ngx_mentara_pg_state(live->pg) != NGX_OK) {
        return;
    }

    for (i = 0; i < NGX_MENTARA_NOTICE_TURN; i++) {
        if (ngx_mentara_presence_expire(live->zone, ngx_current_msec,
                                        live->conf->presence_grace, &who)
            != NGX_OK)
        {
            break;
        }

        ngx_mentara_notice_absent(live, &who);
    }
}


static void
ngx_mentara_notice_absent(ngx_mentara_live_t *live,
    ngx_mentara_somebody_t *who)
{
    ngx_mentara_absence_t   *absence;
    ngx_mentara_pg_query_t  *q;

    q = ngx_mentara_pg_query(live->pg, NGX_MENTARA_STMT_PRESENCE_CONTACTS,
                             live->logger);
    if (q == NULL) {
        ngx_mentara_notice_later(live, &who->user);
        return;
    }

    absence = ngx_palloc(q->pool, sizeof(ngx_mentara_absence_t));

    if (absence == NULL || ngx_mentara_pg_str(q, &who->user) != NGX_OK) {
        ngx_mentara_pg_drop(q);
        ngx_mentara_notice_later(live, &who->user);
        return;
    }

    absence->live = live;
    absence->who = *who;
    absence->who.user.data = absence->who.id;

    q->handler = ngx_mentara_notice_asked;
    q->data = absence;

    if (ngx_mentara_pg_submit(q) != NGX_OK) {
        ngx_mentara_pg_drop(q);
        ngx_mentara_notice_later(live, &who->user);
    }
}


/* nobody was told yet: as if the last socket had gone just now */

static void
ngx_mentara_notice_later(ngx_mentara_live_t *live, ngx_str_t *user)
{
    ngx_uint_t  slot;

    slot = ngx_mentara_slot_number(live);

    if (ngx_mentara_presence_enter(live->zone, slot, user) == NGX_OK) {
        (void) ngx_mentara_presence_tell(live->zone, user);
        ngx_mentara_presence_leave(live->zone, slot, user, ngx_current_msec);
    }
}


static void
ngx_mentara_notice_asked(ngx_mentara_pg_query_t *q)
{
    int                     row, n;
    ngx_str_t              *contacts;
    ngx_mentara_absence_t  *absence;

    absence = q->data;

    if (q->error != NGX_MENTARA_PG_OK) {
        ngx_mentara_notice_later(absence->live, &absence->who.user);
        return;
    }

    n = PQntuples(q->result);

    /* back again while we asked */

    if (ngx_mentara_presence_online(absence->live->zone, &absence->who.user)) {
        return;
    }

    contacts = ngx_palloc(q->pool, n * sizeof(ngx_str_t));
    if (contacts == NULL) {
        ngx_mentara_notice_later(absence->live, &absence->who.user);
        return;
    }

    for (row = 1; row < n; row++) {
        contacts[row - 1] = ngx_mentara_pg_get_str(q->result, row,
                                                   NGX_MENTARA_COL_USER_ID);
    }

    ngx_mentara_notice_status(absence->live, &absence->who.user, "offline",
                              contacts, n - 1);
}
