
#include <ngx_mentara_socketio_part.h>
#include <openssl/rand.h>


#define NGX_MENTARA_SIO_HEAD  2048   /* octets around a packet's data; strings
                                        are given six times their length */


static void ngx_mentara_sio_json(mentara_json_t *j, u_char *buf, size_t size);
static void ngx_mentara_sio_put(ngx_mentara_sio_t *s, mentara_json_t *j);


mentara_slice_t
ngx_mentara_sio_namespace(void)
{
    mentara_slice_t  nsp;

    nsp.data = (u_char *) "/messaging";
    nsp.len = sizeof("/messaging") - 1;

    return nsp;
}


/* a writer behind the type of an Engine.IO packet */

static void
ngx_mentara_sio_json(mentara_json_t *j, u_char *buf, size_t size)
{
    mentara_json_init(j, buf, size, NULL, NULL);
    *j->pos++ = '0' + MENTARA_EIO_MESSAGE;
}


static void
ngx_mentara_sio_put(ngx_mentara_sio_t *s, mentara_json_t *j)
{
    ngx_mentara_frame_t  *f;

    f = j->failed ? NULL
                  : ngx_mentara_frame_create(MENTARA_WS_TEXT,
                                             j->pos - j->start,
                                             ngx_cycle->log);

    if (f != NULL) {
        ngx_memcpy(f->payload.data, j->start, j->pos - j->start);
    }

    ngx_mentara_eio_send(s->eio, f, NULL);
    ngx_mentara_frame_unref(f);
}


ngx_int_t
ngx_mentara_sio_put_connect(ngx_mentara_sio_t *s, ngx_str_t *pid)
{
    u_char            buf[NGX_MENTARA_SIO_HEAD], text[MENTARA_EIO_SID];
    u_char            random[MENTARA_EIO_SID / 4 * 3];
    ngx_str_t         src, dst;
    mentara_json_t    j;
    mentara_slice_t   sid, p;

    if (RAND_bytes(random, sizeof(random)) != 1) {
        ngx_mentara_eio_close(s->eio, MENTARA_WS_INTERNAL);
        return NGX_ERROR;
    }

    src.data = random;
    src.len = sizeof(random);
    dst.data = text;
    ngx_encode_base64url(&dst, &src);

    sid.data = dst.data;
    sid.len = dst.len;
    p.data = pid->data;
    p.len = pid->len;

    ngx_mentara_sio_json(&j, buf, sizeof(buf));
    mentara_sio_put_connect(&j, ngx_mentara_sio_namespace(), sid, p);
    ngx_mentara_sio_put(s, &j);

    return NGX_OK;
}


void
ngx_mentara_sio_put_refusal(ngx_mentara_sio_t *s, const char *code)
{
    u_char            buf[NGX_MENTARA_SIO_HEAD], text[128];
    const char       *sentence;
    mentara_json_t    j;
    mentara_slice_t   message, data;

    sentence = ngx_mentara_code_message(code);
    message.data = (u_char *) sentence;
    message.len = ngx_strlen(sentence);
    data.data = text;
    data.len = ngx_snprintf(text, sizeof(text),
                            "{\"statusCode\":%ui,\"code\":\"%s\"}",
                            ngx_mentara_code_status(code), code)
               - text;

    ngx_mentara_sio_json(&j, buf, sizeof(buf));
    mentara_sio_put_connect_error(&j, ngx_mentara_sio_namespace(), message,
                                  data);
    ngx_mentara_sio_put(s, &j);
}


void
ngx_mentara_sio_put_unknown(ngx_mentara_sio_t *s, mentara_slice_t nsp)
{
    u_char            buf[NGX_MENTARA_SIO_HEAD];
    mentara_json_t    j;
    mentara_slice_t   message, none;

    message.data = (u_char *) "Invalid namespace";
    message.len = sizeof("Invalid namespace") - 1;
    none.data = NULL;
    none.len = 0;

    ngx_mentara_sio_json(&j, buf, sizeof(buf));
    mentara_sio_put_connect_error(&j, nsp, message, none);
    ngx_mentara_sio_put(s, &j);
}


void
ngx_mentara_sio_put_disconnect(ngx_mentara_sio_t *s)
{
    u_char          buf[64];
    mentara_json_t  j;

    ngx_mentara_sio_json(&j, buf, sizeof(buf));
    mentara_sio_put_disconnect(&j, ngx_mentara_sio_namespace());
    ngx_mentara_sio_put(s, &j);
}


void
ngx_mentara_sio_put_ack(ngx_mentara_sio_t *s, int64_t id, ngx_str_t *data)
{
    u_char                head[64], *p;
    size_t                len;
    mentara_json_t        j;
    ngx_mentara_frame_t  *f;

    ngx_mentara_sio_json(&j, head, sizeof(head));
    mentara_sio_put_ack(&j, ngx_mentara_sio_namespace(), (uint64_t) id);
    len = j.pos - j.start;

    f = ngx_mentara_frame_create(MENTARA_WS_TEXT, len + data->len + 1,
                                 ngx_cycle->log);

    if (f != NULL) {
        p = ngx_cpymem(f->payload.data, head, len);
        p = ngx_cpymem(p, data->data, data->len);
        *p = ']';
    }

    ngx_mentara_eio_send(s->eio, f, NULL);
    ngx_mentara_frame_unref(f);
}


ngx_mentara_frame_t *
ngx_mentara_sio_event_frame(ngx_mentara_outgoing_t *o)
{
    u_char                head[256], *p;
    size_t                len;
    mentara_json_t        j;
    mentara_slice_t       name;
    ngx_mentara_frame_t  *f;

    name.data = o->name.data;
    name.len = o->name.len;

    ngx_mentara_sio_json(&j, head, sizeof(head));
    mentara_sio_put_event(&j, ngx_mentara_sio_namespace(), name);

    if (j.failed) {
        return NULL;
    }

    len = j.pos - j.start;

    f = ngx_mentara_frame_create(MENTARA_WS_TEXT,
                                 len + 1 + o->body.len + 1
                                 + (o->offset.len ? o->offset.len + 3 : 0),
                                 ngx_cycle->log);
    if (f == NULL) {
        return NULL;
    }

    p = ngx_cpymem(f->payload.data, head, len);
    *p++ = ',';
    p = ngx_cpymem(p, o->body.data, o->body.len);

    if (o->offset.len != 0) {
        p = ngx_cpymem(p, ",\"", 2);
        p = ngx_cpymem(p, o->offset.data, o->offset.len);
        *p++ = '"';
    }

    *p = ']';

    return f;
}


ngx_str_t
ngx_mentara_sio_field(json_t *auth, const char *name)
{
    json_t     *value;
    ngx_str_t   s;

    ngx_str_null(&s);
    value = json_object_get(auth, name);

    if (json_is_string(value)) {
        s.data = (u_char *) json_string_value(value);
        s.len = json_string_length(value);
    }

    return s;
}


void
ngx_mentara_sio_return(json_t *auth, ngx_mentara_return_t *back)
{
    json_t  *offset;

    back->pid = ngx_mentara_sio_field(auth, "pid");

    if (back->pid.len == 0) {
        return;
    }

    back->offset = ngx_mentara_sio_field(auth, "offset");
    offset = json_object_get(auth, "offset");

    if (offset != NULL && !json_is_null(offset) && !json_is_string(offset)) {
        ngx_str_set(&back->offset, "-");
    }
}
