/*
 * The setters of directives that need more than nginx's own; each is given
 * in ngx_mentara_module.c and documented in docs/directives.md.
 */

#ifndef _NGX_MENTARA_DIRECTIVES_H_INCLUDED_
#define _NGX_MENTARA_DIRECTIVES_H_INCLUDED_


#include <ngx_mentara_conf.h>


typedef enum {
    NGX_MENTARA_UNIT_NUMBER = 0,   /* ngx_uint_t */
    NGX_MENTARA_UNIT_SIZE,         /* size_t, octets */
    NGX_MENTARA_UNIT_MSEC,         /* ngx_msec_t */
    NGX_MENTARA_UNIT_SEC           /* time_t */
} ngx_mentara_unit_e;


/* what one value may be; cmd->post of ngx_mentara_set_bounded() */
typedef struct {
    ngx_uint_t                 unit;     /* NGX_MENTARA_UNIT_... */
    ngx_int_t                  min;
    ngx_int_t                  max;
    const char                *range;    /* "from 1s to 1d" */
} ngx_mentara_bounds_t;


/* one value of a unit at cmd->offset, within bounds */
char *ngx_mentara_set_bounded(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

char *ngx_mentara_jwt_key(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_mentara_jwt_secret(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_mentara_jwt_jwks(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_mentara_jwt_require(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_mentara_jwt_leeway(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

char *ngx_mentara_set_origin(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

char *ngx_mentara_set_ping(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_mentara_set_socketio(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_mentara_set_websocket(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* the fields of sockets: unset, inherited, made ready for the transports */
void ngx_mentara_socket_init(ngx_mentara_socket_conf_t *conf);
void ngx_mentara_socket_merge(ngx_mentara_socket_conf_t *conf,
    ngx_mentara_socket_conf_t *prev, ngx_msec_t drain);

extern ngx_mentara_bounds_t  ngx_mentara_socket_buffer_bounds;
extern ngx_mentara_bounds_t  ngx_mentara_lifetime_bounds;
extern ngx_mentara_bounds_t  ngx_mentara_user_sockets_bounds;
extern ngx_mentara_bounds_t  ngx_mentara_max_payload_bounds;
extern ngx_mentara_bounds_t  ngx_mentara_typing_timeout_bounds;
extern ngx_mentara_bounds_t  ngx_mentara_presence_grace_bounds;
extern ngx_mentara_bounds_t  ngx_mentara_recovery_bounds;
extern ngx_mentara_bounds_t  ngx_mentara_drain_bounds;


#endif /* _NGX_MENTARA_DIRECTIVES_H_INCLUDED_ */
