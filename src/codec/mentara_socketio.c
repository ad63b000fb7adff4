
#include <limits.h>
#include <mentara_socketio.h>


#define MENTARA_SIO_ID_MAX  9007199254740991ull    /* 2^53 - 1 */


static const unsigned char *mentara_sio_attachments(
    mentara_sio_packet_t *packet, const unsigned char *pos,
    const unsigned char *last);
static const unsigned char *mentara_sio_nsp(mentara_sio_packet_t *packet,
    const unsigned char *pos, const unsigned char *last);
static const unsigned char *mentara_sio_id(mentara_sio_packet_t *packet,
    const unsigned char *pos, const unsigned char *last);
static int mentara_sio_rules(mentara_sio_packet_t *packet);
static int mentara_sio_array(mentara_sio_packet_t *packet, int event);
static int mentara_sio_reserved(const mentara_sio_packet_t *packet);
static int mentara_sio_placeholders(const mentara_sio_packet_t *packet);
static int mentara_sio_placeholder_object(mentara_slice_t value,
    unsigned *num);
static void mentara_sio_index(mentara_slice_t value, unsigned *num);
static int mentara_sio_is(mentara_slice_t value, const char *text);


static const unsigned char  mentara_sio_root[] = "/";


int
mentara_sio_packet(mentara_sio_packet_t *packet, const unsigned char *pos,
    const unsigned char *last)
{
    intptr_t  n;

    memset(packet, 0, sizeof(mentara_sio_packet_t));

    if (pos == last || *pos < '0' || *pos > '6') {
        return MENTARA_BAD;
    }

    packet->type = (mentara_sio_type_e) (*pos++ - '0');

    pos = mentara_sio_attachments(packet, pos, last);

    if (pos == NULL) {
        return MENTARA_BAD;
    }

    pos = mentara_sio_nsp(packet, pos, last);

    if (pos == NULL) {
        return MENTARA_BAD;
    }

    pos = mentara_sio_id(packet, pos, last);

    if (pos == NULL) {
        return MENTARA_BAD;
    }

    packet->payload.data = (unsigned char *) pos;

    if (pos < last) {
        n = mentara_json_scan(pos, last, &packet->payload, &packet->marks);

        if (n < 0 || n != last - pos) {
            return MENTARA_BAD;
        }
    }

    return mentara_sio_rules(packet);
}


/* "<n>-" of binary packets */

static const unsigned char *
mentara_sio_attachments(mentara_sio_packet_t *packet,
    const unsigned char *pos, const unsigned char *last)
{
    const unsigned char  *start;

    if (packet->type != MENTARA_SIO_BINARY_EVENT
        && packet->type != MENTARA_SIO_BINARY_ACK)
    {
        return pos;
    }

    start = pos;

    while (pos < last && *pos >= '0' && *pos <= '9') {
        packet->attachments = packet->attachments * 10 + (*pos++ - '0');

        if (packet->attachments > MENTARA_SIO_ATTACHMENTS) {
            return NULL;
        }
    }

    if (pos == start || pos == last || *pos != '-') {
        return NULL;
    }

    return pos + 1;
}


/* "/name," up to the comma, or to the end */

static const unsigned char *
mentara_sio_nsp(mentara_sio_packet_t *packet, const unsigned char *pos,
    const unsigned char *last)
{
    const unsigned char  *start;

    if (pos == last || *pos != '/') {
        packet->nsp.data = (unsigned char *) mentara_sio_root;
        packet->nsp.len = 1;

        return pos;
    }

    start = pos;

    while (pos < last && *pos != ',') {
        pos++;
    }

    packet->nsp.data = (unsigned char *) start;
    packet->nsp.len = (size_t) (pos - start);

    if (packet->nsp.len > MENTARA_SIO_NSP_MAX) {
        return NULL;
    }

    return (pos < last) ? pos + 1 : pos;
}


/* what a JavaScript number holds exactly, and no more */

static const unsigned char *
mentara_sio_id(mentara_sio_packet_t *packet, const unsigned char *pos,
    const unsigned char *last)
{
    while (pos < last && *pos >= '0' && *pos <= '9') {
        packet->has_id = 1;
        packet->id = packet->id * 10 + (*pos++ - '0');

        if (packet->id > MENTARA_SIO_ID_MAX) {
            return NULL;
        }
    }

    return pos;
}


