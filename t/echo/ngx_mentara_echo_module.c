
#include <ngx_mentara_echo.h>
#include <ngx_mentara_slots.h>
#include <sys/eventfd.h>


#define NGX_MENTARA_ECHO_REAP  500              /* ms */


static void *ngx_mentara_echo_create_main(ngx_conf_t *cf);
static void *ngx_mentara_echo_create_loc(ngx_conf_t *cf);
static char *ngx_mentara_echo_merge_loc(ngx_conf_t *cf, void *parent,
    void *child);
static char *ngx_mentara_echo_zone(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_mentara_echo_set_ws(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_mentara_echo_set_eio(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_mentara_echo_set_sio(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static ngx_int_t ngx_mentara_echo_eio_handler(ngx_http_request_t *r);
static ngx_int_t ngx_mentara_echo_sio_handler(ngx_http_request_t *r);
static ngx_int_t ngx_mentara_echo_request(ngx_http_request_t *r,
    const ngx_mentara_eio_handler_t *handler);
static ngx_int_t ngx_mentara_echo_init_module(ngx_cycle_t *cycle);
static ngx_int_t ngx_mentara_echo_init_process(ngx_cycle_t *cycle);
static ngx_int_t ngx_mentara_echo_listen(ngx_cycle_t *cycle,
    ngx_mentara_echo_main_t *emcf);
static void ngx_mentara_echo_woken(ngx_event_t *ev);
static void ngx_mentara_echo_reap(ngx_event_t *ev);
static void ngx_mentara_echo_exit_process(ngx_cycle_t *cycle);


static ngx_command_t  ngx_mentara_echo_commands[] = {

    { ngx_string("mentara_test_zone"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_mentara_echo_zone,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("mentara_test_deflate"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_mentara_echo_loc_t, deflate),
      NULL },

    { ngx_string("mentara_test_ws_echo"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_mentara_echo_set_ws,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("mentara_test_eio_echo"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_mentara_echo_set_eio,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("mentara_test_sio"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_mentara_echo_set_sio,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_mentara_echo_ctx = {
    NULL,                          /* preconfiguration */
    NULL,                          /* postconfiguration */

    ngx_mentara_echo_create_main,  /* create main configuration */
    NULL,                          /* init main configuration */

    NULL,                          /* create server configuration */
    NULL,                          /* merge server configuration */

    ngx_mentara_echo_create_loc,   /* create location configuration */
    ngx_mentara_echo_merge_loc     /* merge location configuration */
};


ngx_module_t  ngx_mentara_echo_module = {
    NGX_MODULE_V1,
    &ngx_mentara_echo_ctx,         /* module context */
    ngx_mentara_echo_commands,     /* module directives */
    NGX_HTTP_MODULE,               /* module type */
    NULL,                          /* init master */
    ngx_mentara_echo_init_module,  /* init module */
    ngx_mentara_echo_init_process, /* init process */
    NULL,                          /* init thread */
    NULL,                          /* exit thread */
    ngx_mentara_echo_exit_process, /* exit process */
    NULL,                          /* exit master */
    NGX_MODULE_V1_PADDING
};


static void *
ngx_mentara_echo_create_main(ngx_conf_t *cf)
{
    return ngx_pcalloc(cf->pool, sizeof(ngx_mentara_echo_main_t));
}


static void *
ngx_mentara_echo_create_loc(ngx_conf_t *cf)
{
    ngx_mentara_echo_loc_t  *elcf;

    elcf = ngx_pcalloc(cf->pool, sizeof(ngx_mentara_echo_loc_t));

    if (elcf != NULL) {
        elcf->deflate = NGX_CONF_UNSET;
    }

    return elcf;
}


/* what the protocols' suites expect */

static char *
ngx_mentara_echo_merge_loc(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_mentara_echo_loc_t *prev = parent;
    ngx_mentara_echo_loc_t *conf = child;

    ngx_conf_merge_value(conf->deflate, prev->deflate, 0);

    conf->ws.max_message = 32 * 1024 * 1024;
    conf->ws.buffer = 64 * 1024 * 1024;
    conf->ws.send_timeout = 60000;
    conf->ws.close_timeout = 1000;
    conf->ws.drain = 1000;
    conf->ws.deflate = conf->deflate;

    conf->eio.ping_interval = 300;
    conf->eio.ping_timeout = 200;
    conf->eio.upgrade_timeout = 10000;
    conf->eio.max_payload = 1000000;
    conf->eio.ws = conf->ws;
    conf->eio.ws.max_message = conf->eio.max_payload;
    conf->eio.ws.buffer = 4 * 1024 * 1024;

    return NGX_CONF_OK;
}


static char *
ngx_mentara_echo_zone(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_mentara_echo_main_t *emcf = conf;

    ssize_t     size;
    ngx_str_t  *value, name;

    value = cf->args->elts;
    size = ngx_parse_size(&value[1]);

    if (emcf->zone_set) {
        return "is duplicate";
    }

    if (size == NGX_ERROR) {
        return "has an invalid size";
    }

    emcf->zone_set = 1;
    emcf->zone.opts.ring = 64;
    emcf->zone.opts.rooms = 64;
    emcf->zone.opts.bodies = 65536;
    ngx_str_set(&name, "mentara_test");

    return ngx_mentara_zone_create(cf, &emcf->zone, &name, size,
                                   &ngx_mentara_echo_module);
}


static char *
ngx_mentara_echo_set_ws(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    clcf->handler = ngx_mentara_echo_ws_handler;

    return NGX_CONF_OK;
}


static char *
ngx_mentara_echo_set_eio(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    clcf->handler = ngx_mentara_echo_eio_handler;

    return NGX_CONF_OK;
}


static char *
ngx_mentara_echo_set_sio(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    clcf->handler = ngx_mentara_echo_sio_handler;

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_mentara_echo_eio_handler(ngx_http_request_t *r)
{
    return ngx_mentara_echo_request(r, &ngx_mentara_echo_eio);
}


static ngx_int_t
ngx_mentara_echo_sio_handler(ngx_http_request_t *r)
{
    return ngx_mentara_echo_request(r, &ngx_mentara_echo_sio);
}


static ngx_int_t
ngx_mentara_echo_request(ngx_http_request_t *r,
    const ngx_mentara_eio_handler_t *handler)
{
    ngx_mentara_echo_loc_t   *elcf;
    ngx_mentara_echo_main_t  *emcf;

    emcf = ngx_http_get_module_main_conf(r, ngx_mentara_echo_module);
    elcf = ngx_http_get_module_loc_conf(r, ngx_mentara_echo_module);

    return ngx_mentara_eio_request(r, emcf->eio, &elcf->eio, handler);
}


/* eventfds are made once per master, so that all workers have all of them */

static ngx_int_t
ngx_mentara_echo_init_module(ngx_cycle_t *cycle)
{
    ngx_uint_t                i;
    ngx_mentara_echo_main_t  *emcf, *old;

    emcf = ngx_http_cycle_get_module_main_conf(cycle,
                                               ngx_mentara_echo_module);
    old = NULL;

    if (emcf == NULL || !emcf->zone_set) {
        return NGX_OK;
    }

    if (!ngx_is_init_cycle(cycle->old_cycle)) {
        old = ngx_http_cycle_get_module_main_conf(cycle->old_cycle,
                                                  ngx_mentara_echo_module);
    }

    emcf->fds = ngx_palloc(cycle->pool, NGX_MENTARA_SLOTS * sizeof(int));
    if (emcf->fds == NULL) {
        return NGX_ERROR;
    }

    if (old != NULL && old->fds != NULL) {
        ngx_memcpy(emcf->fds, old->fds, NGX_MENTARA_SLOTS * sizeof(int));
        return NGX_OK;
    }

    for (i = 0; i < NGX_MENTARA_SLOTS; i++) {
        emcf->fds[i] = eventfd(0, EFD_NONBLOCK|EFD_CLOEXEC);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_mentara_echo_init_process(ngx_cycle_t *cycle)
{
    ngx_mentara_echo_main_t  *emcf;

    if (ngx_process != NGX_PROCESS_WORKER
        && ngx_process != NGX_PROCESS_SINGLE)
    {
        return NGX_OK;
    }

    emcf = ngx_http_cycle_get_module_main_conf(cycle,
                                               ngx_mentara_echo_module);

    if (emcf == NULL || !emcf->zone_set) {
        return NGX_OK;
    }

    ngx_mentara_slots_reap(&emcf->zone, -1, ngx_pid, NULL, NULL);
    emcf->slot = ngx_mentara_slots_claim(&emcf->zone, ngx_pid, emcf->fds);

    if (emcf->slot < 0 || ngx_mentara_echo_listen(cycle, emcf) != NGX_OK) {
        return NGX_ERROR;
    }

    emcf->ws = ngx_mentara_ws_worker_create(cycle);
    if (emcf->ws == NULL) {
        return NGX_ERROR;
    }

    emcf->eio = ngx_mentara_eio_worker_create(cycle, emcf->ws, &emcf->zone,
                                              emcf->slot, emcf->fds);
    if (emcf->eio == NULL) {
        return NGX_ERROR;
    }

    emcf->reap.handler = ngx_mentara_echo_reap;
    emcf->reap.data = emcf;
    emcf->reap.log = cycle->log;
    emcf->reap.cancelable = 1;
    ngx_add_timer(&emcf->reap, NGX_MENTARA_ECHO_REAP);

    return NGX_OK;
}


static ngx_int_t
ngx_mentara_echo_listen(ngx_cycle_t *cycle, ngx_mentara_echo_main_t *emcf)
{
    ngx_connection_t  *c;

    c = ngx_get_connection(emcf->fds[emcf->slot], cycle->log);
    if (c == NULL) {
        return NGX_ERROR;
    }

    c->data = emcf;
    c->read->log = cycle->log;
    c->write->log = cycle->log;
    c->read->handler = ngx_mentara_echo_woken;
    c->read->channel = 1;

    if (ngx_add_event(c->read, NGX_READ_EVENT, 0) != NGX_OK) {
        ngx_free_connection(c);
        return NGX_ERROR;
    }

    emcf->wake = c;

    return NGX_OK;
}


static void
ngx_mentara_echo_woken(ngx_event_t *ev)
{
    uint64_t                  n;
    ngx_connection_t         *c;
    ngx_mentara_echo_main_t  *emcf;

    c = ev->data;
    emcf = c->data;

    if (read(c->fd, &n, sizeof(n)) == -1 && ngx_errno != NGX_EAGAIN) {
        ngx_log_error(NGX_LOG_ALERT, ev->log, ngx_errno,
                      "read() of an eventfd failed");
    }

    ngx_mentara_eio_woken(emcf->eio);
}


static void
ngx_mentara_echo_reap(ngx_event_t *ev)
{
    ngx_mentara_echo_main_t  *emcf;

    emcf = ev->data;

    ngx_mentara_slots_reap(&emcf->zone, emcf->slot, ngx_pid, NULL, NULL);
    ngx_add_timer(ev, NGX_MENTARA_ECHO_REAP);
}


static void
ngx_mentara_echo_exit_process(ngx_cycle_t *cycle)
{
    ngx_mentara_echo_main_t  *emcf;

    emcf = ngx_http_cycle_get_module_main_conf(cycle,
                                               ngx_mentara_echo_module);

    if (emcf == NULL || emcf->wake == NULL) {
        return;
    }

    (void) ngx_del_event(emcf->wake->read, NGX_READ_EVENT, 0);
    ngx_free_connection(emcf->wake);
    emcf->wake->fd = (ngx_socket_t) -1;
    emcf->wake = NULL;

    ngx_mentara_slots_release(&emcf->zone, emcf->slot);
}
