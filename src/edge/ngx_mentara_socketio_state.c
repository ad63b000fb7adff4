
#include <ngx_mentara_socketio_part.h>


#define NGX_MENTARA_SIO_ASKED      1
#define NGX_MENTARA_SIO_CONNECTED  2
#define NGX_MENTARA_SIO_OWES       4
#define NGX_MENTARA_SIO_RECOVERED  8
#define NGX_MENTARA_SIO_TOLD       16
#define NGX_MENTARA_SIO_GREETED    32

/* so many do not fit */
#define NGX_MENTARA_SIO_LEFT                                                 \
    (NGX_MENTARA_EIO_STATE_MAX / sizeof(ngx_mentara_uuid_t))


/* what is saved, with the strings behind it; of one machine */
typedef struct {
    int64_t               expires;
    uint32_t              flags;
    uint32_t              user;      /* lengths */
    uint32_t              sid;
    uint32_t              pid;
    uint32_t              token;
    uint32_t              left;      /* conversations */
} ngx_mentara_sio_state_t;


static ngx_uint_t ngx_mentara_sio_left(ngx_mentara_session_t *session,
    ngx_mentara_uuid_t *ids, ngx_uint_t n);
static void ngx_mentara_sio_next(u_char **p, size_t len, ngx_str_t *s);
static ngx_int_t ngx_mentara_sio_again(ngx_mentara_sio_t *s,
    const ngx_mentara_door_t *door, ngx_mentara_identity_t *who,
    ngx_mentara_return_t *back);


void
ngx_mentara_sio_save(ngx_mentara_sio_t *s)
{
    u_char                   *p, buf[NGX_MENTARA_EIO_STATE_MAX];
    ngx_str_t                 saved, user, sid;
    ngx_mentara_uuid_t        left[NGX_MENTARA_SIO_LEFT];
    ngx_mentara_sio_state_t   state;

    if (s->eio->ws != NULL) {
        return;
    }

    ngx_memzero(&state, sizeof(ngx_mentara_sio_state_t));
    ngx_str_null(&user);
    ngx_str_null(&sid);

    if (s->client.session != NULL) {
        user = s->client.session->user->sn.str;
        sid = s->client.session->sid;
        state.expires = s->client.session->expires;
        state.left = ngx_mentara_sio_left(s->client.session, left,
                                          NGX_MENTARA_SIO_LEFT);
    }

    state.flags = (s->asked ? NGX_MENTARA_SIO_ASKED : 0)
                  | (s->connected ? NGX_MENTARA_SIO_CONNECTED : 0)
                  | (s->owes ? NGX_MENTARA_SIO_OWES : 0)
                  | (s->recovered ? NGX_MENTARA_SIO_RECOVERED : 0)
                  | (s->told ? NGX_MENTARA_SIO_TOLD : 0)
                  | (s->greeted ? NGX_MENTARA_SIO_GREETED : 0);
    state.user = user.len;
    state.sid = sid.len;
    state.pid = s->pid.len;
    state.token = s->token.len;

    saved.len = sizeof(ngx_mentara_sio_state_t) + user.len + sid.len
                + s->pid.len + s->token.len
                + state.left * sizeof(ngx_mentara_uuid_t);

    /* too long: nobody adopts it, and the client comes back anew */

    if (saved.len > sizeof(buf)) {
        state.flags = NGX_MENTARA_SIO_OWES;
        saved.len = sizeof(ngx_mentara_sio_state_t);
        p = buf + saved.len;

    } else {
        p = buf + sizeof(ngx_mentara_sio_state_t);
        p = ngx_cpymem(p, user.data, user.len);
        p = ngx_cpymem(p, sid.data, sid.len);
        p = ngx_cpymem(p, s->pid.data, s->pid.len);
        p = ngx_cpymem(p, s->token.data, s->token.len);
        ngx_memcpy(p, left, state.left * sizeof(ngx_mentara_uuid_t));
    }

    ngx_memcpy(buf, &state, sizeof(ngx_mentara_sio_state_t));
    saved.data = buf;

    ngx_mentara_eio_save(s->eio, &saved);
}


