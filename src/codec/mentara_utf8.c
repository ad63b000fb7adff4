
#include <mentara_utf8.h>


static int mentara_utf8_lead(mentara_utf8_t *u, unsigned char c);


void
mentara_utf8_init(mentara_utf8_t *u)
{
    u->need = 0;
    u->low = 0x80;
    u->high = 0xbf;
}


/* RFC 3629, section 4: what may follow each first octet */

static int
mentara_utf8_lead(mentara_utf8_t *u, unsigned char c)
{
    u->low = 0x80;
    u->high = 0xbf;

    if (c < 0xc2 || c > 0xf4) {
        return MENTARA_BAD;
    }

    if (c < 0xe0) {
        u->need = 1;
        return MENTARA_OK;
    }

    if (c < 0xf0) {
        u->need = 2;

        if (c == 0xe0) {
            u->low = 0xa0;

        } else if (c == 0xed) {
            u->high = 0x9f;
        }

        return MENTARA_OK;
    }

    u->need = 3;

    if (c == 0xf0) {
        u->low = 0x90;

    } else if (c == 0xf4) {
        u->high = 0x8f;
    }

    return MENTARA_OK;
}


int
mentara_utf8_update(mentara_utf8_t *u, const unsigned char *pos,
    const unsigned char *last)
{
    uint64_t       word;
    unsigned char  c;

    while (pos < last) {

        if (u->need == 0) {

            while (last - pos >= (ptrdiff_t) sizeof(word)) {
                memcpy(&word, pos, sizeof(word));

                if ((word & 0x8080808080808080ull) != 0) {
                    break;
                }

                pos += sizeof(word);
            }

            if (pos == last) {
                break;
            }
        }

        c = *pos++;

        if (u->need == 0) {
            if (c >= 0x80 && mentara_utf8_lead(u, c) != MENTARA_OK) {
                return MENTARA_BAD;
            }

            continue;
        }

        if (c < u->low || c > u->high) {
            return MENTARA_BAD;
        }

        u->need--;
        u->low = 0x80;
        u->high = 0xbf;
    }

    return MENTARA_OK;
}


int
mentara_utf8_done(const mentara_utf8_t *u)
{
    return (u->need == 0) ? MENTARA_OK : MENTARA_MORE;
}


intptr_t
mentara_utf8_length(const unsigned char *data, size_t len)
{
    size_t          i;
    intptr_t        n;
    mentara_utf8_t  u;

    mentara_utf8_init(&u);

    if (len == 0) {
        return 0;
    }

    if (mentara_utf8_update(&u, data, data + len) != MENTARA_OK
        || mentara_utf8_done(&u) != MENTARA_OK)
    {
        return MENTARA_BAD;
    }

    n = 0;

    for (i = 0; i < len; i++) {
        n += ((data[i] & 0xc0) != 0x80);
    }

    return n;
}
