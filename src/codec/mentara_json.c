
#include <mentara_json.h>
#include <mentara_id.h>
#include <string.h>


#define MENTARA_DAY_US       86400000000LL
#define MENTARA_PG_EPOCH     730425         /* days from 0000-03-01 to
                                               2000-01-01 */
#define MENTARA_TIME_MIN     (-63113904000000000LL)  /* 0000-01-01 */
#define MENTARA_TIME_MAX     252455615999999999LL    /* 9999-12-31 */


static int mentara_json_room(mentara_json_t *j, size_t need);
static unsigned char *mentara_json_escape(unsigned char *p, unsigned char c);
static unsigned char *mentara_json_digits(unsigned char *p, unsigned value,
    unsigned width);


static const char  mentara_json_hex[] = "0123456789abcdef";


void
mentara_json_init(mentara_json_t *j, unsigned char *buf, size_t size,
    mentara_json_grow_pt grow, void *data)
{
    j->start = buf;
    j->pos = buf;
    j->last = buf + size;
    j->grow = grow;
    j->data = data;
    j->failed = 0;
}


static int
mentara_json_room(mentara_json_t *j, size_t need)
{
    if (j->failed) {
        return -1;
    }

    if ((size_t) (j->last - j->pos) >= need) {
        return 0;
    }

    if (j->grow == NULL || j->grow(j, need) != 0) {
        j->failed = 1;
        return -1;
    }

    return 0;
}


void
mentara_json_raw(mentara_json_t *j, const void *data, size_t len)
{
    if (mentara_json_room(j, len) != 0) {
        return;
    }

    memcpy(j->pos, data, len);
    j->pos += len;
}


void
mentara_json_again(mentara_json_t *j, size_t at, size_t len)
{
    if (mentara_json_room(j, len) != 0) {
        return;
    }

    memcpy(j->pos, j->start + at, len);
    j->pos += len;
}


/* an octet becomes six at most */

void
mentara_json_string(mentara_json_t *j, const unsigned char *data, size_t len)
{
    unsigned char        *p;
    const unsigned char  *last;

    if (len > (SIZE_MAX - 2) / 6 || mentara_json_room(j, 6 * len + 2) != 0) {
        j->failed = 1;
        return;
    }

    p = j->pos;
    last = data + len;
    *p++ = '"';

    while (data < last) {
        if (*data >= 0x20 && *data != '"' && *data != '\\') {
            *p++ = *data++;
            continue;
        }

        p = mentara_json_escape(p, *data++);
    }

    *p++ = '"';
    j->pos = p;
}


static unsigned char *
mentara_json_escape(unsigned char *p, unsigned char c)
{
    *p++ = '\\';

    switch (c) {

    case '"':
    case '\\':
        *p++ = c;
        return p;

    case '\b':
        *p++ = 'b';
        return p;

    case '\f':
        *p++ = 'f';
        return p;

    case '\n':
        *p++ = 'n';
        return p;

    case '\r':
        *p++ = 'r';
        return p;

    case '\t':
        *p++ = 't';
        return p;

    default:
        *p++ = 'u';
        *p++ = '0';
        *p++ = '0';
        *p++ = (unsigned char) mentara_json_hex[c >> 4];
        *p++ = (unsigned char) mentara_json_hex[c & 15];
        return p;
    }
}


void
mentara_json_int(mentara_json_t *j, int64_t n)
{
    uint64_t        u;
    unsigned char   text[20], *p;

    p = text + sizeof(text);
    u = (n < 0) ? 0 - (uint64_t) n : (uint64_t) n;

    do {
        *--p = (unsigned char) ('0' + u % 10);
        u /= 10;
    } while (u != 0);

    if (n < 0) {
        *--p = '-';
    }

    mentara_json_raw(j, p, (size_t) (text + sizeof(text) - p));
}


void
mentara_json_uuid(mentara_json_t *j, const unsigned char *id)
{
    unsigned char  text[MENTARA_ID_TEXT + 2];

    text[0] = '"';
    mentara_id_format(text + 1, id);
    text[MENTARA_ID_TEXT + 1] = '"';

    mentara_json_raw(j, text, sizeof(text));
}


static unsigned char *
mentara_json_digits(unsigned char *p, unsigned value, unsigned width)
{
    unsigned  i;

    for (i = width; i > 0; i--) {
        p[i - 1] = (unsigned char) ('0' + value % 10);
        value /= 10;
    }

    return p + width;
}


/*
 * Days are counted from 1 March of year 0, so that a leap day ends its year;
 * an era is 400 years of 146097 days.
 */

void
mentara_json_time(mentara_json_t *j, int64_t us)
{
    int64_t         days, rest;
    unsigned        era, day, year, yday, month, ms;
    unsigned char   text[26], *p;

    if (us < MENTARA_TIME_MIN) {
        us = MENTARA_TIME_MIN;
    }

    if (us > MENTARA_TIME_MAX) {
        us = MENTARA_TIME_MAX;
    }

    days = us / MENTARA_DAY_US;
    rest = us % MENTARA_DAY_US;

    if (rest < 0) {
        rest += MENTARA_DAY_US;
        days--;
    }

    /* an era ahead keeps January and February of year 0 above zero */

    days += MENTARA_PG_EPOCH + 146097;

    era = (unsigned) (days / 146097);
    day = (unsigned) (days % 146097);
    year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
    yday = day - (365 * year + year / 4 - year / 100);
    month = (5 * yday + 2) / 153;
    day = yday - (153 * month + 2) / 5 + 1;
    year = year + era * 400 - 400 + (month >= 10 ? 1 : 0);
    month = (month < 10) ? month + 3 : month - 9;
    ms = (unsigned) (rest / 1000 % 86400000);

    p = text;
    *p++ = '"';
    p = mentara_json_digits(p, year, 4);
    *p++ = '-';
    p = mentara_json_digits(p, month, 2);
    *p++ = '-';
    p = mentara_json_digits(p, day, 2);
    *p++ = 'T';
    p = mentara_json_digits(p, ms / 3600000, 2);
    *p++ = ':';
    p = mentara_json_digits(p, ms / 60000 % 60, 2);
    *p++ = ':';
    p = mentara_json_digits(p, ms / 1000 % 60, 2);
    *p++ = '.';
    p = mentara_json_digits(p, ms % 1000, 3);
    *p++ = 'Z';
    *p++ = '"';

    mentara_json_raw(j, text, (size_t) (p - text));
}


void
mentara_json_lines(mentara_json_t *j, const unsigned char *data, size_t len)
{
    const unsigned char  *pos, *last, *end;

    last = data + len;

    mentara_json_raw(j, "[", 1);

    for (pos = data; pos < last; pos = end + 1) {
        end = memchr(pos, '\n', last - pos);

        if (end == NULL) {
            end = last;
        }

        if (pos > data) {
            mentara_json_raw(j, ",", 1);
        }

        mentara_json_string(j, pos, end - pos);
    }

    mentara_json_raw(j, "]", 1);
}
