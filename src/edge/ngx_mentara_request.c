
#include <ngx_mentara_request.h>
#include <ngx_mentara_reply.h>
#include <openssl/rand.h>


static void ngx_mentara_request_cleanup(void *data);


ngx_mentara_request_t *
ngx_mentara_request_create(ngx_http_request_t *r)
{
    u_char                  random[NGX_MENTARA_REQUEST_ID / 2];
    ngx_pool_cleanup_t     *cln;
    ngx_mentara_request_t  *q;

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_mentara_request_t));
    if (cln == NULL || RAND_bytes(random, sizeof(random)) != 1) {
        return NULL;
    }

    q = cln->data;
    ngx_memzero(q, sizeof(ngx_mentara_request_t));
    cln->handler = ngx_mentara_request_cleanup;

    q->r = r;
    q->match = MENTARA_ROUTE_UNKNOWN;
    q->mmcf = ngx_http_get_module_main_conf(r, ngx_mentara_module);
    q->mlcf = ngx_http_get_module_loc_conf(r, ngx_mentara_module);
    ngx_hex_dump(q->id, random, sizeof(random));

    ngx_http_set_ctx(r, q, ngx_mentara_module);

    return q;
}


/* the client has gone, or all is done */

static void
ngx_mentara_request_cleanup(void *data)
{
    ngx_mentara_request_t *q = data;

    if (q->wait != NULL) {
        ngx_mentara_account_cancel(q->wait);
    }

    if (q->args != NULL) {
        json_decref(q->args);
    }

    if (q->op != NULL) {
        ngx_mentara_op_detach(q->op);
    }
}


void
ngx_mentara_request_finish(ngx_mentara_request_t *q, ngx_int_t rc)
{
    ngx_uint_t         async;
    ngx_connection_t  *c;

    c = q->r->connection;
    async = q->async;

    ngx_http_finalize_request(q->r, rc);

    if (async) {
        ngx_http_run_posted_requests(c);
    }
}


void
ngx_mentara_request_refuse(ngx_mentara_request_t *q, const char *code)
{
    ngx_mentara_request_finish(q, ngx_mentara_reply_error(q, code, NULL, 0));
}
