/*
 * WebSocket frames (RFC 6455), the server's side: what the handshake's
 * headers hold, a reader of the client's frames, a writer of frame heads.
 */

#ifndef _MENTARA_WS_H_INCLUDED_
#define _MENTARA_WS_H_INCLUDED_


#include <mentara.h>
#include <mentara_utf8.h>


/* opcodes, RFC 6455, section 11.8 */
#define MENTARA_WS_CONTINUATION  0x0
#define MENTARA_WS_TEXT          0x1
#define MENTARA_WS_BINARY        0x2
#define MENTARA_WS_CLOSE         0x8
#define MENTARA_WS_PING          0x9
#define MENTARA_WS_PONG          0xa

/* status codes, RFC 6455, section 7.4.1, and the IANA registry */
#define MENTARA_WS_NORMAL        1000
#define MENTARA_WS_GOING_AWAY    1001
#define MENTARA_WS_PROTOCOL      1002
#define MENTARA_WS_UNSUPPORTED   1003
#define MENTARA_WS_NO_STATUS     1005   /* never on the wire */
#define MENTARA_WS_ABNORMAL      1006   /* never on the wire */
#define MENTARA_WS_INVALID       1007
#define MENTARA_WS_POLICY        1008
#define MENTARA_WS_TOO_BIG       1009
#define MENTARA_WS_INTERNAL      1011
#define MENTARA_WS_RESTART       1012
#define MENTARA_WS_TRY_LATER     1013

#define MENTARA_WS_CONTROL_MAX   125    /* octets of a control frame's body */
#define MENTARA_WS_HEAD_MAX      10     /* octets of a server frame's head */
#define MENTARA_WS_CLOSE_MAX     127    /* octets of a whole close frame */
#define MENTARA_WS_KEY_LEN       24     /* base64 of 16 octets */
#define MENTARA_WS_ACCEPT_LEN    28     /* base64 of a SHA-1 */


typedef enum {
    MENTARA_WS_EVENT_DATA = 0,  /* a piece of a text or binary message */
    MENTARA_WS_EVENT_PING,      /* answer with a pong of the same data */
    MENTARA_WS_EVENT_PONG,
    MENTARA_WS_EVENT_CLOSE      /* nothing is read after it */
} mentara_ws_event_e;


typedef struct {
    mentara_ws_event_e   type;
    unsigned             opcode;      /* of the message, DATA only */
    unsigned             fin:1;       /* the message ends with this piece */
    unsigned             compressed:1;
    unsigned             code;        /* CLOSE: as sent, or NO_STATUS */
    mentara_slice_t      data;        /* the piece, or the control body; for
                                         CLOSE the reason */
} mentara_ws_event_t;


/*
 * The state between two calls.  A reader holds no message: its user does, and
 * learns the length of each piece before it comes.
 */
typedef struct {
    uint64_t             max;         /* octets of one message */
    uint64_t             left;        /* of the frame's payload */
    uint64_t             total;       /* of the message, as announced */
    uint64_t             length;      /* being read, extended */
    unsigned             status;      /* after MENTARA_BAD: the close code */
    mentara_utf8_t       utf8;
    unsigned char        state;
    unsigned char        opcode;      /* of the frame */
    unsigned char        message;     /* opcode of the open message, or 0 */
    unsigned char        nlength;     /* octets of length still to come */
    unsigned char        nmask;       /* octets of the mask that are there */
    unsigned char        ncontrol;
    unsigned char        shift;       /* which octet of the mask is next */
    unsigned             fin:1;
    unsigned             wide:1;      /* 64 bits of length, else 16 */
    unsigned             deflate:1;   /* permessage-deflate was agreed */
    unsigned             compressed:1;
    unsigned char        mask[4];
    unsigned char        control[MENTARA_WS_CONTROL_MAX];
} mentara_ws_reader_t;


/*
 * max: octets of one message, summed over its fragments.  A compressed
 * message may come with a little more than that, because what cannot be
 * compressed grows; its inflated size is the inflater's to bound.
 */
void mentara_ws_reader_init(mentara_ws_reader_t *r, uint64_t max,
    unsigned deflate);

/*
 * Reads up to the next event.  Returns the octets that were taken (ev is
 * filled), or MENTARA_MORE: all were taken and there is no event yet, or
 * MENTARA_BAD: r->status is the code to close with (1002, 1007, 1009), and the
 * reader is at its end.
 *
 * Octets of a message are unmasked where they lie, and ev->data points there;
 * for control frames it points into the reader.  Text is checked as UTF-8
 * piece by piece, but for compressed text: see mentara_ws_text().  After
 * CLOSE or MENTARA_BAD everything is swallowed.
 */
intptr_t mentara_ws_read(mentara_ws_reader_t *r, unsigned char *pos,
    unsigned char *last, mentara_ws_event_t *ev);

/*
 * Checks inflated text; fin: with this piece it ends.  MENTARA_OK, or
 * MENTARA_BAD with r->status 1007.
 */
int mentara_ws_text(mentara_ws_reader_t *r, const unsigned char *pos,
    const unsigned char *last, unsigned fin);

/* may a close frame carry this code? */
int mentara_ws_code_valid(unsigned code);


/* head of an unmasked frame, at most MENTARA_WS_HEAD_MAX; returns its length */
size_t mentara_ws_head(unsigned char *buf, unsigned opcode, unsigned fin,
    unsigned rsv1, uint64_t len);

/* length of such a head */
size_t mentara_ws_head_len(uint64_t len);

/*
 * A whole close frame, at most MENTARA_WS_CLOSE_MAX; code 0 or 1005: an empty
 * one.  A reason that is too long is cut at a character.  Returns its length.
 */
size_t mentara_ws_close(unsigned char *buf, unsigned code,
    mentara_slice_t reason);


/*
 * Handshake, RFC 6455, section 4.2.1.  Is token, in lower case, one of the
 * comma-separated tokens of a header's value?
 */
int mentara_ws_has_token(mentara_slice_t value, const char *token);

/* has Sec-WebSocket-Key the form of 16 octets in base64? */
int mentara_ws_key_valid(mentara_slice_t key);

typedef void (*mentara_ws_sha1_pt)(unsigned char digest[20],
    const unsigned char *data, size_t len);

/* Sec-WebSocket-Accept of a valid key, MENTARA_WS_ACCEPT_LEN octets */
void mentara_ws_accept(unsigned char *buf, mentara_slice_t key,
    mentara_ws_sha1_pt sha1);


#endif /* _MENTARA_WS_H_INCLUDED_ */
