
#include <mentara_engineio.h>
#include "mentara_tap.h"


static char  text[4096];


/* the packets of a body as text */

static const char *
payload(const char *body, size_t len)
{
    int                     rc;
    size_t                  n;
    unsigned char          *p;
    mentara_eio_packet_t    packet;
    mentara_eio_payload_t   state;

    p = guarded(body, len);
    n = 0;
    text[0] = '\0';

    mentara_eio_payload_init(&state, p, p + len);

    for ( ;; ) {
        rc = mentara_eio_payload_next(&state, &packet);

        if (rc == MENTARA_MORE) {
            return text;
        }

        if (rc == MENTARA_BAD) {
            snprintf(text + n, sizeof(text) - n, "bad");
            return text;
        }

        n += (size_t) snprintf(text + n, sizeof(text) - n, "%d%s(%.*s)",
                               packet.type, packet.binary ? "b" : "",
                               (int) packet.data.len,
                               (char *) packet.data.data);
    }
}


typedef struct {
    const char  *body;
    const char  *expected;
} payload_case_t;


static const payload_case_t  payloads[] = {
    { "2", "2()" },
    { "2probe", "2(probe)" },
    { "4hello", "4(hello)" },
    { "4a\x1e" "4b", "4(a)4(b)" },
    { "4a\x1e" "bQUJD\x1e" "3", "4(a)4b(ABC)3()" },
    { "b", "4b()" },
    { "bQQ==", "4b(A)" },
    { "42/messaging,[\"a\"]\x1e" "451-/messaging,0[1]\x1e" "bQUI=",
      "4(2/messaging,[\"a\"])4(51-/messaging,0[1])4b(AB)" },
    { "", "bad" }, { "\x1e", "bad" }, { "4a\x1e", "4(a)bad" },
    { "\x1e" "4a", "bad" }, { "4a\x1e\x1e" "4b", "4(a)bad" },
    { "abc", "bad" }, { "7", "bad" }, { "/", "bad" }, { "B", "bad" },
    { "4a\x1e" "abc", "4(a)bad" },
    { "bQQ", "bad" }, { "bQQ=", "bad" }, { "bQR==", "bad" },
    { "b====", "bad" }, { "b4x=-", "bad" }, { "bQU I", "bad" }
};


static void
test_packets(void)
{
    int                   c, wrong, rc;
    size_t                i, len;
    unsigned char         octet, *p;
    mentara_eio_packet_t  packet;

    for (i = 0; i < sizeof(payloads) / sizeof(payloads[0]); i++) {
        len = strlen(payloads[i].body);
        is_text(payload(payloads[i].body, len), payloads[i].expected,
                "a body of packets");
    }

    wrong = 0;

    for (c = 0; c < 256; c++) {
        octet = (unsigned char) c;
        p = guarded(&octet, 1);
        rc = mentara_eio_packet(&packet, p, p + 1);
        wrong += (rc == MENTARA_OK) != (c >= '0' && c <= '6');
        wrong += (rc == MENTARA_OK && packet.data.len != 0);
    }

    ok(wrong == 0, "seven packet types, and no other");

    p = guarded("", 0);
    ok(mentara_eio_packet(&packet, p, p) == MENTARA_BAD,
       "an empty packet is none");
}


static void
test_writers(void)
{
    size_t              n;
    unsigned char       buf[MENTARA_EIO_OPEN_MAX];
    mentara_slice_t     data;
    mentara_eio_open_t  open;

    data.data = (unsigned char *) "\x01\x02\x03\x04";
    data.len = 4;

    n = mentara_eio_put_binary(buf, data);
    ok(n == mentara_eio_binary_len(4) && memcmp(buf, "bAQIDBA==", n) == 0,
       "a binary packet of a payload");

    data.data = (unsigned char *) "probe";
    data.len = 5;
    n = mentara_eio_put_text(buf, MENTARA_EIO_PONG, data);
    ok(n == mentara_eio_text_len(5) && memcmp(buf, "3probe", n) == 0,
       "a text packet");

    open.sid.data = (unsigned char *) "eTzShbTmsh90XjfRAAAA";
    open.sid.len = 20;
    open.upgrades = 1;
    open.ping_interval = 25000;
    open.ping_timeout = 20000;
    open.max_payload = 1000000;

    n = mentara_eio_put_open(buf, &open);
    buf[n] = '\0';
    is_text((char *) buf, "0{\"sid\":\"eTzShbTmsh90XjfRAAAA\",\"upgrades\":"
            "[\"websocket\"],\"pingInterval\":25000,\"pingTimeout\":20000,"
            "\"maxPayload\":1000000}", "the open packet over polling");
    is_int((long) n, 118, "is as long as it was captured");

    open.upgrades = 0;
    open.ping_interval = 0;
    n = mentara_eio_put_open(buf, &open);
    buf[n] = '\0';
    is_text((char *) buf, "0{\"sid\":\"eTzShbTmsh90XjfRAAAA\",\"upgrades\":[],"
            "\"pingInterval\":0,\"pingTimeout\":20000,\"maxPayload\":1000000}",
            "the open packet over websocket");

    open.upgrades = 1;
    open.ping_interval = UINT64_MAX;
    open.ping_timeout = UINT64_MAX;
    open.max_payload = UINT64_MAX;
    open.sid.data = (unsigned char *) "0123456789012345678901234567890123456789"
                                      "012345678901234567890123";
    open.sid.len = 64;
    n = mentara_eio_put_open(guarded(buf, sizeof(buf)), &open);
    ok(n <= MENTARA_EIO_OPEN_MAX, "and has a bound");
}


