
#include <ngx_mentara_echo.h>
#include <mentara_deflate.h>


static void ngx_mentara_echo_ws_message(ngx_mentara_ws_t *ws,
    ngx_uint_t binary, ngx_str_t *msg);
static ngx_int_t ngx_mentara_echo_ws_compress(ngx_mentara_ws_t *ws,
    ngx_mentara_frame_t *f, ngx_str_t *msg);
static void *ngx_mentara_echo_ws_alloc(void *data, size_t size);
static void ngx_mentara_echo_ws_free(void *data, void *p);
static void ngx_mentara_echo_ws_drained(ngx_mentara_ws_t *ws);
static void ngx_mentara_echo_ws_closed(ngx_mentara_ws_t *ws,
    ngx_uint_t code);


static ngx_mentara_ws_handler_t  ngx_mentara_echo_ws = {
    ngx_mentara_echo_ws_message,
    ngx_mentara_echo_ws_drained,
    NULL,
    ngx_mentara_echo_ws_closed
};


ngx_int_t
ngx_mentara_echo_ws_handler(ngx_http_request_t *r)
{
    ngx_int_t                 rc;
    ngx_mentara_echo_loc_t   *elcf;
    ngx_mentara_echo_main_t  *emcf;

    emcf = ngx_http_get_module_main_conf(r, ngx_mentara_echo_module);
    elcf = ngx_http_get_module_loc_conf(r, ngx_mentara_echo_module);

    rc = ngx_mentara_ws_check(r);

    if (rc != NGX_OK) {
        return (rc == NGX_DECLINED) ? NGX_HTTP_BAD_REQUEST : rc;
    }

    return (ngx_mentara_ws_accept(r, emcf->ws, &elcf->ws,
                                  &ngx_mentara_echo_ws, NULL)
            == NULL)
           ? NGX_HTTP_INTERNAL_SERVER_ERROR : NGX_DONE;
}


static void
ngx_mentara_echo_ws_message(ngx_mentara_ws_t *ws, ngx_uint_t binary,
    ngx_str_t *msg)
{
    ngx_mentara_frame_t  *f;

    f = ngx_mentara_frame_create(binary ? MENTARA_WS_BINARY : MENTARA_WS_TEXT,
                                 msg->len, ngx_cycle->log);

    if (f != NULL && msg->len != 0
        && (!ws->deflate
            || ngx_mentara_echo_ws_compress(ws, f, msg) != NGX_OK))
    {
        ngx_memcpy(f->payload.data, msg->data, msg->len);
    }

    ngx_mentara_ws_send(ws, f);
    ngx_mentara_frame_unref(f);
}


/* NGX_DECLINED: it does not get smaller */

static ngx_int_t
ngx_mentara_echo_ws_compress(ngx_mentara_ws_t *ws, ngx_mentara_frame_t *f,
    ngx_str_t *msg)
{
    intptr_t               n;
    mentara_slice_t        in;
    mentara_deflate_mem_t  mem;

    mem.alloc = ngx_mentara_echo_ws_alloc;
    mem.free = ngx_mentara_echo_ws_free;
    mem.data = ngx_cycle->log;
    mem.left = MENTARA_DEFLATE_MEMORY;

    in.data = msg->data;
    in.len = msg->len;

    n = mentara_deflate_message(&mem, ws->bits, in, f->payload.data,
                                msg->len);
    if (n < 0) {
        return NGX_DECLINED;
    }

    ngx_mentara_frame_compressed(f, n);

    return NGX_OK;
}


static void *
ngx_mentara_echo_ws_alloc(void *data, size_t size)
{
    return ngx_alloc(size, data);
}


static void
ngx_mentara_echo_ws_free(void *data, void *p)
{
    ngx_free(p);
}


static void
ngx_mentara_echo_ws_drained(ngx_mentara_ws_t *ws)
{
    /* nobody asked */
}


static void
ngx_mentara_echo_ws_closed(ngx_mentara_ws_t *ws, ngx_uint_t code)
{
    /* nothing is kept */
}
