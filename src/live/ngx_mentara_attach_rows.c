
#include <ngx_mentara_attach_rows.h>
#include <ngx_mentara_room.h>
#include <ngx_mentara_view.h>


static ngx_int_t ngx_mentara_attach_read(ngx_mentara_attach_t *a,
    PGresult *res);
static ngx_int_t ngx_mentara_attach_person(ngx_mentara_attach_t *a,
    ngx_mentara_view_t *v, int row);
static ngx_int_t ngx_mentara_attach_interval(ngx_mentara_attach_t *a,
    PGresult *res, int row);
static void ngx_mentara_attach_due(ngx_mentara_attach_t *a,
    ngx_mentara_uuid_t *id, uint64_t event_seq, uint64_t xid);
static ngx_int_t ngx_mentara_attach_peer(ngx_mentara_attach_t *a,
    PGresult *res, int row);
static ngx_int_t ngx_mentara_attach_events(ngx_mentara_attach_t *a,
    ngx_mentara_view_t *v, int row);
static ngx_int_t ngx_mentara_attach_sent(ngx_mentara_attach_t *a,
    ngx_mentara_event_t *ev);


ngx_int_t
ngx_mentara_attach_rows_take(ngx_mentara_attach_t *a, PGresult *res)
{
    ngx_int_t    rc;
    ngx_queue_t  stale;

    ngx_mentara_records_retire(a->session, &stale);
    rc = ngx_mentara_attach_read(a, res);
    ngx_mentara_records_succeed(a->session, &stale);

    return rc;
}


static ngx_int_t
ngx_mentara_attach_read(ngx_mentara_attach_t *a, PGresult *res)
{
    int                 row;
    u_char              kind;
    ngx_str_t          *contact, id;
    ngx_mentara_view_t  v;

    a->more = 0;
    a->next = 0;
    a->ndue = 0;
    a->upto = 0;

    if (!a->paged) {
        a->contacts.nelts = 0;
    }

    if (a->page != NULL) {
        ngx_destroy_pool(a->page);
    }

    a->page = ngx_create_pool(4096, a->session->live->logger);

    if (a->page == NULL
        || ngx_array_init(&a->events, a->page, 4,
                          sizeof(ngx_mentara_event_t)) != NGX_OK
        || ngx_mentara_view_init(&v, res, a->page, 2048) != NGX_OK)
    {
        return NGX_ERROR;
    }

    a->due = ngx_palloc(a->page, v.nrows * sizeof(ngx_mentara_due_t));
    if (a->due == NULL) {
        return NGX_ERROR;
    }

    for (row = 1; row < v.nrows; row++) {
        kind = ngx_mentara_view_kind(&v, row);

        if (kind == 'u' && ngx_mentara_attach_person(a, &v, row) != NGX_OK) {
            return NGX_ERROR;
        }

        if (kind == 'i'
            && ngx_mentara_attach_interval(a, res, row) != NGX_OK)
        {
            return NGX_ERROR;
        }

        if (kind == 'b' && ngx_mentara_attach_peer(a, res, row) != NGX_OK) {
            return NGX_ERROR;
        }

        if (kind == 'x') {
            id = ngx_mentara_pg_get_str(res, row, NGX_MENTARA_COL_USER_ID);
            contact = ngx_array_push(&a->contacts);

            if (contact == NULL) {
                return NGX_ERROR;
            }

            contact->len = id.len;
            contact->data = ngx_pstrdup(a->pool, &id);

            if (contact->data == NULL) {
                return NGX_ERROR;
            }
        }

        if (kind == 'e') {
            break;
        }
    }

    a->session->user->loaded = 1;

    return ngx_mentara_attach_events(a, &v, row);
}


static ngx_int_t
ngx_mentara_attach_person(ngx_mentara_attach_t *a, ngx_mentara_view_t *v,
    int row)
{
    ngx_str_t  role, json;

    role = ngx_mentara_pg_get_str(v->res, row, NGX_MENTARA_COL_ROLE);
    a->session->user->role = ngx_mentara_role(&role);

    ngx_mentara_view_user(v, row);

    if (ngx_mentara_view_take(v, &json) != NGX_OK) {
        return NGX_ERROR;
    }

    a->user.len = json.len;
    a->user.data = ngx_pstrdup(a->pool, &json);

    return (a->user.data == NULL) ? NGX_ERROR : NGX_OK;
}


/*
 * From the log: every membership, of one that has ended its end alone.  From
 * the database: what it told is behind us; one that has ended stays as a
 * mark, so that a join that comes late counts for nothing.
 */

