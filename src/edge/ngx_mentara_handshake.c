
#include <ngx_mentara_handshake.h>
#include <ngx_mentara_client.h>
#include <ngx_mentara_credential.h>
#include <ngx_mentara_origin.h>
#include <ngx_mentara_presence.h>


#define NGX_MENTARA_CROWDED  5    /* s, after which to try again */


ngx_int_t
ngx_mentara_handshake_origin(ngx_mentara_request_t *q)
{
    ngx_str_t  *origin, own;

    origin = ngx_mentara_header(q->r, "origin");

    if (origin == NULL) {
        return NGX_OK;
    }

    if (ngx_mentara_own_origin(q->r, &own) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_mentara_origin_allowed(q->mlcf->origins, &own, origin)
           ? NGX_OK : NGX_DECLINED;
}


ngx_uint_t
ngx_mentara_handshake_token(ngx_mentara_request_t *q, ngx_str_t *token)
{
    ngx_uint_t  from;

    from = ngx_mentara_credential(q->r, q->mlcf->token_query, token);

    if (from == NGX_MENTARA_CREDENTIAL_COOKIE
        && ngx_mentara_header(q->r, "origin") == NULL)
    {
        return NGX_MENTARA_CREDENTIAL_NONE;
    }

    return from;
}


ngx_int_t
ngx_mentara_handshake_room(ngx_mentara_request_t *q, ngx_str_t *user)
{
    ngx_int_t             rc;
    ngx_mentara_client_t  c;

    if (ngx_mentara_presence_count(&q->mmcf->zone, user)
        >= q->mlcf->socket.most)
    {
        ngx_memzero(&q->limit, sizeof(ngx_mentara_limit_state_t));
        q->limit.limit = q->mlcf->socket.most;
        q->limit.reset = NGX_MENTARA_CROWDED;
        q->limited = 1;
        return NGX_BUSY;
    }

    ngx_mentara_client_init(&c, q->mmcf, q->mlcf, NULL);

    rc = ngx_mentara_client_admit(&c, user, &q->limit);
    q->limited = (rc != NGX_OK);

    return rc;
}
