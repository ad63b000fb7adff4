/*
 * Budgets of (user, class) in the shared zone: one per user over all
 * workers, REST and sockets together.  A budget is n actions in a window of
 * a period that begins with the first of them.
 */

#ifndef _NGX_MENTARA_LIMIT_H_INCLUDED_
#define _NGX_MENTARA_LIMIT_H_INCLUDED_


#include <ngx_mentara.h>
#include <ngx_mentara_zone.h>


typedef enum {
    NGX_MENTARA_LIMIT_SEND = 0,
    NGX_MENTARA_LIMIT_REACT,
    NGX_MENTARA_LIMIT_TYPING,
    NGX_MENTARA_LIMIT_SEARCH,
    NGX_MENTARA_LIMIT_CREATE,
    NGX_MENTARA_LIMIT_CONNECT,
    NGX_MENTARA_LIMIT_N
} ngx_mentara_limit_class_e;


/* class=n/period; n = 0: off */
typedef struct {
    ngx_uint_t               n;
    ngx_msec_t               period;   /* ms */
} ngx_mentara_limit_conf_t;


/* for RateLimit-Limit, -Remaining, -Reset and Retry-After */
typedef struct {
    ngx_uint_t               limit;
    ngx_uint_t               remaining;
    ngx_uint_t               reset;    /* s until the budget is full again */
} ngx_mentara_limit_state_t;


/*
 * Takes one action.  now: monotonic milliseconds, the same in all workers.
 * NGX_OK: go on; NGX_BUSY: 429, st tells when.  A full table forgets the
 * budget whose window began first; it never refuses for lack of room.
 */
ngx_int_t ngx_mentara_limit_take(ngx_mentara_zone_t *zone, ngx_str_t *user,
    ngx_uint_t class, ngx_mentara_limit_conf_t *conf, ngx_msec_t now,
    ngx_mentara_limit_state_t *st);

/* n/period with period in s or m ("30/10s"); NGX_OK or NGX_ERROR */
ngx_int_t ngx_mentara_limit_parse(ngx_str_t *value,
    ngx_mentara_limit_conf_t *conf);


#endif /* _NGX_MENTARA_LIMIT_H_INCLUDED_ */
