
#include <mentara_emoji.h>


static size_t mentara_emoji_strip(unsigned char *out,
    const unsigned char *text, size_t len);
static int mentara_emoji_compare(const unsigned char *key, size_t len,
    const char *text);


/* without U+FE0F; out holds MENTARA_EMOJI_MAX octets */

static size_t
mentara_emoji_strip(unsigned char *out, const unsigned char *text, size_t len)
{
    size_t  i, n;

    n = 0;
    i = 0;

    while (i < len) {
        if (len - i >= 3 && memcmp(text + i, "\xef\xb8\x8f", 3) == 0) {
            i += 3;
            continue;
        }

        out[n++] = text[i++];
    }

    return n;
}


static int
mentara_emoji_compare(const unsigned char *key, size_t len, const char *text)
{
    int            rc;
    size_t         n;
    unsigned char  form[MENTARA_EMOJI_MAX];

    n = mentara_emoji_strip(form, (const unsigned char *) text,
                            strlen(text));
    rc = memcmp(key, form, (len < n) ? len : n);

    if (rc != 0) {
        return rc;
    }

    return (len > n) - (len < n);
}


const char *
mentara_emoji(mentara_slice_t text)
{
    int            rc;
    size_t         low, high, middle, len;
    unsigned char  key[MENTARA_EMOJI_MAX];

    if (text.len == 0 || text.len > MENTARA_EMOJI_MAX) {
        return NULL;
    }

    len = mentara_emoji_strip(key, text.data, text.len);
    low = 0;
    high = mentara_emoji_n;

    while (low < high) {
        middle = low + (high - low) / 2;
        rc = mentara_emoji_compare(key, len, mentara_emoji_table[middle]);

        if (rc == 0) {
            return mentara_emoji_table[middle];
        }

        if (rc < 0) {
            high = middle;

        } else {
            low = middle + 1;
        }
    }

    return NULL;
}
