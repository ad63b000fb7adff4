
#include <mentara_field_table.h>
#include <mentara_route.h>


#define REQUIRED  MENTARA_FIELD_REQUIRED
#define NULLABLE  MENTARA_FIELD_NULLABLE
#define SOLID     MENTARA_FIELD_SOLID
#define ONE_OF    MENTARA_FIELD_ONE_OF

#define STRING    MENTARA_FIELD_STRING
#define INTEGER   MENTARA_FIELD_INTEGER

#define MENTARA_INTEGER_MAX  9007199254740991LL   /* 2^53 - 1 */

#define MENTARA_TYPES  "TEXT IMAGE FILE VOICE VIDEO SYSTEM LOCATION POLL"
#define MENTARA_ROLES  "MEMBER MODERATOR ADMIN"

#define MENTARA_END  { NULL, STRING, 0, 0, 0, NULL }


static const mentara_field_t  mentara_none[] = {
    MENTARA_END
};


static const mentara_field_t  mentara_body_conversation[] = {
    { "participantIds", MENTARA_FIELD_USERS, 0, 0, 199, NULL },
    { "type", MENTARA_FIELD_ENUM, 0, 0, 0, "DIRECT GROUP SESSION SUPPORT" },
    { "title", STRING, SOLID, 1, 200, NULL },
    { "sessionId", STRING, SOLID, 1, 128, NULL },
    MENTARA_END
};


static const mentara_field_t  mentara_body_conversation_update[] = {
    { "title", STRING, SOLID|NULLABLE, 1, 200, NULL },
    { "isMuted", MENTARA_FIELD_BOOLEAN, 0, 0, 0, NULL },
    { "isArchived", MENTARA_FIELD_BOOLEAN, 0, 0, 0, NULL },
    { "isActive", MENTARA_FIELD_BOOLEAN, 0, 0, 0, NULL },
    MENTARA_END
};


static const mentara_field_t  mentara_body_participant[] = {
    { "userId", MENTARA_FIELD_USER, REQUIRED, 1, 255, NULL },
    { "role", MENTARA_FIELD_ENUM, 0, 0, 0, MENTARA_ROLES },
    MENTARA_END
};


static const mentara_field_t  mentara_body_role[] = {
    { "role", MENTARA_FIELD_ENUM, REQUIRED, 0, 0, MENTARA_ROLES },
    MENTARA_END
};


static const mentara_field_t  mentara_body_send[] = {
    { "content", MENTARA_FIELD_CONTENT, 0, 0, 0, NULL },
    { "messageType", MENTARA_FIELD_ENUM, 0, 0, 0, MENTARA_TYPES },
    { "replyToId", MENTARA_FIELD_UUID, 0, 0, 0, NULL },
    { "attachmentUrl", STRING, SOLID, 1, 2048, NULL },
    { "attachmentName", STRING, SOLID, 1, 255, NULL },
    { "attachmentSize", INTEGER, 0, 0, MENTARA_INTEGER_MAX, NULL },
    { "clientId", STRING, SOLID, 1, 128, NULL },
    MENTARA_END
};


static const mentara_field_t  mentara_body_edit[] = {
    { "content", MENTARA_FIELD_CONTENT, REQUIRED, 0, 0, NULL },
    MENTARA_END
};


static const mentara_field_t  mentara_body_read_batch[] = {
    { "messageIds", MENTARA_FIELD_UUIDS, REQUIRED, 1, 100, NULL },
    MENTARA_END
};


static const mentara_field_t  mentara_body_reaction[] = {
    { "emoji", MENTARA_FIELD_EMOJI, REQUIRED, 0, 0, NULL },
    MENTARA_END
};


static const mentara_field_t  mentara_body_block[] = {
    { "userId", MENTARA_FIELD_USER, REQUIRED, 1, 255, NULL },
    { "reason", STRING, 0, 0, 500, NULL },
    MENTARA_END
};


/* the same for the query of a GET and the body of a POST */

static const mentara_field_t  mentara_search[] = {
    { "query", STRING, REQUIRED, 1, 256, NULL },
    { "conversationId", MENTARA_FIELD_UUID, 0, 0, 0, NULL },
    { "senderId", MENTARA_FIELD_USER, 0, 1, 255, NULL },
    { "messageType", MENTARA_FIELD_ENUM, 0, 0, 0, MENTARA_TYPES },
    { "from", MENTARA_FIELD_TIME, 0, 0, 0, NULL },
    { "to", MENTARA_FIELD_TIME, 0, 0, 0, NULL },
    { "page", INTEGER, 0, 1, MENTARA_INTEGER_MAX, NULL },
    { "limit", INTEGER, 0, 1, 100, NULL },
    MENTARA_END
};


