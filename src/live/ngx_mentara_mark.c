
#include <ngx_mentara_mark.h>
#include <ngx_mentara_append.h>
#include <ngx_mentara_view.h>
#include <mentara_json.h>


#define NGX_MENTARA_MARKS  512    /* of one batch */


static ngx_int_t ngx_mentara_mark_bind(ngx_mentara_live_t *live,
    ngx_mentara_pg_query_t *q);
static ngx_uint_t ngx_mentara_mark_take(ngx_mentara_live_t *live,
    ngx_pool_t *pool, ngx_str_t *ids, ngx_str_t *users, ngx_str_t *seqs);
static void ngx_mentara_mark_done(ngx_mentara_pg_query_t *q);
static void ngx_mentara_mark_tell(ngx_mentara_live_t *live, ngx_pool_t *pool,
    PGresult *res, int row);


void
ngx_mentara_record_delivered(ngx_mentara_record_t *r, ngx_str_t *actor,
    uint64_t seq)
{
    ngx_str_t  *user;

    user = &r->session->user->sn.str;

    if (r->session->deaf || seq <= r->delivered
        || (user->len == actor->len
            && ngx_memcmp(user->data, actor->data, user->len) == 0))
    {
        return;
    }

    r->delivered = seq;

    if (!r->marked) {
        r->marked = 1;
        ngx_queue_insert_tail(&r->session->live->delivered, &r->in_delivered);
    }
}


void
ngx_mentara_mark_flush(ngx_mentara_live_t *live)
{
    ngx_mentara_pg_query_t  *q;

    if (live->marking || ngx_queue_empty(&live->delivered)) {
        return;
    }

    q = ngx_mentara_pg_query(live->pg, NGX_MENTARA_STMT_DELIVER_MARKS,
                             live->logger);
    if (q == NULL) {
        return;
    }

    q->handler = ngx_mentara_mark_done;
    q->data = live;
    q->idempotent = 1;

    if (ngx_mentara_mark_bind(live, q) != NGX_OK
        || ngx_mentara_pg_submit(q) != NGX_OK)
    {
        ngx_mentara_pg_drop(q);
        return;
    }

    live->marking = 1;
}


static ngx_int_t
ngx_mentara_mark_bind(ngx_mentara_live_t *live, ngx_mentara_pg_query_t *q)
{
    ngx_str_t   *s;
    ngx_uint_t   n;

    s = ngx_palloc(q->pool, 3 * NGX_MENTARA_MARKS * sizeof(ngx_str_t));
    if (s == NULL) {
        return NGX_ERROR;
    }

    n = ngx_mentara_mark_take(live, q->pool, s, s + NGX_MENTARA_MARKS,
                              s + 2 * NGX_MENTARA_MARKS);

    if (n == 0 || ngx_mentara_pg_array(q, s, n) != NGX_OK
        || ngx_mentara_pg_array(q, s + NGX_MENTARA_MARKS, n) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_mentara_pg_array(q, s + 2 * NGX_MENTARA_MARKS, n);
}


/* what has left the socket counts, what still waits in it does not */

static ngx_uint_t
ngx_mentara_mark_take(ngx_mentara_live_t *live, ngx_pool_t *pool,
    ngx_str_t *ids, ngx_str_t *users, ngx_str_t *seqs)
{
    u_char                *p;
    ngx_uint_t             n;
    ngx_queue_t           *q, *next;
    ngx_mentara_record_t  *r;

    n = 0;

    for (q = ngx_queue_head(&live->delivered);
         q != ngx_queue_sentinel(&live->delivered) && n < NGX_MENTARA_MARKS;
         q = next)
    {
        next = ngx_queue_next(q);
        r = ngx_queue_data(q, ngx_mentara_record_t, in_delivered);

        if (r->session->ending || r->session->door->pending(r->session) != 0)
        {
            continue;
        }

        p = ngx_pnalloc(pool, 32 + NGX_INT64_LEN
                              + r->session->user->sn.str.len);
        if (p == NULL) {
            break;
        }

        ids[n].data = p;
        ids[n].len = 32;
        p = ngx_hex_dump(p, r->room->un.id.data, 16);

        seqs[n].data = p;
        p = ngx_sprintf(p, "%uL", r->delivered);
        seqs[n].len = p - seqs[n].data;

        users[n].data = p;
        users[n].len = r->session->user->sn.str.len;
        ngx_memcpy(p, r->session->user->sn.str.data, users[n].len);
        n++;

        ngx_queue_remove(q);
        r->marked = 0;
    }

    return n;
}


static void
ngx_mentara_mark_done(ngx_mentara_pg_query_t *q)
{
    int                  row;
    ngx_pool_t          *pool;
    ngx_mentara_live_t  *live;

    live = q->data;
    live->marking = 0;

    if (q->error != NGX_MENTARA_PG_OK) {
        return;
    }

    pool = ngx_create_pool(4096, live->logger);
    if (pool == NULL) {
        return;
    }

    for (row = 1; row < PQntuples(q->result); row++) {
        ngx_mentara_mark_tell(live, pool, q->result, row);
    }

    ngx_destroy_pool(pool);
}


static void
ngx_mentara_mark_tell(ngx_mentara_live_t *live, ngx_pool_t *pool,
    PGresult *res, int row)
{
    u_char                *buf;
    ngx_str_t              user;
    mentara_json_t         j;
    ngx_mentara_uuid_t     id;
    ngx_mentara_entry_t    e;

    ngx_memzero(&e, sizeof(ngx_mentara_entry_t));

    e.kind = NGX_MENTARA_EVENT_MESSAGE_DELIVERED;
    e.conversation = ngx_mentara_pg_get_uuid(res, row,
                                             NGX_MENTARA_COL_CONVERSATION_ID);
    e.only = ngx_mentara_pg_get_str(res, row, NGX_MENTARA_COL_SUBJECT);
    user = ngx_mentara_pg_get_str(res, row, NGX_MENTARA_COL_USER_ID);
    id = ngx_mentara_pg_get_uuid(res, row, NGX_MENTARA_COL_ID);

    buf = ngx_pnalloc(pool, 256 + user.len * 6);

    if (buf == NULL || e.only.len == 0) {
        return;
    }

    mentara_json_init(&j, buf, 256 + user.len * 6, NULL, NULL);
    mentara_json_raw(&j, "{\"messageId\":", 13);
    mentara_json_uuid(&j, id.data);
    mentara_json_raw(&j, ",\"conversationId\":", 18);
    mentara_json_uuid(&j, e.conversation.data);
    mentara_json_raw(&j, ",\"userId\":", 10);
    mentara_json_string(&j, user.data, user.len);
    mentara_json_raw(&j, ",\"deliveredAt\":", 15);
    mentara_json_time(&j, ngx_mentara_pg_get_int(res, row,
                                                 NGX_MENTARA_COL_CREATED_AT));
    mentara_json_raw(&j, "}", 1);

    e.body.data = buf;
    e.body.len = j.pos - j.start;

    (void) ngx_mentara_live_append(live, &e);
}
