/*
 * What a door knows of one request, from its head to its answer.
 */

#ifndef _NGX_MENTARA_REQUEST_H_INCLUDED_
#define _NGX_MENTARA_REQUEST_H_INCLUDED_


#include <ngx_mentara_conf.h>
#include <mentara_fields.h>
#include <mentara_route.h>


#define NGX_MENTARA_REQUEST_ID  32


typedef struct ngx_mentara_request_s  ngx_mentara_request_t;


struct ngx_mentara_request_s {
    ngx_http_request_t           *r;
    ngx_mentara_main_conf_t      *mmcf;
    ngx_mentara_loc_conf_t       *mlcf;

    u_char                        id[NGX_MENTARA_REQUEST_ID];
    int                           match;     /* of mentara_route_match() */
    mentara_route_t               route;

    ngx_str_t                     token;
    ngx_uint_t                    from;      /* NGX_MENTARA_CREDENTIAL_... */
    ngx_mentara_claims_t          claims;
    ngx_mentara_account_t         account;
    ngx_mentara_account_wait_t   *wait;

    ngx_mentara_limit_state_t     limit;
    ngx_str_t                     body;      /* as read */
    void                         *reading;   /* of the body: its state */
    json_t                       *args;
    ngx_mentara_op_t             *op;

    /* what follows when the caller is known, or is not */
    void                        (*admitted)(ngx_mentara_request_t *q,
                                            const char *code);

    const char                   *code;      /* of an error answer */
    ngx_msec_t                    pg_time;

    unsigned                      authenticated:1;
    unsigned                      fetched:1; /* keys, for its token */
    unsigned                      limited:1; /* limit holds figures */
    unsigned                      read:1;    /* the body was read */
    unsigned                      async:1;   /* out of nginx's own events */
    unsigned                      shared:1;  /* CORS headers are there */
    unsigned                      done:1;    /* answered */
};


/* the context of a request; NULL: no memory */
ngx_mentara_request_t *ngx_mentara_request_create(ngx_http_request_t *r);

/* the end; rc: what a reply returned */
void ngx_mentara_request_finish(ngx_mentara_request_t *q, ngx_int_t rc);

/* the end with an error of the contract's table */
void ngx_mentara_request_refuse(ngx_mentara_request_t *q, const char *code);


#endif /* _NGX_MENTARA_REQUEST_H_INCLUDED_ */
