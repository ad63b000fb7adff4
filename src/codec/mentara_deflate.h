/*
 * permessage-deflate (RFC 7692) for a server that keeps no zlib state between
 * messages: both directions are agreed without context takeover.
 */

#ifndef _MENTARA_DEFLATE_H_INCLUDED_
#define _MENTARA_DEFLATE_H_INCLUDED_


#include <mentara.h>
#include <zlib.h>


#define MENTARA_DEFLATE_ANSWER_MAX  128   /* octets of an answer */


/* what was agreed; our side and the client's never take their context over */
typedef struct {
    int               server_bits;        /* 8..15: our window at most */
    unsigned          server_bits_set:1;  /* the client asked for that */
} mentara_deflate_params_t;


/*
 * Chooses the first offer of a Sec-WebSocket-Extensions value that can be
 * met.  MENTARA_OK: agreed; MENTARA_BAD: no offer is usable, or the header is
 * malformed: go on without compression.
 */
int mentara_deflate_negotiate(mentara_deflate_params_t *params,
    mentara_slice_t header);

/* the answer's header value; at most MENTARA_DEFLATE_ANSWER_MAX octets */
size_t mentara_deflate_answer(unsigned char *buf,
    const mentara_deflate_params_t *params);


/* memory for zlib: the caller's, and bounded */
typedef struct {
    void           *(*alloc)(void *data, size_t size);
    void            (*free)(void *data, void *p);
    void             *data;
    size_t            left;       /* octets that may still be asked for */
} mentara_deflate_mem_t;

/* enough for one inflater, and for one deflater of the widest window */
#define MENTARA_INFLATE_MEMORY  (64 * 1024)
#define MENTARA_DEFLATE_MEMORY  (320 * 1024)


/* one message on its way in */
typedef struct {
    z_stream                z;
    mentara_deflate_mem_t   mem;        /* what is left is its own */
    uint64_t                total;      /* octets of output so far */
    uint64_t                max;
    unsigned                status;     /* after MENTARA_BAD: close code */
    unsigned                open:1;
    unsigned                fin:1;      /* the last piece was fed */
    unsigned                tail:1;     /* 00 00 ff ff was fed after it */
    unsigned                between:1;  /* two blocks, nothing is left over */
    unsigned                ended:1;    /* at the end of a final block */
} mentara_inflate_t;


/*
 * max: octets of the inflated message.  mem is copied, and so must not be in:
 * zlib points to it.  MENTARA_OK, or MENTARA_BAD: no memory, status 1011.
 */
int mentara_inflate_begin(mentara_inflate_t *in,
    mentara_deflate_mem_t *mem, uint64_t max);

/*
 * The next piece of the compressed message; fin: the last one.  The octets
 * must stay until mentara_inflate_next() has returned 0.
 */
void mentara_inflate_feed(mentara_inflate_t *in, unsigned char *pos,
    unsigned char *last, unsigned fin);

/*
 * Inflates into out, at most size octets (size > 0), and returns how many; 0:
 * what was fed is used up, and if it was the last piece the message is
 * complete.  MENTARA_BAD with status 1007 (broken or cut), 1009 (longer than
 * max, known before more room was asked for) or 1011 (no memory).
 */
intptr_t mentara_inflate_next(mentara_inflate_t *in,
    unsigned char *out, size_t size);

/* gives the memory back; may be called more than once */
void mentara_inflate_end(mentara_inflate_t *in);


/*
 * Compresses one message into out, without the tail 00 00 ff ff, with a
 * window of at most bits (params.server_bits).  Returns its length, or
 * MENTARA_BAD: no memory, or it does not fit into size; the message then goes
 * out uncompressed.
 */
intptr_t mentara_deflate_message(mentara_deflate_mem_t *mem, int bits,
    mentara_slice_t message, unsigned char *out, size_t size);


#endif /* _MENTARA_DEFLATE_H_INCLUDED_ */
