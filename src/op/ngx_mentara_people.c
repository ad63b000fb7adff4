
#include <ngx_mentara_people.h>
#include <ngx_mentara_answer.h>


static ngx_int_t ngx_mentara_me_answer(ngx_mentara_op_t *op,
    ngx_mentara_view_t *v);
static ngx_int_t ngx_mentara_contact_answer(ngx_mentara_op_t *op,
    ngx_mentara_view_t *v);
static ngx_int_t ngx_mentara_block_answer(ngx_mentara_op_t *op,
    ngx_mentara_view_t *v);
static int ngx_mentara_block_row(ngx_mentara_view_t *v, int row);


ngx_int_t
ngx_mentara_me(ngx_mentara_op_t *op)
{
    op->answer = ngx_mentara_me_answer;

    return NGX_OK;
}


static ngx_int_t
ngx_mentara_me_answer(ngx_mentara_op_t *op, ngx_mentara_view_t *v)
{
    if (ngx_mentara_view_kind(v, 1) != 'u') {
        return NGX_ERROR;
    }

    ngx_mentara_view_user(v, 1);

    return ngx_mentara_view_take(v, &op->body);
}


ngx_int_t
ngx_mentara_contact_list(ngx_mentara_op_t *op)
{
    op->answer = ngx_mentara_contact_answer;

    if (ngx_mentara_op_bind_str(op, "query") != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_mentara_pg_int(op->query,
                              ngx_mentara_op_arg_int(op, "limit", 20));
}


static ngx_int_t
ngx_mentara_contact_answer(ngx_mentara_op_t *op, ngx_mentara_view_t *v)
{
    return ngx_mentara_answer_array(op, v, 'u', ngx_mentara_row_user);
}


ngx_int_t
ngx_mentara_block_add(ngx_mentara_op_t *op)
{
    op->answer = ngx_mentara_answer_success;

    if (ngx_mentara_op_bind_str(op, "userId") != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_mentara_op_bind_str(op, "reason");
}


ngx_int_t
ngx_mentara_block_remove(ngx_mentara_op_t *op)
{
    op->answer = ngx_mentara_answer_empty;

    return ngx_mentara_op_bind_text(op, &op->param);
}


ngx_int_t
ngx_mentara_block_list(ngx_mentara_op_t *op)
{
    op->answer = ngx_mentara_block_answer;

    return NGX_OK;
}


static ngx_int_t
ngx_mentara_block_answer(ngx_mentara_op_t *op, ngx_mentara_view_t *v)
{
    return ngx_mentara_answer_array(op, v, 'b', ngx_mentara_block_row);
}


static int
ngx_mentara_block_row(ngx_mentara_view_t *v, int row)
{
    ngx_mentara_view_str(v, ngx_mentara_view_key("{\"userId\":"),
                         row, NGX_MENTARA_COL_USER_ID);
    ngx_mentara_view_str(v, ngx_mentara_view_key(",\"reason\":"),
                         row, NGX_MENTARA_COL_CONTENT);
    ngx_mentara_view_time(v, ngx_mentara_view_key(",\"createdAt\":"),
                          row, NGX_MENTARA_COL_CREATED_AT);
    mentara_json_raw(&v->json, ngx_mentara_view_key(",\"user\":"));
    ngx_mentara_view_user(v, row);
    ngx_mentara_view_end(v);

    return row + 1;
}
