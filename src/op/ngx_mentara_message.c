
#include <ngx_mentara_message.h>
#include <ngx_mentara_answer.h>
#include <ngx_mentara_digest.h>
#include <ngx_mentara_link.h>
#include <mentara_id.h>
#include <mentara_text.h>
#include <openssl/rand.h>


static ngx_int_t ngx_mentara_message_conversation(ngx_mentara_op_t *op,
    ngx_mentara_uuid_t *id);
static ngx_int_t ngx_mentara_message_id(ngx_mentara_op_t *op);
static ngx_int_t ngx_mentara_message_key(ngx_mentara_op_t *op);
static const char *ngx_mentara_message_attachment(ngx_mentara_op_t *op);
static ngx_int_t ngx_mentara_message_new_id(ngx_mentara_uuid_t *id);
static ngx_int_t ngx_mentara_message_range(ngx_mentara_op_t *op);
static ngx_int_t ngx_mentara_message_paged(ngx_mentara_op_t *op,
    ngx_mentara_view_t *v);
static ngx_int_t ngx_mentara_message_next(ngx_mentara_op_t *op,
    ngx_mentara_view_t *v, int last);
static ngx_int_t ngx_mentara_message_revised(ngx_mentara_op_t *op,
    ngx_mentara_view_t *v);
static int ngx_mentara_revision_row(ngx_mentara_view_t *v, int row);
static ngx_int_t ngx_mentara_message_was_read(ngx_mentara_op_t *op,
    ngx_mentara_view_t *v);
static ngx_int_t ngx_mentara_message_batch_read(ngx_mentara_op_t *op,
    ngx_mentara_view_t *v);


ngx_int_t
ngx_mentara_message_send(ngx_mentara_op_t *op)
{
    ngx_str_t            type, hash;
    const char          *fault;
    ngx_mentara_uuid_t   id;

    op->answer = ngx_mentara_answer_message;

    if (ngx_mentara_message_key(op) != NGX_OK) {
        ngx_mentara_op_refuse(op, "validation_failed",
                          "clientId must equal the header Idempotency-Key");
        return NGX_DONE;
    }

    fault = ngx_mentara_message_attachment(op);

    if (fault != NULL) {
        ngx_mentara_op_refuse(op, (*fault == '\0') ? "attachments_off"
                                                   : "validation_failed",
                              (*fault == '\0') ? NULL : fault);
        return NGX_DONE;
    }

    type = ngx_mentara_op_arg_str(op, "messageType");

    if (type.len == 0) {
        ngx_str_set(&type, "TEXT");
    }

    if (ngx_mentara_message_new_id(&id) != NGX_OK
        || ngx_mentara_digest(op, "clientId", &hash) != NGX_OK
        || ngx_mentara_message_conversation(op, &op->id) != NGX_OK
        || ngx_mentara_pg_uuid(op->query, &id) != NGX_OK
        || ngx_mentara_op_bind_str(op, "content") != NGX_OK
        || ngx_mentara_op_bind_text(op, &type) != NGX_OK
        || ngx_mentara_op_bind_str(op, "replyToId") != NGX_OK
        || ngx_mentara_op_bind_str(op, "attachmentUrl") != NGX_OK
        || ngx_mentara_op_bind_str(op, "attachmentName") != NGX_OK
        || ngx_mentara_op_bind_int(op, "attachmentSize") != NGX_OK
        || ngx_mentara_op_bind_text(op, &op->key) != NGX_OK)
    {
        return NGX_ERROR;
    }

    op->query->idempotent = (op->key.len != 0) ? 1 : 0;

    return ngx_mentara_op_bind_text(op, &hash);
}


/* one key, in the header or in the body; both must agree */

static ngx_int_t
ngx_mentara_message_key(ngx_mentara_op_t *op)
{
    ngx_str_t  client_id;

    client_id = ngx_mentara_op_arg_str(op, "clientId");

    if (client_id.len == 0) {
        return NGX_OK;
    }

    if (op->key.len == 0) {
        op->key = client_id;
        return NGX_OK;
    }

    if (op->key.len != client_id.len
        || ngx_memcmp(op->key.data, client_id.data, client_id.len) != 0)
    {
        return NGX_DECLINED;
    }

    return NGX_OK;
}


/*
 * An attachment must lie, and stay, under one of the configured prefixes.
 * NULL: fine; an empty string: attachments are off; else the fault.
 */

