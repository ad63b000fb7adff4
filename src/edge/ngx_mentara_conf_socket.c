
#include <ngx_mentara_directives.h>
#include <ngx_mentara_plain.h>
#include <ngx_mentara_socketio.h>


#define NGX_MENTARA_SEND_TIMEOUT     60000   /* ms without progress */
#define NGX_MENTARA_CLOSE_TIMEOUT    5000    /* ms for the peer's close */
#define NGX_MENTARA_STRANGER         16384   /* octets of a CONNECT */
#define NGX_MENTARA_UPGRADE_TIMEOUT  10000   /* ms from the 101 to `5` */


static ngx_int_t ngx_mentara_ping_value(ngx_conf_t *cf, ngx_str_t *arg,
    const char *name, ngx_msec_t *value);
static char *ngx_mentara_set_door(ngx_conf_t *cf, ngx_mentara_loc_conf_t *mlcf,
    const char *name, ngx_http_handler_pt handler);


ngx_mentara_bounds_t  ngx_mentara_socket_buffer_bounds = {
    NGX_MENTARA_UNIT_SIZE, 65536, 64 * 1024 * 1024, "from 64k to 64m" };

ngx_mentara_bounds_t  ngx_mentara_lifetime_bounds = {
    NGX_MENTARA_UNIT_SEC, 1, 86400, "from 1s to 1d" };

ngx_mentara_bounds_t  ngx_mentara_user_sockets_bounds = {
    NGX_MENTARA_UNIT_NUMBER, 1, 1000, "from 1 to 1000" };

ngx_mentara_bounds_t  ngx_mentara_max_payload_bounds = {
    NGX_MENTARA_UNIT_SIZE, 65536, 16 * 1024 * 1024, "from 64k to 16m" };

ngx_mentara_bounds_t  ngx_mentara_typing_timeout_bounds = {
    NGX_MENTARA_UNIT_MSEC, 1000, 60000, "from 1s to 1m" };

ngx_mentara_bounds_t  ngx_mentara_presence_grace_bounds = {
    NGX_MENTARA_UNIT_MSEC, 0, 600000, "from 0s to 10m" };

ngx_mentara_bounds_t  ngx_mentara_recovery_bounds = {
    NGX_MENTARA_UNIT_SEC, 60, 90 * 86400, "from 1m to 90d" };

ngx_mentara_bounds_t  ngx_mentara_drain_bounds = {
    NGX_MENTARA_UNIT_MSEC, 0, 600000, "from 0s to 10m" };


char *
ngx_mentara_set_bounded(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char *p = conf;

    ngx_int_t              n;
    ngx_str_t             *value;
    ngx_uint_t            *field;
    ngx_mentara_bounds_t  *bounds;

    /* all of them are unset as -1, and as wide */

    field = (ngx_uint_t *) (p + cmd->offset);
    bounds = cmd->post;
    value = cf->args->elts;

    if (*field != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    switch (bounds->unit) {

    case NGX_MENTARA_UNIT_SIZE:
        n = ngx_parse_size(&value[1]);
        break;

    case NGX_MENTARA_UNIT_MSEC:
        n = ngx_parse_time(&value[1], 0);
        break;

    case NGX_MENTARA_UNIT_SEC:
        n = ngx_parse_time(&value[1], 1);
        break;

    default:
        n = ngx_atoi(value[1].data, value[1].len);
    }

    if (n == NGX_ERROR || n < bounds->min || n > bounds->max) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid value \"%V\" in \"%V\", it must be %s",
                           &value[1], &cmd->name, bounds->range);
        return NGX_CONF_ERROR;
    }

    *field = n;

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_mentara_ping_value(ngx_conf_t *cf, ngx_str_t *arg, const char *name,
    ngx_msec_t *value)
{
    size_t     len;
    ngx_int_t  n;
    ngx_str_t  s;

    len = ngx_strlen(name);

    if (arg->len <= len || ngx_strncmp(arg->data, name, len) != 0) {
        return NGX_DECLINED;
    }

    s.data = arg->data + len;
    s.len = arg->len - len;
    n = ngx_parse_time(&s, 0);

    if (n == NGX_ERROR || n < 100 || n > 600000) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid value \"%V\" in \"mentara_ping\", it "
                           "must be from 100ms to 10m", arg);
        return NGX_ERROR;
    }

    *value = n;

    return NGX_OK;
}


