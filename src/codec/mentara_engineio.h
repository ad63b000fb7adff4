/*
 * Engine.IO protocol 4, the server's side: packets, the body of a polling
 * request, the open packet, the query of a request, the errors.
 */

#ifndef _MENTARA_ENGINEIO_H_INCLUDED_
#define _MENTARA_ENGINEIO_H_INCLUDED_


#include <mentara.h>
#include <mentara_base64.h>


typedef enum {
    MENTARA_EIO_OPEN = 0,
    MENTARA_EIO_CLOSE,
    MENTARA_EIO_PING,
    MENTARA_EIO_PONG,
    MENTARA_EIO_MESSAGE,
    MENTARA_EIO_UPGRADE,
    MENTARA_EIO_NOOP
} mentara_eio_type_e;


#define MENTARA_EIO_SEPARATOR  0x1e    /* between the packets of a payload */
#define MENTARA_EIO_SID        20      /* characters of a session id */
#define MENTARA_EIO_OPEN_MAX   256     /* octets of an open packet */


typedef struct {
    mentara_eio_type_e  type;
    unsigned            binary:1;      /* a MESSAGE of octets */
    mentara_slice_t     data;
} mentara_eio_packet_t;


/*
 * One text packet, as a text frame holds it: MENTARA_OK, or MENTARA_BAD for
 * an empty one or an unknown type.  Its data points into [pos, last).
 */
int mentara_eio_packet(mentara_eio_packet_t *packet, unsigned char *pos,
    unsigned char *last);


/* the body of a POST: packets with separators between them */
typedef struct {
    unsigned char  *pos;
    unsigned char  *last;
    unsigned        end:1;
} mentara_eio_payload_t;


void mentara_eio_payload_init(mentara_eio_payload_t *payload,
    unsigned char *pos, unsigned char *last);

/*
 * MENTARA_OK: packet is the next one; MENTARA_MORE: there is none left;
 * MENTARA_BAD: an empty packet (so also an empty body, or a separator at its
 * end), an unknown type, or base64 that is not strict.  Binary data is
 * decoded where it lies.
 */
int mentara_eio_payload_next(mentara_eio_payload_t *payload,
    mentara_eio_packet_t *packet);

/* length of a packet in a payload, the separator not counted */
#define mentara_eio_text_len(len)    (1 + (len))
#define mentara_eio_binary_len(len)  (1 + mentara_base64_len(len))

/* writes that many octets and returns their number */
size_t mentara_eio_put_text(unsigned char *buf, mentara_eio_type_e type,
    mentara_slice_t data);
size_t mentara_eio_put_binary(unsigned char *buf, mentara_slice_t data);


typedef struct {
    mentara_slice_t  sid;              /* base64url: written as it is */
    unsigned         upgrades:1;       /* to websocket */
    uint64_t         ping_interval;    /* ms */
    uint64_t         ping_timeout;     /* ms */
    uint64_t         max_payload;      /* octets */
} mentara_eio_open_t;

/*
 * The open packet, at most MENTARA_EIO_OPEN_MAX octets; sid has at most 64.
 * Returns its length.
 */
size_t mentara_eio_put_open(unsigned char *buf,
    const mentara_eio_open_t *open);


typedef enum {
    MENTARA_EIO_TRANSPORT_NONE = 0,
    MENTARA_EIO_TRANSPORT_POLLING,
    MENTARA_EIO_TRANSPORT_WEBSOCKET,
    MENTARA_EIO_TRANSPORT_UNKNOWN
} mentara_eio_transport_e;


/* what a request's query says; of a repeated name the first counts */
typedef struct {
    mentara_eio_transport_e  transport;
    unsigned                 version;      /* EIO; 0: missing or no number */
    unsigned                 has_sid:1;
    mentara_slice_t          sid;
} mentara_eio_query_t;


void mentara_eio_query(mentara_eio_query_t *query, mentara_slice_t args);


typedef enum {
    MENTARA_EIO_UNKNOWN_TRANSPORT = 0,
    MENTARA_EIO_UNKNOWN_SID,
    MENTARA_EIO_BAD_METHOD,
    MENTARA_EIO_BAD_REQUEST,
    MENTARA_EIO_FORBIDDEN,
    MENTARA_EIO_BAD_VERSION
} mentara_eio_error_e;


typedef struct {
    unsigned         status;       /* HTTP */
    mentara_slice_t  body;         /* JSON, static */
} mentara_eio_answer_t;


const mentara_eio_answer_t *mentara_eio_error(mentara_eio_error_e error);


#endif /* _MENTARA_ENGINEIO_H_INCLUDED_ */
