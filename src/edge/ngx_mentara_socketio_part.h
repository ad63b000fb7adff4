/*
 * What the files of Socket.IO share: one connection, the packets to it.
 */

#ifndef _NGX_MENTARA_SOCKETIO_PART_H_INCLUDED_
#define _NGX_MENTARA_SOCKETIO_PART_H_INCLUDED_


#include <ngx_mentara_client.h>
#include <ngx_mentara_eio.h>
#include <mentara_socketio.h>


#define NGX_MENTARA_SIO_FRAME    0      /* of ngx_mentara_outgoing_t.frames */


/*
 * The client is first: its session and its events lead back here.  What each
 * event needs comes next, in one line of the cache.
 */
typedef struct {
    ngx_mentara_client_t   client;
    ngx_mentara_eio_t     *eio;

    unsigned               told:1;       /* `connected` was written */
    unsigned               greeted:1;    /* and who is there */
    unsigned               has_id:1;     /* the event with attachments wants
                                            an ack */
    unsigned               asked:1;      /* a CONNECT waits for its answer */
    unsigned               connected:1;  /* it was answered */
    unsigned               recovered:1;  /* as it was answered */
    unsigned               adopted:1;    /* the client knows nothing of it */
    unsigned               counted:1;    /* its budget was taken from */
    unsigned               owes:1;       /* an answer is on its way */

    ngx_uint_t             attachments;  /* of an event, still to come */
    int64_t                id;           /* of that event's ack */
    ngx_event_t            timer;        /* until CONNECT comes */
    ngx_str_t              token;        /* of the handshake, allocated */
    ngx_str_t              pid;          /* of the session, allocated */
    ngx_str_t              left;         /* ids, until an adopted session
                                            is where it was; allocated */
} ngx_mentara_sio_t;


/* slice of the one namespace that there is */
mentara_slice_t ngx_mentara_sio_namespace(void);

/* a string of CONNECT's payload, borrowed; without data: it is none */
ngx_str_t ngx_mentara_sio_field(json_t *auth, const char *name);

/*
 * What the payload brings back, borrowed.  Without a pid there is nothing to
 * echo, so nothing is recovered; an offset that is no string is one that is
 * malformed.
 */
void ngx_mentara_sio_return(json_t *auth, ngx_mentara_return_t *back);

/* CONNECT's answer; NGX_ERROR: the connection ends for lack of memory */
ngx_int_t ngx_mentara_sio_put_connect(ngx_mentara_sio_t *s, ngx_str_t *pid);

/* code: of the error table */
void ngx_mentara_sio_put_refusal(ngx_mentara_sio_t *s, const char *code);

/* of a namespace that there is not */
void ngx_mentara_sio_put_unknown(ngx_mentara_sio_t *s, mentara_slice_t nsp);

void ngx_mentara_sio_put_disconnect(ngx_mentara_sio_t *s);

/* data: JSON, the one argument */
void ngx_mentara_sio_put_ack(ngx_mentara_sio_t *s, int64_t id,
    ngx_str_t *data);

/* the frame of an event that many sockets share; NULL: no memory */
ngx_mentara_frame_t *ngx_mentara_sio_event_frame(ngx_mentara_outgoing_t *o);


/*
 * Keeps what another worker needs if this one goes while the client polls:
 * who it is and where it is in the order of events.
 */
void ngx_mentara_sio_save(ngx_mentara_sio_t *s);

/*
 * The reverse: s is filled in as it was, and a session starts where the
 * client is.  NGX_ERROR: it cannot go on, the client comes back anew.
 */
ngx_int_t ngx_mentara_sio_restore(ngx_mentara_sio_t *s,
    const ngx_mentara_door_t *door, ngx_str_t *state, ngx_str_t *mark);


#endif /* _NGX_MENTARA_SOCKETIO_PART_H_INCLUDED_ */
