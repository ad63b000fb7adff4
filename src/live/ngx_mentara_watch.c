
#include <ngx_mentara_watch.h>
#include <ngx_mentara_room.h>
#include <ngx_mentara_session.h>


static ngx_uint_t ngx_mentara_watch_users(ngx_mentara_live_t *live,
    ngx_str_t *users, ngx_str_t *roles, ngx_uint_t size);
static void ngx_mentara_watch_done(ngx_mentara_pg_query_t *q);
static void ngx_mentara_watch_user(ngx_mentara_live_t *live, PGresult *res,
    int row);


void
ngx_mentara_watch_accounts(ngx_mentara_live_t *live)
{
    ngx_str_t               *s;
    ngx_uint_t               n, size;
    ngx_mentara_pg_query_t  *q;

    if (live->checking || live->nsessions == 0) {
        return;
    }

    q = ngx_mentara_pg_query(live->pg, NGX_MENTARA_STMT_ACCOUNTS_CHECK,
                             live->logger);
    if (q == NULL) {
        return;
    }

    size = live->nsessions;
    s = ngx_palloc(q->pool, 2 * size * sizeof(ngx_str_t));

    if (s == NULL) {
        goto failed;
    }

    n = ngx_mentara_watch_users(live, s, s + size, size);

    q->handler = ngx_mentara_watch_done;
    q->data = live;

    if (n == 0 || ngx_mentara_pg_array(q, s, n) != NGX_OK
        || ngx_mentara_pg_array(q, s + size, n) != NGX_OK
        || ngx_mentara_pg_submit(q) != NGX_OK)
    {
        goto failed;
    }

    live->checking = 1;

    return;

failed:

    ngx_mentara_pg_drop(q);
}


static ngx_uint_t
ngx_mentara_watch_users(ngx_mentara_live_t *live, ngx_str_t *users,
    ngx_str_t *roles, ngx_uint_t size)
{
    ngx_uint_t           n;
    ngx_rbtree_node_t   *node;
    ngx_mentara_user_t  *u;

    if (live->users.root == live->users.sentinel) {
        return 0;
    }

    n = 0;

    for (node = ngx_rbtree_min(live->users.root, live->users.sentinel);
         node != NULL && n < size;
         node = ngx_rbtree_next(&live->users, node))
    {
        u = (ngx_mentara_user_t *) node;

        if (!u->loaded) {
            continue;
        }

        users[n] = u->sn.str;
        roles[n] = u->role;
        n++;
    }

    return n;
}


static void
ngx_mentara_watch_done(ngx_mentara_pg_query_t *q)
{
    int                  row;
    ngx_mentara_live_t  *live;

    live = q->data;
    live->checking = 0;

    if (q->error != NGX_MENTARA_PG_OK) {
        return;
    }

    live->busy++;

    for (row = 1; row < PQntuples(q->result); row++) {
        ngx_mentara_watch_user(live, q->result, row);
    }

    live->busy--;
    ngx_mentara_session_bury(live);
}


static void
ngx_mentara_watch_user(ngx_mentara_live_t *live, PGresult *res, int row)
{
    ngx_str_t            id, role;
    ngx_queue_t         *q;
    ngx_mentara_user_t  *u;

    id = ngx_mentara_pg_get_str(res, row, NGX_MENTARA_COL_USER_ID);
    u = ngx_mentara_user_find(live, &id);

    if (u == NULL) {
        return;
    }

    if (ngx_mentara_pg_get_int(res, row, NGX_MENTARA_COL_FLAGS)
        & NGX_MENTARA_FLAG_ACTIVE)
    {
        role = ngx_mentara_pg_get_str(res, row, NGX_MENTARA_COL_ROLE);
        u->role = ngx_mentara_role(&role);
        return;
    }

    for (q = ngx_queue_head(&u->sessions);
         q != ngx_queue_sentinel(&u->sessions);
         q = ngx_queue_next(q))
    {
        ngx_mentara_session_end(ngx_queue_data(q, ngx_mentara_session_t,
                                               in_user),
                                NGX_MENTARA_END_INACTIVE);
    }
}


void
ngx_mentara_watch_expired(ngx_mentara_live_t *live)
{
    time_t                  now;
    ngx_queue_t            *q;
    ngx_mentara_session_t  *s;

    now = ngx_time();
    live->busy++;

    for (q = ngx_queue_head(&live->sessions);
         q != ngx_queue_sentinel(&live->sessions);
         q = ngx_queue_next(q))
    {
        s = ngx_queue_data(q, ngx_mentara_session_t, in_live);

        if (s->expires <= now) {
            ngx_mentara_session_end(s, NGX_MENTARA_END_EXPIRED);
        }
    }

    live->busy--;
    ngx_mentara_session_bury(live);
}
