
#include <limits.h>
#include <mentara_socketio.h>
#include "mentara_tap.h"


static char  text[1024];


/* what became of a packet, as text */

static const char *
packet(const char *data, size_t len)
{
    size_t                 n;
    unsigned char         *p;
    mentara_sio_packet_t   pkt;

    p = guarded(data, len);

    if (mentara_sio_packet(&pkt, p, p + len) != MENTARA_OK) {
        return "bad";
    }

    n = (size_t) snprintf(text, sizeof(text), "%d %.*s", pkt.type,
                          (int) pkt.nsp.len, (char *) pkt.nsp.data);

    if (pkt.type >= MENTARA_SIO_BINARY_EVENT) {
        n += (size_t) snprintf(text + n, sizeof(text) - n, " %u-",
                               pkt.attachments);
    }

    if (pkt.has_id) {
        n += (size_t) snprintf(text + n, sizeof(text) - n, " #%llu",
                               (unsigned long long) pkt.id);
    }

    if (pkt.type == MENTARA_SIO_CONNECT) {
        n += (size_t) snprintf(text + n, sizeof(text) - n, " <%.*s>",
                               (int) pkt.payload.len,
                               (char *) pkt.payload.data);
    }

    if (pkt.name.len > 0) {
        n += (size_t) snprintf(text + n, sizeof(text) - n, " %.*s",
                               (int) pkt.name.len, (char *) pkt.name.data);
    }

    if (pkt.nargs > 0) {
        n += (size_t) snprintf(text + n, sizeof(text) - n, " %u(%.*s)",
                               pkt.nargs, (int) pkt.args.len,
                               (char *) pkt.args.data);
    }

    if (pkt.marks.nul || pkt.marks.surrogate) {
        snprintf(text + n, sizeof(text) - n, " marked");
    }

    return text;
}


typedef struct {
    const char  *data;
    const char  *expected;
} packet_case_t;


static const packet_case_t  cases[] = {
    { "0", "0 / <>" },
    { "0{}", "0 / <{}>" },
    { "0/messaging,", "0 /messaging <>" },
    { "0/messaging", "0 /messaging <>" },
    { "0/messaging,{\"token\":\"t\"}", "0 /messaging <{\"token\":\"t\"}>" },
    { "0/, {} ", "0 / <{}>" },
    { "1", "1 /" },
    { "1/messaging,", "1 /messaging" },
    { "2[\"x\"]", "2 / \"x\"" },
    { "2[1]", "2 / 1" },
    { "2/messaging,0[\"join\",{\"a\":1}]",
      "2 /messaging #0 \"join\" 1({\"a\":1})" },
    { "2/messaging,[\"a\", 1 , [2,\",]\"] ]",
      "2 /messaging \"a\" 2(1 , [2,\",]\"] )" },
    { "2/messaging,9007199254740991[\"a\"]",
      "2 /messaging #9007199254740991 \"a\"" },
    { "2[\"a\",\"\\u0000\"]", "2 / \"a\" 1(\"\\u0000\") marked" },
    { "2[\"a\",\"\\ud800\"]", "2 / \"a\" 1(\"\\ud800\") marked" },
    { "2[\"disconnectx\"]", "2 / \"disconnectx\"" },
    { "3/messaging,0[]", "3 /messaging #0" },
    { "3/messaging,12[{\"ok\":true},2]",
      "3 /messaging #12 2({\"ok\":true},2)" },
    { "50-[\"bin\"]", "5 / 0- \"bin\"" },
    { "51-/messaging,1[\"bin\",{\"_placeholder\":true,\"num\":0}]",
      "5 /messaging 1- #1 \"bin\" 1({\"_placeholder\":true,\"num\":0})" },
    { "61-1[{\"_placeholder\":true,\"num\":0}]",
      "6 / 1- #1 1({\"_placeholder\":true,\"num\":0})" },
    { "516-[\"bin\"]", "5 / 16- \"bin\"" },
    { "52-[\"b\",{\"a\":{\"_placeholder\": true , \"num\": 1 }}]",
      "5 / 2- \"b\" 1({\"a\":{\"_placeholder\": true , \"num\": 1 }})" },

    { "", "bad" }, { "abc", "bad" }, { "7", "bad" }, { "/", "bad" },
    { "0/messaging,{bad", "bad" }, { "0/messaging,[1]", "bad" },
    { "0null", "bad" }, { "0\"x\"", "bad" }, { "0{} {}", "bad" },
    { "1{}", "bad" }, { "1/messaging,[]", "bad" },
    { "2", "bad" }, { "2/messaging,", "bad" }, { "2/messaging,{}", "bad" },
    { "2/messaging,[]", "bad" }, { "2/messaging,abc[\"x\"]", "bad" },
    { "2/messaging,[\"connect\"]", "bad" }, { "2[\"connect_error\"]", "bad" },
    { "2[\"disconnect\"]", "bad" }, { "2[\"disconnecting\"]", "bad" },
    { "2[\"newListener\"]", "bad" }, { "2[\"removeListener\"]", "bad" },
    { "2[\"\\u0063onnect\"]", "bad" },
    { "2[null]", "bad" }, { "2[{}]", "bad" }, { "2[[\"x\"]]", "bad" },
    { "2[true]", "bad" }, { "2[\"x\"]]", "bad" }, { "2[\"x\"", "bad" },
    { "2-1[\"x\"]", "bad" }, { "29007199254740992[\"x\"]", "bad" },
    { "299999999999999999999999999[\"x\"]", "bad" }, { "21", "bad" },
    { "3[]", "bad" }, { "3/messaging,1{}", "bad" }, { "31", "bad" },
    { "4{\"message\":\"x\"}", "bad" }, { "4\"x\"", "bad" },
    { "5[\"x\"]", "bad" }, { "5-[\"x\"]", "bad" }, { "51[\"x\"]", "bad" },
    { "517-[\"x\"]", "bad" }, { "599999999999-[\"x\"]", "bad" },
    { "5x-[\"x\"]", "bad" }, { "51", "bad" }, { "51-", "bad" },
    { "51-[\"b\",{\"_placeholder\":true,\"num\":1}]", "bad" },
    { "51-[\"b\",{\"_placeholder\":true,\"num\":-1}]", "bad" },
    { "51-[\"b\",{\"_placeholder\":true,\"num\":0.5}]", "bad" },
    { "51-[\"b\",{\"_placeholder\":true,\"num\":\"0\"}]", "bad" },
    { "51-[\"b\",{\"_placeholder\":true,\"num\":99999999999}]", "bad" },
    { "51-[\"b\",{\"_placeholder\":true}]", "bad" }
};