static ngx_int_t
ngx_mentara_attach_interval(ngx_mentara_attach_t *a, PGresult *res, int row)
{
    ngx_str_t            visible;
    uint64_t             joined, left, now, first, next;
    ngx_uint_t           ended, shared;
    ngx_mentara_uuid_t   id;

    id = ngx_mentara_pg_get_uuid(res, row, NGX_MENTARA_COL_CONVERSATION_ID);
    joined = ngx_mentara_pg_get_int(res, row, NGX_MENTARA_COL_SEQ);
    left = ngx_mentara_pg_get_int(res, row, NGX_MENTARA_COL_N);
    now = ngx_mentara_pg_get_int(res, row, NGX_MENTARA_COL_EVENT_SEQ);
    visible = ngx_mentara_pg_get_str(res, row, NGX_MENTARA_COL_CONTENT);
    ended = !ngx_mentara_pg_isnull(res, row, NGX_MENTARA_COL_N);
    shared = ngx_mentara_pg_get_int(res, row, NGX_MENTARA_COL_FLAGS)
             & NGX_MENTARA_FLAG_ACTIVE;

    first = (uint64_t) ngx_atoof(visible.data, visible.len);

    if (a->mode == NGX_MENTARA_ATTACH_RING) {
        next = ended ? left : joined;
        ngx_mentara_attach_due(a, &id, ended ? left : now,
                               ngx_mentara_pg_get_int(res, row,
                                                      NGX_MENTARA_COL_XID));

    } else {
        next = now + 1;
    }

    return (ngx_mentara_record_add(a->session, &id, next,
                                   ended ? left : NGX_MENTARA_FOREVER, first,
                                   shared)
            == NULL) ? NGX_ERROR : NGX_OK;
}


/* what the log has to hold before the client is told that it has all */

static void
ngx_mentara_attach_due(ngx_mentara_attach_t *a, ngx_mentara_uuid_t *id,
    uint64_t event_seq, uint64_t xid)
{
    ngx_mentara_due_t  *due;

    due = &a->due[a->ndue++];
    due->conversation = *id;
    due->event_seq = event_seq;
    due->xid = xid;
}


static ngx_int_t
ngx_mentara_attach_peer(ngx_mentara_attach_t *a, PGresult *res, int row)
{
    ngx_str_t   id;
    ngx_uint_t  by;

    id = ngx_mentara_pg_get_str(res, row, NGX_MENTARA_COL_USER_ID);
    by = ngx_mentara_pg_get_int(res, row, NGX_MENTARA_COL_FLAGS) & 1;

    return ngx_mentara_user_block(a->session->user, &id, by, 1, 0);
}


/*
 * An event's offset says that all before it is there: the floor is below
 * every event that still follows.  While there are more pages nobody knows
 * those, and the client's own position stands.
 */

static ngx_int_t
ngx_mentara_attach_events(ngx_mentara_attach_t *a, ngx_mentara_view_t *v,
    int row)
{
    uint64_t              floor;
    ngx_str_t             xmin;
    ngx_uint_t            i;
    ngx_mentara_event_t  *ev;

    if (a->mode != NGX_MENTARA_ATTACH_LOG) {
        return NGX_OK;
    }

    if (v->nrows > 1 && ngx_mentara_view_kind(v, v->nrows - 1) == 's') {
        a->more = 1;
        v->nrows--;
    }

    if (row < v->nrows
        && ngx_mentara_event_read_all(v, row, -1, &a->events) != NGX_OK)
    {
        return NGX_ERROR;
    }

    a->floors = ngx_palloc(a->page, (a->events.nelts + 1) * sizeof(uint64_t));
    if (a->floors == NULL) {
        return NGX_ERROR;
    }

    xmin = ngx_mentara_pg_get_str(v->res, 0, NGX_MENTARA_COL_CONTENT);
    floor = (uint64_t) ngx_atoof(xmin.data, xmin.len);
    ev = a->events.elts;

    if (a->more) {
        floor = a->from.floor;
    }

    for (i = a->events.nelts; i-- > 0; /* void */) {
        a->floors[i] = floor;
        floor = ngx_min(floor, ev[i].xid);

        if (ngx_mentara_attach_sent(a, &ev[i]) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_mentara_attach_sent(ngx_mentara_attach_t *a, ngx_mentara_event_t *ev)
{
    ngx_uint_t           i;
    ngx_mentara_sent_t  *sent;

    sent = a->sent.elts;

    for (i = 0; i < a->sent.nelts; i++) {
        if (ngx_memcmp(sent[i].conversation.data, ev->conversation.data, 16)
            == 0)
        {
            sent[i].event_seq = ngx_max(sent[i].event_seq,
                                        (uint64_t) ev->event_seq + 1);
            return NGX_OK;
        }
    }

    sent = ngx_array_push(&a->sent);
    if (sent == NULL) {
        return NGX_ERROR;
    }

    sent->conversation = ev->conversation;
    sent->event_seq = ev->event_seq + 1;

    return NGX_OK;
}
