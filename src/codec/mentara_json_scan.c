
#include <mentara_json_scan.h>


typedef struct {
    const unsigned char   *pos;
    const unsigned char   *last;
    mentara_json_marks_t  *marks;
    uint64_t               objects;    /* a bit per open level: an object */
    unsigned               depth;
} mentara_json_scan_t;


static void mentara_json_space(mentara_json_scan_t *s);
static int mentara_json_open(mentara_json_scan_t *s);
static int mentara_json_name(mentara_json_scan_t *s);
static int mentara_json_after(mentara_json_scan_t *s);
static int mentara_json_scalar(mentara_json_scan_t *s);
static int mentara_json_word(mentara_json_scan_t *s, const char *word);
static int mentara_json_scan_number(mentara_json_scan_t *s);
static int mentara_json_scan_digits(mentara_json_scan_t *s);
static int mentara_json_scan_string(mentara_json_scan_t *s);
static int mentara_json_scan_escape(mentara_json_scan_t *s, unsigned *high);
static int mentara_json_unit(const unsigned char *pos,
    const unsigned char *last);
static size_t mentara_json_put_code(unsigned char *out, size_t size,
    uint32_t code);


#define mentara_json_in_object(s)                                             \
    (((s)->objects >> ((s)->depth - 1) & 1) != 0)


/* what comes next at a place of the grammar */
#define MENTARA_JSON_VALUE  1
#define MENTARA_JSON_AFTER  2     /* a value has ended */
#define MENTARA_JSON_DONE   3


intptr_t
mentara_json_scan(const unsigned char *pos, const unsigned char *last,
    mentara_slice_t *value, mentara_json_marks_t *marks)
{
    int                   next;
    mentara_slice_t       found;
    mentara_json_scan_t   s;
    mentara_json_marks_t  ignored = { 0, 0 };

    s.pos = pos;
    s.last = last;
    s.marks = (marks != NULL) ? marks : &ignored;
    s.objects = 0;
    s.depth = 0;

    mentara_json_space(&s);

    found.data = (unsigned char *) s.pos;
    next = MENTARA_JSON_VALUE;

    do {
        if (next == MENTARA_JSON_VALUE) {
            next = mentara_json_open(&s);

        } else {
            next = mentara_json_after(&s);
        }

        if (next == MENTARA_BAD) {
            return MENTARA_BAD;
        }

    } while (next != MENTARA_JSON_DONE);

    found.len = (size_t) (s.pos - found.data);

    mentara_json_space(&s);

    if (value != NULL) {
        *value = found;
    }

    return s.pos - pos;
}


static void
mentara_json_space(mentara_json_scan_t *s)
{
    while (s->pos < s->last
           && (*s->pos == ' ' || *s->pos == '\t'
               || *s->pos == '\n' || *s->pos == '\r'))
    {
        s->pos++;
    }
}


/* at a value: a scalar is taken whole, a bracket opens a level */

static int
mentara_json_open(mentara_json_scan_t *s)
{
    unsigned char  c;

    mentara_json_space(s);

    if (s->pos == s->last) {
        return MENTARA_BAD;
    }

    c = *s->pos;

    if (c != '{' && c != '[') {
        return (mentara_json_scalar(s) == MENTARA_OK) ? MENTARA_JSON_AFTER
                                                      : MENTARA_BAD;
    }

    if (s->depth == MENTARA_SCAN_DEPTH) {
        return MENTARA_BAD;
    }

    s->objects &= ~((uint64_t) 1 << s->depth);
    s->objects |= (uint64_t) (c == '{') << s->depth;
    s->depth++;
    s->pos++;

    mentara_json_space(s);

    if (s->pos < s->last && *s->pos == (c == '{' ? '}' : ']')) {
        s->pos++;
        s->depth--;
        return MENTARA_JSON_AFTER;
    }

    if (c == '[') {
        return MENTARA_JSON_VALUE;
    }

    return mentara_json_name(s);
}