/* one too many: the state is too long */

static ngx_uint_t
ngx_mentara_sio_left(ngx_mentara_session_t *session, ngx_mentara_uuid_t *ids,
    ngx_uint_t n)
{
    ngx_uint_t             i;
    ngx_queue_t           *q;
    ngx_mentara_record_t  *r;

    i = 0;

    for (q = ngx_queue_head(&session->records);
         q != ngx_queue_sentinel(&session->records) && i < n;
         q = ngx_queue_next(q))
    {
        r = ngx_queue_data(q, ngx_mentara_record_t, in_session);

        if (!r->joined && r->to == NGX_MENTARA_FOREVER) {
            ids[i++] = r->room->un.id;
        }
    }

    return i;
}


static void
ngx_mentara_sio_next(u_char **p, size_t len, ngx_str_t *s)
{
    s->data = *p;
    s->len = len;
    *p += len;
}


ngx_int_t
ngx_mentara_sio_restore(ngx_mentara_sio_t *s, const ngx_mentara_door_t *door,
    ngx_str_t *saved, ngx_str_t *mark)
{
    u_char                   *p;
    ngx_str_t                 token, left;
    ngx_mentara_return_t      back;
    ngx_mentara_identity_t    who;
    ngx_mentara_sio_state_t   state;

    if (saved->len < sizeof(ngx_mentara_sio_state_t)) {
        return NGX_ERROR;
    }

    ngx_memcpy(&state, saved->data, sizeof(ngx_mentara_sio_state_t));
    p = saved->data + sizeof(ngx_mentara_sio_state_t);

    /* an answer that was lost is not made up for: the client starts anew */

    if (state.flags & (NGX_MENTARA_SIO_ASKED|NGX_MENTARA_SIO_OWES)) {
        return NGX_ERROR;
    }

    ngx_mentara_sio_next(&p, state.user, &who.user);
    ngx_mentara_sio_next(&p, state.sid, &who.sid);
    ngx_mentara_sio_next(&p, state.pid, &back.pid);
    ngx_mentara_sio_next(&p, state.token, &token);
    ngx_mentara_sio_next(&p, state.left * sizeof(ngx_mentara_uuid_t), &left);

    if (!(state.flags & NGX_MENTARA_SIO_CONNECTED)) {

        if (token.len == 0) {
            return NGX_OK;
        }

        s->token.data = ngx_alloc(token.len, ngx_cycle->log);
        if (s->token.data == NULL) {
            return NGX_ERROR;
        }

        ngx_memcpy(s->token.data, token.data, token.len);
        s->token.len = token.len;

        return NGX_OK;
    }

    who.token = ngx_time();
    who.expires = (time_t) state.expires;
    back.offset = *mark;

    s->recovered = (state.flags & NGX_MENTARA_SIO_RECOVERED) ? 1 : 0;
    s->told = (state.flags & NGX_MENTARA_SIO_TOLD) ? 1 : 0;
    s->greeted = (state.flags & NGX_MENTARA_SIO_GREETED) ? 1 : 0;

    if (left.len != 0) {
        s->left.data = ngx_alloc(left.len, ngx_cycle->log);
        if (s->left.data == NULL) {
            return NGX_ERROR;
        }

        ngx_memcpy(s->left.data, left.data, left.len);
        s->left.len = left.len;
    }

    return ngx_mentara_sio_again(s, door, &who, &back);
}


static ngx_int_t
ngx_mentara_sio_again(ngx_mentara_sio_t *s, const ngx_mentara_door_t *door,
    ngx_mentara_identity_t *who, ngx_mentara_return_t *back)
{
    s->pid.data = ngx_alloc(back->pid.len + 1, ngx_cycle->log);
    if (s->pid.data == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(s->pid.data, back->pid.data, back->pid.len);
    s->pid.len = back->pid.len;

    s->adopted = 1;
    s->connected = 1;
    back->quiet = 1;
    back->untold = !s->told;
    back->ungreeted = !s->greeted;
    back->recovered = s->recovered;

    return ngx_mentara_client_start(&s->client, door, who, back);
}
