/*
 * What the directives say, for the front doors.
 */

#ifndef _NGX_MENTARA_CONF_H_INCLUDED_
#define _NGX_MENTARA_CONF_H_INCLUDED_


#include <ngx_mentara.h>
#include <ngx_http.h>
#include <ngx_mentara_account.h>
#include <ngx_mentara_auth.h>
#include <ngx_mentara_eio.h>
#include <ngx_mentara_limit.h>
#include <ngx_mentara_live.h>
#include <ngx_mentara_op.h>
#include <ngx_mentara_pg.h>
#include <ngx_mentara_zone.h>


typedef struct {
    ngx_mentara_zone_t         zone;
    ngx_mentara_pg_conf_t      pg_conf;
    ngx_mentara_live_conf_t    live_conf;
    int                       *fds;         /* of the master: see live.h */

    /* of one worker, from init_process on */
    ngx_mentara_pg_t          *pg;
    ngx_mentara_accounts_t    *accounts;
    ngx_mentara_live_t        *live;        /* NULL: no sockets are served */
    ngx_mentara_ws_worker_t   *ws;
    ngx_mentara_eio_worker_t  *eio;

    unsigned                   zone_set:1;
    unsigned                   pg_set:1;
    unsigned                   used:1;      /* some location needs Postgres */
    unsigned                   sockets:1;   /* some location serves sockets */
} ngx_mentara_main_conf_t;


/* what a location says of its sockets, and what follows for transports */
typedef struct {
    time_t                     lifetime;    /* s */
    ngx_uint_t                 most;        /* of one user */
    size_t                     buffer;      /* octets */
    size_t                     max_payload;
    ngx_msec_t                 ping_interval;
    ngx_msec_t                 ping_timeout;
    ngx_flag_t                 deflate;

    ngx_mentara_ws_conf_t      ws;
    ngx_mentara_eio_conf_t     eio;
} ngx_mentara_socket_conf_t;


typedef struct {
    ngx_mentara_auth_t        *auth;
    ngx_array_t               *origins;     /* of ngx_str_t, or NULL */
    ngx_flag_t                 token_query;
    ngx_mentara_limit_conf_t   limits[NGX_MENTARA_LIMIT_N];
    ngx_uint_t                 max_content;
    ngx_array_t               *attachment_urls;
    ngx_str_t                  prefix;      /* of the location */
    ngx_mentara_op_env_t       env;
    ngx_mentara_socket_conf_t  socket;
    ngx_uint_t                 status;      /* NGX_MENTARA_STATUS_... */
    const char                *door;        /* the directive that serves it */
    unsigned                   api:1;
    unsigned                   socketio:1;
    unsigned                   websocket:1;
} ngx_mentara_loc_conf_t;


#define NGX_MENTARA_STATUS_PROMETHEUS  1
#define NGX_MENTARA_STATUS_JSON        2


extern ngx_module_t  ngx_mentara_module;


#endif /* _NGX_MENTARA_CONF_H_INCLUDED_ */
