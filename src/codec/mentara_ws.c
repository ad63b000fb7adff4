
#include <mentara_ws.h>
#include <mentara_base64.h>


typedef enum {
    ws_first = 0,
    ws_second,
    ws_length,
    ws_mask,
    ws_payload,
    ws_control,
    ws_closed
} mentara_ws_state_e;


typedef unsigned char *(*mentara_ws_state_pt)(mentara_ws_reader_t *r,
    unsigned char *pos, unsigned char *last, mentara_ws_event_t *ev,
    unsigned *due);


static unsigned char *mentara_ws_read_first(mentara_ws_reader_t *r,
    unsigned char *pos, unsigned char *last, mentara_ws_event_t *ev,
    unsigned *due);
static unsigned char *mentara_ws_read_second(mentara_ws_reader_t *r,
    unsigned char *pos, unsigned char *last, mentara_ws_event_t *ev,
    unsigned *due);
static unsigned char *mentara_ws_read_length(mentara_ws_reader_t *r,
    unsigned char *pos, unsigned char *last, mentara_ws_event_t *ev,
    unsigned *due);
static unsigned char *mentara_ws_read_mask(mentara_ws_reader_t *r,
    unsigned char *pos, unsigned char *last, mentara_ws_event_t *ev,
    unsigned *due);
static unsigned char *mentara_ws_read_payload(mentara_ws_reader_t *r,
    unsigned char *pos, unsigned char *last, mentara_ws_event_t *ev,
    unsigned *due);
static unsigned char *mentara_ws_read_control(mentara_ws_reader_t *r,
    unsigned char *pos, unsigned char *last, mentara_ws_event_t *ev,
    unsigned *due);
static unsigned char *mentara_ws_fail(mentara_ws_reader_t *r,
    unsigned status);
static int mentara_ws_announced(mentara_ws_reader_t *r);
static void mentara_ws_unmask(mentara_ws_reader_t *r, unsigned char *pos,
    unsigned char *last);
static int mentara_ws_control_event(mentara_ws_reader_t *r,
    mentara_ws_event_t *ev);
static int mentara_ws_close_event(mentara_ws_reader_t *r,
    mentara_ws_event_t *ev);


static const mentara_ws_state_pt  mentara_ws_states[] = {
    mentara_ws_read_first,
    mentara_ws_read_second,
    mentara_ws_read_length,
    mentara_ws_read_mask,
    mentara_ws_read_payload,
    mentara_ws_read_control
};


void
mentara_ws_reader_init(mentara_ws_reader_t *r, uint64_t max, unsigned deflate)
{
    memset(r, 0, sizeof(mentara_ws_reader_t));

    r->max = max;
    r->deflate = (deflate != 0);

    mentara_utf8_init(&r->utf8);
}


/*
 * A state takes octets and returns the new position, or NULL after a fault.
 * It is only called with at least one octet, but for a payload or a control
 * body of none: those are called at once, by whoever finished the head.
 */

intptr_t
mentara_ws_read(mentara_ws_reader_t *r, unsigned char *pos,
    unsigned char *last, mentara_ws_event_t *ev)
{
    unsigned        due;
    unsigned char  *p;

    due = 0;
    p = pos;

    while (p < last) {

        if (r->state == ws_closed) {
            return MENTARA_MORE;
        }

        p = mentara_ws_states[r->state](r, p, last, ev, &due);

        if (p == NULL) {
            return MENTARA_BAD;
        }

        if (due) {
            return p - pos;
        }
    }

    return MENTARA_MORE;
}


static unsigned char *
mentara_ws_fail(mentara_ws_reader_t *r, unsigned status)
{
    r->state = ws_closed;
    r->status = status;

    return NULL;
}


/* FIN, RSV, opcode: RFC 6455, sections 5.2, 5.4, 5.5; RFC 7692, section 6 */

