/*
 * Engine.IO protocol 4, the server's side: sessions over WebSocket, over
 * polling, and from the one to the other.
 *
 * A session belongs to one worker, which alone talks to the layer above.  As
 * long as it is polled, its packets lie in a box of the shared zone
 * (ngx_mentara_pollbox.h), so that any worker serves its requests; the
 * WebSocket that it moves to may be another worker's, too.  If its worker
 * goes, who gets its next request adopts it.
 */

#ifndef _NGX_MENTARA_EIO_H_INCLUDED_
#define _NGX_MENTARA_EIO_H_INCLUDED_


#include <ngx_mentara_eio_answer.h>
#include <ngx_mentara_eio_session.h>
#include <ngx_mentara_eio_worker.h>


/*
 * A request at the endpoint, whatever it is; origin and credentials were
 * judged already, and headers of the answer may have been added.  Returns
 * what the content handler returns.
 */
ngx_int_t ngx_mentara_eio_request(ngx_http_request_t *r,
    ngx_mentara_eio_worker_t *worker, ngx_mentara_eio_conf_t *conf,
    const ngx_mentara_eio_handler_t *handler);


#endif /* _NGX_MENTARA_EIO_H_INCLUDED_ */
