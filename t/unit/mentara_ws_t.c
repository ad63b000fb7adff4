
#include <mentara_ws.h>
#include "mentara_tap.h"


#define LOG_MAX  (1u << 18)


/* what a reader made of some octets, as text */
static char    log_text[LOG_MAX];
static size_t  log_len;
static int     log_open;      /* within a message */


static void
log_add(const char *format, ...)
{
    va_list  args;

    va_start(args, format);
    log_len += (size_t) vsnprintf(log_text + log_len, LOG_MAX - log_len,
                                  format, args);
    va_end(args);
}


static void
log_data(const mentara_slice_t *data)
{
    size_t  i;

    if (data->len > 300) {
        log_add("%zu*", data->len);
        return;
    }

    for (i = 0; i < data->len; i++) {
        if (data->data[i] > 0x20 && data->data[i] < 0x7f) {
            log_add("%c", data->data[i]);

        } else {
            log_add("%%%02x", data->data[i]);
        }
    }
}


static void
log_event(mentara_ws_event_t *ev)
{
    static const char  *names[] = { "", "ping", "pong", "close" };

    if (ev->type == MENTARA_WS_EVENT_DATA) {
        if (!log_open) {
            log_add("%s%s:", ev->opcode == MENTARA_WS_TEXT ? "text" : "binary",
                    ev->compressed ? "/z" : "");
        }

        log_data(&ev->data);
        log_open = !ev->fin;

        if (ev->fin) {
            log_add(" ");
        }

        return;
    }

    log_add("%s", names[ev->type]);

    if (ev->type == MENTARA_WS_EVENT_CLOSE) {
        log_add("/%u", ev->code);
    }

    log_add(":");
    log_data(&ev->data);
    log_add(" ");
}


/* feeds in pieces of n octets, each against the guard page */

static const char *
run(const unsigned char *data, size_t len, size_t n, uint64_t max,
    unsigned deflate)
{
    size_t               i, part;
    intptr_t             rc;
    unsigned char       *pos, *last;
    mentara_ws_event_t   ev;
    mentara_ws_reader_t  r;

    mentara_ws_reader_init(&r, max, deflate);

    log_len = 0;
    log_open = 0;
    log_text[0] = '\0';

    for (i = 0; i < len; i += part) {
        part = (len - i < n) ? len - i : n;
        pos = guarded(data + i, part);
        last = pos + part;

        while (pos < last) {
            rc = mentara_ws_read(&r, pos, last, &ev);

            if (rc == MENTARA_MORE) {
                break;
            }

            if (rc == MENTARA_BAD) {
                log_add("bad:%u", r.status);
                return log_text;
            }

            pos += rc;
            log_event(&ev);
        }
    }

    return log_text;
}


static void
each_way(const char *name, const unsigned char *data, size_t len,
    const char *expected, uint64_t max, unsigned deflate)
{
    size_t               i;
    static const size_t  pieces[] = { 1u << 21, 1, 2, 3, 7 };

    for (i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
        if (strcmp(run(data, len, pieces[i], max, deflate), expected) != 0) {
            is_text(log_text, expected, name);
            printf("# in pieces of %zu\n", pieces[i]);
            return;
        }
    }

    ok(1, "%s", name);
}


/* a masked client frame; returns its length */

static size_t
frame(unsigned char *buf, unsigned first, const void *data, size_t len)
{
    size_t                i;
    unsigned char        *p;
    static unsigned char  mask[4] = { 0x37, 0xfa, 0x21, 0x3d };

    p = buf + mentara_ws_head(buf, first & 15, 1, 0, len);

    buf[0] = (unsigned char) first;
    buf[1] |= 0x80;

    memcpy(p, mask, 4);
    p += 4;

    for (i = 0; i < len; i++) {
        p[i] = ((const unsigned char *) data)[i] ^ mask[i & 3];
    }

    return (size_t) (p - buf) + len;
}


typedef struct {
    const char  *name;
    const char  *frames;    /* "FF text|FF text": first octet in hex, body */
    const char  *expected;
    uint64_t     max;
    unsigned     deflate;
} ws_case_t;


