
#include <mentara_deflate.h>
#include "mentara_tap.h"


#define BIG  (1u << 20)


static size_t  held;      /* octets that zlib holds */
static size_t  peak;
static int     fail_at;   /* the n-th allocation fails; 0: none */


static void *
test_alloc(void *data, size_t size)
{
    size_t  *p;

    (void) data;

    if (fail_at > 0 && --fail_at == 0) {
        return NULL;
    }

    p = malloc(size + 16);
    *p = size;
    held += size;
    peak = (held > peak) ? held : peak;

    return (char *) p + 16;
}


static void
test_free(void *data, void *p)
{
    size_t  *start;

    (void) data;

    start = (size_t *) ((char *) p - 16);
    held -= *start;
    free(start);
}


static mentara_deflate_mem_t
memory(size_t left)
{
    mentara_deflate_mem_t  mem = { test_alloc, test_free, NULL, 0 };

    mem.left = left;

    return mem;
}


typedef struct {
    const char  *header;
    const char  *answer;     /* NULL: declined */
} offer_case_t;


#define ANSWER  "permessage-deflate; server_no_context_takeover"              \
                "; client_no_context_takeover"

static const offer_case_t  offers[] = {
    { "permessage-deflate", ANSWER },
    { " permessage-deflate ", ANSWER },
    { "permessage-deflate; client_max_window_bits", ANSWER },
    { "permessage-deflate;client_max_window_bits=15", ANSWER },
    { "permessage-deflate; client_max_window_bits=8", ANSWER },
    { "permessage-deflate; client_max_window_bits=\"10\"", ANSWER },
    { "permessage-deflate; server_no_context_takeover", ANSWER },
    { "permessage-deflate; client_no_context_takeover", ANSWER },
    { "permessage-deflate ; server_no_context_takeover ; "
      "client_no_context_takeover", ANSWER },
    { "permessage-deflate; server_max_window_bits=15",
      ANSWER "; server_max_window_bits=15" },
    { "permessage-deflate; server_max_window_bits = 9",
      ANSWER "; server_max_window_bits=9" },
    { "permessage-deflate; server_max_window_bits=8; "
      "client_max_window_bits=8", ANSWER "; server_max_window_bits=8" },
    { "permessage-bzip2, permessage-deflate", ANSWER },
    { "foo; bar=\"baz\"; permessage-deflate, permessage-deflate", ANSWER },
    { "permessage-deflate; x, permessage-deflate; server_max_window_bits=10",
      ANSWER "; server_max_window_bits=10" },
    { "permessage-deflate; server_max_window_bits=10, permessage-deflate",
      ANSWER "; server_max_window_bits=10" },
    { "", NULL }, { " ", NULL }, { ",", NULL }, { ";", NULL },
    { "permessage-deflat", NULL }, { "permessage-deflate2", NULL },
    { "Permessage-Deflate", NULL }, { "x-webkit-deflate-frame", NULL },
    { "permessage-deflate;", NULL }, { "permessage-deflate,", NULL },
    { "permessage-deflate; ; server_no_context_takeover", NULL },
    { "permessage-deflate; unknown", NULL },
    { "permessage-deflate; server_no_context_takeover=1", NULL },
    { "permessage-deflate; client_no_context_takeover=\"\"", NULL },
    { "permessage-deflate; server_no_context_takeover; "
      "server_no_context_takeover", NULL },
    { "permessage-deflate; client_no_context_takeover; "
      "client_no_context_takeover", NULL },
    { "permessage-deflate; client_max_window_bits; client_max_window_bits",
      NULL },
    { "permessage-deflate; server_max_window_bits", NULL },
    { "permessage-deflate; server_max_window_bits=", NULL },
    { "permessage-deflate; server_max_window_bits=7", NULL },
    { "permessage-deflate; server_max_window_bits=16", NULL },
    { "permessage-deflate; server_max_window_bits=08", NULL },
    { "permessage-deflate; server_max_window_bits=010", NULL },
    { "permessage-deflate; server_max_window_bits=+9", NULL },
    { "permessage-deflate; server_max_window_bits=1e1", NULL },
    { "permessage-deflate; server_max_window_bits=10; "
      "server_max_window_bits=10", NULL },
    { "permessage-deflate; client_max_window_bits=", NULL },
    { "permessage-deflate; client_max_window_bits=0", NULL },
    { "permessage-deflate; client_max_window_bits=16", NULL },
    { "permessage-deflate; client_max_window_bits=\"10", NULL },
    { "permessage-deflate; client_max_window_bits=10\"", NULL },
    { "permessage-deflate permessage-deflate", NULL },
    { "permessage-deflate, ;", NULL }
};