static int
mentara_sio_rules(mentara_sio_packet_t *packet)
{
    switch (packet->type) {

    case MENTARA_SIO_CONNECT:
        if (packet->payload.len > 0
            && !mentara_json_is_object(packet->payload))
        {
            return MENTARA_BAD;
        }

        return MENTARA_OK;

    case MENTARA_SIO_DISCONNECT:
        return (packet->payload.len == 0) ? MENTARA_OK : MENTARA_BAD;

    case MENTARA_SIO_EVENT:
    case MENTARA_SIO_BINARY_EVENT:
        if (mentara_sio_array(packet, 1) != MENTARA_OK
            || mentara_sio_reserved(packet))
        {
            return MENTARA_BAD;
        }

        return mentara_sio_placeholders(packet);

    case MENTARA_SIO_ACK:
    case MENTARA_SIO_BINARY_ACK:
        if (!packet->has_id || mentara_sio_array(packet, 0) != MENTARA_OK) {
            return MENTARA_BAD;
        }

        return mentara_sio_placeholders(packet);

    case MENTARA_SIO_CONNECT_ERROR:
        break;
    }

    return MENTARA_BAD;
}


/* finds the name (of an event), the arguments and their number */

static int
mentara_sio_array(mentara_sio_packet_t *packet, int event)
{
    mentara_slice_t       value, *payload;
    const unsigned char  *pos, *start;

    payload = &packet->payload;

    if (payload->len == 0 || !mentara_json_is_array(*payload)) {
        return MENTARA_BAD;
    }

    pos = NULL;
    start = payload->data + 1;

    if (event) {
        if (mentara_json_element(*payload, &pos, &packet->name) != MENTARA_OK
            || !(mentara_json_is_string(packet->name)
                 || mentara_json_is_number(packet->name)))
        {
            return MENTARA_BAD;
        }

        start = pos;
    }

    while (mentara_json_element(*payload, &pos, &value) == MENTARA_OK) {
        if (packet->nargs == 0) {
            start = value.data;
        }

        packet->nargs++;
    }

    if (packet->nargs > 0) {
        packet->args.data = (unsigned char *) start;
        packet->args.len = (size_t) (payload->data + payload->len - 1 - start);
    }

    return MENTARA_OK;
}


int
mentara_sio_name_is(const mentara_sio_packet_t *packet, const char *name)
{
    intptr_t       n;
    unsigned char  text[MENTARA_SIO_NAME_MAX];

    if (packet->name.len == 0 || !mentara_json_is_string(packet->name)) {
        return 0;
    }

    n = mentara_json_unescape(packet->name, text, sizeof(text));

    return n >= 0 && (size_t) n == strlen(name)
           && memcmp(text, name, (size_t) n) == 0;
}


/* names that a stock server keeps for itself */

static int
mentara_sio_reserved(const mentara_sio_packet_t *packet)
{
    size_t             i;
    static const char  *names[] = { "connect", "connect_error", "disconnect",
                                    "disconnecting", "newListener",
                                    "removeListener" };

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (mentara_sio_name_is(packet, names[i])) {
            return 1;
        }
    }

    return 0;
}


/* each one names an attachment that was announced */

static int
mentara_sio_placeholders(const mentara_sio_packet_t *packet)
{
    unsigned              num;
    mentara_slice_t       extent;
    const unsigned char  *pos;

    if (packet->type != MENTARA_SIO_BINARY_EVENT
        && packet->type != MENTARA_SIO_BINARY_ACK)
    {
        return MENTARA_OK;
    }

    pos = NULL;

    while (mentara_sio_placeholder(packet->payload, &pos, &extent, &num)
           == MENTARA_OK)
    {
        if (num >= packet->attachments) {
            return MENTARA_BAD;
        }
    }

    return MENTARA_OK;
}


/*
 * Looks at each "{" outside of strings.  The text is valid, so a string ends
 * at the first quote that no backslash precedes.
 */

int
mentara_sio_placeholder(mentara_slice_t payload, const unsigned char **pos,
    mentara_slice_t *extent, unsigned *num)
{
    const unsigned char  *p, *last;

    if (payload.len == 0) {
        return MENTARA_MORE;
    }

    p = (*pos == NULL) ? payload.data : *pos;
    last = payload.data + payload.len;

    while (p < last) {

        if (*p == '"') {
            for (p++; p < last && *p != '"'; p++) {
                p += (*p == '\\');
            }

            p++;
            continue;
        }

        if (*p == '{') {
            extent->data = (unsigned char *) p;
            extent->len = (size_t) (last - p);

            if (mentara_sio_placeholder_object(*extent, num)) {
                (void) mentara_json_scan(p, last, extent, NULL);
                *pos = p + extent->len;

                return MENTARA_OK;
            }
        }

        p++;
    }

    *pos = last;

    return MENTARA_MORE;
}


/*
 * Its mark is the first member, as clients write it: so an object is looked
 * at no further than that, however deep it is.
 */

