
#include <ngx_mentara_ops.h>
#include <ngx_mentara_conversation.h>
#include <ngx_mentara_message.h>
#include <ngx_mentara_people.h>
#include <ngx_mentara_search.h>


typedef struct {
    ngx_uint_t    statement;
    ngx_int_t   (*action)(ngx_mentara_op_t *op);
    ngx_uint_t    ok;        /* HTTP status of `ok`; `created` is 201 */
    ngx_uint_t    existing;  /* of `existing` */
    ngx_uint_t    replayed;  /* of `replayed` */
} ngx_mentara_ops_row_t;


static ngx_mentara_ops_row_t  ngx_mentara_ops[MENTARA_EP_N] = {

    [MENTARA_EP_CONVERSATION_CREATE] = {
        NGX_MENTARA_STMT_CONVERSATION_CREATE,
        ngx_mentara_conversation_create, 201, 200, 200 },

    [MENTARA_EP_CONVERSATION_LIST] = {
        NGX_MENTARA_STMT_CONVERSATION_LIST,
        ngx_mentara_conversation_list, 200, 200, 200 },

    [MENTARA_EP_CONVERSATION_GET] = {
        NGX_MENTARA_STMT_CONVERSATION_GET,
        ngx_mentara_conversation_get, 200, 200, 200 },

    [MENTARA_EP_CONVERSATION_UPDATE] = {
        NGX_MENTARA_STMT_CONVERSATION_UPDATE,
        ngx_mentara_conversation_update, 200, 200, 200 },

    [MENTARA_EP_PARTICIPANT_ADD] = {
        NGX_MENTARA_STMT_PARTICIPANT_ADD,
        ngx_mentara_participant_add, 201, 200, 200 },

    [MENTARA_EP_PARTICIPANT_UPDATE] = {
        NGX_MENTARA_STMT_PARTICIPANT_UPDATE,
        ngx_mentara_participant_update, 200, 200, 200 },

    [MENTARA_EP_PARTICIPANT_REMOVE] = {
        NGX_MENTARA_STMT_PARTICIPANT_REMOVE,
        ngx_mentara_participant_remove, 204, 204, 204 },

    [MENTARA_EP_SUPPORT_LIST] = {
        NGX_MENTARA_STMT_SUPPORT_LIST,
        ngx_mentara_support_list, 200, 200, 200 },

    [MENTARA_EP_SUPPORT_CLAIM] = {
        NGX_MENTARA_STMT_SUPPORT_CLAIM,
        ngx_mentara_support_claim, 200, 200, 200 },

    [MENTARA_EP_SUPPORT_UNCLAIM] = {
        NGX_MENTARA_STMT_SUPPORT_UNCLAIM,
        ngx_mentara_support_unclaim, 204, 204, 204 },

    [MENTARA_EP_MESSAGE_PAGE] = {
        NGX_MENTARA_STMT_MESSAGE_PAGE,
        ngx_mentara_message_page, 200, 200, 200 },

    [MENTARA_EP_MESSAGE_SEND] = {
        NGX_MENTARA_STMT_MESSAGE_SEND,
        ngx_mentara_message_send, 201, 201, 201 },

    [MENTARA_EP_MESSAGE_GET] = {
        NGX_MENTARA_STMT_MESSAGE_GET,
        ngx_mentara_message_get, 200, 200, 200 },

    [MENTARA_EP_MESSAGE_EDIT] = {
        NGX_MENTARA_STMT_MESSAGE_EDIT,
        ngx_mentara_message_edit, 200, 200, 200 },

    [MENTARA_EP_MESSAGE_DELETE] = {
        NGX_MENTARA_STMT_MESSAGE_DELETE,
        ngx_mentara_message_delete, 204, 204, 204 },

    [MENTARA_EP_MESSAGE_REVISIONS] = {
        NGX_MENTARA_STMT_MESSAGE_REVISIONS,
        ngx_mentara_message_revisions, 200, 200, 200 },

    [MENTARA_EP_MESSAGE_READ] = {
        NGX_MENTARA_STMT_MESSAGE_READ,
        ngx_mentara_message_read, 200, 200, 200 },

    [MENTARA_EP_MESSAGE_READ_BATCH] = {
        NGX_MENTARA_STMT_MESSAGE_READ_BATCH,
        ngx_mentara_message_read_batch, 200, 200, 200 },

    [MENTARA_EP_REACTION_ADD] = {
        NGX_MENTARA_STMT_REACTION_ADD,
        ngx_mentara_reaction_add, 201, 201, 201 },

    [MENTARA_EP_REACTION_REMOVE] = {
        NGX_MENTARA_STMT_REACTION_REMOVE,
        ngx_mentara_reaction_remove, 204, 204, 204 },

    [MENTARA_EP_BLOCK_ADD] = {
        NGX_MENTARA_STMT_BLOCK_ADD,
        ngx_mentara_block_add, 201, 201, 201 },

    [MENTARA_EP_BLOCK_REMOVE] = {
        NGX_MENTARA_STMT_BLOCK_REMOVE,
        ngx_mentara_block_remove, 204, 204, 204 },

    [MENTARA_EP_BLOCK_LIST] = {
        NGX_MENTARA_STMT_BLOCK_LIST,
        ngx_mentara_block_list, 200, 200, 200 },

    [MENTARA_EP_SEARCH] = {
        NGX_MENTARA_STMT_MESSAGE_SEARCH,
        ngx_mentara_message_search, 200, 200, 200 },

    [MENTARA_EP_SEARCH_POST] = {
        NGX_MENTARA_STMT_MESSAGE_SEARCH,
        ngx_mentara_message_search, 200, 200, 200 },

    [MENTARA_EP_CONTACT_LIST] = {
        NGX_MENTARA_STMT_CONTACT_LIST,
        ngx_mentara_contact_list, 200, 200, 200 },

    [MENTARA_EP_ACCESS_LIST] = {
        NGX_MENTARA_STMT_ACCESS_LIST,
        ngx_mentara_access_list, 200, 200, 200 },

    [MENTARA_EP_ME] = {
        NGX_MENTARA_STMT_ACCOUNT,
        ngx_mentara_me, 200, 200, 200 },
};


ngx_int_t
ngx_mentara_op_run(ngx_mentara_op_t *op)
{
    ngx_int_t               rc;
    ngx_mentara_ops_row_t  *row;

    row = &ngx_mentara_ops[op->endpoint];

    op->ok = row->ok;
    op->existing = row->existing;
    op->repeated = row->replayed;

    if (ngx_mentara_op_query(op, row->statement) == NULL) {
        return NGX_ERROR;
    }

    rc = row->action(op);

    if (rc == NGX_OK) {
        ngx_mentara_op_submit(op);
        return NGX_OK;
    }

    ngx_mentara_pg_drop(op->query);
    op->query = NULL;

    return (rc == NGX_DONE) ? NGX_OK : NGX_ERROR;
}
