
#include <ngx_mentara_replay.h>
#include <ngx_mentara_feed.h>
#include <mentara_json_scan.h>


static ngx_int_t ngx_mentara_replay_update(ngx_mentara_attach_t *a,
    ngx_mentara_entry_t *e);
static ngx_mentara_update_t *ngx_mentara_replay_find(ngx_mentara_attach_t *a,
    ngx_mentara_entry_t *e);
static ngx_int_t ngx_mentara_replay_message(ngx_mentara_entry_t *e,
    ngx_str_t *message);


ngx_int_t
ngx_mentara_replay_look(ngx_mentara_attach_t *a)
{
    ngx_int_t              rc;
    ngx_mentara_live_t    *live;
    ngx_mentara_entry_t    e;
    ngx_mentara_reader_t  *r;

    live = a->session->live;
    r = &live->scratch;

    a->updates.nelts = 0;
    r->epoch = a->session->epoch;
    r->cursor = a->session->cursor;

    while (r->cursor < live->reader.cursor) {

        rc = ngx_mentara_log_read(&live->log, r, live->reader.cursor, NULL);

        if (rc == NGX_ABORT || rc == NGX_DECLINED) {
            return NGX_DECLINED;
        }

        while (ngx_mentara_log_next(r, &e) == NGX_OK) {

            if (e.flags & NGX_MENTARA_EVENT_BIG) {
                return NGX_DECLINED;
            }

            if (e.kind == NGX_MENTARA_EVENT_MESSAGE_UPDATED
                && ngx_mentara_replay_update(a, &e) != NGX_OK)
            {
                return NGX_ERROR;
            }
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_mentara_replay_update(ngx_mentara_attach_t *a, ngx_mentara_entry_t *e)
{
    ngx_str_t              message;
    ngx_mentara_update_t  *u;

    u = ngx_mentara_replay_find(a, e);

    if (u == NULL) {
        u = ngx_array_push(&a->updates);
        if (u == NULL) {
            return NGX_ERROR;
        }

        u->conversation = e->conversation;
        u->seq = e->msg_seq;
    }

    if (ngx_mentara_replay_message(e, &message) != NGX_OK) {
        return NGX_ERROR;
    }

    u->message.len = message.len;
    u->message.data = ngx_pstrdup(a->pool, &message);

    return (u->message.data == NULL) ? NGX_ERROR : NGX_OK;
}


static ngx_mentara_update_t *
ngx_mentara_replay_find(ngx_mentara_attach_t *a, ngx_mentara_entry_t *e)
{
    ngx_uint_t             i;
    ngx_mentara_update_t  *u;

    u = a->updates.elts;

    for (i = 0; i < a->updates.nelts; i++) {
        if (u[i].seq == e->msg_seq
            && ngx_memcmp(u[i].conversation.data, e->conversation.data, 16)
               == 0)
        {
            return &u[i];
        }
    }

    return NULL;
}


/* the field `message` of a message_updated; before it are ids only */

static ngx_int_t
ngx_mentara_replay_message(ngx_mentara_entry_t *e, ngx_str_t *message)
{
    u_char           *p;
    mentara_slice_t   value;

    p = ngx_strnstr(e->body.data, "\"message\":", e->body.len);

    if (p == NULL
        || mentara_json_scan(p + sizeof("\"message\":") - 1,
                             e->body.data + e->body.len, &value, NULL) < 0)
    {
        return NGX_ERROR;
    }

    message->data = (u_char *) value.data;
    message->len = value.len;

    return NGX_OK;
}


ngx_int_t
ngx_mentara_replay_step(ngx_mentara_attach_t *a)
{
    ngx_int_t               rc;
    ngx_mentara_live_t     *live;
    ngx_mentara_entry_t     e;
    ngx_mentara_reader_t   *r;
    ngx_mentara_update_t   *u;
    ngx_mentara_session_t  *s;

    s = a->session;
    live = s->live;
    r = &live->scratch;

    if (s->cursor >= live->reader.cursor) {
        return NGX_DONE;
    }

    r->epoch = s->epoch;
    r->cursor = s->cursor;

    rc = ngx_mentara_log_read(&live->log, r, live->reader.cursor, NULL);

    if (rc == NGX_ABORT || rc == NGX_DECLINED) {
        return NGX_DECLINED;
    }

    while (ngx_mentara_log_next(r, &e) == NGX_OK) {

        u = (e.kind == NGX_MENTARA_EVENT_NEW_MESSAGE && e.event_seq != 0)
            ? ngx_mentara_replay_find(a, &e) : NULL;

        if (u != NULL) {
            e.body = u->message;
        }

        if (ngx_mentara_feed_one(s, &e) != NGX_OK) {
            return NGX_DECLINED;
        }

        s->cursor = e.position;

        if (s->ending || s->door->pending(s) > NGX_MENTARA_LOW_WATER) {
            break;
        }
    }

    return NGX_OK;
}
