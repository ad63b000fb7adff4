
#include <mentara_deflate.h>


typedef struct {
    unsigned char  *pos;
    unsigned char  *last;
} mentara_offer_t;


/* parameters of one offer: seen, and with which value */
typedef struct {
    unsigned  server_no_context:1;
    unsigned  client_no_context:1;
    unsigned  server_bits:1;
    unsigned  client_bits:1;
    int       server_bits_value;
} mentara_offer_params_t;


static void mentara_offer_space(mentara_offer_t *o);
static int mentara_offer_char(mentara_offer_t *o, unsigned char c);
static int mentara_offer_token(mentara_offer_t *o, mentara_slice_t *token);
static int mentara_offer_value(mentara_offer_t *o, mentara_slice_t *value);
static int mentara_offer_next(mentara_offer_t *o,
    mentara_offer_params_t *params);
static int mentara_offer_param(mentara_offer_params_t *params,
    mentara_slice_t name, mentara_slice_t *value);
static int mentara_offer_is(mentara_slice_t token, const char *name);
static int mentara_offer_bits(mentara_slice_t value);


#define MENTARA_OFFER_OTHER  1    /* another extension, or not to be met */


static const char  mentara_deflate_name[] = "permessage-deflate";


static void
mentara_offer_space(mentara_offer_t *o)
{
    while (o->pos < o->last && (*o->pos == ' ' || *o->pos == '\t')) {
        o->pos++;
    }
}


/* is this character next?  It is taken then, with the space around it */

static int
mentara_offer_char(mentara_offer_t *o, unsigned char c)
{
    mentara_offer_space(o);

    if (o->pos == o->last || *o->pos != c) {
        return 0;
    }

    o->pos++;
    mentara_offer_space(o);

    return 1;
}


/* RFC 7230, section 3.2.6 */

static int
mentara_offer_token(mentara_offer_t *o, mentara_slice_t *token)
{
    unsigned char  c;

    token->data = o->pos;

    while (o->pos < o->last) {
        c = *o->pos;

        if (c <= ' ' || c >= 0x7f
            || strchr("()<>@,;:\\\"/[]?={}", (char) c) != NULL)
        {
            break;
        }

        o->pos++;
    }

    token->len = (size_t) (o->pos - token->data);

    return (token->len > 0) ? MENTARA_OK : MENTARA_BAD;
}


/* a token, or one in quotes: RFC 6455, section 9.1 */

static int
mentara_offer_value(mentara_offer_t *o, mentara_slice_t *value)
{
    if (o->pos == o->last || *o->pos != '"') {
        return mentara_offer_token(o, value);
    }

    o->pos++;

    if (mentara_offer_token(o, value) != MENTARA_OK) {
        return MENTARA_BAD;
    }

    if (o->pos == o->last || *o->pos != '"') {
        return MENTARA_BAD;
    }

    o->pos++;

    return MENTARA_OK;
}


static int
mentara_offer_is(mentara_slice_t token, const char *name)
{
    return token.len == strlen(name)
           && memcmp(token.data, name, token.len) == 0;
}


/* 8 to 15, without a leading zero; 0: not such a number */

static int
mentara_offer_bits(mentara_slice_t value)
{
    if (value.len == 1 && (value.data[0] == '8' || value.data[0] == '9')) {
        return value.data[0] - '0';
    }

    if (value.len == 2 && value.data[0] == '1'
        && value.data[1] >= '0' && value.data[1] <= '5')
    {
        return 10 + value.data[1] - '0';
    }

    return 0;
}


/* RFC 7692, section 7.1: unknown, repeated or with a wrong value is refused */

static int
mentara_offer_param(mentara_offer_params_t *params, mentara_slice_t name,
    mentara_slice_t *value)
{
    int  bits;

    if (mentara_offer_is(name, "server_no_context_takeover")) {
        if (params->server_no_context || value != NULL) {
            return MENTARA_BAD;
        }

        params->server_no_context = 1;

        return MENTARA_OK;
    }

    if (mentara_offer_is(name, "client_no_context_takeover")) {
        if (params->client_no_context || value != NULL) {
            return MENTARA_BAD;
        }

        params->client_no_context = 1;

        return MENTARA_OK;
    }

    bits = (value != NULL) ? mentara_offer_bits(*value) : 0;

    if (mentara_offer_is(name, "server_max_window_bits")) {
        if (params->server_bits || bits == 0) {
            return MENTARA_BAD;
        }

        params->server_bits = 1;
        params->server_bits_value = bits;

        return MENTARA_OK;
    }

    if (mentara_offer_is(name, "client_max_window_bits")) {
        if (params->client_bits || (value != NULL && bits == 0)) {
            return MENTARA_BAD;
        }

        params->client_bits = 1;

        return MENTARA_OK;
    }

    return MENTARA_BAD;
}


/* one element of the list; MENTARA_BAD: the grammar is broken */

static int
mentara_offer_next(mentara_offer_t *o, mentara_offer_params_t *params)
{
    int               ours, given;
    mentara_slice_t   name, value;

    memset(params, 0, sizeof(mentara_offer_params_t));

    if (mentara_offer_token(o, &name) != MENTARA_OK) {
        return MENTARA_BAD;
    }

    ours = mentara_offer_is(name, mentara_deflate_name);

    while (mentara_offer_char(o, ';')) {

        if (mentara_offer_token(o, &name) != MENTARA_OK) {
            return MENTARA_BAD;
        }

        given = mentara_offer_char(o, '=');

        if (given && mentara_offer_value(o, &value) != MENTARA_OK) {
            return MENTARA_BAD;
        }

        if (ours
            && mentara_offer_param(params, name, given ? &value : NULL)
               != MENTARA_OK)
        {
            ours = 0;
        }
    }

    return ours ? MENTARA_OK : MENTARA_OFFER_OTHER;
}


int
mentara_deflate_negotiate(mentara_deflate_params_t *params,
    mentara_slice_t header)
{
    int                     rc, agreed;
    mentara_offer_t         o;
    mentara_offer_params_t  offer;

    o.pos = header.data;
    o.last = header.data + header.len;

    agreed = 0;

    if (header.len == 0) {
        return MENTARA_BAD;
    }

    mentara_offer_space(&o);

    /* to its end: a header that is broken further on counts as a whole */

    for ( ;; ) {
        rc = mentara_offer_next(&o, &offer);

        if (rc == MENTARA_BAD) {
            return MENTARA_BAD;
        }

        if (rc == MENTARA_OK && !agreed) {
            agreed = 1;
            params->server_bits_set = offer.server_bits;
            params->server_bits = offer.server_bits ? offer.server_bits_value
                                                    : MAX_WBITS;
        }

        if (mentara_offer_char(&o, ',')) {
            continue;
        }

        if (o.pos != o.last) {
            return MENTARA_BAD;
        }

        return agreed ? MENTARA_OK : MENTARA_BAD;
    }
}


size_t
mentara_deflate_answer(unsigned char *buf,
    const mentara_deflate_params_t *params)
{
    size_t             n;
    unsigned char     *p;
    static const char  text[] = "permessage-deflate"
                                "; server_no_context_takeover"
                                "; client_no_context_takeover";
    static const char  bits[] = "; server_max_window_bits=";

    n = sizeof(text) - 1;
    memcpy(buf, text, n);
    p = buf + n;

    if (params->server_bits_set) {
        memcpy(p, bits, sizeof(bits) - 1);
        p += sizeof(bits) - 1;

        if (params->server_bits >= 10) {
            *p++ = '1';
        }

        *p++ = (unsigned char) ('0' + params->server_bits % 10);
    }

    return (size_t) (p - buf);
}