static unsigned char *
mentara_ws_read_first(mentara_ws_reader_t *r, unsigned char *pos,
    unsigned char *last, mentara_ws_event_t *ev, unsigned *due)
{
    unsigned  c, rsv1;

    (void) last;
    (void) ev;
    (void) due;

    c = *pos++;
    rsv1 = (c & 0x40) != 0;

    r->fin = (c & 0x80) != 0;
    r->opcode = c & 0x0f;

    if ((c & 0x30) != 0 || (rsv1 && !r->deflate)) {
        return mentara_ws_fail(r, MENTARA_WS_PROTOCOL);
    }

    switch (r->opcode) {

    case MENTARA_WS_CONTINUATION:
        if (r->message == 0 || rsv1) {
            return mentara_ws_fail(r, MENTARA_WS_PROTOCOL);
        }

        break;

    case MENTARA_WS_TEXT:
    case MENTARA_WS_BINARY:
        if (r->message != 0) {
            return mentara_ws_fail(r, MENTARA_WS_PROTOCOL);
        }

        r->message = r->opcode;
        r->compressed = (rsv1 != 0);
        r->total = 0;
        mentara_utf8_init(&r->utf8);
        break;

    case MENTARA_WS_CLOSE:
    case MENTARA_WS_PING:
    case MENTARA_WS_PONG:
        if (!r->fin || rsv1) {
            return mentara_ws_fail(r, MENTARA_WS_PROTOCOL);
        }

        break;

    default:
        return mentara_ws_fail(r, MENTARA_WS_PROTOCOL);
    }

    r->state = ws_second;

    return pos;
}


/* mask bit and short length: a client must mask, RFC 6455, section 5.1 */

static unsigned char *
mentara_ws_read_second(mentara_ws_reader_t *r, unsigned char *pos,
    unsigned char *last, mentara_ws_event_t *ev, unsigned *due)
{
    unsigned  c;

    (void) last;
    (void) ev;
    (void) due;

    c = *pos++;

    if ((c & 0x80) == 0) {
        return mentara_ws_fail(r, MENTARA_WS_PROTOCOL);
    }

    c &= 0x7f;

    if (r->opcode >= MENTARA_WS_CLOSE && c > MENTARA_WS_CONTROL_MAX) {
        return mentara_ws_fail(r, MENTARA_WS_PROTOCOL);
    }

    r->nmask = 0;

    if (c >= 126) {
        r->length = 0;
        r->wide = (c == 127);
        r->nlength = r->wide ? 8 : 2;
        r->state = ws_length;

        return pos;
    }

    r->length = c;

    if (mentara_ws_announced(r) != MENTARA_OK) {
        return mentara_ws_fail(r, MENTARA_WS_TOO_BIG);
    }

    r->state = ws_mask;

    return pos;
}


/* 16 or 64 bits, the fewest that do, the top bit of 64 clear */

static unsigned char *
mentara_ws_read_length(mentara_ws_reader_t *r, unsigned char *pos,
    unsigned char *last, mentara_ws_event_t *ev, unsigned *due)
{
    (void) ev;
    (void) due;

    if (r->nlength == 8 && (*pos & 0x80) != 0) {
        return mentara_ws_fail(r, MENTARA_WS_PROTOCOL);
    }

    while (pos < last && r->nlength > 0) {
        r->length = r->length << 8 | *pos++;
        r->nlength--;
    }

    if (r->nlength > 0) {
        return pos;
    }

    if (r->length < (r->wide ? 65536u : 126u)) {
        return mentara_ws_fail(r, MENTARA_WS_PROTOCOL);
    }

    if (mentara_ws_announced(r) != MENTARA_OK) {
        return mentara_ws_fail(r, MENTARA_WS_TOO_BIG);
    }

    r->state = ws_mask;

    return pos;
}


/* the length of a frame is known: may the message become so long? */

static int
mentara_ws_announced(mentara_ws_reader_t *r)
{
    uint64_t  max;

    r->left = r->length;

    if (r->opcode >= MENTARA_WS_CLOSE) {
        return MENTARA_OK;
    }

    max = r->max;

    if (r->compressed) {
        max += max / 256 + 64;
    }

    if (r->length > max || r->total > max - r->length) {
        return MENTARA_BAD;
    }

    r->total += r->length;

    return MENTARA_OK;
}


