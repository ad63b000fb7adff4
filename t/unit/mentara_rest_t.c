/*
 * The codecs of the REST door: JSON, ids, routes, fields, emoji, times,
 * highlights, tokens.
 */

#include <mentara_emoji.h>
#include <mentara_fields.h>
#include <mentara_highlight.h>
#include <mentara_id.h>
#include <mentara_json.h>
#include <mentara_jws.h>
#include <mentara_route.h>
#include <mentara_time.h>
#include "mentara_tap.h"


static mentara_slice_t
slice(const char *text)
{
    mentara_slice_t  s;

    s.len = strlen(text);
    s.data = guarded(text, s.len);

    return s;
}


/* a buffer that begins too small, to see it grow */

static intptr_t
grow(mentara_json_t *j, size_t need)
{
    size_t          used, size;
    unsigned char  *p;

    used = (size_t) (j->pos - j->start);
    size = 2 * used + need;
    p = malloc(size);

    memcpy(p, j->start, used);

    if (j->data != NULL) {
        free(j->data);
    }

    j->data = p;
    j->start = p;
    j->pos = p + used;
    j->last = p + size;

    return 0;
}


static void
test_json(void)
{
    int              i;
    char             name[80];
    unsigned char    small[1], id[16];
    mentara_json_t   j;

    static const struct {
        int64_t      us;
        const char  *text;
    } times[] = {
        { 0, "\"2000-01-01T00:00:00.000Z\"" },
        { -1, "\"1999-12-31T23:59:59.999Z\"" },
        { 86399999999LL, "\"2000-01-01T23:59:59.999Z\"" },
        { 5097600000000LL, "\"2000-02-29T00:00:00.000Z\"" },
        { -946684800000000LL, "\"1970-01-01T00:00:00.000Z\"" },
        { 848838896789000LL, "\"2026-11-24T12:34:56.789Z\"" },
        { INT64_MAX, "\"9999-12-31T23:59:59.999Z\"" },
        { INT64_MIN, "\"0000-01-01T00:00:00.000Z\"" },
    };

    for (i = 0; i < (int) (sizeof(times) / sizeof(times[0])); i++) {
        mentara_json_init(&j, small, 0, grow, NULL);
        mentara_json_time(&j, times[i].us);
        mentara_json_raw(&j, "", 1);
        snprintf(name, sizeof(name), "a time is %s", times[i].text);
        is_text((char *) j.start, times[i].text, name);
        free(j.data);
    }

    mentara_json_init(&j, small, 0, grow, NULL);
    mentara_json_string(&j, (unsigned char *) "a\"b\\c\n\t\x01\xc3\xa9/", 11);
    mentara_json_raw(&j, ",", 1);
    mentara_json_int(&j, INT64_MIN);
    mentara_json_raw(&j, ",", 1);
    mentara_json_int(&j, 0);
    memset(id, 0xab, sizeof(id));
    mentara_json_raw(&j, ",", 1);
    mentara_json_uuid(&j, id);
    mentara_json_raw(&j, "", 1);
    is_text((char *) j.start, "\"a\\\"b\\\\c\\n\\t\\u0001\xc3\xa9/\","
            "-9223372036854775808,0,"
            "\"abababab-abab-abab-abab-abababababab\"",
            "strings, numbers and ids are written as JSON has them");
    free(j.data);

    mentara_json_init(&j, small, 0, grow, NULL);
    mentara_json_raw(&j, "[{}", 3);

    for (i = 0; i < 100; i++) {
        mentara_json_again(&j, 1, 2);
    }

    mentara_json_raw(&j, "]", 2);
    ok(strlen((char *) j.start) == 204
       && strcmp((char *) j.start + 199, "{}{}]") == 0,
       "what was written is written again, also when the buffer moves");
    free(j.data);
}