static const char *
ngx_mentara_message_attachment(ngx_mentara_op_t *op)
{
    ngx_str_t         url, *prefix;
    ngx_uint_t        i;
    mentara_slice_t   rest;

    url = ngx_mentara_op_arg_str(op, "attachmentUrl");

    if (url.data == NULL) {
        return NULL;
    }

    if (op->env->attachment_urls == NULL
        || op->env->attachment_urls->nelts == 0)
    {
        return "";
    }

    prefix = op->env->attachment_urls->elts;

    for (i = 0; i < op->env->attachment_urls->nelts; i++) {
        if (url.len > prefix[i].len
            && ngx_memcmp(url.data, prefix[i].data, prefix[i].len) == 0)
        {
            rest.data = url.data + prefix[i].len;
            rest.len = url.len - prefix[i].len;

            return mentara_text_climbs(rest)
                   ? "attachmentUrl must stay below its prefix" : NULL;
        }
    }

    return "attachmentUrl must begin with an allowed prefix";
}


static ngx_int_t
ngx_mentara_message_new_id(ngx_mentara_uuid_t *id)
{
    u_char      random[10];
    uint64_t    ms;
    ngx_time_t *tp;

    if (RAND_bytes(random, sizeof(random)) != 1) {
        return NGX_ERROR;
    }

    tp = ngx_timeofday();
    ms = (uint64_t) tp->sec * 1000 + tp->msec;

    mentara_id_v7(id->data, ms, random);

    return NGX_OK;
}


/* binds a conversation; its operations share a connection of the worker */

static ngx_int_t
ngx_mentara_message_conversation(ngx_mentara_op_t *op, ngx_mentara_uuid_t *id)
{
    ngx_memcpy(&op->query->affinity, &id->data[12], sizeof(uint32_t));

    return ngx_mentara_pg_uuid(op->query, id);
}


static ngx_int_t
ngx_mentara_message_id(ngx_mentara_op_t *op)
{
    return ngx_mentara_pg_uuid(op->query, &op->id);
}


ngx_int_t
ngx_mentara_message_page(ngx_mentara_op_t *op)
{
    op->answer = ngx_mentara_message_paged;

    if (ngx_mentara_message_conversation(op, &op->id) != NGX_OK
        || ngx_mentara_message_range(op) != NGX_OK
        || ngx_mentara_op_bind_str(op, "around") != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_mentara_pg_int(op->query,
                              ngx_mentara_op_arg_int(op, "limit", 50));
}


/* binds mode and value; at most one of the four is there */

static ngx_int_t
ngx_mentara_message_range(ngx_mentara_op_t *op)
{
    ngx_uint_t          i;
    static ngx_str_t    page = ngx_string("page");
    static const char  *modes[] = { "before", "after", "around" };
    ngx_str_t           mode;

    mode = page;

    for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        if (ngx_mentara_op_arg(op, modes[i]) != NULL) {
            mode.data = (u_char *) modes[i];
            mode.len = ngx_strlen(modes[i]);
        }
    }

    if (ngx_mentara_op_bind_text(op, &mode) != NGX_OK) {
        return NGX_ERROR;
    }

    if (mode.data == page.data) {
        return ngx_mentara_pg_int(op->query,
                                  ngx_mentara_op_arg_int(op, "page", 1));
    }

    return ngx_mentara_op_bind_int(op, (char *) mode.data);
}


