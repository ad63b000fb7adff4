
#include <ngx_mentara_echo.h>
#include <mentara_socketio.h>
#include <openssl/rand.h>


#define NGX_MENTARA_ECHO_SPACES  2
#define NGX_MENTARA_ECHO_HEAD    256    /* octets of a head, at most */


/* what lasts from a text packet to the last of its attachments */
typedef struct {
    ngx_mentara_eio_t     *s;
    ngx_event_t            timer;       /* until the first CONNECT */
    ngx_uint_t             spaces;      /* connected: a bit for each */
    u_char                *text;        /* of an event, allocated */
    size_t                 len;
    ngx_uint_t             left;        /* attachments still to come */
    ngx_uint_t             n;
    ngx_mentara_frame_t   *attachments[MENTARA_SIO_ATTACHMENTS];
} ngx_mentara_echo_sio_t;


static ngx_mentara_echo_sio_t *ngx_mentara_echo_sio_create(
    ngx_mentara_eio_t *s);
static ngx_int_t ngx_mentara_echo_sio_open(ngx_mentara_eio_t *s,
    ngx_http_request_t *r);
static ngx_int_t ngx_mentara_echo_sio_adopt(ngx_mentara_eio_t *s,
    ngx_http_request_t *r, ngx_str_t *state, ngx_str_t *mark);
static void ngx_mentara_echo_sio_late(ngx_event_t *ev);
static void ngx_mentara_echo_sio_message(ngx_mentara_eio_t *s,
    ngx_uint_t binary, ngx_str_t *msg);
static void ngx_mentara_echo_sio_binary(ngx_mentara_echo_sio_t *e,
    ngx_str_t *msg);
static ngx_int_t ngx_mentara_echo_sio_space(mentara_slice_t nsp);
static void ngx_mentara_echo_sio_connect(ngx_mentara_echo_sio_t *e,
    mentara_sio_packet_t *packet);
static void ngx_mentara_echo_sio_event(ngx_mentara_echo_sio_t *e,
    ngx_str_t *msg, mentara_sio_packet_t *packet);
static void ngx_mentara_echo_sio_answer(ngx_mentara_echo_sio_t *e,
    mentara_sio_packet_t *packet);
static void ngx_mentara_echo_sio_json(mentara_json_t *j, u_char *buf,
    size_t size);
static intptr_t ngx_mentara_echo_sio_full(mentara_json_t *j, size_t need);
static void ngx_mentara_echo_sio_send(ngx_mentara_echo_sio_t *e,
    mentara_json_t *j);
static void ngx_mentara_echo_sio_save(ngx_mentara_echo_sio_t *e);
static void ngx_mentara_echo_sio_forget(ngx_mentara_echo_sio_t *e);
static void ngx_mentara_echo_sio_drained(ngx_mentara_eio_t *s);
static void ngx_mentara_echo_sio_closed(ngx_mentara_eio_t *s,
    ngx_uint_t released);


static ngx_str_t  ngx_mentara_echo_spaces[NGX_MENTARA_ECHO_SPACES] = {
    ngx_string("/"),
    ngx_string("/custom")
};


const ngx_mentara_eio_handler_t  ngx_mentara_echo_sio = {
    ngx_mentara_echo_sio_open,
    ngx_mentara_echo_sio_adopt,
    ngx_mentara_echo_sio_message,
    ngx_mentara_echo_sio_drained,
    ngx_mentara_echo_sio_closed
};


static ngx_mentara_echo_sio_t *
ngx_mentara_echo_sio_create(ngx_mentara_eio_t *s)
{
    ngx_mentara_echo_sio_t  *e;

    e = ngx_calloc(sizeof(ngx_mentara_echo_sio_t), ngx_cycle->log);
    if (e == NULL) {
        return NULL;
    }

    e->s = s;
    e->timer.handler = ngx_mentara_echo_sio_late;
    e->timer.data = e;
    e->timer.log = ngx_cycle->log;
    e->timer.cancelable = 1;

    s->data = e;

    return e;
}


