
#include <ngx_mentara_admit.h>


static void ngx_mentara_admit_account(void *data, ngx_uint_t error,
    ngx_mentara_account_t *account);
static void ngx_mentara_admit_known(ngx_mentara_request_t *q);


void
ngx_mentara_admit(ngx_mentara_request_t *q, ngx_str_t *token,
    ngx_mentara_admit_pt done)
{
    ngx_int_t  rc;

    q->admitted = done;

    rc = ngx_mentara_auth_check(q->mlcf->auth, token, ngx_time(), q->r->pool,
                                q->r->connection->log, &q->claims);

    switch (rc) {

    case NGX_OK:
        break;

    case NGX_MENTARA_TOKEN_EXPIRED:
        done(q, "token_expired");
        return;

    case NGX_MENTARA_TOKEN_INVALID:
        done(q, "token_invalid");
        return;

    case NGX_ERROR:
        done(q, "internal");
        return;

    default:
        done(q, "keys_unavailable");
        return;
    }

    q->authenticated = 1;

    rc = ngx_mentara_account_get(q->mmcf->accounts, &q->claims.sub,
                                 q->r->connection->log, &q->account,
                                 ngx_mentara_admit_account, q, &q->wait);

    if (rc == NGX_OK) {
        ngx_mentara_admit_known(q);

    } else if (rc == NGX_AGAIN) {
        q->r->read_event_handler = ngx_http_test_reading;

    } else {
        done(q, (rc == NGX_BUSY) ? "db_unavailable" : "internal");
    }
}


static void
ngx_mentara_admit_account(void *data, ngx_uint_t error,
    ngx_mentara_account_t *account)
{
    ngx_mentara_request_t *q = data;

    q->wait = NULL;
    q->r->read_event_handler = ngx_http_block_reading;

    switch (error) {

    case NGX_MENTARA_PG_OK:
        q->account = *account;
        ngx_mentara_admit_known(q);
        return;

    case NGX_MENTARA_PG_TIMEOUT:
        q->admitted(q, "timeout");
        return;

    case NGX_MENTARA_PG_FAILED:
        q->admitted(q, "internal");
        return;

    default:
        q->admitted(q, "db_unavailable");
        return;
    }
}


static void
ngx_mentara_admit_known(ngx_mentara_request_t *q)
{
    q->admitted(q, q->account.active ? NULL : "user_inactive");
}
