
#include <ngx_mentara_echo.h>


static ngx_int_t ngx_mentara_echo_eio_open(ngx_mentara_eio_t *s,
    ngx_http_request_t *r);
static ngx_int_t ngx_mentara_echo_eio_adopt(ngx_mentara_eio_t *s,
    ngx_http_request_t *r, ngx_str_t *state, ngx_str_t *mark);
static void ngx_mentara_echo_eio_message(ngx_mentara_eio_t *s,
    ngx_uint_t binary, ngx_str_t *msg);
static void ngx_mentara_echo_eio_drained(ngx_mentara_eio_t *s);
static void ngx_mentara_echo_eio_closed(ngx_mentara_eio_t *s,
    ngx_uint_t released);


const ngx_mentara_eio_handler_t  ngx_mentara_echo_eio = {
    ngx_mentara_echo_eio_open,
    ngx_mentara_echo_eio_adopt,
    ngx_mentara_echo_eio_message,
    ngx_mentara_echo_eio_drained,
    ngx_mentara_echo_eio_closed
};


static ngx_int_t
ngx_mentara_echo_eio_open(ngx_mentara_eio_t *s, ngx_http_request_t *r)
{
    return NGX_OK;
}


static ngx_int_t
ngx_mentara_echo_eio_adopt(ngx_mentara_eio_t *s, ngx_http_request_t *r,
    ngx_str_t *state, ngx_str_t *mark)
{
    return NGX_OK;
}


static void
ngx_mentara_echo_eio_message(ngx_mentara_eio_t *s, ngx_uint_t binary,
    ngx_str_t *msg)
{
    u_char               *p;
    ngx_str_t             state;
    ngx_mentara_frame_t  *f;

    f = ngx_mentara_frame_create(binary ? MENTARA_WS_BINARY : MENTARA_WS_TEXT,
                                 msg->len + !binary, ngx_cycle->log);

    if (f != NULL) {
        p = f->payload.data;

        if (!binary) {
            *p++ = '0' + MENTARA_EIO_MESSAGE;
        }

        if (msg->len != 0) {
            ngx_memcpy(p, msg->data, msg->len);
        }
    }

    /* an echo has nothing to remember, but may be adopted */

    ngx_str_set(&state, "echo");
    ngx_mentara_eio_save(s, &state);

    ngx_mentara_eio_send(s, f, NULL);
    ngx_mentara_frame_unref(f);
}


static void
ngx_mentara_echo_eio_drained(ngx_mentara_eio_t *s)
{
    /* nobody asked */
}


static void
ngx_mentara_echo_eio_closed(ngx_mentara_eio_t *s, ngx_uint_t released)
{
    /* nothing is kept */
}
