/*
 * Engine.IO protocol 4, the server's side: sessions over WebSocket, over
 * polling, and from the one to the other.
 *
 * A session belongs to one worker, which alone talks to the layer above.  As
 * long as it is polled, its packets lie in a box of the shared zone
 * (ngx_mentara_pollbox.h), so that any worker serves its requests; the
 * WebSocket that it moves to may be another worker's, too.  If its worker
 * goes, who gets its next request adopts it.
 */

#ifndef _NGX_MENTARA_EIO_H_INCLUDED_
#define _NGX_MENTARA_EIO_H_INCLUDED_


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
    u_char                            sid[MENTARA_EIO_SID];
    ngx_mentara_box_ref_t             box;     /* serial 0: it has none */
    ngx_queue_t                       queue;   /* of those with a box */
    ngx_queue_t                       ending;
    ngx_event_t                       timer;   /* of those with a box */
    ngx_msec_t                        asked;   /* ms, when a ping was sent */
    ngx_uint_t                        code;    /* it ends with */

    unsigned                          pinged:1;
    unsigned                          paused:1;
    unsigned                          ended:1;   /* in worker->ending */
    unsigned                          release:1;
    unsigned                          upgraded:1;
    unsigned                          local:1;   /* to a WebSocket of ours */
};


/* at init_process; slot: of this worker, -1: none.  NULL: no memory */
ngx_mentara_eio_worker_t *ngx_mentara_eio_worker_create(ngx_cycle_t *cycle,
    ngx_mentara_ws_worker_t *ws, ngx_mentara_zone_t *zone, ngx_int_t slot,
    int *fds);

/* another worker wrote this one's eventfd; without it 250 ms go by */
void ngx_mentara_eio_woken(ngx_mentara_eio_worker_t *worker);

/*
 * A request at the endpoint, whatever it is; origin and credentials were
 * judged already, and headers of the answer may have been added.  Returns
 * what the content handler returns.
 */
ngx_int_t ngx_mentara_eio_request(ngx_http_request_t *r,
    ngx_mentara_eio_worker_t *worker, ngx_mentara_eio_conf_t *conf,
    const ngx_mentara_eio_handler_t *handler);

/* the answer of the protocol: JSON {code, message} */
ngx_int_t ngx_mentara_eio_error(ngx_http_request_t *r,
    mentara_eio_error_e error);

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

/* octets that were sent and have not left */
size_t ngx_mentara_eio_pending(ngx_mentara_eio_t *s);

/* asks for one call of drained() */
void ngx_mentara_eio_notify(ngx_mentara_eio_t *s);

/* no message is handed out until resume; what comes waits */
void ngx_mentara_eio_pause(ngx_mentara_eio_t *s);
void ngx_mentara_eio_resume(ngx_mentara_eio_t *s);


#endif /* _NGX_MENTARA_EIO_H_INCLUDED_ */
