/*
 * The endpoint table of the REST contract: method and path, relative to the
 * location's prefix, to an endpoint and its raw path parameters.
 */

#ifndef _MENTARA_ROUTE_H_INCLUDED_
#define _MENTARA_ROUTE_H_INCLUDED_


#include <mentara.h>


typedef enum {
    MENTARA_EP_CONVERSATION_CREATE = 0,
    MENTARA_EP_CONVERSATION_LIST,
    MENTARA_EP_CONVERSATION_GET,
    MENTARA_EP_CONVERSATION_UPDATE,
    MENTARA_EP_PARTICIPANT_ADD,
    MENTARA_EP_PARTICIPANT_UPDATE,
    MENTARA_EP_PARTICIPANT_REMOVE,
    MENTARA_EP_SUPPORT_LIST,
    MENTARA_EP_SUPPORT_CLAIM,
    MENTARA_EP_SUPPORT_UNCLAIM,
    MENTARA_EP_MESSAGE_PAGE,
    MENTARA_EP_MESSAGE_SEND,
    MENTARA_EP_MESSAGE_GET,
    MENTARA_EP_MESSAGE_EDIT,
    MENTARA_EP_MESSAGE_DELETE,
    MENTARA_EP_MESSAGE_REVISIONS,
    MENTARA_EP_MESSAGE_READ,
    MENTARA_EP_MESSAGE_READ_BATCH,
    MENTARA_EP_REACTION_ADD,
    MENTARA_EP_REACTION_REMOVE,
    MENTARA_EP_BLOCK_ADD,
    MENTARA_EP_BLOCK_REMOVE,
    MENTARA_EP_BLOCK_LIST,
    MENTARA_EP_SEARCH,
    MENTARA_EP_SEARCH_POST,
    MENTARA_EP_CONTACT_LIST,
    MENTARA_EP_ME,
    MENTARA_EP_LOGOUT,
    MENTARA_EP_ACCESS_LIST,
    MENTARA_EP_HEALTH,
    MENTARA_EP_N,

    /* no endpoints, but with fields like theirs: events of a socket */

    MENTARA_EVENT_CONVERSATION,    /* join_conversation, leave_conversation */
    MENTARA_EVENT_TYPING,
    MENTARA_EVENT_READ,
    MENTARA_EVENT_AUTHENTICATE
} mentara_endpoint_e;


typedef enum {
    MENTARA_GET = 0,
    MENTARA_POST,
    MENTARA_PUT,
    MENTARA_PATCH,
    MENTARA_DELETE,
    MENTARA_OPTIONS,
    MENTARA_OTHER
} mentara_method_e;         /* HEAD is MENTARA_GET */


#define MENTARA_PARAM_NONE   0
#define MENTARA_PARAM_UUID   1
#define MENTARA_PARAM_USER   2
#define MENTARA_PARAM_EMOJI  3


typedef struct {
    int               endpoint;    /* MENTARA_EP_..., valid with MENTARA_OK */
    mentara_slice_t   params[2];   /* raw: still percent-encoded */
    int               kinds[2];    /* MENTARA_PARAM_... */
    const char       *allow;       /* for 405 and OPTIONS */
} mentara_route_t;


#define MENTARA_ROUTE_UNKNOWN  -3  /* 404: no such path */
#define MENTARA_ROUTE_METHOD   -4  /* 405, or OPTIONS: allow is set */


/*
 * path begins with "/" and has no query.  MENTARA_OK, MENTARA_ROUTE_UNKNOWN
 * or MENTARA_ROUTE_METHOD.
 */
int mentara_route_match(int method, mentara_slice_t path,
    mentara_route_t *route);

/* "message_send" and the like; for $mentara_route */
const char *mentara_route_name(int endpoint);


/*
 * Percent-decodes in into out (at least in.len octets); a plus sign is a
 * space when plus is set.  Returns the length or MENTARA_BAD: a broken
 * escape, or %00.
 */
long mentara_percent_decode(unsigned char *out, mentara_slice_t in, int plus);

/*
 * The next pair of a query string: raw name and value.  MENTARA_OK, or
 * MENTARA_MORE at its end.
 */
int mentara_query_next(mentara_slice_t *rest, mentara_slice_t *name,
    mentara_slice_t *value);


#endif /* _MENTARA_ROUTE_H_INCLUDED_ */
