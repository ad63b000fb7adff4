/*
 * What a client asks for over a socket, the same through both doors: it
 * names an event, gives data, and may want an answer.  An action that needs
 * the database holds the client until it is done, so that what a client says
 * happens in the order in which it said it.
 */

#ifndef _NGX_MENTARA_CLIENT_H_INCLUDED_
#define _NGX_MENTARA_CLIENT_H_INCLUDED_


#include <ngx_mentara_conf.h>
#include <ngx_mentara_session.h>
#include <jansson.h>


typedef struct ngx_mentara_client_s  ngx_mentara_client_t;


/* what a door does for its client */
typedef struct {
    /* the answer to the event with that id; data is JSON */
    void (*ack)(ngx_mentara_client_t *c, int64_t id, ngx_str_t *data);

    /* on: no event is handed on until it is off again */
    void (*hold)(ngx_mentara_client_t *c, ngx_uint_t on);

    /* it joined or left a conversation; NULL: that is not kept */
    void (*moved)(ngx_mentara_client_t *c);

    /* it tried to become somebody else: the connection ends */
    void (*expel)(ngx_mentara_client_t *c);
} ngx_mentara_client_door_t;


struct ngx_mentara_client_s {
    ngx_mentara_main_conf_t          *mmcf;
    ngx_mentara_loc_conf_t           *mlcf;
    const ngx_mentara_client_door_t  *door;
    ngx_mentara_session_t            *session;   /* NULL: not connected */
    ngx_mentara_op_t                 *op;        /* that holds it */
    int64_t                           id;        /* of the op's event */
    unsigned                          has_id:1;
};


/* who a verified token says it is */
typedef struct {
    ngx_str_t                         user;
    ngx_str_t                         sid;       /* or empty */
    time_t                            token;     /* s, when it was valid */
    time_t                            expires;   /* s, of the session */
} ngx_mentara_identity_t;


void ngx_mentara_client_init(ngx_mentara_client_t *c,
    ngx_mentara_main_conf_t *mmcf, ngx_mentara_loc_conf_t *mlcf,
    const ngx_mentara_client_door_t *door);

/*
 * Judges a token; pid: what the client brings back, or empty: with its own
 * pid a token counts after its time, for as long as a socket may live.
 * Strings lie in pool.  NULL: it is good; else a code of the error table.
 */
const char *ngx_mentara_client_judge(ngx_mentara_client_t *c,
    ngx_str_t *token, ngx_str_t *pid, ngx_pool_t *pool,
    ngx_mentara_identity_t *who);

/*
 * One connection of the user's budget.  NGX_OK, or NGX_BUSY: st tells until
 * when.
 */
ngx_int_t ngx_mentara_client_admit(ngx_mentara_client_t *c, ngx_str_t *user,
    ngx_mentara_limit_state_t *st);

/* starts the session; its door's accepted() or ended() follows */
ngx_int_t ngx_mentara_client_start(ngx_mentara_client_t *c,
    const ngx_mentara_door_t *door, ngx_mentara_identity_t *who,
    ngx_mentara_return_t *back);

/*
 * An event.  data: a reference that is taken over; NULL: it cannot be read.
 * id: of the wanted answer, or NULL.
 */
void ngx_mentara_client_event(ngx_mentara_client_t *c, ngx_str_t *name,
    json_t *data, int64_t *id);

/* something that is no event; name may be NULL */
void ngx_mentara_client_malformed(ngx_mentara_client_t *c, ngx_str_t *name,
    const char *message, int64_t *id);

/* the client has gone */
void ngx_mentara_client_close(ngx_mentara_client_t *c);


#endif /* _NGX_MENTARA_CLIENT_H_INCLUDED_ */
