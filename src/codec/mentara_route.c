
#include <mentara_route.h>


#define MENTARA_SEGMENTS  5


typedef struct {
    int          method;
    int          endpoint;
    const char  *name;
    const char  *path[MENTARA_SEGMENTS];  /* ":id", ":user", ":emoji" or text */
} mentara_route_row_t;


static int mentara_route_split(mentara_slice_t path, mentara_slice_t *seg);
static int mentara_route_fits(const mentara_route_row_t *row,
    mentara_slice_t *seg, int n, mentara_route_t *route);
static const char *mentara_route_allow(unsigned methods);
static int mentara_route_hex(unsigned char c);


static const mentara_route_row_t  mentara_routes[] = {

    { MENTARA_POST, MENTARA_EP_CONVERSATION_CREATE, "conversation_create",
      { "conversations" } },
    { MENTARA_GET, MENTARA_EP_CONVERSATION_LIST, "conversation_list",
      { "conversations" } },
    { MENTARA_GET, MENTARA_EP_CONVERSATION_GET, "conversation_get",
      { "conversations", ":id" } },
    { MENTARA_PATCH, MENTARA_EP_CONVERSATION_UPDATE, "conversation_update",
      { "conversations", ":id" } },
    { MENTARA_POST, MENTARA_EP_PARTICIPANT_ADD, "participant_add",
      { "conversations", ":id", "participants" } },
    { MENTARA_PATCH, MENTARA_EP_PARTICIPANT_UPDATE, "participant_update",
      { "conversations", ":id", "participants", ":user" } },
    { MENTARA_DELETE, MENTARA_EP_PARTICIPANT_REMOVE, "participant_remove",
      { "conversations", ":id", "participants", ":user" } },
    { MENTARA_GET, MENTARA_EP_SUPPORT_LIST, "support_list",
      { "support" } },
    { MENTARA_POST, MENTARA_EP_SUPPORT_CLAIM, "support_claim",
      { "conversations", ":id", "claim" } },
    { MENTARA_DELETE, MENTARA_EP_SUPPORT_UNCLAIM, "support_unclaim",
      { "conversations", ":id", "claim" } },
    { MENTARA_GET, MENTARA_EP_MESSAGE_PAGE, "message_page",
      { "conversations", ":id", "messages" } },
    { MENTARA_POST, MENTARA_EP_MESSAGE_SEND, "message_send",
      { "conversations", ":id", "messages" } },
    { MENTARA_GET, MENTARA_EP_MESSAGE_GET, "message_get",
      { "messages", ":id" } },
    { MENTARA_PUT, MENTARA_EP_MESSAGE_EDIT, "message_edit",
      { "messages", ":id" } },
    { MENTARA_DELETE, MENTARA_EP_MESSAGE_DELETE, "message_delete",
      { "messages", ":id" } },
    { MENTARA_GET, MENTARA_EP_MESSAGE_REVISIONS, "message_revisions",
      { "messages", ":id", "revisions" } },
    { MENTARA_POST, MENTARA_EP_MESSAGE_READ, "message_read",
      { "messages", ":id", "read" } },
    { MENTARA_POST, MENTARA_EP_MESSAGE_READ_BATCH, "message_read_batch",
      { "conversations", ":id", "messages", "read-batch" } },
    { MENTARA_POST, MENTARA_EP_REACTION_ADD, "reaction_add",
      { "messages", ":id", "reactions" } },
    { MENTARA_DELETE, MENTARA_EP_REACTION_REMOVE, "reaction_remove",
      { "messages", ":id", "reactions", ":emoji" } },
    { MENTARA_POST, MENTARA_EP_BLOCK_ADD, "block_add",
      { "block" } },
    { MENTARA_DELETE, MENTARA_EP_BLOCK_REMOVE, "block_remove",
      { "block", ":user" } },
    { MENTARA_GET, MENTARA_EP_BLOCK_LIST, "block_list",
      { "block" } },
    { MENTARA_GET, MENTARA_EP_SEARCH, "search",
      { "search" } },
    { MENTARA_POST, MENTARA_EP_SEARCH_POST, "search",
      { "search" } },
    { MENTARA_GET, MENTARA_EP_CONTACT_LIST, "contact_list",
      { "contacts" } },
    { MENTARA_GET, MENTARA_EP_ME, "me",
      { "me" } },
    { MENTARA_POST, MENTARA_EP_LOGOUT, "logout",
      { "logout" } },
    { MENTARA_GET, MENTARA_EP_ACCESS_LIST, "access_list",
      { "conversations", ":id", "access" } },
    { MENTARA_GET, MENTARA_EP_HEALTH, "health",
      { "health" } },
};


#define MENTARA_ROUTES  (sizeof(mentara_routes) / sizeof(mentara_routes[0]))


int
mentara_route_match(int method, mentara_slice_t path, mentara_route_t *route)
{
    int              n;
    size_t           i;
    unsigned         methods;
    mentara_slice_t  seg[MENTARA_SEGMENTS];
    mentara_route_t  fit;

    memset(route, 0, sizeof(mentara_route_t));
    n = mentara_route_split(path, seg);

    if (n < 0) {
        return MENTARA_ROUTE_UNKNOWN;
    }

    methods = 0;

    for (i = 0; i < MENTARA_ROUTES; i++) {
        if (!mentara_route_fits(&mentara_routes[i], seg, n, &fit)) {
            continue;
        }

        methods |= 1u << mentara_routes[i].method;

        if (mentara_routes[i].method == method) {
            *route = fit;
            route->endpoint = mentara_routes[i].endpoint;
            return MENTARA_OK;
        }
    }

    if (methods == 0) {
        return MENTARA_ROUTE_UNKNOWN;
    }

    route->allow = mentara_route_allow(methods);

    return MENTARA_ROUTE_METHOD;
}


