/*
 * The echo module: the transports without anything behind them, for the
 * protocols' own test suites.
 */

#ifndef _NGX_MENTARA_ECHO_H_INCLUDED_
#define _NGX_MENTARA_ECHO_H_INCLUDED_


#include <ngx_mentara_eio.h>
#include <ngx_mentara_websocket.h>
#include <ngx_mentara_zone.h>


#define NGX_MENTARA_ECHO_CONNECT  1000     /* ms to the first CONNECT */


typedef struct {
    ngx_mentara_zone_t           zone;
    int                         *fds;
    ngx_int_t                    slot;
    ngx_connection_t            *wake;
    ngx_event_t                  reap;
    ngx_mentara_ws_worker_t     *ws;
    ngx_mentara_eio_worker_t    *eio;
    unsigned                     zone_set:1;
} ngx_mentara_echo_main_t;


typedef struct {
    ngx_mentara_ws_conf_t        ws;
    ngx_mentara_eio_conf_t       eio;
    ngx_flag_t                   deflate;
} ngx_mentara_echo_loc_t;


extern ngx_module_t  ngx_mentara_echo_module;

extern const ngx_mentara_eio_handler_t  ngx_mentara_echo_eio;
extern const ngx_mentara_eio_handler_t  ngx_mentara_echo_sio;

ngx_int_t ngx_mentara_echo_ws_handler(ngx_http_request_t *r);


#endif /* _NGX_MENTARA_ECHO_H_INCLUDED_ */
