
#include <ngx_mentara_event.h>


/* writes the body; returns the row after it, or -1 */
typedef int (*ngx_mentara_event_body_pt)(ngx_mentara_view_t *v, int row,
    int answer);

typedef struct {
    ngx_str_t                  name;
    ngx_mentara_event_body_pt  body;
} ngx_mentara_event_kind_t;


static ngx_int_t ngx_mentara_event_head(ngx_mentara_view_t *v, int row,
    ngx_mentara_event_t *ev);
static ngx_int_t ngx_mentara_event_str(ngx_mentara_view_t *v, int row,
    int col, ngx_str_t *s);
static void ngx_mentara_event_seq(ngx_mentara_view_t *v, int row);
static int ngx_mentara_event_message(ngx_mentara_view_t *v, int row,
    int answer, int *next, ngx_mentara_extras_t *x);
static int ngx_mentara_event_new_message(ngx_mentara_view_t *v, int row,
    int answer);
static int ngx_mentara_event_message_updated(ngx_mentara_view_t *v, int row,
    int answer);
static int ngx_mentara_event_message_read(ngx_mentara_view_t *v, int row,
    int answer);
static int ngx_mentara_event_message_reaction(ngx_mentara_view_t *v, int row,
    int answer);
static int ngx_mentara_event_conversation(ngx_mentara_view_t *v, int row,
    int answer);
static int ngx_mentara_event_participant(ngx_mentara_view_t *v, int row,
    int answer);
static int ngx_mentara_event_block(ngx_mentara_view_t *v, int row,
    int answer);


#define ngx_mentara_event_lit(v, s)                                          \
    mentara_json_raw(&(v)->json, s, sizeof(s) - 1)


static ngx_mentara_event_kind_t  ngx_mentara_event_kinds[] = {
    { ngx_string("new_message"), ngx_mentara_event_new_message },
    { ngx_string("message_updated"), ngx_mentara_event_message_updated },
    { ngx_string("message_read"), ngx_mentara_event_message_read },
    { ngx_string("message_reaction"), ngx_mentara_event_message_reaction },
    { ngx_string("conversation_created"), ngx_mentara_event_conversation },
    { ngx_string("conversation_updated"), ngx_mentara_event_conversation },
    { ngx_string("participant_added"), ngx_mentara_event_participant },
    { ngx_string("participant_updated"), ngx_mentara_event_participant },
    { ngx_string("participant_removed"), ngx_mentara_event_participant },
    { ngx_string("user_blocked"), ngx_mentara_event_block },
    { ngx_string("user_unblocked"), ngx_mentara_event_block },
    { ngx_null_string, NULL }
};