static void
test_offers(void)
{
    int                       rc;
    size_t                    i, n;
    mentara_slice_t           header;
    unsigned char             buf[MENTARA_DEFLATE_ANSWER_MAX];
    mentara_deflate_params_t  params;

    for (i = 0; i < sizeof(offers) / sizeof(offers[0]); i++) {
        header.len = strlen(offers[i].header);
        header.data = guarded(offers[i].header, header.len);

        rc = mentara_deflate_negotiate(&params, header);

        if (offers[i].answer == NULL) {
            ok(rc == MENTARA_BAD, "declined: \"%s\"", offers[i].header);
            continue;
        }

        n = (rc == MENTARA_OK) ? mentara_deflate_answer(buf, &params) : 0;

        ok(n == strlen(offers[i].answer)
           && memcmp(buf, offers[i].answer, n) == 0,
           "agreed: \"%s\"", offers[i].header);
    }
}


static unsigned char  result[BIG + 16];


/*
 * Inflates with input in pieces of in_size and output in pieces of out_size;
 * the length, or minus the close code.
 */

static long
inflate_all(const unsigned char *data, size_t len, size_t in_size,
    size_t out_size, uint64_t max)
{
    size_t                 i, part, total;
    intptr_t               n;
    unsigned char         *p;
    mentara_inflate_t      in;
    mentara_deflate_mem_t  mem;

    mem = memory(MENTARA_INFLATE_MEMORY);
    total = 0;
    i = 0;

    if (mentara_inflate_begin(&in, &mem, max) != MENTARA_OK) {
        return -(long) in.status;
    }

    do {
        part = (len - i < in_size) ? len - i : in_size;
        p = guarded(data + i, part);
        i += part;

        mentara_inflate_feed(&in, p, p + part, i == len);

        do {
            if (total + out_size > sizeof(result)) {
                out_size = sizeof(result) - total;
            }

            n = mentara_inflate_next(&in, result + total, out_size);

            if (n < 0) {
                mentara_inflate_end(&in);
                return -(long) in.status;
            }

            total += (size_t) n;

        } while (n > 0);

    } while (i < len);

    mentara_inflate_end(&in);
    mentara_inflate_end(&in);

    return (long) total;
}


static void
test_inflate(void)
{
    size_t                i, j, wrong;
    static const size_t   sizes[] = { 1, 2, 3, 100, BIG };

    typedef struct {
        const char  *name;
        const char  *data;
        size_t       len;
        const char  *text;       /* NULL: 1007 */
    } inflate_case_t;

    /* the first ones are the examples of RFC 7692, section 7.2.3 */

    static const inflate_case_t  cases[] = {
        { "one block", "\xf2\x48\xcd\xc9\xc9\x07\x00", 7, "Hello" },
        { "no compression",
          "\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00", 11, "Hello" },
        { "a final block", "\xf3\x48\xcd\xc9\xc9\x07\x00\x00", 8, "Hello" },
        { "a final block with nothing behind it",
          "\xf3\x48\xcd\xc9\xc9\x07\x00", 7, "Hello" },
        { "two blocks", "\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00",
          13, "Hello" },
        { "two final blocks",
          "\xf3\x48\xcd\xc9\xc9\x07\x00\xf3\x48\xcd\xc9\xc9\x07\x00\x00", 15,
          "HelloHello" },
        { "an empty message", "\x00", 1, "" },
        { "a message cut within a block", "\xf2\x48\xcd", 3, NULL },
        { "a message without its last octet", "\xf2\x48\xcd\xc9\xc9\x07", 6,
          NULL },
        { "no octet at all is no message", "", 0, NULL },
        { "a distance before the beginning", "\x02\x02\x00", 3, NULL },
        { "a reserved block type", "\x06\x00", 2, NULL },
        { "lengths of a stored block that disagree", "\x00\x05\x00\xfa\xfe"
          "Hello\x00", 11, NULL },
        { "noise", "\xde\xad\xbe\xef\x01\x02\x03", 7, NULL }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        long  n;

        wrong = 0;

        for (j = 0; j < 25; j++) {
            n = inflate_all((const unsigned char *) cases[i].data,
                            cases[i].len, sizes[j / 5], sizes[j % 5], BIG);

            if (cases[i].text == NULL) {
                wrong += (n != -1007);

            } else {
                wrong += (n != (long) strlen(cases[i].text)
                          || memcmp(result, cases[i].text, (size_t) n) != 0);
            }
        }

        ok(wrong == 0, "%s, in pieces of every size", cases[i].name);
    }

    ok(held == 0, "all memory came back");
}


/* text that compresses a little, the same each time */

static void
fill(unsigned char *p, size_t len)
{
    size_t    i;
    uint32_t  x;

    x = 12345;

    for (i = 0; i < len; i++) {
        x = x * 1103515245 + 12345;
        p[i] = (unsigned char) ("etaoin shrdlu,.\n"[x >> 28]);
    }
}


