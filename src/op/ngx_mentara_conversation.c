
#include <ngx_mentara_conversation.h>
#include <ngx_mentara_answer.h>
#include <ngx_mentara_digest.h>
#include <ngx_mentara_link.h>


static ngx_int_t ngx_mentara_conversation_created(ngx_mentara_op_t *op,
    ngx_mentara_view_t *v);
static ngx_int_t ngx_mentara_conversation_listed(ngx_mentara_op_t *op,
    ngx_mentara_view_t *v);
static ngx_int_t ngx_mentara_conversation_id(ngx_mentara_op_t *op);
static ngx_int_t ngx_mentara_support_listed(ngx_mentara_op_t *op,
    ngx_mentara_view_t *v);
static ngx_int_t ngx_mentara_access_answer(ngx_mentara_op_t *op,
    ngx_mentara_view_t *v);
static int ngx_mentara_access_row(ngx_mentara_view_t *v, int row);


ngx_int_t
ngx_mentara_conversation_create(ngx_mentara_op_t *op)
{
    ngx_str_t  type, hash;

    op->answer = ngx_mentara_conversation_created;

    type = ngx_mentara_op_arg_str(op, "type");

    if (type.len == 0) {
        ngx_str_set(&type, "DIRECT");
    }

    if (ngx_mentara_digest(op, NULL, &hash) != NGX_OK
        || ngx_mentara_op_bind_text(op, &type) != NGX_OK
        || ngx_mentara_op_bind_array(op, "participantIds") != NGX_OK
        || ngx_mentara_op_bind_str(op, "title") != NGX_OK
        || ngx_mentara_op_bind_str(op, "sessionId") != NGX_OK
        || ngx_mentara_op_bind_text(op, &op->key) != NGX_OK)
    {
        return NGX_ERROR;
    }

    op->query->idempotent = (op->key.len != 0) ? 1 : 0;

    return ngx_mentara_op_bind_text(op, &hash);
}