static int
mentara_json_name(mentara_json_scan_t *s)
{
    mentara_json_space(s);

    if (s->pos == s->last || *s->pos != '"'
        || mentara_json_scan_string(s) != MENTARA_OK)
    {
        return MENTARA_BAD;
    }

    mentara_json_space(s);

    if (s->pos == s->last || *s->pos != ':') {
        return MENTARA_BAD;
    }

    s->pos++;

    return MENTARA_JSON_VALUE;
}


/* behind a value: a comma goes on, a bracket closes the level */

static int
mentara_json_after(mentara_json_scan_t *s)
{
    int  object;

    if (s->depth == 0) {
        return MENTARA_JSON_DONE;
    }

    object = mentara_json_in_object(s);

    mentara_json_space(s);

    if (s->pos == s->last) {
        return MENTARA_BAD;
    }

    if (*s->pos == ',') {
        s->pos++;
        return object ? mentara_json_name(s) : MENTARA_JSON_VALUE;
    }

    if (*s->pos != (object ? '}' : ']')) {
        return MENTARA_BAD;
    }

    s->pos++;
    s->depth--;

    return MENTARA_JSON_AFTER;
}


static int
mentara_json_scalar(mentara_json_scan_t *s)
{
    switch (*s->pos) {

    case '"':
        return mentara_json_scan_string(s);

    case 't':
        return mentara_json_word(s, "true");

    case 'f':
        return mentara_json_word(s, "false");

    case 'n':
        return mentara_json_word(s, "null");

    default:
        return mentara_json_scan_number(s);
    }
}


static int
mentara_json_word(mentara_json_scan_t *s, const char *word)
{
    size_t  len;

    len = strlen(word);

    if ((size_t) (s->last - s->pos) < len || memcmp(s->pos, word, len) != 0) {
        return MENTARA_BAD;
    }

    s->pos += len;

    return MENTARA_OK;
}


/* RFC 8259, section 6 */

static int
mentara_json_scan_number(mentara_json_scan_t *s)
{
    if (*s->pos == '-') {
        s->pos++;
    }

    if (s->pos < s->last && *s->pos == '0') {
        s->pos++;

    } else if (mentara_json_scan_digits(s) != MENTARA_OK) {
        return MENTARA_BAD;
    }

    if (s->pos < s->last && *s->pos == '.') {
        s->pos++;

        if (mentara_json_scan_digits(s) != MENTARA_OK) {
            return MENTARA_BAD;
        }
    }

    if (s->pos == s->last || (*s->pos | 0x20) != 'e') {
        return MENTARA_OK;
    }

    s->pos++;

    if (s->pos < s->last && (*s->pos == '+' || *s->pos == '-')) {
        s->pos++;
    }

    return mentara_json_scan_digits(s);
}


static int
mentara_json_scan_digits(mentara_json_scan_t *s)
{
    const unsigned char  *start;

    start = s->pos;

    while (s->pos < s->last && *s->pos >= '0' && *s->pos <= '9') {
        s->pos++;
    }

    return (s->pos > start) ? MENTARA_OK : MENTARA_BAD;
}


/* high: the last unit was the first half of a pair */

static int
mentara_json_scan_string(mentara_json_scan_t *s)
{
    unsigned       high;
    unsigned char  c;

    high = 0;
    s->pos++;

    while (s->pos < s->last) {
        c = *s->pos++;

        if (c == '\\') {
            if (mentara_json_scan_escape(s, &high) != MENTARA_OK) {
                return MENTARA_BAD;
            }

            continue;
        }

        if (high) {
            s->marks->surrogate = 1;
            high = 0;
        }

        if (c == '"') {
            return MENTARA_OK;
        }

        if (c < 0x20) {
            return MENTARA_BAD;
        }
    }

    return MENTARA_BAD;
}


