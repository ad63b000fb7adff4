
#include <ngx_mentara_frame.h>


ngx_mentara_frame_t *
ngx_mentara_frame_create(ngx_uint_t opcode, size_t len, ngx_log_t *log)
{
    ngx_mentara_frame_t  *f;

    f = ngx_alloc(offsetof(ngx_mentara_frame_t, data) + MENTARA_WS_HEAD_MAX
                  + len, log);
    if (f == NULL) {
        return NULL;
    }

    f->refs = 1;
    f->opcode = opcode;
    f->start = MENTARA_WS_HEAD_MAX - mentara_ws_head_len(len);
    f->len = mentara_ws_head(f->data + f->start, opcode, 1, 0, len) + len;

    f->payload.data = f->data + MENTARA_WS_HEAD_MAX;
    f->payload.len = len;

    return f;
}


void
ngx_mentara_frame_compressed(ngx_mentara_frame_t *f, size_t len)
{
    f->start = MENTARA_WS_HEAD_MAX - mentara_ws_head_len(len);
    f->len = mentara_ws_head(f->data + f->start, f->opcode, 1, 1, len) + len;
    f->payload.len = len;
}


ngx_mentara_frame_t *
ngx_mentara_frame_raw(u_char *data, size_t len, ngx_log_t *log)
{
    ngx_mentara_frame_t  *f;

    f = ngx_alloc(offsetof(ngx_mentara_frame_t, data) + len + 1, log);
    if (f == NULL) {
        return NULL;
    }

    f->refs = 1;
    f->opcode = 0;
    f->start = 0;
    f->len = len;

    ngx_memcpy(f->data, data, len);

    f->payload.data = f->data;
    f->payload.len = len;

    return f;
}


void
ngx_mentara_frame_unref(ngx_mentara_frame_t *f)
{
    if (f != NULL && --f->refs == 0) {
        ngx_free(f);
    }
}