static const ws_case_t  cases[] = {
    { "an empty text message", "81 ", "text: ", 100, 0 },
    { "an empty binary message", "82 ", "binary: ", 100, 0 },
    { "two messages in one read", "81 one|81 two",
      "text:one text:two ", 99, 0 },
    { "fragments make one message", "01 fra|00 gm|80 ent", "text:fragment ",
      100, 0 },
    { "empty fragments make an empty message", "01 |00 |80 ",
      "text: ", 100, 0 },
    { "an empty fragment in the middle", "01 a|00 |80 b", "text:ab ", 100, 0 },
    { "ping and pong carry their data", "89 hi|8a ho", "ping:hi pong:ho ",
      100, 0 },
    { "an empty ping", "89 ", "ping: ", 100, 0 },
    { "a ping between two messages", "81 a|89 p|81 b", "text:a ping:p text:b ",
      100, 0 },
    { "a continuation without a beginning", "80 x", "bad:1002", 100, 0 },
    { "a fragment without a beginning", "00 x", "bad:1002", 100, 0 },
    { "a continuation behind a whole message", "81 a|80 x", "text:a bad:1002",
      100, 0 },
    { "a new message within a fragmented one", "01 a|81 b", "text:abad:1002",
      100, 0 },
    { "a binary frame within a fragmented text", "01 a|82 b", "text:abad:1002",
      100, 0 },
    { "a fragmented ping", "09 a", "bad:1002", 100, 0 },
    { "a fragmented pong", "0a a", "bad:1002", 100, 0 },
    { "a fragmented close", "08 ", "bad:1002", 100, 0 },
    { "RSV1 without deflate", "c1 a", "bad:1002", 100, 0 },
    { "RSV1 with deflate", "c1 a", "text/z:a ", 100, 1 },
    { "RSV1 on the first fragment", "42 a|80 b", "binary/z:ab ", 100, 1 },
    { "RSV1 on a continuation", "41 a|c0 b", "text/z:abad:1002", 100, 1 },
    { "RSV1 on a ping", "c9 a", "bad:1002", 100, 1 },
    { "RSV1 on a close", "c8 ", "bad:1002", 100, 1 },
    { "not every message is compressed", "c1 a|81 b",
      "text/z:a text:b ", 9, 1 },
    { "compressed text is not checked here", "c1 \xff", "text/z:%ff ", 100, 1 },
    { "RSV2", "a1 a", "bad:1002", 100, 1 },
    { "RSV3", "91 a", "bad:1002", 100, 1 },
    { "a message of just the limit", "81 12345678", "text:12345678 ", 8, 0 },
    { "a message over the limit", "82 123456789", "bad:1009", 8, 0 },
    { "fragments of just the limit", "01 1234|80 5678",
      "text:12345678 ", 8, 0 },
    { "fragments over the limit", "01 1234|80 56789",
      "text:1234bad:1009", 8, 0 },
    { "the limit begins anew", "81 12345678|81 abcdefgh",
      "text:12345678 text:abcdefgh ", 8, 0 },
    { "a control frame is not counted", "01 1234|89 12345678|80 5678",
      "text:1234ping:12345678 5678 ", 8, 0 },
    { "a compressed message may be a little longer", "c2 123456789",
      "binary/z:123456789 ", 8, 1 },
    { "bad UTF-8", "81 \xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80"
      "edited", NULL, 100, 0 },
    { "bad UTF-8 in a binary message", "82 \xff\xfe",
      "binary:%ff%fe ", 100, 0 },
    { "a character over two fragments", "01 \xe2\x82|80 \xac",
      "text:%e2%82%ac ", 100, 0 },
    { "a character over three fragments", "01 \xf0|00 \x9f\x98|80 \x80",
      "text:%f0%9f%98%80 ", 100, 0 },
    { "a ping within a character", "01 \xe2\x82|89 \xff|80 \xac",
      "text:%e2%82ping:%ff %ac ", 100, 0 },
    { "a text that ends within a character", "81 ab\xe2\x82", NULL, 100, 0 },
    { "the next text begins anew", "82 \xe2|81 a",
      "binary:%e2 text:a ", 100, 0 },
    { "a close without a body", "88 ", "close/1005: ", 100, 0 },
    { "nothing is read behind a close", "88 |81 x|ff ",
      "close/1005: ", 100, 0 },
    { "a close within a fragmented message", "01 a|88 ", "text:aclose/1005: ",
      100, 0 },
    { "a close with one octet", "88 \x03", "bad:1002", 100, 0 }
};


