
#include <mentara_ws.h>
#include <mentara_base64.h>


static int mentara_ws_token_is(const unsigned char *pos,
    const unsigned char *last, const char *token);


/* RFC 6455, section 1.3 */
static const char  mentara_ws_guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";


static int
mentara_ws_token_is(const unsigned char *pos, const unsigned char *last,
    const char *token)
{
    unsigned char  c;

    while (pos < last && (*pos == ' ' || *pos == '\t')) {
        pos++;
    }

    while (pos < last && (last[-1] == ' ' || last[-1] == '\t')) {
        last--;
    }

    while (pos < last && *token != '\0') {
        c = *pos++;

        if (c >= 'A' && c <= 'Z') {
            c |= 0x20;
        }

        if (c != (unsigned char) *token++) {
            return 0;
        }
    }

    return pos == last && *token == '\0';
}


int
mentara_ws_has_token(mentara_slice_t value, const char *token)
{
    unsigned char  *pos, *last, *comma;

    if (value.len == 0) {
        return 0;
    }

    pos = value.data;
    last = value.data + value.len;

    for ( ;; ) {
        comma = memchr(pos, ',', (size_t) (last - pos));

        if (mentara_ws_token_is(pos, comma == NULL ? last : comma, token)) {
            return 1;
        }

        if (comma == NULL) {
            return 0;
        }

        pos = comma + 1;
    }
}


/*
 * 16 octets are 22 characters and two of padding.  The four bits behind the
 * value are not looked at: some clients leave noise in them.
 */

int
mentara_ws_key_valid(mentara_slice_t key)
{
    size_t         i;
    unsigned char  c;

    if (key.len != MENTARA_WS_KEY_LEN
        || key.data[22] != '=' || key.data[23] != '=')
    {
        return 0;
    }

    for (i = 0; i < 22; i++) {
        c = key.data[i];

        if ((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')
            || (c >= '0' && c <= '9') || c == '+' || c == '/')
        {
            continue;
        }

        return 0;
    }

    return 1;
}


void
mentara_ws_accept(unsigned char *buf, mentara_slice_t key,
    mentara_ws_sha1_pt sha1)
{
    unsigned char  digest[20];
    unsigned char  text[MENTARA_WS_KEY_LEN + sizeof(mentara_ws_guid) - 1];

    memcpy(text, key.data, MENTARA_WS_KEY_LEN);
    memcpy(text + MENTARA_WS_KEY_LEN, mentara_ws_guid,
           sizeof(mentara_ws_guid) - 1);

    sha1(digest, text, sizeof(text));

    (void) mentara_base64_encode(buf, digest, sizeof(digest));
}
