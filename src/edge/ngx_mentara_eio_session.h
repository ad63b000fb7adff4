/*
 * A session of Engine.IO, and what the sessions of one worker share.  Who
 * uses sessions includes ngx_mentara_eio.h.
 */

#ifndef _NGX_MENTARA_EIO_SESSION_H_INCLUDED_
#define _NGX_MENTARA_EIO_SESSION_H_INCLUDED_


#include <ngx_mentara_pollbox.h>
#include <ngx_mentara_websocket.h>
#include <mentara_engineio.h>


#define NGX_MENTARA_EIO_STATE_MAX  2048   /* octets of a saved state */


typedef struct ngx_mentara_eio_s  ngx_mentara_eio_t;
typedef struct ngx_mentara_eio_worker_s  ngx_mentara_eio_worker_t;
typedef struct ngx_mentara_eio_holder_s  ngx_mentara_eio_holder_t;


typedef struct {
    ngx_mentara_ws_conf_t  ws;               /* its pings are not used */
    ngx_msec_t             ping_interval;    /* ms */
    ngx_msec_t             ping_timeout;     /* ms */
    ngx_msec_t             upgrade_timeout;  /* ms from the 101 to `5` */
    size_t                 max_payload;      /* octets of a POST, and of a
                                                poll with several packets */
    size_t                 stranger;         /* octets of a WebSocket's message
                                                until it is trusted, 0: as
                                                ws says */
} ngx_mentara_eio_conf_t;


/*
 * The layer above.  s->data is its own; no handler is called from inside a
 * function of this header, but for open and adopt.
 */
typedef struct {
    /*
     * A handshake; nothing can be sent yet.  NGX_OK, or the HTTP status to
     * refuse with: then closed() is not called.
     */
    ngx_int_t (*open)(ngx_mentara_eio_t *s, ngx_http_request_t *r);

    /*
     * A session whose worker has gone, on the request that found it: state
     * as it was saved, mark of the last packet that was sent with one.
     * NGX_OK, or NGX_ERROR: it ends, closed() is not called.
     */
    ngx_int_t (*adopt)(ngx_mentara_eio_t *s, ngx_http_request_t *r,
        ngx_str_t *state, ngx_str_t *mark);

    /* the payload of one message; gone after the call */
    void (*message)(ngx_mentara_eio_t *s, ngx_uint_t binary, ngx_str_t *msg);

    /* all that was sent has left; only after ngx_mentara_eio_notify() */
    void (*drained)(ngx_mentara_eio_t *s);

    /*
     * The last call, s is freed after it.  released: this worker exits and
     * another one adopts the session, as it was saved; else it has ended.
     */
    void (*closed)(ngx_mentara_eio_t *s, ngx_uint_t released);
} ngx_mentara_eio_handler_t;


struct ngx_mentara_eio_s {
    void                             *data;
    ngx_mentara_eio_worker_t         *worker;
    ngx_mentara_eio_conf_t           *conf;
    const ngx_mentara_eio_handler_t  *handler;

    ngx_mentara_ws_t                 *ws;      /* NULL: it uses the box */

    unsigned                          pinged:1;
    unsigned                          paused:1;
    unsigned                          ended:1;   /* in worker->ending */
    unsigned                          slow:1;    /* that is why it ended */
    unsigned                          release:1;
    unsigned                          upgraded:1;
    unsigned                          local:1;   /* to a WebSocket of ours */

    u_char                            sid[MENTARA_EIO_SID];
    ngx_mentara_box_ref_t             box;     /* serial 0: it has none */
    ngx_queue_t                       queue;   /* of those with a box */
    ngx_queue_t                       ending;
    ngx_event_t                       timer;   /* of those with a box */
    ngx_msec_t                        asked;   /* ms, when a ping was sent */
    ngx_uint_t                        code;    /* it ends with */
};


/* the parts' own; the user hands it on */
struct ngx_mentara_eio_worker_s {
    ngx_log_t                  *log;
    ngx_mentara_ws_worker_t    *ws;
    ngx_mentara_pollbox_t       pb;
    ngx_event_t                 turn;      /* posted: boxes changed */
    ngx_event_t                 tick;
    ngx_event_t                 end;       /* posted: sessions ended */
    ngx_uint_t                  ticks;
    ngx_uint_t                  share;     /* to end per tick, exiting */
    time_t                      full;      /* s, when that was logged */
    ngx_queue_t                 sessions;  /* with a box */
    ngx_queue_t                 holders;
    ngx_queue_t                 ending;
    ngx_mentara_eio_t         **owned;     /* by number of the box */
    ngx_mentara_eio_holder_t  **held;
};


/*
 * Queues a packet.  f: as the WebSocket sends it, so of text the payload
 * begins with the packet's type, "4" for a message.  mark: what to adopt the
 * session from once this packet was taken, at most NGX_MENTARA_BOX_MARK
 * octets, or NULL.  f == NULL ends the session: no memory.  Too much unsent
 * ends it, too.
 */
void ngx_mentara_eio_send(ngx_mentara_eio_t *s, ngx_mentara_frame_t *f,
    ngx_str_t *mark);

/*
 * Keeps what another worker needs to adopt the session; without it nobody
 * does.  Nothing is kept once it is on a WebSocket.
 */
void ngx_mentara_eio_save(ngx_mentara_eio_t *s, ngx_str_t *state);

/*
 * Ends it: a WebSocket with the code (0: none) after what was sent, polling
 * with `1`.  closed() follows.
 */
void ngx_mentara_eio_close(ngx_mentara_eio_t *s, ngx_uint_t code);

/* who it is is known: it may send what the configuration allows */
void ngx_mentara_eio_trust(ngx_mentara_eio_t *s);

/* octets that were sent and have not left */
size_t ngx_mentara_eio_pending(ngx_mentara_eio_t *s);

/* asks for one call of drained() */
void ngx_mentara_eio_notify(ngx_mentara_eio_t *s);

/* no message is handed out until resume; what comes waits */
void ngx_mentara_eio_pause(ngx_mentara_eio_t *s);
void ngx_mentara_eio_resume(ngx_mentara_eio_t *s);


/* what follows is for the parts alone */

/* when a client that was heard now is given up, ms */
#define ngx_mentara_eio_deadline(conf)                                        \
    (ngx_current_msec + (conf)->ping_interval + (conf)->ping_timeout)

/* NULL: no memory */
ngx_mentara_eio_t *ngx_mentara_eio_create(ngx_mentara_eio_worker_t *worker,
    ngx_mentara_eio_conf_t *conf, const ngx_mentara_eio_handler_t *handler);

/* it has a box, of which this worker is the owner */
void ngx_mentara_eio_boxed(ngx_mentara_eio_t *s);

/* closed() is called soon, once */
void ngx_mentara_eio_end(ngx_mentara_eio_t *s, ngx_uint_t release,
    ngx_uint_t code);

/* what happened in its box */
void ngx_mentara_eio_turn(ngx_mentara_eio_t *s);

/* its packets go over this WebSocket from now on */
void ngx_mentara_eio_carry(ngx_mentara_eio_t *s, ngx_mentara_ws_t *ws);

/* of a session without a box */
extern ngx_mentara_ws_handler_t  ngx_mentara_eio_ws_handler;

/* the exiting worker waits as long as there is anything */
void ngx_mentara_eio_stay(ngx_mentara_eio_worker_t *worker);

/* handler of worker->end: those that ended are told so, and freed */
void ngx_mentara_eio_worker_end(ngx_event_t *ev);


#endif /* _NGX_MENTARA_EIO_SESSION_H_INCLUDED_ */