static void
test_round_trips(void)
{
    int                    bits;
    size_t                 i, wrong;
    intptr_t               n;
    unsigned char         *text, *packed;
    mentara_slice_t        message;
    mentara_deflate_mem_t  mem;
    static const size_t    sizes[] = { 0, 1, 5, 125, 126, 1000, 65535, 65536,
                                       300000, BIG };

    text = malloc(BIG);
    packed = malloc(BIG + 4096);
    fill(text, BIG);

    for (bits = 8; bits <= 15; bits++) {
        wrong = 0;

        for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
            mem = memory(MENTARA_DEFLATE_MEMORY);
            message.data = text;
            message.len = sizes[i];

            n = mentara_deflate_message(&mem, bits, message, packed,
                                        BIG + 4096);

            if (n < 1
                || inflate_all(packed, (size_t) n, BIG, 4096, BIG)
                   != (long) sizes[i]
                || memcmp(result, text, sizes[i]) != 0)
            {
                wrong++;
            }
        }

        ok(wrong == 0, "round trips with a window of 2^%d", bits);
    }

    message.len = 0;
    mem = memory(MENTARA_DEFLATE_MEMORY);
    n = mentara_deflate_message(&mem, 15, message, packed, 64);
    ok(n == 1 && packed[0] == 0, "an empty message is one octet of zero");

    message.len = 1000;
    wrong = 0;

    for (i = 0; i < 600; i++) {
        mem = memory(MENTARA_DEFLATE_MEMORY);
        n = mentara_deflate_message(&mem, 15, message, guarded("", 0) - i, i);

        if (n >= 0 && ((size_t) n > i
                       || inflate_all(guarded("", 0) - i, (size_t) n, BIG,
                                      4096, BIG) != 1000))
        {
            wrong++;
        }

        wrong += (i < 100 && n >= 0);
    }

    ok(wrong == 0 && n > 0, "what does not fit is refused, never cut");

    mem = memory(1000);
    ok(mentara_deflate_message(&mem, 15, message, packed, BIG) == MENTARA_BAD,
       "the bound of memory holds");

    wrong = 0;

    for (i = 1; i < 10; i++) {
        fail_at = (int) i;
        mem = memory(MENTARA_DEFLATE_MEMORY);
        n = mentara_deflate_message(&mem, 15, message, packed, BIG);
        wrong += (fail_at == 0 && n != MENTARA_BAD);
    }

    fail_at = 0;
    ok(wrong == 0 && held == 0, "each allocation may fail");

    free(text);
    free(packed);
}


/* 64 MB of zeros in some 64 kB */

static void
test_bomb(void)
{
    size_t                 i, len;
    intptr_t               n;
    unsigned char         *zeros, *bomb;
    mentara_slice_t        message;
    mentara_deflate_mem_t  mem;

    zeros = calloc(1, BIG);
    bomb = malloc(BIG);
    message.data = zeros;
    message.len = BIG;
    len = 0;

    for (i = 0; i < 64; i++) {
        mem = memory(MENTARA_DEFLATE_MEMORY);
        n = mentara_deflate_message(&mem, 15, message, bomb + len, BIG - len);

        if (n < 0) {
            ok(0, "the bomb is built");
            return;
        }

        len += (size_t) n;
        memcpy(bomb + len, "\x00\x00\xff\xff", 4);
        len += 4;
    }

    bomb[len++] = 0;
    peak = held;

    is_int(inflate_all(bomb, len, BIG, 4096, 100000), -1009,
           "a bomb ends with 1009");
    is_int(inflate_all(bomb, len, 100, 4096, 100000), -1009,
           "a bomb in fragments ends with 1009");
    is_int(inflate_all(bomb, len, BIG, 4096, 0), -1009,
           "nothing is allowed, nothing comes");
    ok(peak < MENTARA_INFLATE_MEMORY, "and memory did not grow with it");

    /* exactly the limit, and one less */

    message.len = 1000;
    mem = memory(MENTARA_DEFLATE_MEMORY);
    n = mentara_deflate_message(&mem, 15, message, bomb, BIG);

    is_int(inflate_all(bomb, (size_t) n, BIG, 4096, 1000), 1000,
           "a message of just the limit");
    is_int(inflate_all(bomb, (size_t) n, BIG, 7, 1000), 1000,
           "the same in small pieces");
    is_int(inflate_all(bomb, (size_t) n, BIG, 4096, 999), -1009,
           "a message of one octet more");
    is_int(inflate_all(bomb, (size_t) n, BIG, 1, 999), -1009,
           "the same octet by octet");

    fail_at = 1;
    is_int(inflate_all(bomb, (size_t) n, BIG, 4096, 1000), -1011,
           "no memory for the inflater is 1011");
    fail_at = 0;
    ok(held == 0, "all memory came back from the bombs");

    free(zeros);
    free(bomb);
}


int
main(void)
{
    test_offers();
    test_inflate();
    test_round_trips();
    test_bomb();

    return tap_done();
}