static int
mentara_json_scan_escape(mentara_json_scan_t *s, unsigned *high)
{
    int       unit;
    unsigned  low;

    unit = -1;

    if (s->pos == s->last) {
        return MENTARA_BAD;
    }

    if (*s->pos == 'u') {
        unit = mentara_json_unit(s->pos + 1, s->last);

        if (unit < 0) {
            return MENTARA_BAD;
        }

        s->pos += 5;

    } else if (memchr("\"\\/bfnrt", *s->pos, 8) != NULL) {
        s->pos++;

    } else {
        return MENTARA_BAD;
    }

    low = (unit >= 0xdc00 && unit <= 0xdfff);

    if (*high != low) {
        s->marks->surrogate = 1;
    }

    if (unit == 0) {
        s->marks->nul = 1;
    }

    *high = (unit >= 0xd800 && unit <= 0xdbff);

    return MENTARA_OK;
}


/* four hexadecimal digits, or -1 */

static int
mentara_json_unit(const unsigned char *pos, const unsigned char *last)
{
    int            i, unit;
    unsigned char  c;

    if (last - pos < 4) {
        return -1;
    }

    unit = 0;

    for (i = 0; i < 4; i++) {
        c = pos[i];

        if (c >= '0' && c <= '9') {
            unit = unit << 4 | (c - '0');
            continue;
        }

        c |= 0x20;

        if (c < 'a' || c > 'f') {
            return -1;
        }

        unit = unit << 4 | (c - 'a' + 10);
    }

    return unit;
}


int
mentara_json_element(mentara_slice_t array, const unsigned char **pos,
    mentara_slice_t *value)
{
    intptr_t              n;
    const unsigned char  *last;

    last = array.data + array.len;

    /* behind the opening bracket, or behind the comma */
    *pos = (*pos == NULL) ? array.data + 1 : *pos + 1;

    if (*pos >= last) {
        return MENTARA_MORE;
    }

    n = mentara_json_scan(*pos, last, value, NULL);

    if (n < 0) {
        return MENTARA_MORE;
    }

    *pos += n;

    return MENTARA_OK;
}


static size_t
mentara_json_put_code(unsigned char *out, size_t size, uint32_t code)
{
    size_t  i, len;

    len = (code < 0x80) ? 1 : (code < 0x800) ? 2 : (code < 0x10000) ? 3 : 4;

    if (len > size) {
        return 0;
    }

    if (len == 1) {
        out[0] = (unsigned char) code;
        return 1;
    }

    for (i = len - 1; i > 0; i--) {
        out[i] = (unsigned char) (0x80 | (code & 0x3f));
        code >>= 6;
    }

    out[0] = (unsigned char) ((0xf00u >> len & 0xff) | code);

    return len;
}


intptr_t
mentara_json_unescape(mentara_slice_t string, unsigned char *out, size_t size)
{
    size_t                n, len;
    uint32_t              code, low;
    const char           *plain;
    const unsigned char  *pos, *last;
    static const char     from[] = "bfnrt", to[] = "\b\f\n\r\t";

    pos = string.data + 1;
    last = string.data + string.len - 1;
    len = 0;

    while (pos < last) {

        if (*pos != '\\') {
            if (len == size) {
                return MENTARA_BAD;
            }

            out[len++] = *pos++;
            continue;
        }

        pos++;

        if (*pos != 'u') {
            plain = strchr(from, (char) *pos);
            code = (plain != NULL) ? (uint32_t) to[plain - from] : *pos;
            pos++;

        } else {
            code = (uint32_t) mentara_json_unit(pos + 1, last);
            pos += 5;

            if (code >= 0xd800 && code <= 0xdfff) {

                if (code >= 0xdc00 || last - pos < 6
                    || pos[0] != '\\' || pos[1] != 'u')
                {
                    return MENTARA_BAD;
                }

                low = (uint32_t) mentara_json_unit(pos + 2, last);

                if (low < 0xdc00 || low > 0xdfff) {
                    return MENTARA_BAD;
                }

                code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
                pos += 6;
            }
        }

        n = mentara_json_put_code(out + len, size - len, code);

        if (n == 0) {
            return MENTARA_BAD;
        }

        len += n;
    }

    return (intptr_t) len;
}