/* the table's frames as octets */

static size_t
compile(unsigned char *buf, const char *text)
{
    size_t         len, n;
    const char    *end;
    unsigned long  first;

    len = 0;

    for ( ;; ) {
        end = strchr(text, '|');
        n = (end != NULL) ? (size_t) (end - text) : strlen(text);

        first = strtoul(text, NULL, 16);
        len += frame(buf + len, (unsigned) first, text + 3, n - 3);

        if (end == NULL) {
            return len;
        }

        text = end + 1;
    }
}


static void
test_table(void)
{
    size_t         i, len, n;
    char           last[16];
    unsigned char  buf[512];

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        len = compile(buf, cases[i].frames);

        if (cases[i].expected != NULL) {
            each_way(cases[i].name, buf, len, cases[i].expected, cases[i].max,
                     cases[i].deflate);
            continue;
        }

        /* how much was handed out before depends on the pieces */

        for (n = 1; n <= len; n++) {
            run(buf, len, n, cases[i].max, cases[i].deflate);
            snprintf(last, sizeof(last), "%s",
                     log_len > 8 ? log_text + log_len - 8 : log_text);

            if (strcmp(last, "bad:1007") != 0) {
                break;
            }
        }

        ok(n > len, "%s", cases[i].name);
    }
}


/* every first octet, alone and within a message, with and without deflate */

static void
test_first_octets(void)
{
    int            bad, expected;
    size_t         len;
    unsigned       first, open, deflate, opcode, wrong;
    unsigned char  buf[64];

    wrong = 0;

    for (first = 0; first < 256; first++) {
        for (open = 0; open < 2; open++) {
            for (deflate = 0; deflate < 2; deflate++) {

                len = open ? frame(buf, 0x01, "a", 1) : 0;
                len += frame(buf + len, first, "", 0);

                opcode = first & 15;

                expected = (first & 0x30) != 0
                           || ((first & 0x40) != 0
                               && (!deflate || opcode == 0 || opcode > 2))
                           || (opcode > 2 && opcode < 8) || opcode > 10
                           || (opcode >= 8 && (first & 0x80) == 0)
                           || (opcode == 0 && !open)
                           || ((opcode == 1 || opcode == 2) && open);

                bad = (strstr(run(buf, len, 1, 100, deflate), "bad:1002")
                       != NULL);

                if (bad != expected) {
                    printf("# %02x open %u deflate %u\n", first, open, deflate);
                    wrong++;
                }
            }
        }
    }

    ok(wrong == 0, "opcode, RSV and FIN in all 1024 combinations");
}