static ngx_int_t
ngx_mentara_conversation_created(ngx_mentara_op_t *op, ngx_mentara_view_t *v)
{
    ngx_mentara_uuid_t  id;

    id = ngx_mentara_pg_get_uuid(v->res, 1, NGX_MENTARA_COL_ID);

    if (op->status == 201
        && ngx_mentara_link_location(op, "/conversations/", &id) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_mentara_answer_conversation(op, v);
}


ngx_int_t
ngx_mentara_conversation_list(ngx_mentara_op_t *op)
{
    ngx_str_t  archived;

    op->answer = ngx_mentara_conversation_listed;

    archived = ngx_mentara_op_arg_str(op, "archived");

    if (archived.len == 0) {
        ngx_str_set(&archived, "false");
    }

    if (ngx_mentara_pg_int(op->query, ngx_mentara_op_arg_int(op, "page", 1))
        != NGX_OK
        || ngx_mentara_pg_int(op->query,
                              ngx_mentara_op_arg_int(op, "limit", 20))
           != NGX_OK
        || ngx_mentara_op_bind_str(op, "cursor") != NGX_OK
        || ngx_mentara_op_bind_str(op, "sessionId") != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_mentara_op_bind_text(op, &archived);
}


static ngx_int_t
ngx_mentara_conversation_listed(ngx_mentara_op_t *op, ngx_mentara_view_t *v)
{
    ngx_str_t  cursor, session, archived;

    cursor = ngx_mentara_pg_get_str(v->res, 0, NGX_MENTARA_COL_CLIENT_ID);

    if (cursor.len != 0) {
        session = ngx_mentara_op_arg_str(op, "sessionId");
        archived = ngx_mentara_op_arg_str(op, "archived");

        if (ngx_mentara_link_begin(op, "/conversations", NULL, "",
                                   ngx_mentara_op_arg_int(op, "limit", 20))
            != NGX_OK
            || ngx_mentara_link_str(op, "cursor", &cursor) != NGX_OK
            || ngx_mentara_link_str(op, "sessionId", &session) != NGX_OK
            || ngx_mentara_link_str(op, "archived", &archived) != NGX_OK
            || ngx_mentara_link_end(op) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return ngx_mentara_answer_array(op, v, 'c', ngx_mentara_row_conversation);
}


/* binds the id of the path; its operations share a connection */

static ngx_int_t
ngx_mentara_conversation_id(ngx_mentara_op_t *op)
{
    ngx_memcpy(&op->query->affinity, &op->id.data[12], sizeof(uint32_t));

    return ngx_mentara_pg_uuid(op->query, &op->id);
}


ngx_int_t
ngx_mentara_conversation_get(ngx_mentara_op_t *op)
{
    op->answer = ngx_mentara_answer_conversation;

    return ngx_mentara_conversation_id(op);
}


/* title is the one field in which null has a meaning: it clears */

ngx_int_t
ngx_mentara_conversation_update(ngx_mentara_op_t *op)
{
    ngx_uint_t  set_title;

    op->answer = ngx_mentara_answer_conversation;

    set_title = (json_object_get(op->args, "title") != NULL) ? 1 : 0;

    if (ngx_mentara_conversation_id(op) != NGX_OK
        || ngx_mentara_pg_bool(op->query, set_title) != NGX_OK
        || ngx_mentara_op_bind_str(op, "title") != NGX_OK
        || ngx_mentara_op_bind_bool(op, "isMuted") != NGX_OK
        || ngx_mentara_op_bind_bool(op, "isArchived") != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_mentara_op_bind_bool(op, "isActive");
}


ngx_int_t
ngx_mentara_participant_add(ngx_mentara_op_t *op)
{
    op->answer = ngx_mentara_answer_participant;

    if (ngx_mentara_conversation_id(op) != NGX_OK
        || ngx_mentara_op_bind_str(op, "userId") != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_mentara_op_bind_str(op, "role");
}


ngx_int_t
ngx_mentara_participant_update(ngx_mentara_op_t *op)
{
    op->answer = ngx_mentara_answer_participant;

    if (ngx_mentara_conversation_id(op) != NGX_OK
        || ngx_mentara_op_bind_text(op, &op->param) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_mentara_op_bind_str(op, "role");
}


ngx_int_t
ngx_mentara_participant_remove(ngx_mentara_op_t *op)
{
    op->answer = ngx_mentara_answer_empty;

    if (ngx_mentara_conversation_id(op) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_mentara_op_bind_text(op, &op->param);
}


ngx_int_t
ngx_mentara_support_list(ngx_mentara_op_t *op)
{
    op->answer = ngx_mentara_support_listed;

    if (ngx_mentara_pg_int(op->query,
                           ngx_mentara_op_arg_int(op, "limit", 20))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_mentara_pg_int(op->query,
                              ngx_mentara_op_arg_int(op, "page", 1));
}


static ngx_int_t
ngx_mentara_support_listed(ngx_mentara_op_t *op, ngx_mentara_view_t *v)
{
    ngx_str_t  status;

    if (ngx_mentara_view_flags(v, 0) & NGX_MENTARA_FLAG_MORE) {
        status = ngx_mentara_op_arg_str(op, "status");

        if (ngx_mentara_link_begin(op, "/support", NULL, "",
                                   ngx_mentara_op_arg_int(op, "limit", 20))
            != NGX_OK
            || ngx_mentara_link_str(op, "status", &status) != NGX_OK
            || ngx_mentara_link_int(op, "page",
                                    ngx_mentara_op_arg_int(op, "page", 1) + 1)
               != NGX_OK
            || ngx_mentara_link_end(op) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return ngx_mentara_answer_array(op, v, 'c', ngx_mentara_row_conversation);
}


ngx_int_t
ngx_mentara_support_claim(ngx_mentara_op_t *op)
{
    op->answer = ngx_mentara_answer_conversation;

    return ngx_mentara_conversation_id(op);
}


ngx_int_t
ngx_mentara_support_unclaim(ngx_mentara_op_t *op)
{
    op->answer = ngx_mentara_answer_empty;

    return ngx_mentara_conversation_id(op);
}


ngx_int_t
ngx_mentara_access_list(ngx_mentara_op_t *op)
{
    op->answer = ngx_mentara_access_answer;

    return ngx_mentara_conversation_id(op);
}


static ngx_int_t
ngx_mentara_access_answer(ngx_mentara_op_t *op, ngx_mentara_view_t *v)
{
    return ngx_mentara_answer_array(op, v, 'a', ngx_mentara_access_row);
}


static int
ngx_mentara_access_row(ngx_mentara_view_t *v, int row)
{
    mentara_json_raw(&v->json, ngx_mentara_view_key("{\"user\":"));
    ngx_mentara_view_user(v, row);
    ngx_mentara_view_str(v, ngx_mentara_view_key(",\"action\":"),
                         row, NGX_MENTARA_COL_ACTION);
    ngx_mentara_view_time(v, ngx_mentara_view_key(",\"at\":"),
                          row, NGX_MENTARA_COL_CREATED_AT);
    ngx_mentara_view_end(v);

    return row + 1;
}
