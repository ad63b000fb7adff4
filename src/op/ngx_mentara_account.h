/*
 * Whether a user is known and active, and the account role: a worker-local
 * cache over the statement `account`, entries at most 500 ms old, so that
 * deactivation takes effect within a second.
 */

#ifndef _NGX_MENTARA_ACCOUNT_H_INCLUDED_
#define _NGX_MENTARA_ACCOUNT_H_INCLUDED_


#include <ngx_mentara.h>
#include <ngx_mentara_pg.h>


typedef struct ngx_mentara_accounts_s  ngx_mentara_accounts_t;
typedef struct ngx_mentara_account_wait_s  ngx_mentara_account_wait_t;


typedef struct {
    unsigned                 active:1;   /* known and active */
    ngx_str_t                role;       /* "client", ...; static storage */
} ngx_mentara_account_t;


/* error: NGX_MENTARA_PG_...; account is valid only with NGX_MENTARA_PG_OK */
typedef void (*ngx_mentara_account_handler_pt)(void *data, ngx_uint_t error,
    ngx_mentara_account_t *account);


/* init_process; NULL: out of memory */
ngx_mentara_accounts_t *ngx_mentara_accounts_create(ngx_cycle_t *cycle,
    ngx_mentara_pg_t *pg);

/*
 * NGX_OK: *account is filled in from the cache.  NGX_AGAIN: the handler will
 * be called, not from inside this call, unless *wait is cancelled first.
 * NGX_BUSY: the queue of the pool is full.  NGX_ERROR: out of memory.
 */
ngx_int_t ngx_mentara_account_get(ngx_mentara_accounts_t *accounts,
    ngx_str_t *user, ngx_log_t *log, ngx_mentara_account_t *account,
    ngx_mentara_account_handler_pt handler, void *data,
    ngx_mentara_account_wait_t **wait);

void ngx_mentara_account_cancel(ngx_mentara_account_wait_t *wait);


#endif /* _NGX_MENTARA_ACCOUNT_H_INCLUDED_ */