static void
test_id(void)
{
    size_t           i;
    unsigned char    id[16], text[36], random[10];
    mentara_slice_t  s;

    static const char *const  bad[] = {
        "", "0", "0190163d-8694-739b-aea5-966c26f8ad9", "zz90163d-8694-739b-"
        "aea5-966c26f8ad91", "0190163d-8694-739b-aea5-966c26f8ad911",
        "0190163d08694-739b-aea5-966c26f8ad91",
        "{190163d-8694-739b-aea5-966c26f8ad9}"
    };

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        s = slice(bad[i]);
        ok(mentara_id_parse(id, s.data, s.len) == MENTARA_BAD,
           "not an id: %s", bad[i]);
    }

    s = slice("0190163D-8694-739b-AEA5-966c26f8ad91");
    ok(mentara_id_parse(id, s.data, s.len) == MENTARA_OK, "any case is fine");
    mentara_id_format(text, id);
    ok(memcmp(text, "0190163d-8694-739b-aea5-966c26f8ad91", 36) == 0,
       "and comes out in lower case");

    memset(random, 0xff, sizeof(random));
    mentara_id_v7(id, 0x0190163d8694ULL, random);
    mentara_id_format(text, id);
    ok(memcmp(text, "0190163d-8694-7fff-bfff-ffffffffffff", 36) == 0,
       "a new id has version 7 and its variant");
}


static void
test_route(void)
{
    long             n;
    size_t           i;
    unsigned char    out[64];
    mentara_slice_t  name, value, rest;
    mentara_route_t  route;

    static const struct {
        int          method;
        const char  *path;
        int          rc;
        int          endpoint;
    } cases[] = {
        { MENTARA_GET, "/me", MENTARA_OK, MENTARA_EP_ME },
        { MENTARA_POST, "/conversations/x/messages", MENTARA_OK,
          MENTARA_EP_MESSAGE_SEND },
        { MENTARA_POST, "/conversations/x/messages/read-batch", MENTARA_OK,
          MENTARA_EP_MESSAGE_READ_BATCH },
        { MENTARA_DELETE, "/messages/x/reactions/%2F", MENTARA_OK,
          MENTARA_EP_REACTION_REMOVE },
        { MENTARA_PUT, "/me", MENTARA_ROUTE_METHOD, 0 },
        { MENTARA_OPTIONS, "/search", MENTARA_ROUTE_METHOD, 0 },
        { MENTARA_GET, "/", MENTARA_ROUTE_UNKNOWN, 0 },
        { MENTARA_GET, "", MENTARA_ROUTE_UNKNOWN, 0 },
        { MENTARA_GET, "/me/", MENTARA_ROUTE_UNKNOWN, 0 },
        { MENTARA_GET, "//me", MENTARA_ROUTE_UNKNOWN, 0 },
        { MENTARA_GET, "me", MENTARA_ROUTE_UNKNOWN, 0 },
        { MENTARA_GET, "/a/b/c/d/e/f/g", MENTARA_ROUTE_UNKNOWN, 0 },
        { MENTARA_GET, "/Me", MENTARA_ROUTE_UNKNOWN, 0 },
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        ok(mentara_route_match(cases[i].method, slice(cases[i].path), &route)
           == cases[i].rc
           && (cases[i].rc != MENTARA_OK
               || route.endpoint == cases[i].endpoint),
           "path %s", cases[i].path);
    }

    for (i = 0; i < MENTARA_EP_N; i++) {
        ok(mentara_route_name((int) i)[0] != '\0', "endpoint %zu has a name",
           i);
    }

    n = mentara_percent_decode(out, slice("a%20b+c%C3%A9"), 1);
    ok(n == 7 && memcmp(out, "a b c\xc3\xa9", 7) == 0, "escapes are undone");
    ok(mentara_percent_decode(out, slice("%"), 0) == MENTARA_BAD
       && mentara_percent_decode(out, slice("%4"), 0) == MENTARA_BAD
       && mentara_percent_decode(out, slice("%zz"), 0) == MENTARA_BAD
       && mentara_percent_decode(out, slice("%00"), 0) == MENTARA_BAD,
       "broken ones and %%00 are refused");

    rest = slice("a=1&b&=2&c=3=4");
    i = 0;

    while (mentara_query_next(&rest, &name, &value) == MENTARA_OK) {
        i++;
    }

    is_int((long) i, 4, "a query is cut into its pairs");
}


