
#include <ngx_mentara_attach_live.h>
#include <ngx_mentara_append.h>
#include <ngx_mentara_notice.h>
#include <ngx_mentara_session.h>
#include <mentara_json.h>


static ngx_uint_t ngx_mentara_attach_whole(ngx_mentara_attach_t *a);
static ngx_int_t ngx_mentara_attach_connected(ngx_mentara_attach_t *a);


ngx_int_t
ngx_mentara_attach_live(ngx_mentara_attach_t *a)
{
    ngx_mentara_session_t  *s;

    s = a->session;

    if (!a->back.quiet || a->back.untold) {

        if (!ngx_mentara_attach_whole(a)) {
            return NGX_AGAIN;
        }

        if (ngx_mentara_attach_connected(a) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    s->on = 1;
    ngx_mentara_notice_here(s, a->contacts.elts, a->contacts.nelts);

    return NGX_OK;
}


/* of what is on its way into the log nothing is due any more */

static ngx_uint_t
ngx_mentara_attach_whole(ngx_mentara_attach_t *a)
{
    ngx_mentara_live_t  *live;

    live = a->session->live;

    if (a->ndue != 0) {
        a->upto = ngx_mentara_log_due(&live->log, a->due, &a->ndue);
    }

    return a->ndue == 0 && live->reader.cursor >= a->upto;
}


/* `connected`: all before it has been written */

static ngx_int_t
ngx_mentara_attach_connected(ngx_mentara_attach_t *a)
{
    u_char                  text[NGX_MENTARA_OFFSET_LEN], time[64];
    ngx_str_t               name = ngx_string("connected"), offset, body, s;
    mentara_json_t          j;
    ngx_mentara_live_t     *live;
    ngx_mentara_offset_t    o;

    live = a->session->live;

    o.epoch = live->reader.epoch;
    o.position = live->reader.cursor;
    o.floor = live->reader.floor;
    o.time = ngx_time();
    o.tag = live->tag;

    offset.data = text;
    offset.len = ngx_mentara_offset_write(text, &o) - text;

    s = a->session->user->sn.str;
    body.len = a->user.len + s.len * 6 + 128;
    body.data = ngx_pnalloc(a->pool, body.len);

    if (body.data == NULL) {
        return NGX_ERROR;
    }

    mentara_json_init(&j, body.data, body.len, NULL, NULL);
    mentara_json_raw(&j, "{\"userId\":", 10);
    mentara_json_string(&j, s.data, s.len);
    mentara_json_raw(&j, ",\"timestamp\":", 13);
    mentara_json_raw(&j, time, ngx_mentara_append_time(time) - time);
    mentara_json_raw(&j, ",\"recovered\":", 13);
    mentara_json_raw(&j, a->recovered ? "true" : "false",
                     a->recovered ? 4 : 5);
    mentara_json_raw(&j, ",\"user\":", 8);
    mentara_json_raw(&j, a->user.data, a->user.len);
    mentara_json_raw(&j, "}", 1);

    if (j.failed) {
        return NGX_ERROR;
    }

    body.len = j.pos - j.start;
    ngx_mentara_session_tell(a->session, &name, &body, &offset);

    return a->session->ending ? NGX_ERROR : NGX_OK;
}