typedef struct {
    const char               *args;
    mentara_eio_transport_e   transport;
    unsigned                  version;
    const char               *sid;      /* NULL: none */
} query_case_t;


static const query_case_t  queries[] = {
    { "EIO=4&transport=polling&t=s5zotzip", MENTARA_EIO_TRANSPORT_POLLING, 4,
      NULL },
    { "EIO=4&transport=websocket&sid=abc", MENTARA_EIO_TRANSPORT_WEBSOCKET, 4,
      "abc" },
    { "sid=&transport=polling&EIO=3", MENTARA_EIO_TRANSPORT_POLLING, 3, "" },
    { "", MENTARA_EIO_TRANSPORT_NONE, 0, NULL },
    { "EIO=4", MENTARA_EIO_TRANSPORT_NONE, 4, NULL },
    { "EIO=44&transport=abc", MENTARA_EIO_TRANSPORT_UNKNOWN, 0, NULL },
    { "EIO=x&transport=", MENTARA_EIO_TRANSPORT_UNKNOWN, 0, NULL },
    { "EIO&transport&sid", MENTARA_EIO_TRANSPORT_UNKNOWN, 0, "" },
    { "&&=&EIO=4&&transport=polling&", MENTARA_EIO_TRANSPORT_POLLING, 4, NULL },
    { "EIO=4&EIO=3&transport=polling&transport=websocket&sid=a&sid=b",
      MENTARA_EIO_TRANSPORT_POLLING, 4, "a" },
    { "eio=4&Transport=polling", MENTARA_EIO_TRANSPORT_NONE, 0, NULL }
};


static void
test_query(void)
{
    size_t               i;
    mentara_slice_t      args;
    mentara_eio_query_t  q;

    for (i = 0; i < sizeof(queries) / sizeof(queries[0]); i++) {
        args.len = strlen(queries[i].args);
        args.data = guarded(queries[i].args, args.len);

        mentara_eio_query(&q, args);

        ok(q.transport == queries[i].transport
           && q.version == queries[i].version
           && q.has_sid == (queries[i].sid != NULL)
           && (!q.has_sid
               || (q.sid.len == strlen(queries[i].sid)
                   && memcmp(q.sid.data, queries[i].sid, q.sid.len) == 0)),
           "the query \"%s\"", queries[i].args);
    }
}


static void
test_errors(void)
{
    int                          i;
    char                         body[128];
    const mentara_eio_answer_t  *answer;
    static const char           *messages[] = { "Transport unknown",
                                                "Session ID unknown",
                                                "Bad handshake method",
                                                "Bad request", "Forbidden",
                                                "Unsupported protocol version"
                                              };

    for (i = 0; i < 6; i++) {
        answer = mentara_eio_error((mentara_eio_error_e) i);
        snprintf(body, sizeof(body), "{\"code\":%d,\"message\":\"%s\"}", i,
                 messages[i]);

        ok(answer->status == (i == MENTARA_EIO_FORBIDDEN ? 403 : 400)
           && answer->body.len == strlen(body)
           && memcmp(answer->body.data, body, answer->body.len) == 0,
           "error %d is %s", i, messages[i]);
    }
}


int
main(void)
{
    test_packets();
    test_writers();
    test_query();
    test_errors();

    return tap_done();
}
