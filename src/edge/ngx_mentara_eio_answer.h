/*
 * Answers to the requests of Engine.IO.
 * Each returns what ngx_http_finalize_request() is to be given.
 */

#ifndef _NGX_MENTARA_EIO_ANSWER_H_INCLUDED_
#define _NGX_MENTARA_EIO_ANSWER_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <mentara_engineio.h>


/* the answer of the protocol: JSON {code, message} */
ngx_int_t ngx_mentara_eio_error(ngx_http_request_t *r,
    mentara_eio_error_e error);

/* 503: what passes by itself */
ngx_int_t ngx_mentara_eio_later(ngx_http_request_t *r);

/* any other one, whole; type: a constant */
ngx_int_t ngx_mentara_eio_answer(ngx_http_request_t *r, ngx_uint_t status,
    const char *type, ngx_str_t *body);


#endif /* _NGX_MENTARA_EIO_ANSWER_H_INCLUDED_ */
