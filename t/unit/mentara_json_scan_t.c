
#include <mentara_json_scan.h>
#include <jansson.h>
#include "mentara_tap.h"


static const char  *valid[] = {
    "{}", "[]", "[ ]", "{ }", "1", "-0", "0", "0.5", "1e5", "1E+5", "1.25e-3",
    "true", "false", "null", "\"\"", "\"a\\\"b\"", "\"\\u0041\\n\\/\"",
    "[1,2,3]", "[[],{}]", "{\"a\":1}", "{\"a\":{\"b\":[1,{}]},\"c\":null}",
    " [ 1 , 2 ] ", "\t{\n\"a\"\r:\t1 } ", "\"\xc3\xa4\"", "\"\\ud83d\\ude00\"",
    "{\"\":\"\"}", "[[[[[[[[]]]]]]]]", "12345678901234567890123"
};

static const char  *invalid[] = {
    "", " ", "{", "[", "}", "]", "[1", "[1,", "[1,]", "[,1]", "[1 2]", "{a:1}",
    "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{\"a\" 1}", "{,}", "{1:1}", "[1}",
    "{\"a\":1]", "01", "+1", ".5", "1.", "1e", "1e+", "-", "--1", "tru", "True",
    "nul", "\"", "\"a", "\"\\\"", "\"\\x\"", "\"\\u12\"", "\"\\u12g4\"",
    "\"\n\"", "\"\t\"", "'a'", "undefined", "NaN", "-Infinity", "[\"a\":1]",
    "\"\\", "\"\\u", "{\"a\":1,\"b\"", "[1,,2]", "\xff", "a"
};


static intptr_t
scan(const char *text, size_t len, mentara_slice_t *value,
    mentara_json_marks_t *marks)
{
    unsigned char  *p;

    p = guarded(text, len);

    return mentara_json_scan(p, p + len, value, marks);
}


static void
test_grammar(void)
{
    size_t                i, j, len, wrong;
    mentara_slice_t       value;

    for (i = 0; i < sizeof(valid) / sizeof(valid[0]); i++) {
        len = strlen(valid[i]);
        ok(scan(valid[i], len, &value, NULL) == (intptr_t) len,
           "valid: %s", valid[i]);

        wrong = 0;

        for (j = 0; j < len; j++) {
            (void) scan(valid[i], j, &value, NULL);
            wrong += (valid[i][0] == '{' && valid[i][len - 1] == '}'
                      && scan(valid[i], j, &value, NULL) >= 0);
        }

        ok(wrong == 0, "cut anywhere: %s", valid[i]);
    }

    for (i = 0; i < sizeof(invalid) / sizeof(invalid[0]); i++) {
        len = strlen(invalid[i]);

        ok(scan(invalid[i], len, &value, NULL) != (intptr_t) len || len == 0,
           "invalid: %s", invalid[i]);
    }

    ok(scan(" {} x", 5, &value, NULL) == 4 && value.len == 2,
       "a value ends where the next thing begins");
}


static void
test_depth(void)
{
    char      text[1024];
    size_t    n, wrong;
    intptr_t  rc;

    wrong = 0;

    for (n = 1; n < 200; n++) {
        memset(text, '[', n);
        memset(text + n, ']', n);
        rc = scan(text, 2 * n, NULL, NULL);
        wrong += (rc == (intptr_t) (2 * n)) != (n <= MENTARA_SCAN_DEPTH);
    }

    ok(wrong == 0, "arrays as deep as it may be, and no deeper");

    wrong = 0;

    for (n = 1; n < 100; n++) {
        size_t  i, len;

        for (i = 0, len = 0; i < n; i++) {
            memcpy(text + len, i % 2 ? "[" : "{\"a\":", i % 2 ? 1 : 5);
            len += i % 2 ? 1 : 5;
        }

        text[len++] = '1';

        while (i-- > 0) {
            text[len++] = i % 2 ? ']' : '}';
        }

        rc = scan(text, len, NULL, NULL);
        wrong += (rc == (intptr_t) len) != (n <= MENTARA_SCAN_DEPTH);
    }

    ok(wrong == 0, "objects and arrays in turn");
}


