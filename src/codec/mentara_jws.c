
#include <mentara_jws.h>


static int mentara_base64url_value(unsigned char c);


int
mentara_jws_split(mentara_slice_t token, mentara_jws_t *jws)
{
    unsigned char  *first, *second, *last;

    last = token.data + token.len;
    first = memchr(token.data, '.', token.len);

    if (first == NULL) {
        return MENTARA_BAD;
    }

    second = memchr(first + 1, '.', (size_t) (last - first - 1));

    if (second == NULL
        || memchr(second + 1, '.', (size_t) (last - second - 1)) != NULL)
    {
        return MENTARA_BAD;
    }

    jws->header.data = token.data;
    jws->header.len = (size_t) (first - token.data);
    jws->payload.data = first + 1;
    jws->payload.len = (size_t) (second - first - 1);
    jws->signature.data = second + 1;
    jws->signature.len = (size_t) (last - second - 1);
    jws->input.data = token.data;
    jws->input.len = (size_t) (second - token.data);

    if (jws->header.len == 0 || jws->payload.len == 0
        || jws->signature.len == 0)
    {
        return MENTARA_BAD;
    }

    return MENTARA_OK;
}


static int
mentara_base64url_value(unsigned char c)
{
    if (c >= 'A' && c <= 'Z') {
        return c - 'A';
    }

    if (c >= 'a' && c <= 'z') {
        return c - 'a' + 26;
    }

    if (c >= '0' && c <= '9') {
        return c - '0' + 52;
    }

    return (c == '-') ? 62 : (c == '_') ? 63 : -1;
}


long
mentara_base64url_decode(unsigned char *out, mentara_slice_t in)
{
    int             value;
    size_t          i;
    unsigned        bits, held;
    unsigned char  *p;

    p = out;
    bits = 0;
    held = 0;

    for (i = 0; i < in.len; i++) {
        value = mentara_base64url_value(in.data[i]);

        if (value < 0) {
            return MENTARA_BAD;
        }

        held = held << 6 | (unsigned) value;
        bits += 6;

        if (bits >= 8) {
            bits -= 8;
            *p++ = (unsigned char) (held >> bits);
            held &= (1u << bits) - 1;
        }
    }

    if (bits == 6 || held != 0) {
        return MENTARA_BAD;
    }

    return (long) (p - out);
}