ngx_int_t
ngx_mentara_event_read_all(ngx_mentara_view_t *v, int row, int answer,
    ngx_array_t *events)
{
    ngx_mentara_event_t  *ev;

    while (row < v->nrows) {
        if (ngx_mentara_view_kind(v, row) != 'e') {
            row++;
            continue;
        }

        ev = ngx_array_push(events);
        if (ev == NULL) {
            return NGX_ERROR;
        }

        row = ngx_mentara_event_read(v, row, answer, ev);
        if (row == -1) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


int
ngx_mentara_event_read(ngx_mentara_view_t *v, int row, int answer,
    ngx_mentara_event_t *ev)
{
    int                        next;
    ngx_mentara_event_kind_t  *k;

    if (ngx_mentara_event_head(v, row, ev) != NGX_OK) {
        return -1;
    }

    for (k = ngx_mentara_event_kinds; k->body != NULL; k++) {
        if (k->name.len == ev->name.len
            && ngx_memcmp(k->name.data, ev->name.data, k->name.len) == 0)
        {
            break;
        }
    }

    if (k->body == NULL) {
        return -1;
    }

    ev->name = k->name;

    next = k->body(v, row, answer);
    if (next == -1) {
        return -1;
    }

    if (ngx_mentara_view_take(v, &ev->body) != NGX_OK) {
        return -1;
    }

    return next;
}


static ngx_int_t
ngx_mentara_event_head(ngx_mentara_view_t *v, int row,
    ngx_mentara_event_t *ev)
{
    PGresult  *res;

    res = v->res;

    ev->conversation = ngx_mentara_pg_get_uuid(res, row,
                                              NGX_MENTARA_COL_CONVERSATION_ID);
    ev->id = ngx_mentara_pg_get_int(res, row, NGX_MENTARA_COL_N);
    ev->event_seq = ngx_mentara_pg_get_int(res, row,
                                           NGX_MENTARA_COL_EVENT_SEQ);
    ev->xid = (uint64_t) ngx_mentara_pg_get_int(res, row,
                                                NGX_MENTARA_COL_XID);
    ev->msg_seq = ngx_mentara_pg_get_int(res, row, NGX_MENTARA_COL_SEQ);
    ev->name = ngx_mentara_pg_get_str(res, row, NGX_MENTARA_COL_TYPE);
    ev->staff = (ngx_mentara_view_flags(v, row) & NGX_MENTARA_FLAG_STAFF)
                ? 1 : 0;

    if (ngx_mentara_event_str(v, row, NGX_MENTARA_COL_USER_ID, &ev->actor)
        != NGX_OK
        || ngx_mentara_event_str(v, row, NGX_MENTARA_COL_ACTION, &ev->action)
           != NGX_OK
        || ngx_mentara_event_str(v, row, NGX_MENTARA_COL_SUBJECT,
                                 &ev->subjects)
           != NGX_OK
        || ngx_mentara_event_str(v, row, NGX_MENTARA_COL_CONTENT, &ev->hidden)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_mentara_event_str(v, row, NGX_MENTARA_COL_CLIENT_ID,
                                 &ev->only);
}


/* a copy that outlives the result */

static ngx_int_t
ngx_mentara_event_str(ngx_mentara_view_t *v, int row, int col, ngx_str_t *s)
{
    ngx_str_t  field;

    field = ngx_mentara_pg_get_str(v->res, row, col);

    s->len = field.len;
    s->data = ngx_pstrdup(v->pool, &field);

    return (s->data == NULL) ? NGX_ERROR : NGX_OK;
}


/* eventSeq is the last field of every body but that of new_message */

static void
ngx_mentara_event_seq(ngx_mentara_view_t *v, int row)
{
    ngx_mentara_view_int(v, ngx_mentara_view_key(",\"eventSeq\":"),
                         row, NGX_MENTARA_COL_EVENT_SEQ);
    ngx_mentara_view_end(v);
}


/* finds the `m` row of an event: behind it, or that of the answer */

static int
ngx_mentara_event_message(ngx_mentara_view_t *v, int row, int answer,
    int *next, ngx_mentara_extras_t *x)
{
    int  m;

    if (ngx_mentara_view_kind(v, row + 1) == 'm') {
        m = row + 1;
        *next = ngx_mentara_view_extras(v, m + 1, x);

        return (*next == -1) ? -1 : m;
    }

    if (answer == -1 || ngx_mentara_view_extras(v, answer + 1, x) == -1) {
        return -1;
    }

    *next = row + 1;

    return answer;
}


static int
ngx_mentara_event_new_message(ngx_mentara_view_t *v, int row, int answer)
{
    int                   m, next;
    ngx_mentara_extras_t  x;

    m = ngx_mentara_event_message(v, row, answer, &next, &x);
    if (m == -1) {
        return -1;
    }

    ngx_mentara_view_message(v, m, &x);
    ngx_mentara_view_end(v);

    return next;
}


static int
ngx_mentara_event_message_updated(ngx_mentara_view_t *v, int row, int answer)
{
    int                   m, next;
    ngx_uint_t            flags;
    ngx_mentara_extras_t  x;

    m = ngx_mentara_event_message(v, row, answer, &next, &x);
    if (m == -1) {
        return -1;
    }

    flags = ngx_mentara_view_flags(v, m);

    ngx_mentara_view_uuid(v, ngx_mentara_view_key("{\"messageId\":"),
                          m, NGX_MENTARA_COL_ID);
    ngx_mentara_view_uuid(v, ngx_mentara_view_key(",\"conversationId\":"),
                          m, NGX_MENTARA_COL_CONVERSATION_ID);
    ngx_mentara_view_int(v, ngx_mentara_view_key(",\"seq\":"),
                         m, NGX_MENTARA_COL_SEQ);
    ngx_mentara_event_lit(v, ",\"message\":");
    ngx_mentara_view_message(v, m, &x);
    ngx_mentara_view_end(v);
    ngx_mentara_view_str(v, ngx_mentara_view_key(",\"content\":"),
                         m, NGX_MENTARA_COL_CONTENT);
    ngx_mentara_view_bool(v, ngx_mentara_view_key(",\"isEdited\":"),
                          flags & NGX_MENTARA_FLAG_EDITED);
    ngx_mentara_view_bool(v, ngx_mentara_view_key(",\"isDeleted\":"),
                          flags & NGX_MENTARA_FLAG_DELETED);
    ngx_mentara_view_time(v, ngx_mentara_view_key(",\"editedAt\":"),
                          m, NGX_MENTARA_COL_EDITED_AT);
    ngx_mentara_event_seq(v, row);

    return next;
}


static int
ngx_mentara_event_message_read(ngx_mentara_view_t *v, int row, int answer)
{
    ngx_mentara_view_uuid(v, ngx_mentara_view_key("{\"messageId\":"),
                          row, NGX_MENTARA_COL_REF_ID);
    ngx_mentara_view_uuid(v, ngx_mentara_view_key(",\"conversationId\":"),
                          row, NGX_MENTARA_COL_CONVERSATION_ID);
    ngx_mentara_view_str(v, ngx_mentara_view_key(",\"userId\":"),
                         row, NGX_MENTARA_COL_USER_ID);
    ngx_mentara_view_time(v, ngx_mentara_view_key(",\"readAt\":"),
                          row, NGX_MENTARA_COL_CREATED_AT);
    ngx_mentara_event_seq(v, row);

    return row + 1;
}


static int
ngx_mentara_event_message_reaction(ngx_mentara_view_t *v, int row, int answer)
{
    if (ngx_mentara_view_kind(v, row + 1) != 'r') {
        return -1;
    }

    ngx_mentara_view_uuid(v, ngx_mentara_view_key("{\"messageId\":"),
                          row, NGX_MENTARA_COL_REF_ID);
    ngx_mentara_view_uuid(v, ngx_mentara_view_key(",\"conversationId\":"),
                          row, NGX_MENTARA_COL_CONVERSATION_ID);
    ngx_mentara_event_lit(v, ",\"reaction\":");
    ngx_mentara_view_reaction(v, row + 1);
    ngx_mentara_view_str(v, ngx_mentara_view_key(",\"action\":"),
                         row, NGX_MENTARA_COL_ACTION);
    ngx_mentara_event_seq(v, row);

    return row + 2;
}


static int
ngx_mentara_event_conversation(ngx_mentara_view_t *v, int row, int answer)
{
    int  next;

    if (ngx_mentara_view_kind(v, row + 1) != 'c') {
        return -1;
    }

    next = ngx_mentara_view_conversation(v, row + 1);
    if (next == -1) {
        return -1;
    }

    ngx_mentara_event_seq(v, row);

    return next;
}


static int
ngx_mentara_event_participant(ngx_mentara_view_t *v, int row, int answer)
{
    if (ngx_mentara_view_kind(v, row + 1) != 'p') {
        return -1;
    }

    ngx_mentara_view_participant(v, row + 1);
    ngx_mentara_event_seq(v, row);

    return row + 2;
}


/* a matter of one person, not of a conversation: no eventSeq */

static int
ngx_mentara_event_block(ngx_mentara_view_t *v, int row, int answer)
{
    ngx_mentara_view_str(v, ngx_mentara_view_key("{\"userId\":"),
                         row, NGX_MENTARA_COL_SUBJECT);
    ngx_mentara_view_end(v);

    return row + 1;
}