static unsigned char *
mentara_ws_read_mask(mentara_ws_reader_t *r, unsigned char *pos,
    unsigned char *last, mentara_ws_event_t *ev, unsigned *due)
{
    while (pos < last && r->nmask < 4) {
        r->mask[r->nmask++] = *pos++;
    }

    if (r->nmask < 4) {
        return pos;
    }

    r->shift = 0;

    if (r->opcode >= MENTARA_WS_CLOSE) {
        r->ncontrol = 0;
        r->state = ws_control;

        if (r->left == 0) {
            return mentara_ws_read_control(r, pos, pos, ev, due);
        }

        return pos;
    }

    r->state = ws_payload;

    if (r->left == 0) {
        return mentara_ws_read_payload(r, pos, pos, ev, due);
    }

    return pos;
}


static unsigned char *
mentara_ws_read_payload(mentara_ws_reader_t *r, unsigned char *pos,
    unsigned char *last, mentara_ws_event_t *ev, unsigned *due)
{
    if ((uint64_t) (last - pos) > r->left) {
        last = pos + r->left;
    }

    mentara_ws_unmask(r, pos, last);

    r->left -= (uint64_t) (last - pos);

    ev->type = MENTARA_WS_EVENT_DATA;
    ev->opcode = r->message;
    ev->fin = (r->left == 0 && r->fin);
    ev->compressed = r->compressed;
    ev->code = 0;
    ev->data.data = pos;
    ev->data.len = (size_t) (last - pos);

    /* an empty fragment that is not the last one says nothing */
    *due = (ev->data.len > 0 || ev->fin);

    if (r->message == MENTARA_WS_TEXT && !r->compressed
        && mentara_ws_text(r, pos, last, ev->fin) != MENTARA_OK)
    {
        return mentara_ws_fail(r, MENTARA_WS_INVALID);
    }

    if (r->left == 0) {
        r->state = ws_first;

        if (r->fin) {
            r->message = 0;
        }
    }

    return last;
}


int
mentara_ws_text(mentara_ws_reader_t *r, const unsigned char *pos,
    const unsigned char *last, unsigned fin)
{
    if (mentara_utf8_update(&r->utf8, pos, last) != MENTARA_OK
        || (fin && mentara_utf8_done(&r->utf8) != MENTARA_OK))
    {
        (void) mentara_ws_fail(r, MENTARA_WS_INVALID);
        return MENTARA_BAD;
    }

    return MENTARA_OK;
}


/* the body is kept here: it may be cut, and must outlive the caller's buffer */

static unsigned char *
mentara_ws_read_control(mentara_ws_reader_t *r, unsigned char *pos,
    unsigned char *last, mentara_ws_event_t *ev, unsigned *due)
{
    size_t  n;

    n = (size_t) (last - pos);

    if (n > r->left) {
        n = (size_t) r->left;
    }

    if (n > 0) {
        mentara_ws_unmask(r, pos, pos + n);
        memcpy(r->control + r->ncontrol, pos, n);
    }

    r->ncontrol = (unsigned char) (r->ncontrol + n);
    r->left -= n;
    pos += n;

    if (r->left > 0) {
        return pos;
    }

    r->state = ws_first;

    if (mentara_ws_control_event(r, ev) != MENTARA_OK) {
        return NULL;
    }

    *due = 1;

    return pos;
}


static int
mentara_ws_control_event(mentara_ws_reader_t *r, mentara_ws_event_t *ev)
{
    ev->opcode = 0;
    ev->fin = 1;
    ev->compressed = 0;
    ev->code = 0;
    ev->data.data = r->control;
    ev->data.len = r->ncontrol;

    if (r->opcode == MENTARA_WS_CLOSE) {
        return mentara_ws_close_event(r, ev);
    }

    ev->type = (r->opcode == MENTARA_WS_PING) ? MENTARA_WS_EVENT_PING
                                              : MENTARA_WS_EVENT_PONG;

    return MENTARA_OK;
}


