/*
 * Messages as they are now: what a client missed is told with what has
 * become of it since, so that a text that was changed or deleted is never
 * sent again, not in a quote either.
 */

#ifndef _NGX_MENTARA_CURRENT_H_INCLUDED_
#define _NGX_MENTARA_CURRENT_H_INCLUDED_


#include <ngx_mentara_attach_types.h>


/* begins anew: changes count from this position of the log on */
void ngx_mentara_current_reset(ngx_mentara_attach_t *a, uint64_t position);

/* frees what it holds */
void ngx_mentara_current_free(ngx_mentara_current_t *c);

/*
 * Notes the changes up to where the worker is.  NGX_OK; NGX_DECLINED: the
 * log no longer has them, they are too many, or (whole: it is what the client
 * is to be told) a part of it has no body; NGX_ERROR: no memory.
 */
ngx_int_t ngx_mentara_current_look(ngx_mentara_attach_t *a,
    ngx_uint_t whole);

/*
 * The body of an event as it is after the changes beyond a position and at
 * or above an event_seq: only a new_message or message_updated (kind) may be
 * replaced, by one that lives until the next call.  NGX_OK; NGX_DECLINED: the
 * log no longer has it; NGX_ERROR: no memory.
 */
ngx_int_t ngx_mentara_current_body(ngx_mentara_attach_t *a, ngx_int_t kind,
    uint64_t position, uint64_t event_seq, ngx_str_t *body);


#endif /* _NGX_MENTARA_CURRENT_H_INCLUDED_ */
