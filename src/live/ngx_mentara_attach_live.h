/*
 * The end of a start: the client has all that it missed, is told so, and
 * from then on gets what happens.
 */

#ifndef _NGX_MENTARA_ATTACH_LIVE_H_INCLUDED_
#define _NGX_MENTARA_ATTACH_LIVE_H_INCLUDED_


#include <ngx_mentara_attach_types.h>


/*
 * Writes `connected` and makes the session live.  NGX_OK; NGX_AGAIN: an
 * event that was committed before the client came back is not in the log
 * yet, or not read; NGX_ERROR: it cannot go on.
 */
ngx_int_t ngx_mentara_attach_live(ngx_mentara_attach_t *a);


#endif /* _NGX_MENTARA_ATTACH_LIVE_H_INCLUDED_ */