/* RFC 6455, section 5.5.1: nothing, or a code and then a reason in UTF-8 */

static int
mentara_ws_close_event(mentara_ws_reader_t *r, mentara_ws_event_t *ev)
{
    ev->type = MENTARA_WS_EVENT_CLOSE;
    ev->code = MENTARA_WS_NO_STATUS;

    r->state = ws_closed;

    if (r->ncontrol == 0) {
        return MENTARA_OK;
    }

    if (r->ncontrol == 1) {
        (void) mentara_ws_fail(r, MENTARA_WS_PROTOCOL);
        return MENTARA_BAD;
    }

    ev->code = (unsigned) r->control[0] << 8 | r->control[1];
    ev->data.data = r->control + 2;
    ev->data.len = r->ncontrol - 2u;

    if (!mentara_ws_code_valid(ev->code)) {
        (void) mentara_ws_fail(r, MENTARA_WS_PROTOCOL);
        return MENTARA_BAD;
    }

    if (mentara_utf8_length(ev->data.data, ev->data.len) == MENTARA_BAD) {
        (void) mentara_ws_fail(r, MENTARA_WS_INVALID);
        return MENTARA_BAD;
    }

    return MENTARA_OK;
}


int
mentara_ws_code_valid(unsigned code)
{
    if (code >= 3000 && code <= 4999) {
        return 1;
    }

    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014);
}


static void
mentara_ws_unmask(mentara_ws_reader_t *r, unsigned char *pos,
    unsigned char *last)
{
    unsigned       i;
    uint64_t       word, mask;
    unsigned char  turned[8];

    for (i = 0; i < 8; i++) {
        turned[i] = r->mask[(r->shift + i) & 3];
    }

    r->shift = (unsigned char) ((r->shift + (size_t) (last - pos)) & 3);

    memcpy(&mask, turned, sizeof(mask));

    while (last - pos >= (ptrdiff_t) sizeof(word)) {
        memcpy(&word, pos, sizeof(word));
        word ^= mask;
        memcpy(pos, &word, sizeof(word));
        pos += sizeof(word);
    }

    for (i = 0; pos < last; i++) {
        *pos++ ^= turned[i];
    }
}


size_t
mentara_ws_head_len(uint64_t len)
{
    return (len < 126) ? 2 : (len < 65536) ? 4 : 10;
}


size_t
mentara_ws_head(unsigned char *buf, unsigned opcode, unsigned fin,
    unsigned rsv1, uint64_t len)
{
    unsigned        i, n;
    unsigned char  *p;

    p = buf;

    *p++ = (unsigned char) ((fin ? 0x80 : 0) | (rsv1 ? 0x40 : 0)
                            | (opcode & 0x0f));

    if (len < 126) {
        *p++ = (unsigned char) len;
        return 2;
    }

    n = (len < 65536) ? 2 : 8;

    *p++ = (n == 2) ? 126 : 127;

    for (i = n; i > 0; i--) {
        *p++ = (unsigned char) (len >> (8 * (i - 1)) & 0xff);
    }

    return (size_t) (p - buf);
}


size_t
mentara_ws_close(unsigned char *buf, unsigned code, mentara_slice_t reason)
{
    size_t          n;
    unsigned char  *p;

    if (code == 0 || code == MENTARA_WS_NO_STATUS) {
        return mentara_ws_head(buf, MENTARA_WS_CLOSE, 1, 0, 0);
    }

    n = reason.len;

    if (n > MENTARA_WS_CONTROL_MAX - 2) {
        n = MENTARA_WS_CONTROL_MAX - 2;

        while (n > 0 && (reason.data[n] & 0xc0) == 0x80) {
            n--;
        }
    }

    p = buf + mentara_ws_head(buf, MENTARA_WS_CLOSE, 1, 0, n + 2);

    *p++ = (unsigned char) (code >> 8 & 0xff);
    *p++ = (unsigned char) (code & 0xff);

    if (n > 0) {
        memcpy(p, reason.data, n);
    }

    return (size_t) (p + n - buf);
}
