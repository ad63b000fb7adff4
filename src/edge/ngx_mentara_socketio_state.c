
#include <ngx_mentara_socketio_part.h>


#define NGX_MENTARA_SIO_ASKED      1
#define NGX_MENTARA_SIO_CONNECTED  2
#define NGX_MENTARA_SIO_OWES       4


/* what is saved, with the strings behind it; of one machine */
typedef struct {
    int64_t               expires;
    uint32_t              flags;
    uint32_t              user;      /* lengths */
    uint32_t              sid;
    uint32_t              pid;
    uint32_t              token;
} ngx_mentara_sio_state_t;


static void ngx_mentara_sio_next(u_char **p, size_t len, ngx_str_t *s);
static ngx_int_t ngx_mentara_sio_again(ngx_mentara_sio_t *s,
    const ngx_mentara_door_t *door, ngx_mentara_identity_t *who,
    ngx_mentara_return_t *back);


void
ngx_mentara_sio_save(ngx_mentara_sio_t *s)
{
    u_char                   *p, buf[NGX_MENTARA_EIO_STATE_MAX];
    ngx_str_t                 saved, user, sid;
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
    }

    state.flags = (s->asked ? NGX_MENTARA_SIO_ASKED : 0)
                  | (s->connected ? NGX_MENTARA_SIO_CONNECTED : 0)
                  | (s->owes ? NGX_MENTARA_SIO_OWES : 0);
    state.user = user.len;
    state.sid = sid.len;
    state.pid = s->pid.len;
    state.token = s->token.len;

    saved.len = sizeof(ngx_mentara_sio_state_t) + user.len + sid.len
                + s->pid.len + s->token.len;

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
        (void) ngx_cpymem(p, s->token.data, s->token.len);
    }

    ngx_memcpy(buf, &state, sizeof(ngx_mentara_sio_state_t));
    saved.data = buf;

    ngx_mentara_eio_save(s->eio, &saved);
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
    ngx_str_t                 token;
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

    return ngx_mentara_client_start(&s->client, door, who, back);
}