/* the number of segments, or -1: too many, or an empty one */

static int
mentara_route_split(mentara_slice_t path, mentara_slice_t *seg)
{
    int             n;
    unsigned char  *p, *last, *end;

    p = path.data;
    last = path.data + path.len;
    n = 0;

    while (p < last) {
        if (*p != '/' || n == MENTARA_SEGMENTS) {
            return -1;
        }

        p++;
        end = memchr(p, '/', (size_t) (last - p));

        if (end == NULL) {
            end = last;
        }

        if (end == p) {
            return -1;
        }

        seg[n].data = p;
        seg[n].len = (size_t) (end - p);
        n++;
        p = end;
    }

    return n;
}


static int
mentara_route_fits(const mentara_route_row_t *row, mentara_slice_t *seg,
    int n, mentara_route_t *route)
{
    int          i, params;
    const char  *part;

    memset(route, 0, sizeof(mentara_route_t));
    params = 0;

    for (i = 0; i < MENTARA_SEGMENTS; i++) {
        part = row->path[i];

        if (i == n || part == NULL) {
            return i == n && part == NULL;
        }

        if (part[0] != ':') {
            if (strlen(part) != seg[i].len
                || memcmp(part, seg[i].data, seg[i].len) != 0)
            {
                return 0;
            }

            continue;
        }

        route->params[params] = seg[i];
        route->kinds[params] = (part[1] == 'i') ? MENTARA_PARAM_UUID
                               : (part[1] == 'u') ? MENTARA_PARAM_USER
                               : MENTARA_PARAM_EMOJI;
        params++;
    }

    return 1;
}


/* the sets of methods that occur; GET brings HEAD along */

static const char *
mentara_route_allow(unsigned methods)
{
    size_t       i;

    static const struct {
        unsigned     methods;
        const char  *allow;
    } sets[] = {
        { 1u << MENTARA_GET, "GET, HEAD, OPTIONS" },
        { 1u << MENTARA_POST, "POST, OPTIONS" },
        { 1u << MENTARA_DELETE, "DELETE, OPTIONS" },
        { 1u << MENTARA_GET | 1u << MENTARA_POST,
          "GET, HEAD, POST, OPTIONS" },
        { 1u << MENTARA_GET | 1u << MENTARA_PATCH,
          "GET, HEAD, PATCH, OPTIONS" },
        { 1u << MENTARA_PATCH | 1u << MENTARA_DELETE,
          "PATCH, DELETE, OPTIONS" },
        { 1u << MENTARA_POST | 1u << MENTARA_DELETE,
          "POST, DELETE, OPTIONS" },
        { 1u << MENTARA_GET | 1u << MENTARA_PUT | 1u << MENTARA_DELETE,
          "GET, HEAD, PUT, DELETE, OPTIONS" },
    };

    for (i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
        if (sets[i].methods == methods) {
            return sets[i].allow;
        }
    }

    return "OPTIONS";
}


const char *
mentara_route_name(int endpoint)
{
    size_t  i;

    for (i = 0; i < MENTARA_ROUTES; i++) {
        if (mentara_routes[i].endpoint == endpoint) {
            return mentara_routes[i].name;
        }
    }

    return "";
}


static int
mentara_route_hex(unsigned char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }

    c |= 0x20;

    return (c >= 'a' && c <= 'f') ? c - 'a' + 10 : -1;
}


long
mentara_percent_decode(unsigned char *out, mentara_slice_t in, int plus)
{
    int             high, low;
    size_t          i;
    unsigned char  *p;

    p = out;

    for (i = 0; i < in.len; i++) {
        if (in.data[i] == '+' && plus) {
            *p++ = ' ';
            continue;
        }

        if (in.data[i] != '%') {
            *p++ = in.data[i];
            continue;
        }

        if (in.len - i < 3) {
            return MENTARA_BAD;
        }

        high = mentara_route_hex(in.data[i + 1]);
        low = mentara_route_hex(in.data[i + 2]);

        if (high < 0 || low < 0 || (high == 0 && low == 0)) {
            return MENTARA_BAD;
        }

        *p++ = (unsigned char) (high << 4 | low);
        i += 2;
    }

    return (long) (p - out);
}


int
mentara_query_next(mentara_slice_t *rest, mentara_slice_t *name,
    mentara_slice_t *value)
{
    size_t          len;
    unsigned char  *end, *eq;

    if (rest->len == 0) {
        return MENTARA_MORE;
    }

    end = memchr(rest->data, '&', rest->len);
    len = (end == NULL) ? rest->len : (size_t) (end - rest->data);

    name->data = rest->data;
    name->len = len;
    value->data = rest->data + len;
    value->len = 0;

    eq = memchr(rest->data, '=', len);

    if (eq != NULL) {
        name->len = (size_t) (eq - rest->data);
        value->data = eq + 1;
        value->len = len - name->len - 1;
    }

    if (end != NULL) {
        len++;
    }

    rest->data += len;
    rest->len -= len;

    return MENTARA_OK;
}
