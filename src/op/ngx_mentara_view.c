
#include <ngx_mentara_view.h>


#define NGX_MENTARA_RECEIPTS_MAX  20   /* of a message in a list */


/* one `k` row: user has read [from, upto] at that time */
typedef struct {
    int64_t    from;
    int64_t    upto;
    ngx_str_t  user;
    int        row;
} ngx_mentara_mark_t;


static ngx_int_t ngx_mentara_view_grow(mentara_json_t *j, size_t need);
static ngx_int_t ngx_mentara_view_marks(ngx_mentara_view_t *v, int row,
    int last, ngx_mentara_extras_t *x);
static int ngx_mentara_view_skip(ngx_mentara_view_t *v, int row, u_char kind);
static void ngx_mentara_view_value(ngx_mentara_view_t *v, int row, int col);
static void ngx_mentara_view_profile(ngx_mentara_view_t *v, int row, int id,
    int first);
static void ngx_mentara_view_person(ngx_mentara_view_t *v, int row, int id,
    int first);
static void ngx_mentara_view_quote(ngx_mentara_view_t *v, int row,
    ngx_uint_t flags);
static void ngx_mentara_view_reactions(ngx_mentara_view_t *v, int64_t seq,
    ngx_mentara_extras_t *x);
static void ngx_mentara_view_receipts(ngx_mentara_view_t *v, int row,
    ngx_mentara_extras_t *x);
static void ngx_mentara_view_delivered(ngx_mentara_view_t *v, int row,
    ngx_mentara_extras_t *x);
static void ngx_mentara_view_system(ngx_mentara_view_t *v, int row);


#define ngx_mentara_view_lit(v, s)                                           \
    mentara_json_raw(&(v)->json, s, sizeof(s) - 1)


ngx_int_t
ngx_mentara_view_init(ngx_mentara_view_t *v, PGresult *res, ngx_pool_t *pool,
    size_t size)
{
    u_char  *p;

    p = ngx_pnalloc(pool, size);
    if (p == NULL) {
        return NGX_ERROR;
    }

    v->res = res;
    v->nrows = PQntuples(res);
    v->pool = pool;
    v->npeople = 0;

    mentara_json_init(&v->json, p, size, ngx_mentara_view_grow, v);

    return NGX_OK;
}


/* doubles the buffer; what was written stays at the same offset */

