
#include <ngx_mentara_statements.h>


#define READ   NGX_MENTARA_STMT_READ
#define WRITE  NGX_MENTARA_STMT_WRITE
#define SLOW   NGX_MENTARA_STMT_SLOW


/* in the order of ngx_mentara_stmt_e */

const ngx_mentara_stmt_t  ngx_mentara_statements[] = {

    { "account",
      "select * from messaging.account($1::text)",
      1, READ },

    { "conversation_create",
      "select * from messaging.conversation_create($1::text, $2::text,"
      " $3::text[], $4::text, $5::text, $6::text, $7::text)",
      7, WRITE },

    { "conversation_list",
      "select * from messaging.conversation_list($1::text, $2::bigint,"
      " $3::bigint, $4::text, $5::text, $6::text)",
      6, READ },

    { "conversation_get",
      "select * from messaging.conversation_get($1::text, $2::uuid)",
      2, READ },

    { "conversation_update",
      "select * from messaging.conversation_update($1::text, $2::uuid,"
      " $3::boolean, $4::text, $5::boolean, $6::boolean, $7::boolean)",
      7, WRITE },

    { "participant_add",
      "select * from messaging.participant_add($1::text, $2::uuid,"
      " $3::text, $4::text)",
      4, WRITE },

    { "participant_update",
      "select * from messaging.participant_update($1::text, $2::uuid,"
      " $3::text, $4::text)",
      4, WRITE },

    { "participant_remove",
      "select * from messaging.participant_remove($1::text, $2::uuid,"
      " $3::text)",
      3, WRITE },

    { "support_list",
      "select * from messaging.support_list($1::text, $2::bigint,"
      " $3::bigint)",
      3, READ },

    { "support_claim",
      "select * from messaging.support_claim($1::text, $2::uuid)",
      2, WRITE },

    { "support_unclaim",
      "select * from messaging.support_unclaim($1::text, $2::uuid)",
      2, WRITE },

    { "message_page",
      "select * from messaging.message_page($1::text, $2::uuid, $3::text,"
      " $4::bigint, $5::uuid, $6::bigint)",
      6, READ },

    { "message_send",
      "select * from messaging.message_send($1::text, $2::uuid, $3::uuid,"
      " $4::text, $5::text, $6::uuid, $7::text, $8::text, $9::bigint,"
      " $10::text, $11::text)",
      11, WRITE },

    { "message_get",
      "select * from messaging.message_get($1::text, $2::uuid)",
      2, READ },

    { "message_edit",
      "select * from messaging.message_edit($1::text, $2::uuid, $3::text)",
      3, WRITE },

    { "message_delete",
      "select * from messaging.message_delete($1::text, $2::uuid)",
      2, WRITE },

    { "message_revisions",
      "select * from messaging.message_revisions($1::text, $2::uuid)",
      2, READ },

    { "message_read",
      "select * from messaging.message_read($1::text, $2::uuid)",
      2, WRITE },

    { "message_read_batch",
      "select * from messaging.message_read_batch($1::text, $2::uuid,"
      " $3::uuid[])",
      3, WRITE },

    { "reaction_add",
      "select * from messaging.reaction_add($1::text, $2::uuid, $3::text)",
      3, WRITE },

    { "reaction_remove",
      "select * from messaging.reaction_remove($1::text, $2::uuid,"
      " $3::text)",
      3, WRITE },

    { "block_add",
      "select * from messaging.block_add($1::text, $2::text, $3::text)",
      3, WRITE },

    { "block_remove",
      "select * from messaging.block_remove($1::text, $2::text)",
      2, WRITE },

    { "block_list",
      "select * from messaging.block_list($1::text)",
      1, READ },

    { "message_search",
      "select * from messaging.message_search($1::text, $2::text, $3::uuid,"
      " $4::text, $5::text, $6::timestamptz, $7::timestamptz, $8::bigint,"
      " $9::bigint)",
      9, READ|SLOW },

    { "contact_list",
      "select * from messaging.contact_list($1::text, $2::text,"
      " $3::bigint)",
      3, READ },

    { "access_list",
      "select * from messaging.access_list($1::text, $2::uuid)",
      2, READ },

    { "health",
      "select * from messaging.health()",
      0, READ },

    { "server_key",
      "select * from messaging.server_key()",
      0, READ },

    { "sweep_delta",
      "select * from messaging.sweep_delta($1::pg_snapshot)",
      1, READ },

    { "sweep_events",
      "select * from messaging.sweep_events($1::uuid[], $2::bigint[],"
      " $3::bigint)",
      3, READ },

    { "attach",
      "select * from messaging.attach($1::text, $2::xid8, $3::uuid[],"
      " $4::bigint[], $5::bigint)",
      5, READ },

    { "presence_contacts",
      "select * from messaging.presence_contacts($1::text)",
      1, READ },

    { "accounts_check",
      "select * from messaging.accounts_check($1::text[], $2::text[])",
      2, READ },

    { "deliver_marks",
      "select * from messaging.deliver_marks($1::uuid[], $2::text[],"
      " $3::bigint[])",
      3, WRITE },
};
