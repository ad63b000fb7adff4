
#include <ngx_mentara_search.h>
#include <ngx_mentara_answer.h>
#include <ngx_mentara_link.h>
#include <mentara_highlight.h>
#include <mentara_route.h>


#define NGX_MENTARA_HIGHLIGHTS_MAX  64   /* of one hit */


static ngx_int_t ngx_mentara_search_answer(ngx_mentara_op_t *op,
    ngx_mentara_view_t *v);
static int ngx_mentara_search_hit(ngx_mentara_op_t *op,
    ngx_mentara_view_t *v, int row);
static void ngx_mentara_search_highlight(ngx_mentara_op_t *op,
    ngx_mentara_view_t *v, int row);
static ngx_int_t ngx_mentara_search_next(ngx_mentara_op_t *op);


ngx_int_t
ngx_mentara_message_search(ngx_mentara_op_t *op)
{
    op->answer = ngx_mentara_search_answer;

    if (ngx_mentara_op_bind_str(op, "query") != NGX_OK
        || ngx_mentara_op_bind_str(op, "conversationId") != NGX_OK
        || ngx_mentara_op_bind_str(op, "senderId") != NGX_OK
        || ngx_mentara_op_bind_str(op, "messageType") != NGX_OK
        || ngx_mentara_op_bind_str(op, "from") != NGX_OK
        || ngx_mentara_op_bind_str(op, "to") != NGX_OK
        || ngx_mentara_pg_int(op->query,
                              ngx_mentara_op_arg_int(op, "page", 1))
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_mentara_pg_int(op->query,
                              ngx_mentara_op_arg_int(op, "limit", 20));
}


static ngx_int_t
ngx_mentara_search_answer(ngx_mentara_op_t *op, ngx_mentara_view_t *v)
{
    int  row;

    mentara_json_raw(&v->json, "[", 1);
    row = 1;

    while (ngx_mentara_view_kind(v, row) == 'm') {
        if (row > 1) {
            mentara_json_raw(&v->json, ",", 1);
        }

        row = ngx_mentara_search_hit(op, v, row);
        if (row == -1) {
            return NGX_ERROR;
        }
    }

    mentara_json_raw(&v->json, "]", 1);

    if ((ngx_mentara_view_flags(v, 0) & NGX_MENTARA_FLAG_MORE)
        && ngx_mentara_search_next(op) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_mentara_view_take(v, &op->body);
}


/* a hit is its `m` row, a `c` row with id, type and title, and extras */

static int
ngx_mentara_search_hit(ngx_mentara_op_t *op, ngx_mentara_view_t *v, int row)
{
    int                   next;
    ngx_mentara_extras_t  x;

    if (ngx_mentara_view_kind(v, row + 1) != 'c') {
        return -1;
    }

    next = ngx_mentara_view_extras(v, row + 2, &x);
    if (next == -1) {
        return -1;
    }

    ngx_mentara_view_message(v, row, &x);
    ngx_mentara_view_uuid(v, ngx_mentara_view_key(",\"conversation\":"
                                                  "{\"id\":"),
                          row + 1, NGX_MENTARA_COL_ID);
    ngx_mentara_view_str(v, ngx_mentara_view_key(",\"type\":"),
                         row + 1, NGX_MENTARA_COL_TYPE);
    ngx_mentara_view_str(v, ngx_mentara_view_key(",\"title\":"),
                         row + 1, NGX_MENTARA_COL_CONTENT);
    ngx_mentara_view_end(v);

    mentara_json_raw(&v->json, ngx_mentara_view_key(",\"highlight\":["));
    ngx_mentara_search_highlight(op, v, row);
    mentara_json_raw(&v->json, "]", 1);
    ngx_mentara_view_end(v);

    return next;
}


static void
ngx_mentara_search_highlight(ngx_mentara_op_t *op, ngx_mentara_view_t *v,
    int row)
{
    size_t               i, n;
    ngx_str_t            content, query;
    mentara_slice_t      text, words;
    mentara_highlight_t  hits[NGX_MENTARA_HIGHLIGHTS_MAX];

    content = ngx_mentara_pg_get_str(v->res, row, NGX_MENTARA_COL_CONTENT);
    query = ngx_mentara_op_arg_str(op, "query");

    text.data = content.data;
    text.len = content.len;
    words.data = query.data;
    words.len = query.len;

    n = mentara_highlight(text, words, hits, NGX_MENTARA_HIGHLIGHTS_MAX);

    for (i = 0; i < n; i++) {
        mentara_json_raw(&v->json, (i == 0) ? "[" : ",[", (i == 0) ? 1 : 2);
        mentara_json_int(&v->json, hits[i].start);
        mentara_json_raw(&v->json, ",", 1);
        mentara_json_int(&v->json, hits[i].length);
        mentara_json_raw(&v->json, "]", 1);
    }
}


/*
 * The words of a POST stay out of the link, so that following it cannot put
 * them into an access log: the next page is asked for with the same body.
 */

static ngx_int_t
ngx_mentara_search_next(ngx_mentara_op_t *op)
{
    ngx_str_t           value;
    ngx_uint_t          i;
    static const char  *names[] = { "query", "conversationId", "senderId",
                                    "messageType", "from", "to" };

    if (ngx_mentara_link_begin(op, "/search", NULL, "",
                               ngx_mentara_op_arg_int(op, "limit", 20))
        != NGX_OK
        || ngx_mentara_link_int(op, "page",
                                ngx_mentara_op_arg_int(op, "page", 1) + 1)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (op->endpoint == MENTARA_EP_SEARCH_POST) {
        return ngx_mentara_link_end(op);
    }

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        value = ngx_mentara_op_arg_str(op, names[i]);

        if (ngx_mentara_link_str(op, names[i], &value) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return ngx_mentara_link_end(op);
}
