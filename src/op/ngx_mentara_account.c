
#include <ngx_mentara_account.h>


#define NGX_MENTARA_ACCOUNT_TTL  500    /* ms */
#define NGX_MENTARA_ACCOUNT_MAX  4096   /* entries per worker */


typedef struct {
    ngx_str_node_t            sn;         /* key: user id */
    ngx_queue_t               lru;
    ngx_queue_t               waits;
    ngx_mentara_accounts_t   *accounts;
    ngx_msec_t                asked;      /* when the answer was asked for */
    ngx_mentara_account_t     account;
    unsigned                  known:1;    /* account is filled in */
    unsigned                  running:1;  /* a query is on its way */
} ngx_mentara_account_entry_t;


struct ngx_mentara_account_wait_s {
    ngx_queue_t                    queue;
    ngx_mentara_account_handler_pt handler;
    void                          *data;
};


struct ngx_mentara_accounts_s {
    ngx_mentara_pg_t         *pg;
    ngx_rbtree_t              tree;
    ngx_rbtree_node_t         sentinel;
    ngx_queue_t               lru;        /* head: used last */
    ngx_uint_t                n;
};


static ngx_mentara_account_entry_t *ngx_mentara_account_entry(
    ngx_mentara_accounts_t *accounts, ngx_str_t *user);
static void ngx_mentara_account_expire(ngx_mentara_accounts_t *accounts);
static void ngx_mentara_account_remove(ngx_mentara_account_entry_t *e);
static ngx_int_t ngx_mentara_account_query(ngx_mentara_account_entry_t *e,
    ngx_log_t *log);
static void ngx_mentara_account_done(ngx_mentara_pg_query_t *q);
static void ngx_mentara_account_read(ngx_mentara_account_t *account,
    PGresult *res);
static void ngx_mentara_account_role(ngx_str_t *role, ngx_str_t *name);


static ngx_str_t  ngx_mentara_account_roles[] = {
    ngx_string("client"),
    ngx_string("therapist"),
    ngx_string("moderator"),
    ngx_string("admin"),
    ngx_null_string
};


ngx_mentara_accounts_t *
ngx_mentara_accounts_create(ngx_cycle_t *cycle, ngx_mentara_pg_t *pg)
{
    ngx_mentara_accounts_t  *accounts;

    accounts = ngx_pcalloc(cycle->pool, sizeof(ngx_mentara_accounts_t));
    if (accounts == NULL) {
        return NULL;
    }

    accounts->pg = pg;
    ngx_rbtree_init(&accounts->tree, &accounts->sentinel,
                    ngx_str_rbtree_insert_value);
    ngx_queue_init(&accounts->lru);

    return accounts;
}


ngx_int_t
ngx_mentara_account_get(ngx_mentara_accounts_t *accounts, ngx_str_t *user,
    ngx_log_t *log, ngx_mentara_account_t *account,
    ngx_mentara_account_handler_pt handler, void *data,
    ngx_mentara_account_wait_t **wait)
{
    ngx_int_t                     rc;
    ngx_mentara_account_wait_t   *w;
    ngx_mentara_account_entry_t  *e;

    e = ngx_mentara_account_entry(accounts, user);
    if (e == NULL) {
        return NGX_ERROR;
    }

    if (e->known
        && ngx_current_msec - e->asked < NGX_MENTARA_ACCOUNT_TTL)
    {
        *account = e->account;
        return NGX_OK;
    }

    w = ngx_alloc(sizeof(ngx_mentara_account_wait_t), log);
    if (w == NULL) {
        return NGX_ERROR;
    }

    if (!e->running) {
        rc = ngx_mentara_account_query(e, log);
        if (rc != NGX_OK) {
            ngx_free(w);
            return rc;
        }
    }

    w->handler = handler;
    w->data = data;
    ngx_queue_insert_tail(&e->waits, &w->queue);
    *wait = w;

    return NGX_AGAIN;
}


void
ngx_mentara_account_cancel(ngx_mentara_account_wait_t *wait)
{
    ngx_queue_remove(&wait->queue);
    ngx_free(wait);
}


/* the entry of a user, a new one if there is none; moved to the LRU's head */