static int
mentara_sio_placeholder_object(mentara_slice_t value, unsigned *num)
{
    intptr_t              n;
    mentara_slice_t       name, member;
    const unsigned char  *pos, *last;

    pos = value.data + 1;
    last = value.data + value.len;

    n = mentara_json_scan(pos, last, &name, NULL);

    if (n < 0 || !mentara_sio_is(name, "\"_placeholder\"")) {
        return 0;
    }

    pos += n + 1;

    while (pos < last && *pos != 't' && *pos <= ' ') {
        pos++;
    }

    if (pos == last || *pos != 't') {
        return 0;
    }

    pos += 4;
    *num = UINT_MAX;

    for ( ;; ) {

        while (*pos <= ' ') {
            pos++;
        }

        if (*pos != ',') {
            return 1;
        }

        pos++;
        pos += mentara_json_scan(pos, last, &name, NULL) + 1;
        pos += mentara_json_scan(pos, last, &member, NULL);

        if (mentara_sio_is(name, "\"num\"")) {
            mentara_sio_index(member, num);
        }
    }
}


static void
mentara_sio_index(mentara_slice_t value, unsigned *num)
{
    size_t    i;
    unsigned  n;

    n = 0;

    for (i = 0; i < value.len; i++) {
        if (i == 4 || value.data[i] < '0' || value.data[i] > '9') {
            n = UINT_MAX;
            break;
        }

        n = n * 10 + (value.data[i] - '0');
    }

    *num = n;
}


static int
mentara_sio_is(mentara_slice_t value, const char *text)
{
    return value.len == strlen(text)
           && memcmp(value.data, text, value.len) == 0;
}


void
mentara_sio_put_placeholder(mentara_json_t *j, unsigned num)
{
    static const char  text[] = "{\"_placeholder\":true,\"num\":";

    mentara_json_raw(j, text, sizeof(text) - 1);
    mentara_json_int(j, num);
    mentara_json_raw(j, "}", 1);
}


void
mentara_sio_put_head(mentara_json_t *j, mentara_sio_type_e type,
    unsigned attachments, mentara_slice_t nsp, const uint64_t *id)
{
    mentara_json_int(j, type);

    if (type == MENTARA_SIO_BINARY_EVENT || type == MENTARA_SIO_BINARY_ACK) {
        mentara_json_int(j, attachments);
        mentara_json_raw(j, "-", 1);
    }

    if (nsp.len != 1) {
        mentara_json_raw(j, nsp.data, nsp.len);
        mentara_json_raw(j, ",", 1);
    }

    if (id != NULL) {
        mentara_json_int(j, (int64_t) *id);
    }
}


void
mentara_sio_put_connect(mentara_json_t *j, mentara_slice_t nsp,
    mentara_slice_t sid, mentara_slice_t pid)
{
    mentara_sio_put_head(j, MENTARA_SIO_CONNECT, 0, nsp, NULL);

    mentara_json_raw(j, "{\"sid\":", 7);
    mentara_json_string(j, sid.data, sid.len);

    if (pid.len > 0) {
        mentara_json_raw(j, ",\"pid\":", 7);
        mentara_json_string(j, pid.data, pid.len);
    }

    mentara_json_raw(j, "}", 1);
}


void
mentara_sio_put_connect_error(mentara_json_t *j, mentara_slice_t nsp,
    mentara_slice_t message, mentara_slice_t data)
{
    mentara_sio_put_head(j, MENTARA_SIO_CONNECT_ERROR, 0, nsp, NULL);

    mentara_json_raw(j, "{\"message\":", 11);
    mentara_json_string(j, message.data, message.len);

    if (data.len > 0) {
        mentara_json_raw(j, ",\"data\":", 8);
        mentara_json_raw(j, data.data, data.len);
    }

    mentara_json_raw(j, "}", 1);
}


void
mentara_sio_put_event(mentara_json_t *j, mentara_slice_t nsp,
    mentara_slice_t name)
{
    mentara_sio_put_head(j, MENTARA_SIO_EVENT, 0, nsp, NULL);

    mentara_json_raw(j, "[", 1);
    mentara_json_string(j, name.data, name.len);
}


void
mentara_sio_put_ack(mentara_json_t *j, mentara_slice_t nsp, uint64_t id)
{
    mentara_sio_put_head(j, MENTARA_SIO_ACK, 0, nsp, &id);

    mentara_json_raw(j, "[", 1);
}


void
mentara_sio_put_disconnect(mentara_json_t *j, mentara_slice_t nsp)
{
    mentara_sio_put_head(j, MENTARA_SIO_DISCONNECT, 0, nsp, NULL);
}