static ngx_int_t
ngx_mentara_message_paged(ngx_mentara_op_t *op, ngx_mentara_view_t *v)
{
    int                   row, last;
    ngx_mentara_extras_t  x;

    last = 1;

    while (ngx_mentara_view_kind(v, last) == 'm') {
        last++;
    }

    if (ngx_mentara_view_extras(v, last, &x) == -1) {
        return NGX_ERROR;
    }

    mentara_json_raw(&v->json, "[", 1);

    for (row = 1; row < last; row++) {
        if (row > 1) {
            mentara_json_raw(&v->json, ",", 1);
        }

        ngx_mentara_view_message(v, row, &x);
        ngx_mentara_view_end(v);
    }

    mentara_json_raw(&v->json, "]", 1);

    if (ngx_mentara_message_next(op, v, last) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_mentara_view_take(v, &op->body);
}


/* pages go on by seq, whatever they began with; around has no next */

static ngx_int_t
ngx_mentara_message_next(ngx_mentara_op_t *op, ngx_mentara_view_t *v,
    int last)
{
    int          row;
    int64_t      seq;
    const char  *name;

    if (last == 1
        || (ngx_mentara_view_flags(v, 0) & NGX_MENTARA_FLAG_MORE) == 0
        || ngx_mentara_op_arg(op, "around") != NULL)
    {
        return NGX_OK;
    }

    if (ngx_mentara_op_arg(op, "after") != NULL) {
        name = "after";
        row = last - 1;

    } else {
        name = "before";
        row = 1;
    }

    seq = ngx_mentara_pg_get_int(v->res, row, NGX_MENTARA_COL_SEQ);

    if (ngx_mentara_link_begin(op, "/conversations/", &op->id, "/messages",
                               ngx_mentara_op_arg_int(op, "limit", 50))
        != NGX_OK
        || ngx_mentara_link_int(op, name, seq) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_mentara_link_end(op);
}


ngx_int_t
ngx_mentara_message_get(ngx_mentara_op_t *op)
{
    op->answer = ngx_mentara_answer_message;

    return ngx_mentara_message_id(op);
}


ngx_int_t
ngx_mentara_message_edit(ngx_mentara_op_t *op)
{
    op->answer = ngx_mentara_answer_message;

    if (ngx_mentara_message_id(op) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_mentara_op_bind_str(op, "content");
}


ngx_int_t
ngx_mentara_message_delete(ngx_mentara_op_t *op)
{
    op->answer = ngx_mentara_answer_empty;

    return ngx_mentara_message_id(op);
}


ngx_int_t
ngx_mentara_message_revisions(ngx_mentara_op_t *op)
{
    op->answer = ngx_mentara_message_revised;

    return ngx_mentara_message_id(op);
}


static ngx_int_t
ngx_mentara_message_revised(ngx_mentara_op_t *op, ngx_mentara_view_t *v)
{
    return ngx_mentara_answer_array(op, v, 'v', ngx_mentara_revision_row);
}


static int
ngx_mentara_revision_row(ngx_mentara_view_t *v, int row)
{
    ngx_mentara_view_str(v, ngx_mentara_view_key("{\"content\":"),
                         row, NGX_MENTARA_COL_CONTENT);
    ngx_mentara_view_time(v, ngx_mentara_view_key(",\"editedAt\":"),
                          row, NGX_MENTARA_COL_EDITED_AT);
    ngx_mentara_view_str(v, ngx_mentara_view_key(",\"editedBy\":"),
                         row, NGX_MENTARA_COL_USER_ID);
    ngx_mentara_view_end(v);

    return row + 1;
}


ngx_int_t
ngx_mentara_message_read(ngx_mentara_op_t *op)
{
    op->answer = ngx_mentara_message_was_read;

    return ngx_mentara_message_id(op);
}


static ngx_int_t
ngx_mentara_message_was_read(ngx_mentara_op_t *op, ngx_mentara_view_t *v)
{
    if (ngx_mentara_view_kind(v, 1) != 'k') {
        return NGX_ERROR;
    }

    mentara_json_raw(&v->json,
                     ngx_mentara_view_key("{\"success\":true,"
                                          "\"messageId\":"));
    mentara_json_uuid(&v->json, op->id.data);
    mentara_json_raw(&v->json, ngx_mentara_view_key(",\"userId\":"));
    mentara_json_string(&v->json, op->user.data, op->user.len);
    ngx_mentara_view_time(v, ngx_mentara_view_key(",\"readAt\":"),
                          1, NGX_MENTARA_COL_CREATED_AT);
    ngx_mentara_view_end(v);

    return ngx_mentara_view_take(v, &op->body);
}


ngx_int_t
ngx_mentara_message_read_batch(ngx_mentara_op_t *op)
{
    op->answer = ngx_mentara_message_batch_read;

    if (ngx_mentara_message_conversation(op, &op->id) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_mentara_op_bind_array(op, "messageIds");
}


static ngx_int_t
ngx_mentara_message_batch_read(ngx_mentara_op_t *op, ngx_mentara_view_t *v)
{
    ngx_mentara_view_int(v, ngx_mentara_view_key("{\"success\":true,"
                                                 "\"count\":"),
                         0, NGX_MENTARA_COL_N);
    ngx_mentara_view_end(v);

    return ngx_mentara_view_take(v, &op->body);
}


ngx_int_t
ngx_mentara_reaction_add(ngx_mentara_op_t *op)
{
    op->answer = ngx_mentara_answer_reaction;

    if (ngx_mentara_message_id(op) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_mentara_op_bind_str(op, "emoji");
}


ngx_int_t
ngx_mentara_reaction_remove(ngx_mentara_op_t *op)
{
    op->answer = ngx_mentara_answer_empty;

    if (ngx_mentara_message_id(op) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_mentara_op_bind_text(op, &op->param);
}