static ngx_int_t
ngx_mentara_view_grow(mentara_json_t *j, size_t need)
{
    size_t               used, size;
    u_char              *p;
    ngx_mentara_view_t  *v;

    v = j->data;
    used = j->pos - j->start;
    size = 2 * (j->last - j->start);

    if (size < used + need) {
        size = used + need;
    }

    p = ngx_pnalloc(v->pool, size);
    if (p == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(p, j->start, used);
    ngx_pfree(v->pool, j->start);

    j->start = p;
    j->pos = p + used;
    j->last = p + size;

    return NGX_OK;
}


ngx_int_t
ngx_mentara_view_take(ngx_mentara_view_t *v, ngx_str_t *json)
{
    if (v->json.failed) {
        return NGX_ERROR;
    }

    json->data = v->json.start;
    json->len = v->json.pos - v->json.start;

    v->json.start = v->json.pos;
    v->npeople = 0;

    return NGX_OK;
}


u_char
ngx_mentara_view_kind(ngx_mentara_view_t *v, int row)
{
    if (row >= v->nrows
        || PQgetlength(v->res, row, NGX_MENTARA_COL_KIND) != 1)
    {
        return 0;
    }

    return (u_char) *PQgetvalue(v->res, row, NGX_MENTARA_COL_KIND);
}


ngx_uint_t
ngx_mentara_view_flags(ngx_mentara_view_t *v, int row)
{
    return (ngx_uint_t) ngx_mentara_pg_get_int(v->res, row,
                                               NGX_MENTARA_COL_FLAGS);
}


static int
ngx_mentara_view_skip(ngx_mentara_view_t *v, int row, u_char kind)
{
    while (ngx_mentara_view_kind(v, row) == kind) {
        row++;
    }

    return row;
}


int
ngx_mentara_view_extras(ngx_mentara_view_t *v, int row,
    ngx_mentara_extras_t *x)
{
    int  last;

    ngx_memzero(x, sizeof(ngx_mentara_extras_t));

    x->reaction = row;
    x->reaction_end = ngx_mentara_view_skip(v, row, 'r');

    last = ngx_mentara_view_skip(v, x->reaction_end, 'k');

    if (ngx_mentara_view_marks(v, x->reaction_end, last, x) != NGX_OK) {
        return -1;
    }

    x->delivered = last;
    x->delivered_end = ngx_mentara_view_skip(v, last, 'd');

    return x->delivered_end;
}


static ngx_int_t
ngx_mentara_view_marks(ngx_mentara_view_t *v, int row, int last,
    ngx_mentara_extras_t *x)
{
    ngx_mentara_mark_t  *m;

    if (row == last) {
        return NGX_OK;
    }

    m = ngx_palloc(v->pool, (last - row) * sizeof(ngx_mentara_mark_t));
    if (m == NULL) {
        return NGX_ERROR;
    }

    x->marks = m;
    x->nmarks = last - row;

    for ( /* void */ ; row < last; row++, m++) {
        m->from = ngx_mentara_pg_get_int(v->res, row, NGX_MENTARA_COL_SEQ);
        m->upto = ngx_mentara_pg_get_int(v->res, row, NGX_MENTARA_COL_N);
        m->user = ngx_mentara_pg_get_str(v->res, row, NGX_MENTARA_COL_USER_ID);
        m->row = row;
    }

    return NGX_OK;
}


void
ngx_mentara_view_str(ngx_mentara_view_t *v, const char *key, size_t len,
    int row, int col)
{
    mentara_json_raw(&v->json, key, len);
    ngx_mentara_view_value(v, row, col);
}


static void
ngx_mentara_view_value(ngx_mentara_view_t *v, int row, int col)
{
    if (PQgetisnull(v->res, row, col)) {
        ngx_mentara_view_lit(v, "null");
        return;
    }

    mentara_json_string(&v->json, (u_char *) PQgetvalue(v->res, row, col),
                        PQgetlength(v->res, row, col));
}


void
ngx_mentara_view_time(ngx_mentara_view_t *v, const char *key, size_t len,
    int row, int col)
{
    mentara_json_raw(&v->json, key, len);

    if (PQgetisnull(v->res, row, col)) {
        ngx_mentara_view_lit(v, "null");
        return;
    }

    mentara_json_time(&v->json, ngx_mentara_pg_get_int(v->res, row, col));
}


void
ngx_mentara_view_uuid(ngx_mentara_view_t *v, const char *key, size_t len,
    int row, int col)
{
    ngx_mentara_uuid_t  id;

    mentara_json_raw(&v->json, key, len);

    if (PQgetisnull(v->res, row, col)) {
        ngx_mentara_view_lit(v, "null");
        return;
    }

    id = ngx_mentara_pg_get_uuid(v->res, row, col);
    mentara_json_uuid(&v->json, id.data);
}


void
ngx_mentara_view_int(ngx_mentara_view_t *v, const char *key, size_t len,
    int row, int col)
{
    mentara_json_raw(&v->json, key, len);

    if (PQgetisnull(v->res, row, col)) {
        ngx_mentara_view_lit(v, "null");
        return;
    }

    mentara_json_int(&v->json, ngx_mentara_pg_get_int(v->res, row, col));
}


void
ngx_mentara_view_bool(ngx_mentara_view_t *v, const char *key, size_t len,
    ngx_uint_t yes)
{
    mentara_json_raw(&v->json, key, len);

    if (yes) {
        ngx_mentara_view_lit(v, "true");

    } else {
        ngx_mentara_view_lit(v, "false");
    }
}


void
ngx_mentara_view_end(ngx_mentara_view_t *v)
{
    ngx_mentara_view_lit(v, "}");
}


void
ngx_mentara_view_user(ngx_mentara_view_t *v, int row)
{
    ngx_mentara_view_profile(v, row, NGX_MENTARA_COL_USER_ID,
                             NGX_MENTARA_COL_FIRST_NAME);
}


/*
 * User {id, firstName, lastName, avatarUrl, role}: the id in one column, the
 * other four side by side from column first on.  Who is gone from the
 * directory has empty names and is a client.
 */

static void
ngx_mentara_view_profile(ngx_mentara_view_t *v, int row, int id, int first)
{
    ngx_uint_t                  i;
    ngx_str_t                   user;
    ngx_mentara_view_person_t  *p;

    user = ngx_mentara_pg_get_str(v->res, row, id);

    for (i = 0; i < ngx_min(v->npeople, NGX_MENTARA_VIEW_PEOPLE); i++) {
        p = &v->people[i];

        if (p->id.len == user.len && user.len != 0
            && ngx_memcmp(p->id.data, user.data, user.len) == 0)
        {
            mentara_json_again(&v->json, p->at, p->len);
            return;
        }
    }

    p = &v->people[v->npeople++ % NGX_MENTARA_VIEW_PEOPLE];
    p->id = user;
    p->at = v->json.pos - v->json.start;

    ngx_mentara_view_person(v, row, id, first);

    p->len = v->json.pos - v->json.start - p->at;
}


static void
ngx_mentara_view_person(ngx_mentara_view_t *v, int row, int id, int first)
{
    ngx_mentara_view_str(v, ngx_mentara_view_key("{\"id\":"), row, id);

    if (PQgetisnull(v->res, row, first + 3)) {
        ngx_mentara_view_lit(v, ",\"firstName\":\"\",\"lastName\":\"\","
                                "\"avatarUrl\":null,\"role\":\"client\"}");
        return;
    }

    ngx_mentara_view_str(v, ngx_mentara_view_key(",\"firstName\":"),
                         row, first);
    ngx_mentara_view_str(v, ngx_mentara_view_key(",\"lastName\":"),
                         row, first + 1);
    ngx_mentara_view_str(v, ngx_mentara_view_key(",\"avatarUrl\":"),
                         row, first + 2);
    ngx_mentara_view_str(v, ngx_mentara_view_key(",\"role\":"),
                         row, first + 3);
    ngx_mentara_view_end(v);
}


void
ngx_mentara_view_participant(ngx_mentara_view_t *v, int row)
{
    ngx_uint_t  flags;

    flags = ngx_mentara_view_flags(v, row);

    ngx_mentara_view_uuid(v, ngx_mentara_view_key("{\"id\":"),
                          row, NGX_MENTARA_COL_ID);
    ngx_mentara_view_uuid(v, ngx_mentara_view_key(",\"conversationId\":"),
                          row, NGX_MENTARA_COL_CONVERSATION_ID);
    ngx_mentara_view_str(v, ngx_mentara_view_key(",\"userId\":"),
                         row, NGX_MENTARA_COL_USER_ID);
    ngx_mentara_view_str(v, ngx_mentara_view_key(",\"role\":"),
                         row, NGX_MENTARA_COL_TYPE);
    ngx_mentara_view_time(v, ngx_mentara_view_key(",\"joinedAt\":"),
                          row, NGX_MENTARA_COL_CREATED_AT);
    ngx_mentara_view_time(v, ngx_mentara_view_key(",\"lastReadAt\":"),
                          row, NGX_MENTARA_COL_EDITED_AT);
    ngx_mentara_view_bool(v, ngx_mentara_view_key(",\"isActive\":"),
                          flags & NGX_MENTARA_FLAG_ACTIVE);
    ngx_mentara_view_bool(v, ngx_mentara_view_key(",\"isMuted\":"),
                          flags & NGX_MENTARA_FLAG_MUTED);
    ngx_mentara_view_bool(v, ngx_mentara_view_key(",\"isArchived\":"),
                          flags & NGX_MENTARA_FLAG_ARCHIVED);
    ngx_mentara_view_lit(v, ",\"user\":");
    ngx_mentara_view_user(v, row);
}


void
ngx_mentara_view_reaction(ngx_mentara_view_t *v, int row)
{
    ngx_mentara_view_uuid(v, ngx_mentara_view_key("{\"id\":"),
                          row, NGX_MENTARA_COL_ID);
    ngx_mentara_view_uuid(v, ngx_mentara_view_key(",\"messageId\":"),
                          row, NGX_MENTARA_COL_REF_ID);
    ngx_mentara_view_str(v, ngx_mentara_view_key(",\"userId\":"),
                         row, NGX_MENTARA_COL_USER_ID);
    ngx_mentara_view_str(v, ngx_mentara_view_key(",\"emoji\":"),
                         row, NGX_MENTARA_COL_CONTENT);
    ngx_mentara_view_time(v, ngx_mentara_view_key(",\"createdAt\":"),
                          row, NGX_MENTARA_COL_CREATED_AT);
    ngx_mentara_view_lit(v, ",\"user\":");
    ngx_mentara_view_user(v, row);
    ngx_mentara_view_end(v);
}


void
ngx_mentara_view_message(ngx_mentara_view_t *v, int row,
    ngx_mentara_extras_t *x)
{
    ngx_uint_t  flags;

    flags = ngx_mentara_view_flags(v, row);

    ngx_mentara_view_uuid(v, ngx_mentara_view_key("{\"id\":"),
                          row, NGX_MENTARA_COL_ID);
    ngx_mentara_view_uuid(v, ngx_mentara_view_key(",\"conversationId\":"),
                          row, NGX_MENTARA_COL_CONVERSATION_ID);
    ngx_mentara_view_int(v, ngx_mentara_view_key(",\"seq\":"),
                         row, NGX_MENTARA_COL_SEQ);
    ngx_mentara_view_str(v, ngx_mentara_view_key(",\"senderId\":"),
                         row, NGX_MENTARA_COL_USER_ID);
    ngx_mentara_view_str(v, ngx_mentara_view_key(",\"content\":"),
                         row, NGX_MENTARA_COL_CONTENT);
    ngx_mentara_view_str(v, ngx_mentara_view_key(",\"messageType\":"),
                         row, NGX_MENTARA_COL_TYPE);
    ngx_mentara_view_str(v, ngx_mentara_view_key(",\"attachmentUrl\":"),
                         row, NGX_MENTARA_COL_ATTACHMENT_URL);
    ngx_mentara_view_str(v, ngx_mentara_view_key(",\"attachmentName\":"),
                         row, NGX_MENTARA_COL_ATTACHMENT_NAME);
    ngx_mentara_view_int(v, ngx_mentara_view_key(",\"attachmentSize\":"),
                         row, NGX_MENTARA_COL_N);
    ngx_mentara_view_uuid(v, ngx_mentara_view_key(",\"replyToId\":"),
                          row, NGX_MENTARA_COL_REF_ID);
    ngx_mentara_view_bool(v, ngx_mentara_view_key(",\"isEdited\":"),
                          flags & NGX_MENTARA_FLAG_EDITED);
    ngx_mentara_view_bool(v, ngx_mentara_view_key(",\"isDeleted\":"),
                          flags & NGX_MENTARA_FLAG_DELETED);
    ngx_mentara_view_time(v, ngx_mentara_view_key(",\"editedAt\":"),
                          row, NGX_MENTARA_COL_EDITED_AT);
    ngx_mentara_view_time(v, ngx_mentara_view_key(",\"createdAt\":"),
                          row, NGX_MENTARA_COL_CREATED_AT);
    ngx_mentara_view_time(v, ngx_mentara_view_key(",\"updatedAt\":"),
                          row, NGX_MENTARA_COL_UPDATED_AT);
    ngx_mentara_view_lit(v, ",\"sender\":");
    ngx_mentara_view_user(v, row);

    ngx_mentara_view_lit(v, ",\"replyTo\":");
    ngx_mentara_view_quote(v, row, flags);

    ngx_mentara_view_lit(v, ",\"reactions\":[");
    ngx_mentara_view_reactions(v, ngx_mentara_pg_get_int(v->res, row,
                                                   NGX_MENTARA_COL_SEQ), x);
    ngx_mentara_view_lit(v, "],\"readReceipts\":[");
    ngx_mentara_view_receipts(v, row, x);
    ngx_mentara_view_lit(v, "],\"deliveredTo\":[");
    ngx_mentara_view_delivered(v, row, x);
    ngx_mentara_view_lit(v, "]");

    ngx_mentara_view_str(v, ngx_mentara_view_key(",\"clientId\":"),
                         row, NGX_MENTARA_COL_CLIENT_ID);
    ngx_mentara_view_lit(v, ",\"system\":");
    ngx_mentara_view_system(v, row);
}


/* a quote of a deleted message carries no text: SQL has emptied it */

static void
ngx_mentara_view_quote(ngx_mentara_view_t *v, int row, ngx_uint_t flags)
{
    if (PQgetisnull(v->res, row, NGX_MENTARA_COL_REPLY_SENDER_ID)) {
        ngx_mentara_view_lit(v, "null");
        return;
    }

    ngx_mentara_view_uuid(v, ngx_mentara_view_key("{\"id\":"),
                          row, NGX_MENTARA_COL_REF_ID);
    ngx_mentara_view_str(v, ngx_mentara_view_key(",\"senderId\":"),
                         row, NGX_MENTARA_COL_REPLY_SENDER_ID);
    ngx_mentara_view_str(v, ngx_mentara_view_key(",\"content\":"),
                         row, NGX_MENTARA_COL_REPLY_CONTENT);
    ngx_mentara_view_str(v, ngx_mentara_view_key(",\"messageType\":"),
                         row, NGX_MENTARA_COL_REPLY_TYPE);
    ngx_mentara_view_bool(v, ngx_mentara_view_key(",\"isDeleted\":"),
                          flags & NGX_MENTARA_FLAG_REPLY_DELETED);
    ngx_mentara_view_time(v, ngx_mentara_view_key(",\"createdAt\":"),
                          row, NGX_MENTARA_COL_REPLY_CREATED_AT);
    ngx_mentara_view_lit(v, ",\"sender\":");
    ngx_mentara_view_profile(v, row, NGX_MENTARA_COL_REPLY_SENDER_ID,
                             NGX_MENTARA_COL_REPLY_FIRST_NAME);
    ngx_mentara_view_end(v);
}


/* rows are sorted by seq, messages are asked for in the same order */

static void
ngx_mentara_view_reactions(ngx_mentara_view_t *v, int64_t seq,
    ngx_mentara_extras_t *x)
{
    int64_t     at;
    ngx_uint_t  n;

    n = 0;

    while (x->reaction < x->reaction_end) {
        at = ngx_mentara_pg_get_int(v->res, x->reaction,
                                    NGX_MENTARA_COL_SEQ);
        if (at > seq) {
            return;
        }

        if (at == seq) {
            if (n++ > 0) {
                ngx_mentara_view_lit(v, ",");
            }

            ngx_mentara_view_reaction(v, x->reaction);
        }

        x->reaction++;
    }
}


/* marks are sorted by (readAt, userId): the first that cover it are shown */

static void
ngx_mentara_view_receipts(ngx_mentara_view_t *v, int row,
    ngx_mentara_extras_t *x)
{
    int64_t              seq;
    ngx_str_t            sender;
    ngx_uint_t           i, n;
    ngx_mentara_mark_t  *m;

    if (x->nmarks == 0
        || !PQgetisnull(v->res, row, NGX_MENTARA_COL_ACTION))
    {
        return;
    }

    seq = ngx_mentara_pg_get_int(v->res, row, NGX_MENTARA_COL_SEQ);
    sender = ngx_mentara_pg_get_str(v->res, row, NGX_MENTARA_COL_USER_ID);
    m = x->marks;
    n = 0;

    for (i = 0; i < x->nmarks; i++) {
        if (seq < m[i].from || seq > m[i].upto
            || (m[i].user.len == sender.len
                && ngx_memcmp(m[i].user.data, sender.data, sender.len) == 0))
        {
            continue;
        }

        if (n == NGX_MENTARA_RECEIPTS_MAX && !x->all) {
            return;
        }

        if (n++ > 0) {
            ngx_mentara_view_lit(v, ",");
        }

        ngx_mentara_view_uuid(v, ngx_mentara_view_key("{\"messageId\":"),
                              row, NGX_MENTARA_COL_ID);
        ngx_mentara_view_str(v, ngx_mentara_view_key(",\"userId\":"),
                             m[i].row, NGX_MENTARA_COL_USER_ID);
        ngx_mentara_view_time(v, ngx_mentara_view_key(",\"readAt\":"),
                              m[i].row, NGX_MENTARA_COL_CREATED_AT);
        ngx_mentara_view_lit(v, ",\"user\":");
        ngx_mentara_view_user(v, m[i].row);
        ngx_mentara_view_end(v);
    }
}


static void
ngx_mentara_view_delivered(ngx_mentara_view_t *v, int row,
    ngx_mentara_extras_t *x)
{
    int         i;
    int64_t     seq;
    ngx_str_t   sender, user;
    ngx_uint_t  n;

    if (x->delivered == x->delivered_end
        || !PQgetisnull(v->res, row, NGX_MENTARA_COL_ACTION))
    {
        return;
    }

    seq = ngx_mentara_pg_get_int(v->res, row, NGX_MENTARA_COL_SEQ);
    sender = ngx_mentara_pg_get_str(v->res, row, NGX_MENTARA_COL_USER_ID);
    n = 0;

    for (i = x->delivered; i < x->delivered_end; i++) {
        user = ngx_mentara_pg_get_str(v->res, i, NGX_MENTARA_COL_USER_ID);

        if (seq < ngx_mentara_pg_get_int(v->res, i, NGX_MENTARA_COL_SEQ)
            || seq > ngx_mentara_pg_get_int(v->res, i, NGX_MENTARA_COL_N)
            || (user.len == sender.len
                && ngx_memcmp(user.data, sender.data, user.len) == 0))
        {
            continue;
        }

        if (n == NGX_MENTARA_RECEIPTS_MAX && !x->all) {
            return;
        }

        if (n++ > 0) {
            ngx_mentara_view_lit(v, ",");
        }

        mentara_json_string(&v->json, user.data, user.len);
    }
}


static void
ngx_mentara_view_system(ngx_mentara_view_t *v, int row)
{
    if (PQgetisnull(v->res, row, NGX_MENTARA_COL_ACTION)) {
        ngx_mentara_view_lit(v, "null");
        return;
    }

    ngx_mentara_view_str(v, ngx_mentara_view_key("{\"action\":"),
                         row, NGX_MENTARA_COL_ACTION);
    ngx_mentara_view_str(v, ngx_mentara_view_key(",\"userId\":"),
                         row, NGX_MENTARA_COL_SUBJECT);
    ngx_mentara_view_end(v);
}


int
ngx_mentara_view_conversation(ngx_mentara_view_t *v, int row)
{
    int                   next, p;
    ngx_mentara_extras_t  x;

    ngx_mentara_view_uuid(v, ngx_mentara_view_key("{\"id\":"),
                          row, NGX_MENTARA_COL_ID);
    ngx_mentara_view_str(v, ngx_mentara_view_key(",\"type\":"),
                         row, NGX_MENTARA_COL_TYPE);
    ngx_mentara_view_str(v, ngx_mentara_view_key(",\"title\":"),
                         row, NGX_MENTARA_COL_CONTENT);
    ngx_mentara_view_str(v, ngx_mentara_view_key(",\"sessionId\":"),
                         row, NGX_MENTARA_COL_CLIENT_ID);
    ngx_mentara_view_bool(v, ngx_mentara_view_key(",\"isActive\":"),
                          ngx_mentara_view_flags(v, row)
                          & NGX_MENTARA_FLAG_ACTIVE);
    ngx_mentara_view_time(v, ngx_mentara_view_key(",\"lastMessageAt\":"),
                          row, NGX_MENTARA_COL_EDITED_AT);
    ngx_mentara_view_int(v, ngx_mentara_view_key(",\"lastSeq\":"),
                         row, NGX_MENTARA_COL_SEQ);
    ngx_mentara_view_time(v, ngx_mentara_view_key(",\"createdAt\":"),
                          row, NGX_MENTARA_COL_CREATED_AT);
    ngx_mentara_view_time(v, ngx_mentara_view_key(",\"updatedAt\":"),
                          row, NGX_MENTARA_COL_UPDATED_AT);

    ngx_mentara_view_lit(v, ",\"participants\":[");
    next = ngx_mentara_view_skip(v, row + 1, 'p');

    for (p = row + 1; p < next; p++) {
        if (p > row + 1) {
            ngx_mentara_view_lit(v, ",");
        }

        ngx_mentara_view_participant(v, p);
        ngx_mentara_view_end(v);
    }

    ngx_mentara_view_lit(v, "],\"messages\":[");

    if (ngx_mentara_view_kind(v, next) == 'm') {
        p = next;

        next = ngx_mentara_view_extras(v, p + 1, &x);
        if (next == -1) {
            return -1;
        }

        ngx_mentara_view_message(v, p, &x);
        ngx_mentara_view_end(v);
    }

    ngx_mentara_view_lit(v, "],\"_count\":{\"messages\":");
    mentara_json_int(&v->json, ngx_mentara_pg_get_int(v->res, row,
                                                      NGX_MENTARA_COL_N));
    ngx_mentara_view_end(v);

    return next;
}