static ngx_mentara_account_entry_t *
ngx_mentara_account_entry(ngx_mentara_accounts_t *accounts, ngx_str_t *user)
{
    uint32_t                      hash;
    ngx_mentara_account_entry_t  *e;

    hash = ngx_crc32_short(user->data, user->len);
    e = (ngx_mentara_account_entry_t *)
            ngx_str_rbtree_lookup(&accounts->tree, user, hash);

    if (e != NULL) {
        ngx_queue_remove(&e->lru);
        ngx_queue_insert_head(&accounts->lru, &e->lru);
        return e;
    }

    if (accounts->n >= NGX_MENTARA_ACCOUNT_MAX) {
        ngx_mentara_account_expire(accounts);
    }

    e = ngx_calloc(sizeof(ngx_mentara_account_entry_t) + user->len,
                   ngx_cycle->log);
    if (e == NULL) {
        return NULL;
    }

    e->accounts = accounts;
    e->sn.str.len = user->len;
    e->sn.str.data = (u_char *) e + sizeof(ngx_mentara_account_entry_t);
    ngx_memcpy(e->sn.str.data, user->data, user->len);
    e->sn.node.key = hash;

    ngx_queue_init(&e->waits);
    ngx_rbtree_insert(&accounts->tree, &e->sn.node);
    ngx_queue_insert_head(&accounts->lru, &e->lru);
    accounts->n++;

    return e;
}


/* drops the entry that was used longest ago; one with a query stays */

static void
ngx_mentara_account_expire(ngx_mentara_accounts_t *accounts)
{
    ngx_queue_t                  *q;
    ngx_mentara_account_entry_t  *e;

    for (q = ngx_queue_last(&accounts->lru);
         q != ngx_queue_sentinel(&accounts->lru);
         q = ngx_queue_prev(q))
    {
        e = ngx_queue_data(q, ngx_mentara_account_entry_t, lru);

        if (!e->running) {
            ngx_mentara_account_remove(e);
            return;
        }
    }
}


static void
ngx_mentara_account_remove(ngx_mentara_account_entry_t *e)
{
    ngx_rbtree_delete(&e->accounts->tree, &e->sn.node);
    ngx_queue_remove(&e->lru);
    e->accounts->n--;
    ngx_free(e);
}


static ngx_int_t
ngx_mentara_account_query(ngx_mentara_account_entry_t *e, ngx_log_t *log)
{
    ngx_int_t                rc;
    ngx_mentara_pg_query_t  *q;

    q = ngx_mentara_pg_query(e->accounts->pg, NGX_MENTARA_STMT_ACCOUNT, log);
    if (q == NULL) {
        return NGX_ERROR;
    }

    if (ngx_mentara_pg_str(q, &e->sn.str) != NGX_OK) {
        ngx_mentara_pg_drop(q);
        return NGX_ERROR;
    }

    q->handler = ngx_mentara_account_done;
    q->data = e;

    rc = ngx_mentara_pg_submit(q);
    if (rc != NGX_OK) {
        ngx_mentara_pg_drop(q);
        return rc;
    }

    e->running = 1;
    e->asked = ngx_current_msec;

    return NGX_OK;
}


static void
ngx_mentara_account_done(ngx_mentara_pg_query_t *q)
{
    ngx_uint_t                    error;
    ngx_queue_t                   waits, *w;
    ngx_mentara_account_t         account;
    ngx_mentara_account_wait_t   *wait;
    ngx_mentara_account_entry_t  *e;

    e = q->data;
    e->running = 0;
    error = q->error;

    ngx_memzero(&account, sizeof(ngx_mentara_account_t));

    if (error == NGX_MENTARA_PG_OK) {
        ngx_mentara_account_read(&account, q->result);
        e->account = account;
        e->known = 1;

    } else {
        e->known = 0;
    }

    /* a handler may ask again or cancel others: take the list over first */

    ngx_queue_init(&waits);

    if (!ngx_queue_empty(&e->waits)) {
        ngx_queue_add(&waits, &e->waits);
        ngx_queue_init(&e->waits);
    }

    while (!ngx_queue_empty(&waits)) {
        w = ngx_queue_head(&waits);
        ngx_queue_remove(w);

        wait = ngx_queue_data(w, ngx_mentara_account_wait_t, queue);
        wait->handler(wait->data, error, &account);
        ngx_free(wait);
    }
}


static void
ngx_mentara_account_read(ngx_mentara_account_t *account, PGresult *res)
{
    ngx_str_t  status, role;

    if (PQntuples(res) == 0) {
        return;
    }

    status = ngx_mentara_pg_get_str(res, 0, NGX_MENTARA_COL_STATUS);

    if (status.len != 2 || ngx_memcmp(status.data, "ok", 2) != 0
        || PQntuples(res) < 2)
    {
        return;
    }

    role = ngx_mentara_pg_get_str(res, 1, NGX_MENTARA_COL_ROLE);

    account->active = 1;
    ngx_mentara_account_role(&account->role, &role);
}


/* an unknown role has no more rights than a client */

static void
ngx_mentara_account_role(ngx_str_t *role, ngx_str_t *name)
{
    ngx_str_t  *r;

    for (r = ngx_mentara_account_roles; r->len != 0; r++) {
        if (r->len == name->len
            && ngx_memcmp(r->data, name->data, r->len) == 0)
        {
            *role = *r;
            return;
        }
    }

    *role = ngx_mentara_account_roles[0];
}
