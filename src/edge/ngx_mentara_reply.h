/*
 * Answers: status, headers, the one shape of errors.
 */

#ifndef _NGX_MENTARA_REPLY_H_INCLUDED_
#define _NGX_MENTARA_REPLY_H_INCLUDED_


#include <ngx_mentara_output.h>
#include <ngx_mentara_request.h>


/*
 * Each sends the whole answer and returns what ngx_http_finalize_request()
 * is to be given.
 */

/* a JSON body, or none: len = 0 */
ngx_int_t ngx_mentara_reply_json(ngx_mentara_request_t *q, ngx_uint_t status,
    ngx_str_t *body);

/*
 * An error of the contract's table.  message NULL: the code's own sentence;
 * faults: message holds lines, an array on the wire.
 */
ngx_int_t ngx_mentara_reply_error(ngx_mentara_request_t *q, const char *code,
    ngx_str_t *message, ngx_uint_t faults);

/* the same with another status than the code's own */
ngx_int_t ngx_mentara_reply_refusal(ngx_mentara_request_t *q,
    ngx_uint_t status, const char *code, ngx_str_t *message,
    ngx_uint_t faults);

/* OPTIONS: 204 with Allow, and what CORS wants to know */
ngx_int_t ngx_mentara_reply_options(ngx_mentara_request_t *q);

/*
 * The headers that let a listed origin read an answer, once per request;
 * the other functions of this header add them by themselves.
 */
ngx_int_t ngx_mentara_reply_cors(ngx_mentara_request_t *q);

/* the answer of an op */
ngx_int_t ngx_mentara_reply_op(ngx_mentara_request_t *q,
    ngx_mentara_op_t *op);


#endif /* _NGX_MENTARA_REPLY_H_INCLUDED_ */
