
#include <mentara_base64.h>
#include "mentara_tap.h"


typedef struct {
    const char  *text;
    const char  *value;    /* NULL: refused */
} base64_case_t;


static const base64_case_t  cases[] = {
    { "", "" }, { "Zg==", "f" }, { "Zm8=", "fo" }, { "Zm9v", "foo" },
    { "Zm9vYg==", "foob" }, { "Zm9vYmE=", "fooba" }, { "Zm9vYmFy", "foobar" },
    { "AQIDBA==", "\x01\x02\x03\x04" }, { "+/+/", "\xfb\xff\xbf" },
    { "Z", NULL }, { "Zg", NULL }, { "Zg=", NULL }, { "Zm8", NULL },
    { "====", NULL }, { "Z===", NULL }, { "=Zg=", NULL }, { "Zg==Zg==", NULL },
    { "Zh==", NULL }, { "Zm9=", NULL }, { "Zm9v\n", NULL }, { "Zm 9", NULL },
    { "-_-_", NULL }, { "Zm9v=", NULL }, { "\xff\xff\xff\xff", NULL }
};


int
main(void)
{
    size_t           i, n;
    intptr_t         len;
    unsigned char    out[16], octets[256], text[400];
    mentara_slice_t  in;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        in.len = strlen(cases[i].text);
        in.data = guarded(cases[i].text, in.len);

        len = mentara_base64_decode(in.data, in);

        if (cases[i].value == NULL) {
            ok(len == MENTARA_BAD, "\"%s\" is refused", cases[i].text);
            continue;
        }

        ok(len == (intptr_t) strlen(cases[i].value)
           && memcmp(in.data, cases[i].value, (size_t) len) == 0,
           "\"%s\" is decoded in place", cases[i].text);

        n = mentara_base64_encode(out, (unsigned char *) cases[i].value,
                                  (size_t) len);

        ok(n == strlen(cases[i].text) && n == mentara_base64_len((size_t) len)
           && memcmp(out, cases[i].text, n) == 0,
           "\"%s\" is what its value is encoded to", cases[i].text);
    }

    for (i = 0; i < 256; i++) {
        octets[i] = (unsigned char) i;
    }

    in.data = text;
    in.len = mentara_base64_encode(text, octets, sizeof(octets));
    len = mentara_base64_decode(text, in);

    ok(len == 256 && memcmp(text, octets, 256) == 0,
       "all octets come through");

    return tap_done();
}