static const mentara_field_t  mentara_query_conversations[] = {
    { "page", INTEGER, ONE_OF, 1, MENTARA_INTEGER_MAX, NULL },
    { "cursor", STRING, ONE_OF, 1, 8192, NULL },
    { "limit", INTEGER, 0, 1, 100, NULL },
    { "sessionId", STRING, 0, 1, 128, NULL },
    { "archived", MENTARA_FIELD_ENUM, 0, 0, 0, "false true all" },
    MENTARA_END
};


static const mentara_field_t  mentara_query_messages[] = {
    { "page", INTEGER, ONE_OF, 1, MENTARA_INTEGER_MAX, NULL },
    { "before", INTEGER, ONE_OF, 0, MENTARA_INTEGER_MAX, NULL },
    { "after", INTEGER, ONE_OF, 0, MENTARA_INTEGER_MAX, NULL },
    { "around", MENTARA_FIELD_UUID, ONE_OF, 0, 0, NULL },
    { "limit", INTEGER, 0, 1, 100, NULL },
    MENTARA_END
};


static const mentara_field_t  mentara_query_support[] = {
    { "status", MENTARA_FIELD_ENUM, 0, 0, 0, "unclaimed" },
    { "page", INTEGER, 0, 1, MENTARA_INTEGER_MAX, NULL },
    { "limit", INTEGER, 0, 1, 100, NULL },
    MENTARA_END
};


static const mentara_field_t  mentara_query_contacts[] = {
    { "query", STRING, 0, 0, 256, NULL },
    { "limit", INTEGER, 0, 1, 100, NULL },
    MENTARA_END
};


static const mentara_field_t  mentara_event_conversation[] = {
    { "conversationId", MENTARA_FIELD_UUID, REQUIRED, 0, 0, NULL },
    MENTARA_END
};


static const mentara_field_t  mentara_event_typing[] = {
    { "conversationId", MENTARA_FIELD_UUID, REQUIRED, 0, 0, NULL },
    { "isTyping", MENTARA_FIELD_BOOLEAN, 0, 0, 0, NULL },
    MENTARA_END
};


static const mentara_field_t  mentara_event_read[] = {
    { "messageId", MENTARA_FIELD_UUID, REQUIRED, 0, 0, NULL },
    MENTARA_END
};


static const mentara_field_t  mentara_event_authenticate[] = {
    { "token", STRING, REQUIRED, 1, 16384, NULL },
    MENTARA_END
};


const mentara_field_t *
mentara_body_fields(int endpoint)
{
    switch (endpoint) {

    case MENTARA_EVENT_CONVERSATION:
        return mentara_event_conversation;

    case MENTARA_EVENT_TYPING:
        return mentara_event_typing;

    case MENTARA_EVENT_READ:
        return mentara_event_read;

    case MENTARA_EVENT_AUTHENTICATE:
        return mentara_event_authenticate;

    case MENTARA_EP_CONVERSATION_CREATE:
        return mentara_body_conversation;

    case MENTARA_EP_CONVERSATION_UPDATE:
        return mentara_body_conversation_update;

    case MENTARA_EP_PARTICIPANT_ADD:
        return mentara_body_participant;

    case MENTARA_EP_PARTICIPANT_UPDATE:
        return mentara_body_role;

    case MENTARA_EP_MESSAGE_SEND:
        return mentara_body_send;

    case MENTARA_EP_MESSAGE_EDIT:
        return mentara_body_edit;

    case MENTARA_EP_MESSAGE_READ_BATCH:
        return mentara_body_read_batch;

    case MENTARA_EP_REACTION_ADD:
        return mentara_body_reaction;

    case MENTARA_EP_BLOCK_ADD:
        return mentara_body_block;

    case MENTARA_EP_SEARCH_POST:
        return mentara_search;

    default:
        return mentara_none;
    }
}


const mentara_field_t *
mentara_query_fields(int endpoint)
{
    switch (endpoint) {

    case MENTARA_EP_CONVERSATION_LIST:
        return mentara_query_conversations;

    case MENTARA_EP_MESSAGE_PAGE:
        return mentara_query_messages;

    case MENTARA_EP_SUPPORT_LIST:
        return mentara_query_support;

    case MENTARA_EP_SEARCH:
        return mentara_search;

    case MENTARA_EP_CONTACT_LIST:
        return mentara_query_contacts;

    default:
        return mentara_none;
    }
}
