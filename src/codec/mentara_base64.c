
#include <mentara_base64.h>


static int mentara_base64_value(unsigned char c);


static const char  mentara_base64_alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";


static int
mentara_base64_value(unsigned char c)
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

    return (c == '+') ? 62 : (c == '/') ? 63 : -1;
}


size_t
mentara_base64_encode(unsigned char *out, const unsigned char *data,
    size_t len)
{
    size_t          i, n;
    uint32_t        bits;
    unsigned char  *p;

    p = out;

    for (i = 0; i < len; i += 3) {
        n = (len - i < 3) ? len - i : 3;

        bits = (uint32_t) data[i] << 16;
        bits |= (n > 1) ? (uint32_t) data[i + 1] << 8 : 0;
        bits |= (n > 2) ? data[i + 2] : 0;

        *p++ = (unsigned char) mentara_base64_alphabet[bits >> 18];
        *p++ = (unsigned char) mentara_base64_alphabet[bits >> 12 & 63];
        *p++ = (unsigned char) ((n > 1)
                                ? mentara_base64_alphabet[bits >> 6 & 63]
                                : '=');
        *p++ = (unsigned char) ((n > 2)
                                ? mentara_base64_alphabet[bits & 63]
                                : '=');
    }

    return (size_t) (p - out);
}


intptr_t
mentara_base64_decode(unsigned char *out, mentara_slice_t in)
{
    int             value;
    size_t          i, len;
    uint32_t        bits;
    unsigned        n;
    unsigned char  *p;

    if (in.len % 4 != 0) {
        return MENTARA_BAD;
    }

    len = in.len;

    if (len > 0 && in.data[len - 1] == '=') {
        len--;

        if (in.data[len - 1] == '=') {
            len--;
        }
    }

    p = out;
    bits = 0;
    n = 0;

    for (i = 0; i < len; i++) {
        value = mentara_base64_value(in.data[i]);

        if (value < 0) {
            return MENTARA_BAD;
        }

        bits = (bits << 6 | (uint32_t) value) & 0xffffff;
        n += 6;

        if (n >= 8) {
            n -= 8;
            *p++ = (unsigned char) (bits >> n & 0xff);
        }
    }

    /* n is 0, 2 or 4: that many bits are left, and they carry nothing */

    if ((bits & ((1u << n) - 1)) != 0) {
        return MENTARA_BAD;
    }

    return p - out;
}