static void
test_packets(void)
{
    size_t                i, j, len, wrong;
    char                  name[128];
    unsigned char        *p;
    static char           deep[100064];
    mentara_sio_packet_t  pkt;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        len = strlen(cases[i].data);
        snprintf(name, sizeof(name), "packet %.100s", cases[i].data);
        is_text(packet(cases[i].data, len), cases[i].expected, name);
    }

    wrong = 0;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        for (j = 0; j < strlen(cases[i].data); j++) {
            p = guarded(cases[i].data, j);
            (void) mentara_sio_packet(&pkt, p, p + j);
            wrong += (pkt.payload.len > j);
        }
    }

    ok(wrong == 0, "each of them may be cut anywhere");

    memcpy(deep, "2[\"x\",", 6);
    memset(deep + 6, '[', 100000);
    is_text(packet(deep, 100006), "bad", "100,000 open brackets");

    memset(deep, '/', sizeof(deep));
    deep[0] = '0';
    is_text(packet(deep, 257), "bad", "a namespace that is too long");
    ok(strcmp(packet(deep, 256), "bad") != 0, "and one that is not");
}


static void
test_names(void)
{
    char                  data[128];
    size_t                len;
    unsigned char        *p;
    mentara_sio_packet_t  pkt;

    p = (unsigned char *) "2[\"mess\\u0061ge\"]";
    (void) mentara_sio_packet(&pkt, p, p + strlen((char *) p));
    ok(mentara_sio_name_is(&pkt, "message"), "an escaped name is that name");
    ok(!mentara_sio_name_is(&pkt, "messag"), "and no other");

    p = (unsigned char *) "2[12]";
    (void) mentara_sio_packet(&pkt, p, p + 5);
    ok(!mentara_sio_name_is(&pkt, "12"), "a number is no text");

    memset(data, 'n', sizeof(data));
    memcpy(data, "2[\"", 3);
    memcpy(data + 100, "\"]", 2);
    len = 102;
    ok(mentara_sio_packet(&pkt, (unsigned char *) data,
                          (unsigned char *) data + len) == MENTARA_OK
       && !mentara_sio_name_is(&pkt, "n"), "a long name is nobody's");
}