char *
ngx_mentara_set_ping(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_mentara_loc_conf_t *mlcf = conf;

    ngx_int_t                   rc;
    ngx_str_t                  *value;
    ngx_uint_t                  i;
    ngx_mentara_socket_conf_t  *scf;

    scf = &mlcf->socket;
    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {
        rc = ngx_mentara_ping_value(cf, &value[i], "interval=",
                                    &scf->ping_interval);

        if (rc == NGX_DECLINED) {
            rc = ngx_mentara_ping_value(cf, &value[i], "timeout=",
                                        &scf->ping_timeout);
        }

        if (rc == NGX_DECLINED) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid parameter \"%V\" in "
                               "\"mentara_ping\", it must be interval= or "
                               "timeout=", &value[i]);
        }

        if (rc != NGX_OK) {
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


char *
ngx_mentara_set_socketio(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_mentara_loc_conf_t *mlcf = conf;

    if (mlcf->socketio) {
        return "is duplicate";
    }

    mlcf->socketio = 1;

    return ngx_mentara_set_door(cf, mlcf, "mentara_socketio",
                                ngx_mentara_socketio_handler);
}


char *
ngx_mentara_set_websocket(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_mentara_loc_conf_t *mlcf = conf;

    if (mlcf->websocket) {
        return "is duplicate";
    }

    mlcf->websocket = 1;

    return ngx_mentara_set_door(cf, mlcf, "mentara_websocket",
                                ngx_mentara_plain_handler);
}


static char *
ngx_mentara_set_door(ngx_conf_t *cf, ngx_mentara_loc_conf_t *mlcf,
    const char *name, ngx_http_handler_pt handler)
{
    ngx_mentara_main_conf_t   *mmcf;
    ngx_http_core_loc_conf_t  *clcf;

    if (mlcf->door != NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%s\" and \"%s\" exclude each other in one "
                           "location", name, mlcf->door);
        return NGX_CONF_ERROR;
    }

    mlcf->door = name;

    mmcf = ngx_http_conf_get_module_main_conf(cf, ngx_mentara_module);
    mmcf->sockets = 1;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    clcf->handler = handler;

    return NGX_CONF_OK;
}


void
ngx_mentara_socket_init(ngx_mentara_socket_conf_t *conf)
{
    conf->lifetime = NGX_CONF_UNSET;
    conf->most = NGX_CONF_UNSET_UINT;
    conf->buffer = NGX_CONF_UNSET_SIZE;
    conf->max_payload = NGX_CONF_UNSET_SIZE;
    conf->ping_interval = NGX_CONF_UNSET_MSEC;
    conf->ping_timeout = NGX_CONF_UNSET_MSEC;
    conf->deflate = NGX_CONF_UNSET;
}


void
ngx_mentara_socket_merge(ngx_mentara_socket_conf_t *conf,
    ngx_mentara_socket_conf_t *prev, ngx_msec_t drain)
{
    ngx_conf_merge_sec_value(conf->lifetime, prev->lifetime, 3600);
    ngx_conf_merge_uint_value(conf->most, prev->most, 20);
    ngx_conf_merge_size_value(conf->buffer, prev->buffer, 262144);
    ngx_conf_merge_size_value(conf->max_payload, prev->max_payload, 1000000);
    ngx_conf_merge_msec_value(conf->ping_interval, prev->ping_interval,
                              25000);
    ngx_conf_merge_msec_value(conf->ping_timeout, prev->ping_timeout, 20000);
    ngx_conf_merge_value(conf->deflate, prev->deflate, 0);

    conf->ws.max_message = conf->max_payload;
    conf->ws.buffer = conf->buffer;
    conf->ws.send_timeout = NGX_MENTARA_SEND_TIMEOUT;
    conf->ws.close_timeout = NGX_MENTARA_CLOSE_TIMEOUT;
    conf->ws.ping_interval = conf->ping_interval;
    conf->ws.ping_timeout = conf->ping_timeout;
    conf->ws.drain = drain;
    conf->ws.deflate = conf->deflate;

    /* Engine.IO has pings of its own */

    conf->eio.ws = conf->ws;
    conf->eio.ws.ping_interval = 0;
    conf->eio.ping_interval = conf->ping_interval;
    conf->eio.ping_timeout = conf->ping_timeout;
    conf->eio.upgrade_timeout = NGX_MENTARA_UPGRADE_TIMEOUT;
    conf->eio.max_payload = conf->max_payload;
    conf->eio.stranger = ngx_min(conf->max_payload, NGX_MENTARA_STRANGER);
}
