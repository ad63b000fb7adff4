
#include <ngx_mentara_answer.h>


ngx_int_t
ngx_mentara_answer_empty(ngx_mentara_op_t *op, ngx_mentara_view_t *v)
{
    ngx_str_null(&op->body);

    return NGX_OK;
}


ngx_int_t
ngx_mentara_answer_success(ngx_mentara_op_t *op, ngx_mentara_view_t *v)
{
    ngx_str_set(&op->body, "{\"success\":true}");

    return NGX_OK;
}


int
ngx_mentara_row_conversation(ngx_mentara_view_t *v, int row)
{
    int  next;

    next = ngx_mentara_view_conversation(v, row);
    ngx_mentara_view_end(v);

    return next;
}


int
ngx_mentara_row_user(ngx_mentara_view_t *v, int row)
{
    ngx_mentara_view_user(v, row);

    return row + 1;
}


ngx_int_t
ngx_mentara_answer_conversation(ngx_mentara_op_t *op, ngx_mentara_view_t *v)
{
    if (ngx_mentara_view_kind(v, 1) != 'c'
        || ngx_mentara_row_conversation(v, 1) == -1)
    {
        return NGX_ERROR;
    }

    return ngx_mentara_view_take(v, &op->body);
}


ngx_int_t
ngx_mentara_answer_participant(ngx_mentara_op_t *op, ngx_mentara_view_t *v)
{
    if (ngx_mentara_view_kind(v, 1) != 'p') {
        return NGX_ERROR;
    }

    ngx_mentara_view_participant(v, 1);
    ngx_mentara_view_end(v);

    return ngx_mentara_view_take(v, &op->body);
}


ngx_int_t
ngx_mentara_answer_message(ngx_mentara_op_t *op, ngx_mentara_view_t *v)
{
    ngx_mentara_extras_t  x;

    if (ngx_mentara_view_kind(v, 1) != 'm'
        || ngx_mentara_view_extras(v, 2, &x) == -1)
    {
        return NGX_ERROR;
    }

    x.all = (ngx_mentara_view_flags(v, 0) & NGX_MENTARA_FLAG_MORE) ? 1 : 0;

    ngx_mentara_view_message(v, 1, &x);
    ngx_mentara_view_end(v);

    return ngx_mentara_view_take(v, &op->body);
}


ngx_int_t
ngx_mentara_answer_reaction(ngx_mentara_op_t *op, ngx_mentara_view_t *v)
{
    if (ngx_mentara_view_kind(v, 1) != 'r') {
        return NGX_ERROR;
    }

    ngx_mentara_view_reaction(v, 1);

    return ngx_mentara_view_take(v, &op->body);
}


ngx_int_t
ngx_mentara_answer_array(ngx_mentara_op_t *op, ngx_mentara_view_t *v,
    u_char kind, ngx_mentara_row_pt write)
{
    int  row;

    mentara_json_raw(&v->json, "[", 1);
    row = 1;

    while (ngx_mentara_view_kind(v, row) == kind) {
        if (row > 1) {
            mentara_json_raw(&v->json, ",", 1);
        }

        row = write(v, row);
        if (row == -1) {
            return NGX_ERROR;
        }
    }

    mentara_json_raw(&v->json, "]", 1);

    return ngx_mentara_view_take(v, &op->body);
}