static void
test_heads(void)
{
    size_t          i, len, sum;
    char            expected[64];
    unsigned char  *big, *p, head[16];
    static const size_t  sizes[] = { 0, 1, 124, 125, 126, 127, 128, 65535,
                                     65536, 65537, 1u << 20 };

    big = malloc((1u << 20) + 16);
    p = malloc(1u << 20);
    memset(p, '*', 1u << 20);

    for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        len = frame(big, 0x82, p, sizes[i]);

        run(big, len, 1u << 21, 1u << 20, 0);

        if (sizes[i] <= 300) {
            ok(log_len == 8 + sizes[i], "a frame of %zu octets", sizes[i]);
            continue;
        }

        snprintf(expected, sizeof(expected), "binary:%zu* ", sizes[i]);
        is_text(log_text, expected, "a longer frame");
    }

    len = frame(big, 0x82, p, 4099);
    run(big, len, 64, 1u << 20, 0);

    for (i = 0, sum = 0; i < log_len; i++) {
        sum += (log_text[i] == '*');
    }

    ok(sum == 4099, "unmasking goes on where a piece ended");

    /* lengths that are not minimal, or too long */

    each_way("126 for a length of 125", (unsigned char *) "\x82\xfe\0\x7d", 4,
             "bad:1002", 1000, 0);
    each_way("127 for a length of 65535",
             (unsigned char *) "\x82\xff\0\0\0\0\0\0\xff\xff", 10, "bad:1002",
             1u << 20, 0);
    each_way("a length with the top bit",
             (unsigned char *) "\x82\xff\x80\0\0\0\0\x01\0\0", 10, "bad:1002",
             UINT64_MAX >> 1, 0);
    each_way("a length of 2^63 - 1",
             (unsigned char *) "\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff", 10,
             "bad:1009", 1u << 20, 0);
    each_way("one gigabyte is announced, and nothing is waited for",
             (unsigned char *) "\x81\xff\0\0\0\0\x40\0\0\0", 10, "bad:1009",
             1u << 20, 0);
    each_way("a frame without a mask", (unsigned char *) "\x81\x01", 2,
             "bad:1002", 100, 0);
    each_way("a ping of 126", (unsigned char *) "\x89\xfe", 2, "bad:1002", 9,
             0);
    each_way("a close of 127", (unsigned char *) "\x88\xff", 2, "bad:1002", 9,
             0);

    memset(p, 'p', 125);
    len = frame(big, 0x89, p, 125);
    run(big, len, 1, 10, 0);
    ok(log_len == 5 + 125 + 1, "a ping of 125, octet by octet");

    ok(mentara_ws_head(head, MENTARA_WS_TEXT, 1, 1, 5) == 2
       && head[0] == 0xc1 && head[1] == 5, "a head with RSV1");
    ok(mentara_ws_head(head, MENTARA_WS_BINARY, 0, 0, 126) == 4
       && memcmp(head, "\x02\x7e\0\x7e", 4) == 0, "a head of four octets");
    ok(mentara_ws_head(head, MENTARA_WS_TEXT, 1, 0, 65536) == 10
       && memcmp(head, "\x81\x7f\0\0\0\0\0\x01\0\0", 10) == 0,
       "a head of ten octets");

    free(big);
    free(p);
}


static void
test_close(void)
{
    size_t          len;
    unsigned        code, i, wrong;
    char            expected[32], name[64];
    unsigned char   buf[256], body[128];
    mentara_slice_t  reason;
    static const unsigned  valid[] = { 1000, 1001, 1002, 1003, 1007, 1008,
                                       1009, 1010, 1011, 1012, 1013, 1014,
                                       3000, 3999, 4000, 4999 };
    static const unsigned  invalid[] = { 0, 1, 999, 1004, 1005, 1006, 1015,
                                         1016, 1100, 2000, 2999, 5000, 65535 };

    for (i = 0; i < sizeof(valid) / sizeof(valid[0]); i++) {
        body[0] = (unsigned char) (valid[i] >> 8);
        body[1] = (unsigned char) valid[i];
        len = frame(buf, 0x88, body, 2);

        snprintf(expected, sizeof(expected), "close/%u: ", valid[i]);
        snprintf(name, sizeof(name), "close code %u may be sent", valid[i]);
        each_way(name, buf, len, expected, 10, 0);
    }

    for (i = 0; i < sizeof(invalid) / sizeof(invalid[0]); i++) {
        body[0] = (unsigned char) (invalid[i] >> 8);
        body[1] = (unsigned char) invalid[i];
        len = frame(buf, 0x88, body, 2);

        snprintf(name, sizeof(name), "close code %u may not", invalid[i]);
        each_way(name, buf, len, "bad:1002", 10, 0);
    }

    wrong = 0;

    for (code = 0; code < 65536; code++) {
        wrong += (mentara_ws_code_valid(code) != 0)
                 != ((code >= 1000 && code < 1015 && code != 1004
                      && code != 1005 && code != 1006)
                     || (code >= 3000 && code < 5000));
    }

    ok(wrong == 0, "all 65536 close codes");

    each_way("a close with a reason", buf,
             frame(buf, 0x88, "\x03\xe8" "bye", 5), "close/1000:bye ", 10, 0);
    each_way("a reason that is no UTF-8", buf,
             frame(buf, 0x88, "\x03\xe8\xce\xba\xed\xa0\x80", 7), "bad:1007",
             10, 0);
    each_way("a reason that is cut within a character", buf,
             frame(buf, 0x88, "\x03\xe8\xce", 3), "bad:1007", 10, 0);

    memset(body, 'r', sizeof(body));
    memcpy(body, "\x03\xe8", 2);
    len = frame(buf, 0x88, body, 125);
    run(buf, len, 1, 10, 0);
    ok(log_len == 11 + 123 + 1, "a close of 125 octets, octet by octet");

    reason.data = (unsigned char *) "gone";
    reason.len = 4;

    ok(mentara_ws_close(buf, 1001, reason) == 8
       && memcmp(buf, "\x88\x06\x03\xe9gone", 8) == 0, "a close frame");
    ok(mentara_ws_close(buf, 1005, reason) == 2
       && memcmp(buf, "\x88\0", 2) == 0, "1005 is an empty close frame");

    memset(body, 'r', 122);
    memcpy(body + 122, "\xc3\xa4", 2);
    reason.data = body;
    reason.len = 124;

    ok(mentara_ws_close(buf, 1001, reason) == 2 + 2 + 122
       && buf[1] == 124, "a long reason is cut at a character");
}


