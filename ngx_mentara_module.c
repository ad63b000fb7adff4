
/*
 * Directives, configuration, hooks and variables; no logic.
 */

#include <ngx_mentara_directives.h>
#include <ngx_mentara_rest.h>
#include <ngx_mentara_status.h>
#include <ngx_mentara_variables.h>


static void *ngx_mentara_create_main_conf(ngx_conf_t *cf);
static char *ngx_mentara_init_main_conf(ngx_conf_t *cf, void *conf);
static void *ngx_mentara_create_loc_conf(ngx_conf_t *cf);
static char *ngx_mentara_merge_loc_conf(ngx_conf_t *cf, void *parent,
    void *child);
static char *ngx_mentara_check_location(ngx_conf_t *cf,
    ngx_mentara_loc_conf_t *conf);
static ngx_int_t ngx_mentara_init_module(ngx_cycle_t *cycle);
static ngx_int_t ngx_mentara_init_process(ngx_cycle_t *cycle);
static ngx_int_t ngx_mentara_init_live(ngx_cycle_t *cycle,
    ngx_mentara_main_conf_t *mmcf);
static void ngx_mentara_exit_process(ngx_cycle_t *cycle);

static char *ngx_mentara_zone(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
static char *ngx_mentara_postgres(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static ngx_int_t ngx_mentara_number(ngx_conf_t *cf, ngx_str_t *arg,
    const char *name, ngx_int_t min, ngx_int_t max, ngx_uint_t *n);
static char *ngx_mentara_api(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
static char *ngx_mentara_status(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_mentara_max_content(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_mentara_attachment_url(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_mentara_limit(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


/* names and defaults, in the order of ngx_mentara_limit_class_e */

static struct {
    ngx_str_t                 name;
    ngx_mentara_limit_conf_t  value;
} ngx_mentara_limits[] = {
    { ngx_string("send"), { 30, 10000 } },
    { ngx_string("react"), { 60, 10000 } },
    { ngx_string("typing"), { 60, 10000 } },
    { ngx_string("search"), { 20, 10000 } },
    { ngx_string("create"), { 10, 60000 } },
    { ngx_string("connect"), { 60, 60000 } },
};


static ngx_command_t  ngx_mentara_commands[] = {

    { ngx_string("mentara_zone"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_2MORE,
      ngx_mentara_zone,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("mentara_postgres"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_1MORE,
      ngx_mentara_postgres,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("mentara_jwt_key"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_CONF_TAKE23,
      ngx_mentara_jwt_key,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("mentara_jwt_secret"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_CONF_TAKE2,
      ngx_mentara_jwt_secret,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("mentara_jwt_jwks"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_CONF_TAKE12,
      ngx_mentara_jwt_jwks,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("mentara_jwt_require"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_CONF_1MORE,
      ngx_mentara_jwt_require,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("mentara_jwt_leeway"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_CONF_TAKE1,
      ngx_mentara_jwt_leeway,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("mentara_token_query"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_mentara_loc_conf_t, token_query),
      NULL },

    { ngx_string("mentara_origin"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_mentara_set_origin,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("mentara_api"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_mentara_api,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("mentara_status"),
      NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_mentara_status,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("mentara_max_content"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_mentara_max_content,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("mentara_attachment_url"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_mentara_attachment_url,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("mentara_limit"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_mentara_limit,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("mentara_socketio"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_mentara_set_socketio,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("mentara_websocket"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_mentara_set_websocket,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("mentara_ping"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE12,
      ngx_mentara_set_ping,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("mentara_socket_buffer"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_mentara_set_bounded,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_mentara_loc_conf_t, socket.buffer),
      &ngx_mentara_socket_buffer_bounds },

    { ngx_string("mentara_socket_lifetime"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_mentara_set_bounded,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_mentara_loc_conf_t, socket.lifetime),
      &ngx_mentara_lifetime_bounds },

    { ngx_string("mentara_user_sockets"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_mentara_set_bounded,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_mentara_loc_conf_t, socket.most),
      &ngx_mentara_user_sockets_bounds },

    { ngx_string("mentara_max_payload"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_mentara_set_bounded,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_mentara_loc_conf_t, socket.max_payload),
      &ngx_mentara_max_payload_bounds },

    { ngx_string("mentara_deflate"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_mentara_loc_conf_t, socket.deflate),
      NULL },

    { ngx_string("mentara_typing_timeout"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_mentara_set_bounded,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_mentara_main_conf_t, live_conf.typing_timeout),
      &ngx_mentara_typing_timeout_bounds },

    { ngx_string("mentara_presence_grace"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_mentara_set_bounded,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_mentara_main_conf_t, live_conf.presence_grace),
      &ngx_mentara_presence_grace_bounds },

    { ngx_string("mentara_recovery"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_mentara_set_bounded,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_mentara_main_conf_t, live_conf.recovery),
      &ngx_mentara_recovery_bounds },

    { ngx_string("mentara_drain"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_mentara_set_bounded,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_mentara_main_conf_t, live_conf.drain),
      &ngx_mentara_drain_bounds },

      ngx_null_command
};


static ngx_http_module_t  ngx_mentara_module_ctx = {
    ngx_mentara_variables_add,             /* preconfiguration */
    NULL,                                  /* postconfiguration */

    ngx_mentara_create_main_conf,          /* create main configuration */
    ngx_mentara_init_main_conf,            /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    ngx_mentara_create_loc_conf,           /* create location configuration */
    ngx_mentara_merge_loc_conf             /* merge location configuration */
};


ngx_module_t  ngx_mentara_module = {
    NGX_MODULE_V1,
    &ngx_mentara_module_ctx,               /* module context */
    ngx_mentara_commands,                  /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    ngx_mentara_init_module,               /* init module */
    ngx_mentara_init_process,              /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    ngx_mentara_exit_process,              /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static void *
ngx_mentara_create_main_conf(ngx_conf_t *cf)
{
    ngx_mentara_main_conf_t  *conf;

    conf = ngx_pcalloc(cf->pool, sizeof(ngx_mentara_main_conf_t));

    if (conf != NULL) {
        conf->live_conf.typing_timeout = NGX_CONF_UNSET_MSEC;
        conf->live_conf.presence_grace = NGX_CONF_UNSET_MSEC;
        conf->live_conf.recovery = NGX_CONF_UNSET;
        conf->live_conf.drain = NGX_CONF_UNSET_MSEC;
    }

    return conf;
}


static char *
ngx_mentara_init_main_conf(ngx_conf_t *cf, void *conf)
{
    ngx_mentara_main_conf_t *mmcf = conf;

    ngx_conf_init_msec_value(mmcf->live_conf.typing_timeout, 5000);
    ngx_conf_init_msec_value(mmcf->live_conf.presence_grace, 10000);
    ngx_conf_init_value(mmcf->live_conf.recovery, 7 * 86400);
    ngx_conf_init_msec_value(mmcf->live_conf.drain, 10000);

    return NGX_CONF_OK;
}


static void *
ngx_mentara_create_loc_conf(ngx_conf_t *cf)
{
    ngx_uint_t               i;
    ngx_mentara_loc_conf_t  *conf;

    conf = ngx_pcalloc(cf->pool, sizeof(ngx_mentara_loc_conf_t));
    if (conf == NULL) {
        return NULL;
    }

    conf->token_query = NGX_CONF_UNSET;
    conf->max_content = NGX_CONF_UNSET_UINT;
    conf->origins = NGX_CONF_UNSET_PTR;
    conf->attachment_urls = NGX_CONF_UNSET_PTR;

    for (i = 0; i < NGX_MENTARA_LIMIT_N; i++) {
        conf->limits[i].n = NGX_CONF_UNSET_UINT;
    }

    ngx_mentara_socket_init(&conf->socket);

    return conf;
}


static char *
ngx_mentara_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_mentara_loc_conf_t *prev = parent;
    ngx_mentara_loc_conf_t *conf = child;

    ngx_uint_t                i;
    ngx_mentara_main_conf_t  *mmcf;

    mmcf = ngx_http_conf_get_module_main_conf(cf, ngx_mentara_module);

    if (conf->auth == NULL) {
        conf->auth = prev->auth;
    }

    ngx_conf_merge_value(conf->token_query, prev->token_query, 0);
    ngx_conf_merge_uint_value(conf->max_content, prev->max_content, 10000);
    ngx_conf_merge_ptr_value(conf->origins, prev->origins, NULL);
    ngx_conf_merge_ptr_value(conf->attachment_urls, prev->attachment_urls,
                             NULL);

    for (i = 0; i < NGX_MENTARA_LIMIT_N; i++) {
        if (conf->limits[i].n == NGX_CONF_UNSET_UINT) {
            conf->limits[i] = (prev->limits[i].n == NGX_CONF_UNSET_UINT)
                              ? ngx_mentara_limits[i].value
                              : prev->limits[i];
        }
    }

    ngx_mentara_socket_merge(&conf->socket, &prev->socket,
                             mmcf->live_conf.drain);

    conf->env.max_content = conf->max_content;
    conf->env.attachment_urls = conf->attachment_urls;

    if (conf->door != NULL) {
        return ngx_mentara_check_location(cf, conf);
    }

    return NGX_CONF_OK;
}


/* what a location that is served cannot do without */

static char *
ngx_mentara_check_location(ngx_conf_t *cf, ngx_mentara_loc_conf_t *conf)
{
    ngx_mentara_main_conf_t   *mmcf;
    ngx_http_core_loc_conf_t  *clcf;

    mmcf = ngx_http_conf_get_module_main_conf(cf, ngx_mentara_module);

    if (!mmcf->zone_set) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%s\" needs \"mentara_zone\" in http",
                           conf->door);
        return NGX_CONF_ERROR;
    }

    if (!mmcf->pg_set) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%s\" needs \"mentara_postgres\" in http",
                           conf->door);
        return NGX_CONF_ERROR;
    }

    if (conf->auth == NULL || !ngx_mentara_auth_has_keys(conf->auth)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%s\" needs \"mentara_jwt_key\", "
                           "\"mentara_jwt_secret\" or \"mentara_jwt_jwks\"",
                           conf->door);
        return NGX_CONF_ERROR;
    }

    mmcf->used = 1;

    /* the bound is the module's own, and its answer too */

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    clcf->client_max_body_size = 0;

    return NGX_CONF_OK;
}


static char *
ngx_mentara_zone(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_mentara_main_conf_t *mmcf = conf;

    ssize_t      size;
    ngx_str_t   *value;
    ngx_uint_t   i;

    if (mmcf->zone_set) {
        return "is duplicate";
    }

    value = cf->args->elts;
    size = ngx_parse_size(&value[2]);

    if (value[1].len == 0 || size == NGX_ERROR) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid size \"%V\" in \"mentara_zone\", "
                           "it must be like \"32m\"", &value[2]);
        return NGX_CONF_ERROR;
    }

    for (i = 3; i < cf->args->nelts; i++) {
        if (ngx_mentara_zone_opt(&mmcf->zone, &value[i]) != NGX_OK) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid parameter \"%V\" in "
                               "\"mentara_zone\", it must be ring=, rooms= "
                               "or bodies=, each for testing", &value[i]);
            return NGX_CONF_ERROR;
        }
    }

    mmcf->zone_set = 1;

    return ngx_mentara_zone_create(cf, &mmcf->zone, &value[1], size,
                                   &ngx_mentara_module);
}


static ngx_int_t
ngx_mentara_number(ngx_conf_t *cf, ngx_str_t *arg, const char *name,
    ngx_int_t min, ngx_int_t max, ngx_uint_t *n)
{
    size_t     len;
    ngx_int_t  value;

    len = ngx_strlen(name);

    if (arg->len <= len || ngx_strncmp(arg->data, name, len) != 0) {
        return NGX_DECLINED;
    }

    value = ngx_atoi(arg->data + len, arg->len - len);

    if (value == NGX_ERROR || value < min || value > max) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid value \"%V\" in \"mentara_postgres\", "
                           "it must be from %i to %i", arg, min, max);
        return NGX_ERROR;
    }

    *n = value;

    return NGX_OK;
}


static char *
ngx_mentara_postgres(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_mentara_main_conf_t *mmcf = conf;

    ngx_int_t               rc, timeout;
    ngx_str_t              *value, s;
    ngx_uint_t              i;
    ngx_mentara_pg_conf_t  *pcf;

    if (mmcf->pg_set) {
        return "is duplicate";
    }

    value = cf->args->elts;
    pcf = &mmcf->pg_conf;

    pcf->conninfo = value[1];
    pcf->connections = 4;
    pcf->timeout = 5000;
    pcf->queue = 1024;

    for (i = 2; i < cf->args->nelts; i++) {
        rc = ngx_mentara_number(cf, &value[i], "connections=", 2, 256,
                                &pcf->connections);

        if (rc == NGX_DECLINED) {
            rc = ngx_mentara_number(cf, &value[i], "queue=", 1, 65536,
                                    &pcf->queue);
        }

        if (rc == NGX_OK) {
            continue;
        }

        if (rc == NGX_ERROR) {
            return NGX_CONF_ERROR;
        }

        if (value[i].len > 8
            && ngx_strncmp(value[i].data, "timeout=", 8) == 0)
        {
            s.data = value[i].data + 8;
            s.len = value[i].len - 8;
            timeout = ngx_parse_time(&s, 0);

            if (timeout != NGX_ERROR && timeout >= 100
                && timeout <= 600000)
            {
                pcf->timeout = timeout;
                continue;
            }
        }

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid parameter \"%V\" in "
                           "\"mentara_postgres\", it must be connections=, "
                           "timeout= (100ms to 10m) or queue=", &value[i]);
        return NGX_CONF_ERROR;
    }

    mmcf->pg_set = 1;

    return ngx_mentara_pg_conf_check(cf, pcf);
}


static char *
ngx_mentara_api(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_mentara_loc_conf_t *mlcf = conf;

    ngx_http_core_loc_conf_t  *clcf;

    if (mlcf->api) {
        return "is duplicate";
    }

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (clcf->noname || clcf->named || clcf->exact_match
#if (NGX_PCRE)
        || clcf->regex != NULL
#endif
       )
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"mentara_api\" needs a location with a prefix, "
                           "like \"location /messaging\"");
        return NGX_CONF_ERROR;
    }

    if (mlcf->door != NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"mentara_api\" and \"%s\" exclude each other "
                           "in one location", mlcf->door);
        return NGX_CONF_ERROR;
    }

    clcf->handler = ngx_mentara_rest_handler;

    mlcf->door = "mentara_api";
    mlcf->api = 1;
    mlcf->prefix = clcf->name;

    while (mlcf->prefix.len > 0
           && mlcf->prefix.data[mlcf->prefix.len - 1] == '/')
    {
        mlcf->prefix.len--;
    }

    return NGX_CONF_OK;
}


static char *
ngx_mentara_status(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_mentara_loc_conf_t *mlcf = conf;

    ngx_str_t                 *value;
    ngx_mentara_main_conf_t   *mmcf;
    ngx_http_core_loc_conf_t  *clcf;

    if (mlcf->status) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (ngx_strcmp(value[1].data, "prometheus") == 0) {
        mlcf->status = NGX_MENTARA_STATUS_PROMETHEUS;

    } else if (ngx_strcmp(value[1].data, "json") == 0) {
        mlcf->status = NGX_MENTARA_STATUS_JSON;

    } else {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid format \"%V\" in \"mentara_status\", it "
                           "must be prometheus or json", &value[1]);
        return NGX_CONF_ERROR;
    }

    mmcf = ngx_http_conf_get_module_main_conf(cf, ngx_mentara_module);

    if (!mmcf->zone_set || !mmcf->pg_set) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"mentara_status\" needs \"mentara_zone\" and "
                           "\"mentara_postgres\" before it");
        return NGX_CONF_ERROR;
    }

    mmcf->used = 1;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    clcf->handler = ngx_mentara_status_handler;

    return NGX_CONF_OK;
}


static char *
ngx_mentara_max_content(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_mentara_loc_conf_t *mlcf = conf;

    ngx_int_t   n;
    ngx_str_t  *value;

    if (mlcf->max_content != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    value = cf->args->elts;
    n = ngx_atoi(value[1].data, value[1].len);

    if (n == NGX_ERROR || n < 1 || n > 50000) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid value \"%V\" in \"mentara_max_content\", "
                           "it must be from 1 to 50000", &value[1]);
        return NGX_CONF_ERROR;
    }

    mlcf->max_content = n;

    return NGX_CONF_OK;
}


static char *
ngx_mentara_attachment_url(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_mentara_loc_conf_t *mlcf = conf;

    ngx_str_t   *value, *s;
    ngx_uint_t   i;

    if (mlcf->attachment_urls == NGX_CONF_UNSET_PTR) {
        mlcf->attachment_urls = ngx_array_create(cf->pool, 2,
                                                 sizeof(ngx_str_t));
        if (mlcf->attachment_urls == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {
        if (value[i].len < 2 || value[i].data[value[i].len - 1] != '/'
            || (value[i].data[0] != '/'
                && ngx_strncmp(value[i].data, "https://", 8) != 0
                && ngx_strncmp(value[i].data, "http://", 7) != 0))
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid prefix \"%V\" in "
                               "\"mentara_attachment_url\", it must be a "
                               "path or an http(s) URL that ends in \"/\"",
                               &value[i]);
            return NGX_CONF_ERROR;
        }

        s = ngx_array_push(mlcf->attachment_urls);
        if (s == NULL) {
            return NGX_CONF_ERROR;
        }

        *s = value[i];
    }

    return NGX_CONF_OK;
}


static char *
ngx_mentara_limit(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_mentara_loc_conf_t *mlcf = conf;

    ngx_str_t   *value, s;
    ngx_uint_t   i, k;

    value = cf->args->elts;

    if (cf->args->nelts == 2 && ngx_strcmp(value[1].data, "off") == 0) {
        for (k = 0; k < NGX_MENTARA_LIMIT_N; k++) {
            mlcf->limits[k].n = 0;
        }

        return NGX_CONF_OK;
    }

    for (i = 1; i < cf->args->nelts; i++) {
        for (k = 0; k < NGX_MENTARA_LIMIT_N; k++) {
            s = ngx_mentara_limits[k].name;

            if (value[i].len > s.len + 1
                && ngx_strncmp(value[i].data, s.data, s.len) == 0
                && value[i].data[s.len] == '=')
            {
                break;
            }
        }

        if (k < NGX_MENTARA_LIMIT_N) {
            s.data = value[i].data + s.len + 1;
            s.len = value[i].data + value[i].len - s.data;

            if (s.len == 3 && ngx_memcmp(s.data, "off", 3) == 0) {
                mlcf->limits[k].n = 0;
                continue;
            }

            if (ngx_mentara_limit_parse(&s, &mlcf->limits[k]) == NGX_OK) {
                continue;
            }
        }

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid parameter \"%V\" in \"mentara_limit\", "
                           "it must be send=, react=, typing=, search=, "
                           "create= or connect= with a value like "
                           "\"30/10s\" or \"off\"",
                           &value[i]);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/* eventfds are of the master, so that a worker has those of all others */

static ngx_int_t
ngx_mentara_init_module(ngx_cycle_t *cycle)
{
    ngx_mentara_main_conf_t  *mmcf, *old;

    mmcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_mentara_module);

    if (mmcf == NULL || ngx_test_config) {
        return NGX_OK;
    }

    old = NULL;

    if (!ngx_is_init_cycle(cycle->old_cycle)) {
        old = ngx_http_cycle_get_module_main_conf(cycle->old_cycle,
                                                  ngx_mentara_module);
    }

    if (old != NULL) {
        mmcf->fds = old->fds;
    }

    if (!mmcf->sockets || mmcf->fds != NULL) {
        return NGX_OK;
    }

    mmcf->fds = ngx_mentara_live_fds(cycle->log);

    return (mmcf->fds == NULL) ? NGX_ERROR : NGX_OK;
}


static ngx_int_t
ngx_mentara_init_process(ngx_cycle_t *cycle)
{
    ngx_mentara_main_conf_t  *mmcf;

    if (ngx_process != NGX_PROCESS_WORKER
        && ngx_process != NGX_PROCESS_SINGLE)
    {
        return NGX_OK;
    }

    mmcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_mentara_module);

    if (mmcf == NULL || !mmcf->used) {
        return NGX_OK;
    }

    mmcf->pg = ngx_mentara_pg_open(cycle, &mmcf->pg_conf);
    if (mmcf->pg == NULL) {
        return NGX_ERROR;
    }

    mmcf->accounts = ngx_mentara_accounts_create(cycle, mmcf->pg);

    if (mmcf->accounts == NULL) {
        return NGX_ERROR;
    }

    return mmcf->sockets ? ngx_mentara_init_live(cycle, mmcf) : NGX_OK;
}


static ngx_int_t
ngx_mentara_init_live(ngx_cycle_t *cycle, ngx_mentara_main_conf_t *mmcf)
{
    mmcf->ws = ngx_mentara_ws_worker_create(cycle);
    if (mmcf->ws == NULL) {
        return NGX_ERROR;
    }

    mmcf->live = ngx_mentara_live_create(cycle, &mmcf->live_conf, &mmcf->zone,
                                         mmcf->pg, mmcf->fds);
    if (mmcf->live == NULL) {
        return NGX_ERROR;
    }

    mmcf->eio = ngx_mentara_eio_worker_create(cycle, mmcf->ws, &mmcf->zone,
                                              mmcf->live->slot, mmcf->fds);
    if (mmcf->eio == NULL) {
        return NGX_ERROR;
    }

    mmcf->live->woken = ngx_mentara_eio_woken;
    mmcf->live->woken_data = mmcf->eio;

    return NGX_OK;
}


static void
ngx_mentara_exit_process(ngx_cycle_t *cycle)
{
    ngx_mentara_main_conf_t  *mmcf;

    mmcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_mentara_module);

    if (mmcf == NULL) {
        return;
    }

    if (mmcf->live != NULL) {
        ngx_mentara_live_close(mmcf->live);
    }

    if (mmcf->pg != NULL) {
        ngx_mentara_pg_close(mmcf->pg);
    }
}