static void
test_fields(void)
{
    int               rc;
    size_t            i;
    json_t           *args;
    mentara_slice_t   s;
    mentara_faults_t  faults;

    static const struct {
        int          endpoint;
        const char  *body;
        const char  *code;     /* NULL: fine */
        const char  *says;
    } cases[] = {
        { MENTARA_EP_MESSAGE_SEND, "{\"content\":\"x\"}", NULL, "" },
        { MENTARA_EP_MESSAGE_SEND, "", "validation_failed", "content" },
        { MENTARA_EP_MESSAGE_SEND, "{", "malformed_json", "JSON" },
        { MENTARA_EP_MESSAGE_SEND, "{\"content\":\"x\",\"content\":\"y\"}",
          "malformed_json", "twice" },
        { MENTARA_EP_MESSAGE_SEND, "{\"content\":\"\\u0000\"}",
          "malformed_json", "u0000" },
        { MENTARA_EP_MESSAGE_SEND, "{\"content\":\"\\ud800\"}",
          "malformed_json", "JSON" },
        { MENTARA_EP_MESSAGE_SEND, "{\"content\":\"\xff\"}",
          "malformed_json", "UTF-8" },
        { MENTARA_EP_MESSAGE_SEND, "[[[[[[[[[1]]]]]]]]]", "malformed_json",
          "nested" },
        { MENTARA_EP_MESSAGE_SEND, "[]", "validation_failed", "object" },
        { MENTARA_EP_MESSAGE_SEND, "{\"content\":\"x\",\"senderId\":\"y\"}",
          "validation_failed", "senderId" },
        { MENTARA_EP_MESSAGE_SEND, "{\"content\":\"  \\u00a0\\u3000\"}",
          "validation_failed", "content" },
        { MENTARA_EP_MESSAGE_SEND, "{\"content\":\"12345678901\"}",
          "validation_failed", "at most 10" },
        { MENTARA_EP_MESSAGE_SEND, "{\"content\":null}",
          "validation_failed", "content" },
        { MENTARA_EP_MESSAGE_SEND,
          "{\"content\":\"x\",\"attachmentSize\":1.5,\"replyToId\":7}",
          "validation_failed", "replyToId must be a UUID\nattachmentSize" },
        { MENTARA_EP_CONVERSATION_UPDATE, "{\"title\":null}", NULL, "" },
        { MENTARA_EP_CONVERSATION_UPDATE, "{\"title\":\"\"}",
          "validation_failed", "title" },
        { MENTARA_EP_REACTION_ADD, "{\"emoji\":\"no\"}",
          "validation_failed", "emoji" },
        { MENTARA_EP_CONVERSATION_CREATE,
          "{\"participantIds\":[\"a\",\"a\"]}", NULL, "" },
        { MENTARA_EP_CONVERSATION_CREATE,
          "{\"participantIds\":[\"a\",\"b\"]}", "validation_failed",
          "exactly one" },
        { MENTARA_EP_CONVERSATION_CREATE,
          "{\"participantIds\":[\"a\\u0001\"]}", "validation_failed",
          "participantIds[0]" },
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        s = slice(cases[i].body);
        rc = mentara_body_check(cases[i].endpoint, s.data, s.len, 10, &args,
                                &faults);

        if (cases[i].code == NULL) {
            ok(rc == MENTARA_OK, "good: %s", cases[i].body);
            json_decref(args);
            continue;
        }

        ok(rc == MENTARA_BAD && strcmp(faults.code, cases[i].code) == 0
           && strstr(faults.text, cases[i].says) != NULL,
           "bad: %s", cases[i].body);
    }

    rc = mentara_query_check(MENTARA_EP_MESSAGE_PAGE,
                             slice("limit=0&page=x&before=1&other=2"), &args,
                             &faults);
    ok(rc == MENTARA_BAD && strstr(faults.text, "limit") != NULL
       && strstr(faults.text, "page") != NULL
       && strstr(faults.text, "together") != NULL,
       "all faults of a query are told at once");

    rc = mentara_query_check(MENTARA_EP_SEARCH,
                             slice("query=a%20b&limit=5&page=2"), &args,
                             &faults);
    ok(rc == MENTARA_OK
       && json_integer_value(json_object_get(args, "limit")) == 5,
       "numbers of a query become integers");
    json_decref(args);
}


