/*
 * From a token to a caller who is known: its claims are verified, its
 * account was looked at.
 */

#ifndef _NGX_MENTARA_ADMIT_H_INCLUDED_
#define _NGX_MENTARA_ADMIT_H_INCLUDED_


#include <ngx_mentara_request.h>


/* code NULL: q->claims and q->account are there; else why not */
typedef void (*ngx_mentara_admit_pt)(ngx_mentara_request_t *q,
    const char *code);


/*
 * Judges q->token, which came from q->from.  done is called once, perhaps
 * from inside this call; keys that the token needs are fetched before.
 */
void ngx_mentara_admit(ngx_mentara_request_t *q, ngx_mentara_admit_pt done);


#endif /* _NGX_MENTARA_ADMIT_H_INCLUDED_ */
