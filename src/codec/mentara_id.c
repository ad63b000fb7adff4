
#include <mentara_id.h>


static int mentara_id_hex(unsigned char c);


/* where the hyphens are */
#define mentara_id_hyphen(i)  ((i) == 8 || (i) == 13 || (i) == 18 || (i) == 23)


static int
mentara_id_hex(unsigned char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }

    c |= 0x20;

    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }

    return -1;
}


int
mentara_id_parse(unsigned char *id, const unsigned char *text, size_t len)
{
    int     high, low;
    size_t  i;

    if (len != MENTARA_ID_TEXT) {
        return MENTARA_BAD;
    }

    i = 0;

    while (i < len) {
        if (mentara_id_hyphen(i)) {
            if (text[i] != '-') {
                return MENTARA_BAD;
            }

            i++;
            continue;
        }

        high = mentara_id_hex(text[i]);
        low = mentara_id_hex(text[i + 1]);

        if (high < 0 || low < 0) {
            return MENTARA_BAD;
        }

        *id++ = (unsigned char) (high << 4 | low);
        i += 2;
    }

    return MENTARA_OK;
}


void
mentara_id_format(unsigned char *text, const unsigned char *id)
{
    size_t             i;
    static const char  hex[] = "0123456789abcdef";

    i = 0;

    while (i < MENTARA_ID_TEXT) {
        if (mentara_id_hyphen(i)) {
            text[i++] = '-';
            continue;
        }

        text[i++] = (unsigned char) hex[*id >> 4];
        text[i++] = (unsigned char) hex[*id++ & 15];
    }
}


void
mentara_id_v7(unsigned char *id, uint64_t ms, const unsigned char *random)
{
    int  i;

    for (i = 5; i >= 0; i--) {
        id[i] = (unsigned char) (ms & 0xff);
        ms >>= 8;
    }

    memcpy(id + 6, random, 10);

    id[6] = (unsigned char) ((id[6] & 0x0f) | 0x70);
    id[8] = (unsigned char) ((id[8] & 0x3f) | 0x80);
}
