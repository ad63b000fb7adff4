/*
 * What the directives say, for the front doors.
 */

#ifndef _NGX_MENTARA_CONF_H_INCLUDED_
#define _NGX_MENTARA_CONF_H_INCLUDED_


#include <ngx_mentara.h>
#include <ngx_http.h>
#include <ngx_mentara_account.h>
#include <ngx_mentara_auth.h>
#include <ngx_mentara_limit.h>
#include <ngx_mentara_op.h>
#include <ngx_mentara_pg.h>
#include <ngx_mentara_zone.h>


typedef struct {
    ngx_mentara_zone_t         zone;
    ngx_mentara_pg_conf_t      pg_conf;

    /* of one worker, from init_process on */
    ngx_mentara_pg_t          *pg;
    ngx_mentara_accounts_t    *accounts;

    unsigned                   zone_set:1;
    unsigned                   pg_set:1;
    unsigned                   used:1;      /* some location serves the API */
} ngx_mentara_main_conf_t;


typedef struct {
    ngx_mentara_auth_t        *auth;
    ngx_array_t               *origins;     /* of ngx_str_t, or NULL */
    ngx_flag_t                 token_query;
    ngx_mentara_limit_conf_t   limits[NGX_MENTARA_LIMIT_N];
    ngx_uint_t                 max_content;
    ngx_array_t               *attachment_urls;
    ngx_str_t                  prefix;      /* of the location */
    ngx_mentara_op_env_t       env;
    ngx_uint_t                 status;      /* NGX_MENTARA_STATUS_... */
    unsigned                   api:1;
} ngx_mentara_loc_conf_t;


#define NGX_MENTARA_STATUS_PROMETHEUS  1
#define NGX_MENTARA_STATUS_JSON        2


extern ngx_module_t  ngx_mentara_module;


#endif /* _NGX_MENTARA_CONF_H_INCLUDED_ */