static void
digest(unsigned char out[20], const unsigned char *data, size_t len)
{
    /* SHA-1 of the example of RFC 6455, section 1.3 */

    static const char  text[] = "dGhlIHNhbXBsZSBub25jZQ=="
                                "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

    if (len != sizeof(text) - 1 || memcmp(data, text, len) != 0) {
        memset(out, 0, 20);
        return;
    }

    memcpy(out, "\xb3\x7a\x4f\x2c\xc0\x62\x4f\x16\x90\xf6"
                "\x46\x06\xcf\x38\x59\x45\xb2\xbe\xc4\xea", 20);
}


static int
token(const char *value, const char *name)
{
    mentara_slice_t  s;

    s.len = strlen(value);
    s.data = guarded(value, s.len);

    return mentara_ws_has_token(s, name);
}


static int
key(const char *value)
{
    mentara_slice_t  s;

    s.len = strlen(value);
    s.data = guarded(value, s.len);

    return mentara_ws_key_valid(s);
}


static void
test_handshake(void)
{
    unsigned char    buf[MENTARA_WS_ACCEPT_LEN];
    mentara_slice_t  s;

    s.data = (unsigned char *) "dGhlIHNhbXBsZSBub25jZQ==";
    s.len = 24;
    mentara_ws_accept(buf, s, digest);

    ok(memcmp(buf, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", 28) == 0,
       "Sec-WebSocket-Accept of the RFC's example");

    ok(token("Upgrade", "upgrade"), "a token in any case");
    ok(token("keep-alive, Upgrade", "upgrade"), "a token in a list");
    ok(token(" , upgrade ,x", "upgrade"), "empty elements and space");
    ok(!token("", "upgrade"), "no value, no token");
    ok(!token("upgrades", "upgrade"), "a longer token is another");
    ok(!token("upgrad", "upgrade"), "a shorter token is another");
    ok(!token("up grade", "upgrade"), "two words are no token");

    ok(key("dGhlIHNhbXBsZSBub25jZQ=="), "a key of 16 octets");
    ok(!key("dGhlIHNhbXBsZSBub25jZQ="), "a key that is too short");
    ok(!key("dGhlIHNhbXBsZSBub25jZQ==="), "a key that is too long");
    ok(!key("dGhlIHNhbXBsZSBub25jZQQ="), "a key of 17 octets");
    ok(!key("dGhlIHNhbXBsZSB-b25jZQ=="), "a key in another alphabet");
    ok(!key(""), "an empty key");
}


static void
test_inflated_text(void)
{
    mentara_ws_reader_t   r;
    const unsigned char  *p;

    mentara_ws_reader_init(&r, 100, 1);

    p = (const unsigned char *) "\xe2\x82\xac";

    ok(mentara_ws_text(&r, p, p + 2, 0) == MENTARA_OK
       && mentara_ws_text(&r, p + 2, p + 3, 1) == MENTARA_OK,
       "inflated text is checked in pieces");
    ok(mentara_ws_text(&r, p, p + 2, 1) == MENTARA_BAD && r.status == 1007,
       "inflated text that is cut is 1007");
}


int
main(void)
{
    test_table();
    test_first_octets();
    test_heads();
    test_close();
    test_handshake();
    test_inflated_text();

    return tap_done();
}
