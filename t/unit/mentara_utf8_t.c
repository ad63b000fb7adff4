
#include <mentara_utf8.h>
#include "mentara_tap.h"


typedef struct {
    const char  *text;
    int          bad;      /* offset of the first octet that is refused, or
                              -1: valid, -2: cut */
} utf8_case_t;


/* boundaries of RFC 3629 and the sequences of the Autobahn groups 6.* */
static const utf8_case_t  cases[] = {
    { "", -1 },
    { "plain text of more than eight octets", -1 },
    { "Hello-\xc2\xb5@\xc3\x9f\xc3\xb6\xc3\xa4\xc3\xbc\xc3\xa0\xc3\xa1-"
      "UTF-8!!", -1 },
    { "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5", -1 },
    { "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80" "edited", 12 },
    { "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xf4\x90\x80\x80" "ed", 12 },
    { "\x7f", -1 }, { "\xc2\x80", -1 }, { "\xdf\xbf", -1 },
    { "\xe0\xa0\x80", -1 }, { "\xef\xbf\xbf", -1 }, { "\xef\xbf\xbe", -1 },
    { "\xef\xbf\xbd", -1 }, { "\xed\x9f\xbf", -1 }, { "\xee\x80\x80", -1 },
    { "\xf0\x90\x80\x80", -1 }, { "\xf4\x8f\xbf\xbf", -1 },
    { "\xf0\x9f\xbf\xbe", -1 },
    { "\x80", 0 }, { "\xbf", 0 }, { "\xc0\x80", 0 }, { "\xc1\xbf", 0 },
    { "\xe0\x80\xaf", 1 }, { "\xe0\x9f\xbf", 1 }, { "\xf0\x80\x80\xaf", 1 },
    { "\xf0\x8f\xbf\xbf", 1 }, { "\xed\xa0\x80", 1 }, { "\xed\xbf\xbf", 1 },
    { "\xf4\x90\x80\x80", 1 }, { "\xf5\x80\x80\x80", 0 },
    { "\xf8\x88\x80\x80\x80", 0 }, { "\xfc\x84\x80\x80\x80\x80", 0 },
    { "\xfe", 0 }, { "\xff", 0 }, { "\xc2", -2 }, { "\xe0", -2 },
    { "\xe1\x80", -2 }, { "\xf0\x90", -2 }, { "\xf1\x80\x80", -2 },
    { "\xc2 ", 1 }, { "\xe1\x80 ", 2 }, { "\xf1\x80\x80 ", 3 },
    { "twelve octet\xc2\xc2", 13 }, { "\xe2\x28\xa1", 1 }
};


/* offset of the refused octet when the text comes in pieces of n */

static int
refused(const char *text, size_t n)
{
    size_t          i, len, part;
    unsigned char  *p;
    mentara_utf8_t  u;

    len = strlen(text);
    mentara_utf8_init(&u);

    for (i = 0; i < len; i += part) {
        part = (len - i < n) ? len - i : n;
        p = guarded(text + i, part);

        if (mentara_utf8_update(&u, p, p + part) != MENTARA_OK) {
            return (int) i;
        }
    }

    return (mentara_utf8_done(&u) == MENTARA_OK) ? -1 : -2;
}


/* all code points, written by rule, are valid exactly if they may be */

static int
all_code_points(void)
{
    size_t         len;
    uint32_t       c;
    unsigned char  b[4];

    for (c = 0; c < 0x200000; c++) {
        len = (c < 0x80) ? 1 : (c < 0x800) ? 2 : (c < 0x10000) ? 3 : 4;

        if (len == 1) {
            b[0] = (unsigned char) c;

        } else if (len == 2) {
            b[0] = (unsigned char) (0xc0 | c >> 6);

        } else if (len == 3) {
            b[0] = (unsigned char) (0xe0 | c >> 12);

        } else {
            b[0] = (unsigned char) (0xf0 | c >> 18);
        }

        if (len > 1) {
            b[len - 1] = (unsigned char) (0x80 | (c & 0x3f));
        }

        if (len > 2) {
            b[len - 2] = (unsigned char) (0x80 | (c >> 6 & 0x3f));
        }

        if (len > 3) {
            b[1] = (unsigned char) (0x80 | (c >> 12 & 0x3f));
        }

        if ((mentara_utf8_length(b, len) == 1)
            != (c <= 0x10ffff && (c < 0xd800 || c > 0xdfff)))
        {
            printf("# code point %x\n", c);
            return 0;
        }
    }

    return 1;
}


int
main(void)
{
    int     at, whole;
    size_t  i;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        at = refused(cases[i].text, 1);
        whole = refused(cases[i].text, 4096);

        ok(at == cases[i].bad, "case %zu: the first bad octet is %d", i,
           cases[i].bad);
        ok((whole >= 0) == (at >= 0) && (at >= 0 || whole == at),
           "case %zu: the same when it comes whole", i);
    }

    ok(all_code_points(), "every code point but the surrogates is valid");

    is_int(mentara_utf8_length((const unsigned char *) "", 0), 0,
           "no octets, no code points");
    is_int(mentara_utf8_length((const unsigned char *) "a\xc3\xa4"
                               "\xf0\x9f\x98\x80", 7), 3,
           "code points are counted, not octets");
    is_int(mentara_utf8_length((const unsigned char *) "a\xc3", 2),
           MENTARA_BAD, "a cut text has no length");

    return tap_done();
}
