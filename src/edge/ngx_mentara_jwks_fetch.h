/*
 * Fetches the JWKS that a token needs through an internal location.
 *
 * One subrequest at a time for each key configuration and worker; further
 * requests wait for the one that runs.  It carries nothing of its client:
 * no header, no query, no body.  While its request waits for it, it is not
 * ended when the client goes, and nobody waits longer than
 * NGX_MENTARA_JWKS_TIMEOUT.
 */

#ifndef _NGX_MENTARA_JWKS_FETCH_H_INCLUDED_
#define _NGX_MENTARA_JWKS_FETCH_H_INCLUDED_


#include <ngx_mentara_conf.h>


#define NGX_MENTARA_JWKS_TIMEOUT  5000    /* ms that a request waits */


typedef void (*ngx_mentara_jwks_done_pt)(void *data);


/*
 * For a request whose token was answered with NGX_AGAIN by
 * ngx_mentara_auth_check(), before anything was sent.
 *
 *   NGX_AGAIN     done(data) follows, once, from an event of the request and
 *                 never from inside this call: ask ngx_mentara_auth_check()
 *                 again, whose next NGX_AGAIN means "keys missing".  The
 *                 request is held meanwhile (main->count) and its read and
 *                 write handlers are taken over; after done() both are
 *                 those of a request that neither reads nor writes.
 *   NGX_DECLINED  nothing runs and nothing may be begun now
 *   NGX_ERROR     out of memory
 *
 * The one reference that holds the request passes to done(): as a content
 * handler returns NGX_DONE after NGX_AGAIN, so does done() end in one
 * ngx_http_finalize_request(), at once or later; who holds another one of its
 * own takes this one off (main->count--).  Posted requests are run after
 * done().
 *
 * When the request ends first, done() is not called.
 */
ngx_int_t ngx_mentara_jwks_fetch(ngx_http_request_t *r, ngx_mentara_auth_t *a,
    ngx_mentara_jwks_done_pt done, void *data);

/*
 * For a handshake, which has no token yet and runs no subrequest later:
 * keys that are missing, too old, or lack what an earlier token named, are
 * fetched first.  NGX_OK: go on; else as above.
 */
ngx_int_t ngx_mentara_jwks_prepare(ngx_http_request_t *r,
    ngx_mentara_auth_t *a, ngx_mentara_jwks_done_pt done, void *data);

/*
 * After a token was good: keys that are due soon are fetched while the
 * request goes on.  Nobody waits, nothing is reported.  Such a fetch ends
 * with its request if the client goes; it is tried again later.
 */
void ngx_mentara_jwks_ahead(ngx_http_request_t *r, ngx_mentara_auth_t *a);


#endif /* _NGX_MENTARA_JWKS_FETCH_H_INCLUDED_ */