static void
test_emoji(void)
{
    size_t           i, n, bad;
    const char      *got;
    mentara_slice_t  s;
    unsigned char    stripped[64];

    bad = 0;

    for (i = 0; i < mentara_emoji_n; i++) {
        got = mentara_emoji(slice(mentara_emoji_table[i]));
        bad += (got == NULL || strcmp(got, mentara_emoji_table[i]) != 0);

        n = 0;
        s = slice(mentara_emoji_table[i]);

        while (s.len > 0) {
            if (s.len >= 3 && memcmp(s.data, "\xef\xb8\x8f", 3) == 0) {
                s.data += 3;
                s.len -= 3;
                continue;
            }

            stripped[n++] = *s.data++;
            s.len--;
        }

        s.data = stripped;
        s.len = n;
        got = mentara_emoji(s);
        bad += (got == NULL || strcmp(got, mentara_emoji_table[i]) != 0);
    }

    is_int((long) bad, 0, "every RGI emoji is one, with and without U+FE0F");
    ok(mentara_emoji_n > 3000, "there are many");
    ok(mentara_emoji(slice("")) == NULL
       && mentara_emoji(slice("a")) == NULL
       && mentara_emoji(slice("1")) == NULL
       && mentara_emoji(slice("\xef\xb8\x8f")) == NULL
       && mentara_emoji(slice("\xe2\x80\x8d")) == NULL
       && mentara_emoji(slice("\xf0\x9f\x8f\xbd")) == NULL
       && mentara_emoji(slice("\xf0\x9f\x91\x8d\xf0\x9f\x91\x8d")) == NULL
       && mentara_emoji(slice("\xf0\x9f\x91")) == NULL,
       "nothing else is");
}


static void
test_time(void)
{
    size_t  i;

    static const char *const  good[] = {
        "2026-11-24", "2024-02-29", "2026-11-24T12:34Z",
        "2026-11-24T12:34:56", "2026-11-24T12:34:56.789Z",
        "2026-11-24T12:34:56+08:00", "2026-11-24T12:34:56.123456-14:00"
    };
    static const char *const  bad[] = {
        "", "2026", "2026-13-01", "2026-02-29", "2026-11-24T", "yesterday",
        "2026-11-24T24:00Z", "2026-11-24T12:60Z", "2026-11-24 12:34",
        "2026-11-24T12:34:56.", "2026-11-24T12:34Zx", "0000-01-01",
        "2026-11-24T12:34+8", "2026-11-24T12:34:56+15:00", "12026-11-24"
    };

    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        ok(mentara_time_check(good[i], strlen(good[i])) == MENTARA_OK,
           "a time: %s", good[i]);
    }

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        ok(mentara_time_check(bad[i], strlen(bad[i])) == MENTARA_BAD,
           "not a time: %s", bad[i]);
    }
}


static void
test_highlight(void)
{
    char                 got[256];
    size_t               i, k, n;
    mentara_slice_t      text, query;
    mentara_highlight_t  hits[8];

    static const struct {
        const char  *text;
        const char  *query;
        const char  *hits;
    } cases[] = {
        { "Hello hello, shell", "hel", "0+3 6+3 " },
        { "Caf\xc3\xa9 CAFE\xcc\x81!", "cafe", "0+4 5+5 " },
        { "\xf0\x9f\x98\x80 ok then", "then o", "3+1 6+4 " },
        { "nothing here", "x", "" },
        { "a b", "!!", "" },
        { "", "a", "" },
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        text.data = (unsigned char *) strdup(cases[i].text);
        text.len = strlen(cases[i].text);
        query = slice(cases[i].query);
        n = mentara_highlight(text, query, hits, 8);
        got[0] = '\0';

        for (k = 0; k < n; k++) {
            snprintf(got + strlen(got), sizeof(got) - strlen(got), "%u+%u ",
                     hits[k].start, hits[k].length);
        }

        is_text(got, cases[i].hits, cases[i].text);
        free(text.data);
    }
}


static void
test_jws(void)
{
    size_t           i;
    unsigned char    out[64];
    mentara_jws_t    jws;

    static const char *const  bad[] = {
        "", ".", "..", "a.b", "a.b.", ".b.c", "a..c", "a.b.c.d", "a.b.c."
    };

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        ok(mentara_jws_split(slice(bad[i]), &jws) == MENTARA_BAD,
           "not a token: %s", bad[i]);
    }

    ok(mentara_jws_split(slice("aa.bb.cc"), &jws) == MENTARA_OK
       && jws.input.len == 5 && jws.signature.len == 2, "a token");
    is_int(mentara_base64url_decode(out, slice("_-8")), 2, "base64url");
    ok(mentara_base64url_decode(out, slice("A")) == MENTARA_BAD
       && mentara_base64url_decode(out, slice("AB")) == MENTARA_BAD
       && mentara_base64url_decode(out, slice("AA=")) == MENTARA_BAD
       && mentara_base64url_decode(out, slice("A+")) == MENTARA_BAD,
       "strictly");
}


int
main(void)
{
    test_json();
    test_id();
    test_route();
    test_fields();
    test_emoji();
    test_time();
    test_highlight();
    test_jws();

    return tap_done();
}