static ngx_int_t
ngx_mentara_echo_sio_open(ngx_mentara_eio_t *s, ngx_http_request_t *r)
{
    ngx_mentara_echo_sio_t  *e;

    e = ngx_mentara_echo_sio_create(s);
    if (e == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_add_timer(&e->timer, NGX_MENTARA_ECHO_CONNECT);

    return NGX_OK;
}


static ngx_int_t
ngx_mentara_echo_sio_adopt(ngx_mentara_eio_t *s, ngx_http_request_t *r,
    ngx_str_t *state, ngx_str_t *mark)
{
    ngx_mentara_echo_sio_t  *e;

    e = ngx_mentara_echo_sio_create(s);
    if (e == NULL) {
        return NGX_ERROR;
    }

    e->spaces = state->data[0];

    return NGX_OK;
}


static void
ngx_mentara_echo_sio_late(ngx_event_t *ev)
{
    ngx_mentara_echo_sio_t  *e;

    e = ev->data;
    ngx_mentara_eio_close(e->s, 0);
}


static void
ngx_mentara_echo_sio_message(ngx_mentara_eio_t *s, ngx_uint_t binary,
    ngx_str_t *msg)
{
    ngx_int_t                space;
    mentara_sio_packet_t     packet;
    ngx_mentara_echo_sio_t  *e;

    e = s->data;

    if (binary) {
        ngx_mentara_echo_sio_binary(e, msg);
        return;
    }

    if (e->left != 0
        || mentara_sio_packet(&packet, msg->data, msg->data + msg->len)
           != MENTARA_OK)
    {
        ngx_mentara_eio_close(s, 0);
        return;
    }

    space = ngx_mentara_echo_sio_space(packet.nsp);

    if (packet.type == MENTARA_SIO_CONNECT) {
        ngx_mentara_echo_sio_connect(e, &packet);
        return;
    }

    if (space == NGX_DECLINED || !(e->spaces & (1 << space))) {
        ngx_mentara_eio_close(s, 0);
        return;
    }

    switch (packet.type) {

    case MENTARA_SIO_DISCONNECT:
        e->spaces &= ~(1 << space);
        ngx_mentara_echo_sio_save(e);
        return;

    case MENTARA_SIO_EVENT:
    case MENTARA_SIO_BINARY_EVENT:
        ngx_mentara_echo_sio_event(e, msg, &packet);
        return;

    case MENTARA_SIO_BINARY_ACK:
        ngx_mentara_eio_close(s, 0);
        return;

    default: /* an ack that nobody waits for */
        return;
    }
}


static ngx_int_t
ngx_mentara_echo_sio_space(mentara_slice_t nsp)
{
    ngx_int_t  i;

    for (i = 0; i < NGX_MENTARA_ECHO_SPACES; i++) {
        if (ngx_mentara_echo_spaces[i].len == nsp.len
            && ngx_memcmp(ngx_mentara_echo_spaces[i].data, nsp.data, nsp.len)
               == 0)
        {
            return i;
        }
    }

    return NGX_DECLINED;
}


/* the answer, then the event `auth` with what came */

static void
ngx_mentara_echo_sio_connect(ngx_mentara_echo_sio_t *e,
    mentara_sio_packet_t *packet)
{
    u_char          *buf, sid[MENTARA_EIO_SID];
    size_t           size;
    ngx_int_t        space;
    ngx_str_t        src, dst;
    mentara_json_t   j;
    mentara_slice_t  s, none;

    size = NGX_MENTARA_ECHO_HEAD + MENTARA_SIO_NSP_MAX + packet->payload.len;
    buf = ngx_alloc(size, ngx_cycle->log);
    none.len = 0;
    none.data = NULL;

    if (buf == NULL || RAND_bytes(sid, sizeof(sid)) != 1) {
        ngx_free(buf);
        ngx_mentara_eio_close(e->s, MENTARA_WS_INTERNAL);
        return;
    }

    space = ngx_mentara_echo_sio_space(packet->nsp);
    ngx_mentara_echo_sio_json(&j, buf, size);

    if (space == NGX_DECLINED) {
        s.data = (u_char *) "Invalid namespace";
        s.len = 17;
        mentara_sio_put_connect_error(&j, packet->nsp, s, none);
        ngx_mentara_echo_sio_send(e, &j);
        ngx_free(buf);
        return;
    }

    if (e->timer.timer_set) {
        ngx_del_timer(&e->timer);
    }

    e->spaces |= 1 << space;
    ngx_mentara_echo_sio_save(e);

    src.data = sid;
    src.len = MENTARA_EIO_SID / 4 * 3;
    dst.data = buf + size - MENTARA_EIO_SID;
    ngx_encode_base64url(&dst, &src);

    s.data = dst.data;
    s.len = dst.len;
    mentara_sio_put_connect(&j, packet->nsp, s, none);
    ngx_mentara_echo_sio_send(e, &j);

    ngx_mentara_echo_sio_json(&j, buf, size);
    s.data = (u_char *) "auth";
    s.len = 4;
    mentara_sio_put_event(&j, packet->nsp, s);

    mentara_json_raw(&j, ",", 1);

    if (packet->payload.len != 0) {
        mentara_json_raw(&j, packet->payload.data, packet->payload.len);

    } else {
        mentara_json_raw(&j, "{}", 2);
    }

    mentara_json_raw(&j, "]", 1);
    ngx_mentara_echo_sio_send(e, &j);

    ngx_free(buf);
}


/* its text is kept until its attachments are there */

static void
ngx_mentara_echo_sio_event(ngx_mentara_echo_sio_t *e, ngx_str_t *msg,
    mentara_sio_packet_t *packet)
{
    if (packet->attachments == 0) {
        ngx_mentara_echo_sio_answer(e, packet);
        return;
    }

    e->text = ngx_alloc(msg->len, ngx_cycle->log);

    if (e->text == NULL) {
        ngx_mentara_eio_close(e->s, MENTARA_WS_INTERNAL);
        return;
    }

    ngx_memcpy(e->text, msg->data, msg->len);
    e->len = msg->len;
    e->left = packet->attachments;
    e->n = 0;
}


static void
ngx_mentara_echo_sio_binary(ngx_mentara_echo_sio_t *e, ngx_str_t *msg)
{
    ngx_uint_t             i;
    ngx_mentara_frame_t   *f;
    mentara_sio_packet_t   packet;

    f = ngx_mentara_frame_create(MENTARA_WS_BINARY, msg->len, ngx_cycle->log);

    if (e->left == 0 || f == NULL) {
        ngx_mentara_frame_unref(f);
        ngx_mentara_eio_close(e->s, 0);
        return;
    }

    if (msg->len != 0) {
        ngx_memcpy(f->payload.data, msg->data, msg->len);
    }

    e->attachments[e->n++] = f;

    if (--e->left != 0) {
        return;
    }

    if (mentara_sio_packet(&packet, e->text, e->text + e->len) == MENTARA_OK) {
        ngx_mentara_echo_sio_answer(e, &packet);

        for (i = 0; i < e->n; i++) {
            ngx_mentara_eio_send(e->s, e->attachments[i], NULL);
        }
    }

    ngx_mentara_echo_sio_forget(e);
}


/* `message` comes back as `message-back`, `message-with-ack` as its ack */

static void
ngx_mentara_echo_sio_answer(ngx_mentara_echo_sio_t *e,
    mentara_sio_packet_t *packet)
{
    u_char              *buf;
    size_t               size;
    mentara_json_t       j;
    mentara_sio_type_e   type;

    size = NGX_MENTARA_ECHO_HEAD + MENTARA_SIO_NSP_MAX + packet->args.len;
    buf = ngx_alloc(size, ngx_cycle->log);

    if (buf == NULL) {
        ngx_mentara_eio_close(e->s, MENTARA_WS_INTERNAL);
        return;
    }

    ngx_mentara_echo_sio_json(&j, buf, size);

    if (mentara_sio_name_is(packet, "message")) {
        type = packet->attachments ? MENTARA_SIO_BINARY_EVENT
                                   : MENTARA_SIO_EVENT;
        mentara_sio_put_head(&j, type, packet->attachments, packet->nsp,
                             NULL);
        mentara_json_raw(&j, "[\"message-back\",",
                         15 + (packet->args.len != 0));

    } else if (mentara_sio_name_is(packet, "message-with-ack")
               && packet->has_id)
    {
        type = packet->attachments ? MENTARA_SIO_BINARY_ACK : MENTARA_SIO_ACK;
        mentara_sio_put_head(&j, type, packet->attachments, packet->nsp,
                             &packet->id);
        mentara_json_raw(&j, "[", 1);

    } else {
        ngx_free(buf);
        return;
    }

    mentara_json_raw(&j, packet->args.data, packet->args.len);
    mentara_json_raw(&j, "]", 1);

    ngx_mentara_echo_sio_send(e, &j);
    ngx_free(buf);
}


/* a writer into a buffer that is large enough, behind the packet's type */

static void
ngx_mentara_echo_sio_json(mentara_json_t *j, u_char *buf, size_t size)
{
    mentara_json_init(j, buf, size, ngx_mentara_echo_sio_full, NULL);
    *j->pos++ = '0' + MENTARA_EIO_MESSAGE;
}


static intptr_t
ngx_mentara_echo_sio_full(mentara_json_t *j, size_t need)
{
    return -1;
}


static void
ngx_mentara_echo_sio_send(ngx_mentara_echo_sio_t *e, mentara_json_t *j)
{
    ngx_mentara_frame_t  *f;

    f = NULL;

    if (!j->failed) {
        f = ngx_mentara_frame_create(MENTARA_WS_TEXT, j->pos - j->start,
                                     ngx_cycle->log);
    }

    if (f != NULL) {
        ngx_memcpy(f->payload.data, j->start, j->pos - j->start);
    }

    ngx_mentara_eio_send(e->s, f, NULL);
    ngx_mentara_frame_unref(f);
}


static void
ngx_mentara_echo_sio_save(ngx_mentara_echo_sio_t *e)
{
    u_char     octet;
    ngx_str_t  state;

    octet = (u_char) e->spaces;
    state.data = &octet;
    state.len = 1;

    ngx_mentara_eio_save(e->s, &state);
}


static void
ngx_mentara_echo_sio_forget(ngx_mentara_echo_sio_t *e)
{
    while (e->n > 0) {
        ngx_mentara_frame_unref(e->attachments[--e->n]);
    }

    if (e->text != NULL) {
        ngx_free(e->text);
        e->text = NULL;
    }

    e->left = 0;
}


static void
ngx_mentara_echo_sio_drained(ngx_mentara_eio_t *s)
{
    /* nobody asked */
}


static void
ngx_mentara_echo_sio_closed(ngx_mentara_eio_t *s, ngx_uint_t released)
{
    ngx_mentara_echo_sio_t  *e;

    e = s->data;

    if (e->timer.timer_set) {
        ngx_del_timer(&e->timer);
    }

    ngx_mentara_echo_sio_forget(e);
    ngx_free(e);
}
