
#include <mentara_text.h>
#include <mentara_id.h>


static int mentara_text_dots(const unsigned char *p, size_t len);


/* the parser has seen to it that the text is UTF-8 */

size_t
mentara_text_points(const char *text, size_t len)
{
    size_t  i, n;

    n = 0;

    for (i = 0; i < len; i++) {
        if ((text[i] & 0xc0) != 0x80) {
            n++;
        }
    }

    return n;
}


/* white space of ASCII and Latin-1, U+2000..U+200F, 2028, 2029, 3000, FEFF */

int
mentara_text_blank(const char *text, size_t len)
{
    size_t                i;
    const unsigned char  *p;

    p = (const unsigned char *) text;
    i = 0;

    while (i < len) {
        if (p[i] <= ' ' || p[i] == 0x7f) {
            i++;

        } else if (len - i >= 2 && p[i] == 0xc2 && p[i + 1] == 0xa0) {
            i += 2;

        } else if (len - i >= 3
                   && ((p[i] == 0xe2 && p[i + 1] == 0x80
                        && (p[i + 2] <= 0x8f || p[i + 2] == 0xa8
                            || p[i + 2] == 0xa9))
                       || memcmp(p + i, "\xe3\x80\x80", 3) == 0
                       || memcmp(p + i, "\xef\xbb\xbf", 3) == 0))
        {
            i += 3;

        } else {
            return 0;
        }
    }

    return 1;
}


int
mentara_text_user(const char *text, size_t len)
{
    size_t  i, n;

    n = mentara_text_points(text, len);

    if (n < 1 || n > 255) {
        return 0;
    }

    for (i = 0; i < len; i++) {
        if ((unsigned char) text[i] < 0x20 || text[i] == 0x7f) {
            return 0;
        }
    }

    return 1;
}


int
mentara_text_uuid(json_t *value)
{
    unsigned char  id[MENTARA_ID_LEN];

    return json_is_string(value)
           && mentara_id_parse(id, (unsigned char *) json_string_value(value),
                               json_string_length(value)) == MENTARA_OK;
}


int
mentara_text_in_list(const char *values, const char *text, size_t len)
{
    size_t  n;

    while (*values != '\0') {
        n = strcspn(values, " ");

        if (n == len && memcmp(values, text, n) == 0) {
            return 1;
        }

        values += n + strspn(values + n, " ");
    }

    return 0;
}


/* WHATWG URL 4.1: "%2e" is a dot in a segment */

static int
mentara_text_dots(const unsigned char *p, size_t len)
{
    int  n;

    for (n = 0; len > 0; n++) {
        if (p[0] == '.') {
            p++;
            len--;

        } else if (len >= 3 && p[0] == '%' && p[1] == '2'
                   && (p[2] | 0x20) == 'e')
        {
            p += 3;
            len -= 3;

        } else {
            return 0;
        }
    }

    return n == 1 || n == 2;
}


int
mentara_text_climbs(mentara_slice_t path)
{
    size_t  i, start;

    for (i = 0; i < path.len; i++) {
        if (path.data[i] <= ' ' || path.data[i] == 0x7f
            || path.data[i] == '\\')
        {
            return 1;
        }
    }

    start = 0;

    for (i = 0; i <= path.len; i++) {
        if (i < path.len && memchr("/?#", path.data[i], 3) == NULL) {
            continue;
        }

        if (mentara_text_dots(path.data + start, i - start)) {
            return 1;
        }

        if (i < path.len && path.data[i] != '/') {
            break;
        }

        start = i + 1;
    }

    return 0;
}


int
mentara_text_check(mentara_slice_t text, size_t max)
{
    size_t   i;
    json_t  *value;

    value = json_stringn((char *) text.data, text.len);

    if (value == NULL) {
        return MENTARA_BAD;
    }

    json_decref(value);

    for (i = 0; i < text.len; i++) {
        if (text.data[i] < 0x20 || text.data[i] == 0x7f) {
            return MENTARA_BAD;
        }
    }

    i = mentara_text_points((char *) text.data, text.len);

    return (i >= 1 && i <= max) ? MENTARA_OK : MENTARA_BAD;
}
