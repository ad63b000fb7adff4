
#include <ngx_mentara_admit.h>
#include <ngx_mentara_credential.h>
#include <ngx_mentara_jwks_fetch.h>


static void ngx_mentara_admit_token(ngx_mentara_request_t *q);
static void ngx_mentara_admit_keys(ngx_mentara_request_t *q);
static void ngx_mentara_admit_fetched(void *data);
static void ngx_mentara_admit_claims(ngx_mentara_request_t *q);
static void ngx_mentara_admit_account(void *data, ngx_uint_t error,
    ngx_mentara_account_t *account);
static void ngx_mentara_admit_known(ngx_mentara_request_t *q);


void
ngx_mentara_admit(ngx_mentara_request_t *q, ngx_mentara_admit_pt done)
{
    q->admitted = done;
    ngx_mentara_admit_token(q);
}


static void
ngx_mentara_admit_token(ngx_mentara_request_t *q)
{
    ngx_int_t  rc;

    rc = ngx_mentara_auth_check(q->mlcf->auth, &q->token, ngx_time(),
                                q->r->pool, q->r->connection->log,
                                &q->claims);

    switch (rc) {

    case NGX_OK:

        /* a request that becomes a socket carries nothing beside it */

        if (q->mlcf->api) {
            ngx_mentara_jwks_ahead(q->r, q->mlcf->auth);
        }

        ngx_mentara_admit_claims(q);
        return;

    case NGX_AGAIN:
        ngx_mentara_admit_keys(q);
        return;

    case NGX_MENTARA_TOKEN_EXPIRED:
        q->admitted(q, "token_expired");
        return;

    case NGX_MENTARA_TOKEN_INVALID:
    case NGX_MENTARA_KEY_UNKNOWN:
        q->admitted(q, "token_invalid");
        return;

    case NGX_ERROR:
        q->admitted(q, "internal");
        return;

    default:
        q->admitted(q, "keys_unavailable");
        return;
    }
}


/* the keys that the token needs are fetched, once for each request */

static void
ngx_mentara_admit_keys(ngx_mentara_request_t *q)
{
    ngx_int_t  rc;

    rc = NGX_DECLINED;

    if (!q->fetched) {
        q->fetched = 1;
        rc = ngx_mentara_jwks_fetch(q->r, q->mlcf->auth,
                                    ngx_mentara_admit_fetched, q);
    }

    if (rc != NGX_AGAIN) {
        q->admitted(q, (rc == NGX_ERROR) ? "internal" : "keys_unavailable");
    }
}


/* the reference of the door itself is enough */

static void
ngx_mentara_admit_fetched(void *data)
{
    ngx_mentara_request_t *q = data;

    q->r->main->count--;
    ngx_mentara_admit_token(q);
}


static void
ngx_mentara_admit_claims(ngx_mentara_request_t *q)
{
    ngx_int_t  rc;

    if (q->from == NGX_MENTARA_CREDENTIAL_COOKIE) {
        rc = ngx_mentara_credential_csrf(q->r, q->mlcf->origins);

        if (rc != NGX_OK) {
            q->admitted(q, (rc == NGX_DECLINED) ? "csrf" : "internal");
            return;
        }
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
        q->admitted(q, (rc == NGX_BUSY) ? "db_unavailable" : "internal");
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