static void
test_marks(void)
{
    size_t                i;
    mentara_json_marks_t  marks;

    typedef struct {
        const char  *text;
        unsigned     nul;
        unsigned     surrogate;
    } marks_case_t;

    static const marks_case_t  cases[] = {
        { "\"a\"", 0, 0 }, { "\"\\u0001\"", 0, 0 }, { "\"\\u0000\"", 1, 0 },
        { "{\"\\u0000\":1}", 1, 0 }, { "\"\\ud83d\\ude00\"", 0, 0 },
        { "\"\\ud83d\"", 0, 1 }, { "\"\\ude00\"", 0, 1 },
        { "\"\\ud83dx\"", 0, 1 }, { "\"\\ud83d\\n\"", 0, 1 },
        { "\"\\ud83d\\ud83d\\ude00\"", 0, 1 }, { "\"\\ude00\\ud83d\"", 0, 1 },
        { "[\"\\ud83d\",\"\\ude00\"]", 0, 1 },
        { "[\"\\u0000\",\"\\ud800\"]", 1, 1 }, { "\"\\\\u0000\"", 0, 0 }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        marks.nul = 0;
        marks.surrogate = 0;

        ok(scan(cases[i].text, strlen(cases[i].text), NULL, &marks) > 0
           && marks.nul == cases[i].nul
           && marks.surrogate == cases[i].surrogate,
           "marks of %s", cases[i].text);
    }
}


static void
test_elements(void)
{
    char                  text[256];
    size_t                n, len;
    mentara_slice_t       array, value;
    const unsigned char  *pos;
    static const char     json[] = "[ \"a,]\" ,{\"b\":[1,2]}, [ ] ,-1e3,null]";

    array.len = sizeof(json) - 1;
    array.data = guarded(json, array.len);
    pos = NULL;
    n = 0;
    len = 0;

    while (mentara_json_element(array, &pos, &value) == MENTARA_OK) {
        len += (size_t) snprintf(text + len, sizeof(text) - len, "<%.*s>",
                                 (int) value.len, (char *) value.data);
        n++;
    }

    is_text(text, "<\"a,]\"><{\"b\":[1,2]}><[ ]><-1e3><null>",
            "the elements of an array");
    is_int((long) n, 5, "and their number");

    array.len = 3;
    array.data = guarded("[ ]", 3);
    pos = NULL;
    ok(mentara_json_element(array, &pos, &value) == MENTARA_MORE,
       "an empty array has none");
}


static void
test_unescape(void)
{
    size_t           i;
    intptr_t         n;
    unsigned char   *out;
    mentara_slice_t  s;

    typedef struct {
        const char  *text;
        const char  *value;
    } unescape_case_t;

    static const unescape_case_t  cases[] = {
        { "\"\"", "" }, { "\"abc\"", "abc" },
        { "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t" },
        { "\"\\u0041\\u00e4\\u20AC\"", "A\xc3\xa4\xe2\x82\xac" },
        { "\"\\ud83d\\ude00!\"", "\xf0\x9f\x98\x80!" },
        { "\"\\ud83d\"", NULL }, { "\"\\ude00\"", NULL },
        { "\"\\ud83d\\u0041\"", NULL }, { "\"\\ud83d\\\\abcd\"", NULL }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        s.data = (unsigned char *) cases[i].text;
        s.len = strlen(cases[i].text);

        if (cases[i].value == NULL) {
            out = guarded("", 0) - 16;
            ok(mentara_json_unescape(s, out, 16) == MENTARA_BAD,
               "no text: %s", cases[i].text);
            continue;
        }

        n = (intptr_t) strlen(cases[i].value);
        out = guarded("", 0) - n;

        ok(mentara_json_unescape(s, out, (size_t) n) == n
           && memcmp(out, cases[i].value, (size_t) n) == 0,
           "the text of %s", cases[i].text);

        ok(n == 0
           || mentara_json_unescape(s, out + 1, (size_t) n - 1) == MENTARA_BAD,
           "no room for the last octet of %s", cases[i].text);
    }
}


/*
 * Texts of a small alphabet: jansson and we agree on what is valid.  They are
 * too short for a number that jansson calls out of range.
 */

static void
test_agreement(void)
{
    char           text[8];
    size_t         i, len, n, wrong;
    json_t        *json;
    uint64_t       code, count;
    static const char  alphabet[] = "[]{}\",:1-e.";

    wrong = 0;
    n = sizeof(alphabet) - 1;

    for (len = 1, count = n; len <= 5; len++, count *= n) {
        for (code = 0; code < count; code++) {
            uint64_t  c = code;

            for (i = 0; i < len; i++) {
                text[i] = alphabet[c % n];
                c /= n;
            }

            json = json_loadb(text, len, JSON_DECODE_ANY, NULL);

            wrong += (json != NULL)
                     != (mentara_json_scan((unsigned char *) text,
                                           (unsigned char *) text + len, NULL,
                                           NULL) == (intptr_t) len);
            json_decref(json);
        }
    }

    ok(wrong == 0, "as jansson judges, for all short texts of brackets, "
       "quotes and numbers");
}


int
main(void)
{
    test_grammar();
    test_depth();
    test_marks();
    test_elements();
    test_unescape();
    test_agreement();

    return tap_done();
}