static void
test_placeholders(void)
{
    size_t                n;
    unsigned              num;
    char                  got[256];
    mentara_slice_t       payload, extent;
    const unsigned char  *pos;
    static const char     json[] =
        "[\"{\\\"_placeholder\\\":true}\",{\"_placeholder\":true,\"num\":1},"
        "{\"a\":[{ \"_placeholder\" : true , \"num\" : 0 }],"
        "\"_placeholder\":1},"
        "{\"_placeholder\":false,\"num\":7},{},"
        "{\"_placeholder\":true,\"x\":{},\"num\":12}]";

    payload.len = sizeof(json) - 1;
    payload.data = guarded(json, payload.len);
    pos = NULL;
    n = 0;

    while (mentara_sio_placeholder(payload, &pos, &extent, &num)
           == MENTARA_OK)
    {
        n += (size_t) snprintf(got + n, sizeof(got) - n, "%u@%td+%zu ", num,
                               extent.data - payload.data, extent.len);
    }

    is_text(got, "1@27+29 0@63+37 12@154+37 ",
            "placeholders, and nothing that looks like one");
}


static intptr_t
full(mentara_json_t *j, size_t need)
{
    (void) j;
    (void) need;

    return -1;
}


#define written(j)  (*(j)->pos = '\0', (char *) (j)->start)
#define slice(text)  (mentara_slice_t) { sizeof(text) - 1,                    \
                                         (unsigned char *) text }


static void
test_writers(void)
{
    uint64_t         id;
    unsigned char    buf[256];
    mentara_json_t   j;
    mentara_slice_t  none = { 0, NULL };

    mentara_json_init(&j, buf, sizeof(buf), full, NULL);
    mentara_sio_put_connect(&j, slice("/messaging"),
                            slice("RXlLP5v-q53-WpklAAAC"), none);
    is_text(written(&j), "0/messaging,{\"sid\":\"RXlLP5v-q53-WpklAAAC\"}",
            "a CONNECT answer");

    mentara_json_init(&j, buf, sizeof(buf), full, NULL);
    mentara_sio_put_connect(&j, slice("/"), slice("s"), slice("p"));
    is_text(written(&j), "0{\"sid\":\"s\",\"pid\":\"p\"}",
            "a CONNECT answer with a pid");

    mentara_json_init(&j, buf, sizeof(buf), full, NULL);
    mentara_sio_put_connect_error(&j, slice("/messaging"),
                                  slice("Unauthorized"),
                                  slice("{\"code\":\"invalid_token\"}"));
    is_text(written(&j), "4/messaging,{\"message\":\"Unauthorized\",\"data\":"
            "{\"code\":\"invalid_token\"}}", "a CONNECT_ERROR with data");

    mentara_json_init(&j, buf, sizeof(buf), full, NULL);
    mentara_sio_put_connect_error(&j, slice("/nowhere"),
                                  slice("Invalid namespace"), none);
    is_text(written(&j), "4/nowhere,{\"message\":\"Invalid namespace\"}",
            "a CONNECT_ERROR without");

    mentara_json_init(&j, buf, sizeof(buf), full, NULL);
    mentara_sio_put_event(&j, slice("/messaging"), slice("new \"message\""));
    mentara_json_raw(&j, ",{}]", 4);
    is_text(written(&j), "2/messaging,[\"new \\\"message\\\"\",{}]",
            "an EVENT");

    mentara_json_init(&j, buf, sizeof(buf), full, NULL);
    mentara_sio_put_ack(&j, slice("/messaging"), 9007199254740991ull);
    mentara_json_raw(&j, "]", 1);
    is_text(written(&j), "3/messaging,9007199254740991[]", "an ACK");

    mentara_json_init(&j, buf, sizeof(buf), full, NULL);
    mentara_sio_put_disconnect(&j, slice("/messaging"));
    is_text(written(&j), "1/messaging,", "a DISCONNECT");

    id = 3;
    mentara_json_init(&j, buf, sizeof(buf), full, NULL);
    mentara_sio_put_head(&j, MENTARA_SIO_BINARY_ACK, 2, slice("/m"), &id);
    mentara_json_raw(&j, "[", 1);
    mentara_sio_put_placeholder(&j, 0);
    mentara_json_raw(&j, ",", 1);
    mentara_sio_put_placeholder(&j, 1);
    mentara_json_raw(&j, "]", 1);
    is_text(written(&j), "62-/m,3[{\"_placeholder\":true,\"num\":0},"
            "{\"_placeholder\":true,\"num\":1}]", "a BINARY_ACK");

    is_text(packet((char *) buf, (size_t) (j.pos - j.start)),
            "6 /m 2- #3 2({\"_placeholder\":true,\"num\":0},"
            "{\"_placeholder\":true,\"num\":1})", "reads as it was written");

    mentara_json_init(&j, buf, 8, full, NULL);
    mentara_sio_put_event(&j, slice("/messaging"), slice("x"));
    ok(j.failed, "what does not fit fails");
}


int
main(void)
{
    test_packets();
    test_names();
    test_placeholders();
    test_writers();

    return tap_done();
}
