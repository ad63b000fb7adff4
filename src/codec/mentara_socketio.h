/*
 * Socket.IO protocol 5, the server's side: packets of the client are taken
 * apart and judged, packets to it get their heads.  An Engine.IO message
 * carries one packet; its attachments follow as binary messages.
 */

#ifndef _MENTARA_SOCKETIO_H_INCLUDED_
#define _MENTARA_SOCKETIO_H_INCLUDED_


#include <mentara.h>
#include <mentara_json.h>
#include <mentara_json_scan.h>


typedef enum {
    MENTARA_SIO_CONNECT = 0,
    MENTARA_SIO_DISCONNECT,
    MENTARA_SIO_EVENT,
    MENTARA_SIO_ACK,
    MENTARA_SIO_CONNECT_ERROR,
    MENTARA_SIO_BINARY_EVENT,
    MENTARA_SIO_BINARY_ACK
} mentara_sio_type_e;


#define MENTARA_SIO_ATTACHMENTS  16    /* of one packet */
#define MENTARA_SIO_NSP_MAX      255   /* octets of a namespace */
#define MENTARA_SIO_NAME_MAX     64    /* octets of an event's name */


typedef struct {
    mentara_sio_type_e    type;
    unsigned              attachments;   /* that follow */
    unsigned              has_id:1;
    uint64_t              id;            /* for the ack */
    mentara_slice_t       nsp;           /* "/" if none was written */
    mentara_slice_t       payload;       /* JSON without space around, or "" */
    mentara_slice_t       name;          /* EVENT: JSON string or number */
    mentara_slice_t       args;          /* EVENT: what follows the name,
                                            ACK: all; "1,{}", without [] */
    unsigned              nargs;
    mentara_json_marks_t  marks;         /* what the payload holds */
} mentara_sio_packet_t;


/*
 * Takes one packet apart and applies the rules of its type: CONNECT without a
 * payload or with an object; DISCONNECT without; EVENT with an array that
 * begins with a name which is not reserved; ACK with an id and an array;
 * BINARY_* with at most MENTARA_SIO_ATTACHMENTS attachments, which its
 * placeholders name.  CONNECT_ERROR is the server's alone.  MENTARA_OK, or
 * MENTARA_BAD: a stock server closes the connection.
 *
 * All slices point into [pos, last) but for a default namespace.
 */
int mentara_sio_packet(mentara_sio_packet_t *packet,
    const unsigned char *pos, const unsigned char *last);

/* is this the event's name?  Escapes are resolved. */
int mentara_sio_name_is(const mentara_sio_packet_t *packet, const char *name);


/*
 * The next {"_placeholder":true,"num":n} of a valid payload, in whatever
 * depth; *pos starts at NULL.  MENTARA_OK, with the extent in the text and
 * the number (a number that is no index gives UINT_MAX), or MENTARA_MORE.
 */
int mentara_sio_placeholder(mentara_slice_t payload,
    const unsigned char **pos, mentara_slice_t *extent, unsigned *num);

/* writes the placeholder of attachment num */
void mentara_sio_put_placeholder(mentara_json_t *j, unsigned num);


/*
 * The head of a packet: type, attachments (BINARY_* only), namespace, ack id
 * (if id is not NULL); its JSON follows.
 */
void mentara_sio_put_head(mentara_json_t *j, mentara_sio_type_e type,
    unsigned attachments, mentara_slice_t nsp, const uint64_t *id);

/* CONNECT answer: the socket's id, and a pid for recovery (or len 0) */
void mentara_sio_put_connect(mentara_json_t *j, mentara_slice_t nsp,
    mentara_slice_t sid, mentara_slice_t pid);

/* CONNECT_ERROR; data is JSON, or len 0 */
void mentara_sio_put_connect_error(mentara_json_t *j, mentara_slice_t nsp,
    mentara_slice_t message, mentara_slice_t data);

/* EVENT up to the bracket and the name: more arguments and "]" follow */
void mentara_sio_put_event(mentara_json_t *j, mentara_slice_t nsp,
    mentara_slice_t name);

/* ACK up to its bracket: arguments and "]" follow */
void mentara_sio_put_ack(mentara_json_t *j, mentara_slice_t nsp, uint64_t id);

void mentara_sio_put_disconnect(mentara_json_t *j, mentara_slice_t nsp);


#endif /* _MENTARA_SOCKETIO_H_INCLUDED_ */
