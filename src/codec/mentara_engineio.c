
#include <mentara_engineio.h>


static unsigned char *mentara_eio_put(unsigned char *p, const char *text);
static unsigned char *mentara_eio_put_number(unsigned char *p, uint64_t n);
static int mentara_eio_is(mentara_slice_t value, const char *text);
static void mentara_eio_query_pair(mentara_eio_query_t *query,
    mentara_slice_t name, mentara_slice_t value, unsigned *seen);
static unsigned mentara_eio_version(mentara_slice_t value);


#define mentara_eio_answer(status, text)                                      \
    { status, { sizeof(text) - 1, (unsigned char *) text } }


static const mentara_eio_answer_t  mentara_eio_answers[] = {
    mentara_eio_answer(400, "{\"code\":0,\"message\":\"Transport unknown\"}"),
    mentara_eio_answer(400, "{\"code\":1,\"message\":\"Session ID unknown\"}"),
    mentara_eio_answer(400,
                       "{\"code\":2,\"message\":\"Bad handshake method\"}"),
    mentara_eio_answer(400, "{\"code\":3,\"message\":\"Bad request\"}"),
    mentara_eio_answer(403, "{\"code\":4,\"message\":\"Forbidden\"}"),
    mentara_eio_answer(400, "{\"code\":5,"
                            "\"message\":\"Unsupported protocol version\"}")
};


int
mentara_eio_packet(mentara_eio_packet_t *packet, unsigned char *pos,
    unsigned char *last)
{
    if (pos == last || *pos < '0' || *pos > '6') {
        return MENTARA_BAD;
    }

    packet->type = (mentara_eio_type_e) (*pos - '0');
    packet->binary = 0;
    packet->data.data = pos + 1;
    packet->data.len = (size_t) (last - pos - 1);

    return MENTARA_OK;
}


void
mentara_eio_payload_init(mentara_eio_payload_t *payload, unsigned char *pos,
    unsigned char *last)
{
    payload->pos = pos;
    payload->last = last;
    payload->end = 0;
}


int
mentara_eio_payload_next(mentara_eio_payload_t *payload,
    mentara_eio_packet_t *packet)
{
    intptr_t         n;
    unsigned char   *pos, *last;
    mentara_slice_t  text;

    if (payload->end) {
        return MENTARA_MORE;
    }

    pos = payload->pos;

    if (pos == payload->last) {
        return MENTARA_BAD;
    }

    last = memchr(pos, MENTARA_EIO_SEPARATOR, (size_t) (payload->last - pos));

    if (last == NULL) {
        last = payload->last;
        payload->end = 1;

    } else {
        payload->pos = last + 1;
    }

    if (pos == last || *pos != 'b') {
        return mentara_eio_packet(packet, pos, last);
    }

    text.data = pos + 1;
    text.len = (size_t) (last - pos - 1);

    n = mentara_base64_decode(text.data, text);

    if (n < 0) {
        return MENTARA_BAD;
    }

    packet->type = MENTARA_EIO_MESSAGE;
    packet->binary = 1;
    packet->data.data = text.data;
    packet->data.len = (size_t) n;

    return MENTARA_OK;
}


size_t
mentara_eio_put_text(unsigned char *buf, mentara_eio_type_e type,
    mentara_slice_t data)
{
    *buf = (unsigned char) ('0' + type);

    if (data.len > 0) {
        memcpy(buf + 1, data.data, data.len);
    }

    return mentara_eio_text_len(data.len);
}


size_t
mentara_eio_put_binary(unsigned char *buf, mentara_slice_t data)
{
    *buf = 'b';

    return 1 + mentara_base64_encode(buf + 1, data.data, data.len);
}


static unsigned char *
mentara_eio_put(unsigned char *p, const char *text)
{
    size_t  len;

    len = strlen(text);
    memcpy(p, text, len);

    return p + len;
}


static unsigned char *
mentara_eio_put_number(unsigned char *p, uint64_t n)
{
    size_t         len;
    unsigned char  digits[20];

    len = 0;

    do {
        digits[len++] = (unsigned char) ('0' + n % 10);
        n /= 10;
    } while (n > 0);

    while (len > 0) {
        *p++ = digits[--len];
    }

    return p;
}


/* these five members and no other: clients and their suites compare them */

size_t
mentara_eio_put_open(unsigned char *buf, const mentara_eio_open_t *open)
{
    unsigned char  *p;

    p = mentara_eio_put(buf, "0{\"sid\":\"");
    memcpy(p, open->sid.data, open->sid.len);
    p += open->sid.len;

    p = mentara_eio_put(p, open->upgrades ? "\",\"upgrades\":[\"websocket\"]"
                                          : "\",\"upgrades\":[]");
    p = mentara_eio_put(p, ",\"pingInterval\":");
    p = mentara_eio_put_number(p, open->ping_interval);
    p = mentara_eio_put(p, ",\"pingTimeout\":");
    p = mentara_eio_put_number(p, open->ping_timeout);
    p = mentara_eio_put(p, ",\"maxPayload\":");
    p = mentara_eio_put_number(p, open->max_payload);
    *p++ = '}';

    return (size_t) (p - buf);
}


static int
mentara_eio_is(mentara_slice_t value, const char *text)
{
    return value.len == strlen(text)
           && memcmp(value.data, text, value.len) == 0;
}


void
mentara_eio_query(mentara_eio_query_t *query, mentara_slice_t args)
{
    unsigned          seen;
    unsigned char    *pos, *last, *end, *equal;
    mentara_slice_t   name, value;

    memset(query, 0, sizeof(mentara_eio_query_t));

    if (args.len == 0) {
        return;
    }

    pos = args.data;
    last = args.data + args.len;
    seen = 0;

    for ( ;; ) {
        end = memchr(pos, '&', (size_t) (last - pos));

        if (end == NULL) {
            end = last;
        }

        equal = memchr(pos, '=', (size_t) (end - pos));

        name.data = pos;
        name.len = (size_t) ((equal == NULL ? end : equal) - pos);

        value.data = (equal == NULL) ? end : equal + 1;
        value.len = (size_t) (end - value.data);

        mentara_eio_query_pair(query, name, value, &seen);

        if (end == last) {
            return;
        }

        pos = end + 1;
    }
}


static void
mentara_eio_query_pair(mentara_eio_query_t *query, mentara_slice_t name,
    mentara_slice_t value, unsigned *seen)
{
    if (mentara_eio_is(name, "EIO")) {
        if ((*seen & 1) == 0) {
            *seen |= 1;
            query->version = mentara_eio_version(value);
        }

        return;
    }

    if (mentara_eio_is(name, "transport")) {
        if ((*seen & 2) == 0) {
            *seen |= 2;
            query->transport = mentara_eio_is(value, "polling")
                               ? MENTARA_EIO_TRANSPORT_POLLING
                               : mentara_eio_is(value, "websocket")
                               ? MENTARA_EIO_TRANSPORT_WEBSOCKET
                               : MENTARA_EIO_TRANSPORT_UNKNOWN;
        }

        return;
    }

    if (mentara_eio_is(name, "sid") && !query->has_sid) {
        query->has_sid = 1;
        query->sid = value;
    }
}


static unsigned
mentara_eio_version(mentara_slice_t value)
{
    if (value.len != 1 || value.data[0] < '0' || value.data[0] > '9') {
        return 0;
    }

    return value.data[0] - '0';
}


const mentara_eio_answer_t *
mentara_eio_error(mentara_eio_error_e error)
{
    return &mentara_eio_answers[error];
}
