
#include <ngx_mentara_current.h>
#include <ngx_mentara_room.h>
#include <mentara_id.h>
#include <mentara_json_scan.h>


#define NGX_MENTARA_CHANGES  8192    /* and leaves, noted for one client */


/* the newest change of a message */
typedef struct {
    ngx_mentara_uuid_node_t   un;
    uint64_t                  position;
    uint64_t                  event_seq;
} ngx_mentara_change_t;


/* a conversation that was left */
typedef struct {
    ngx_mentara_uuid_node_t   un;
    ngx_uint_t                gone;        /* and not joined again */
} ngx_mentara_leave_t;


/* what of the log counts for a body */
typedef struct {
    uint64_t             position;
    uint64_t             event_seq;
} ngx_mentara_since_t;


static ngx_int_t ngx_mentara_current_member(ngx_mentara_attach_t *a,
    ngx_mentara_entry_t *e);
static ngx_int_t ngx_mentara_current_note(ngx_mentara_attach_t *a,
    ngx_mentara_entry_t *e);
static void *ngx_mentara_current_get(ngx_mentara_attach_t *a,
    ngx_rbtree_t *tree, ngx_mentara_uuid_t *id, size_t size);
static ngx_int_t ngx_mentara_current_change(ngx_mentara_attach_t *a,
    ngx_mentara_uuid_t *id, ngx_mentara_since_t *since, ngx_str_t *changed);
static ngx_int_t ngx_mentara_current_message(ngx_mentara_attach_t *a,
    ngx_int_t kind, ngx_mentara_since_t *since, ngx_str_t *body);
static ngx_int_t ngx_mentara_current_quote(ngx_mentara_attach_t *a,
    ngx_mentara_since_t *since, ngx_str_t *body);
static u_char *ngx_mentara_current_behind(ngx_str_t *text, const char *key);
static ngx_int_t ngx_mentara_current_value(ngx_str_t *text, const char *key,
    ngx_str_t *value);
static ngx_int_t ngx_mentara_current_id(ngx_str_t *text, const char *key,
    ngx_mentara_uuid_t *id);
static ngx_int_t ngx_mentara_current_join(ngx_mentara_current_t *c,
    ngx_str_t *parts, ngx_uint_t n, ngx_str_t *body);


void
ngx_mentara_current_reset(ngx_mentara_attach_t *a, uint64_t position)
{
    ngx_mentara_current_t  *c;

    c = &a->current;

    ngx_mentara_current_free(c);

    c->n = 0;
    c->looked = position;
    ngx_mentara_uuid_tree_init(&c->tree, &c->nil);
    ngx_mentara_uuid_tree_init(&c->left, &c->left_nil);
}


void
ngx_mentara_current_free(ngx_mentara_current_t *c)
{
    if (c->pool != NULL) {
        ngx_destroy_pool(c->pool);
        c->pool = NULL;
    }

    if (c->text != NULL) {
        ngx_destroy_pool(c->text);
        c->text = NULL;
    }
}


ngx_int_t
ngx_mentara_current_look(ngx_mentara_attach_t *a, ngx_uint_t whole)
{
    ngx_int_t               rc;
    ngx_mentara_live_t     *live;
    ngx_mentara_entry_t     e;
    ngx_mentara_reader_t   *r;
    ngx_mentara_current_t  *c;

    c = &a->current;
    live = a->session->live;
    r = &live->scratch;

    r->epoch = a->session->epoch;
    r->cursor = c->looked;

    while (r->cursor < live->reader.cursor) {

        rc = ngx_mentara_log_read(&live->log, r, live->reader.cursor, NULL);

        if (rc == NGX_ABORT || rc == NGX_DECLINED) {
            return NGX_DECLINED;
        }

        while (ngx_mentara_log_next(r, &e) == NGX_OK) {

            if (e.flags & NGX_MENTARA_EVENT_BIG) {
                if (whole || e.kind == NGX_MENTARA_EVENT_MESSAGE_UPDATED) {
                    return NGX_DECLINED;
                }

                continue;
            }

            rc = (e.kind == NGX_MENTARA_EVENT_MESSAGE_UPDATED)
                 ? ngx_mentara_current_note(a, &e)
                 : ngx_mentara_current_member(a, &e);

            if (rc != NGX_OK) {
                return rc;
            }
        }

        c->looked = r->cursor;
    }

    return NGX_OK;
}


/* who has left is told nothing that was written since, until it is back */

static ngx_int_t
ngx_mentara_current_member(ngx_mentara_attach_t *a, ngx_mentara_entry_t *e)
{
    ngx_mentara_leave_t  *leave;

    if (!(e->flags & (NGX_MENTARA_EVENT_JOIN|NGX_MENTARA_EVENT_LEAVE))
        || !ngx_mentara_listed(&e->subjects, &a->session->user->sn.str))
    {
        return NGX_OK;
    }

    leave = ngx_mentara_current_get(a, &a->current.left, &e->conversation,
                                    sizeof(ngx_mentara_leave_t));
    if (leave == NULL) {
        return NGX_DECLINED;
    }

    leave->gone = (e->flags & NGX_MENTARA_EVENT_LEAVE) ? 1 : 0;

    return NGX_OK;
}


static ngx_int_t
ngx_mentara_current_note(ngx_mentara_attach_t *a, ngx_mentara_entry_t *e)
{
    ngx_str_t              deleted;
    ngx_mentara_uuid_t     id;
    ngx_mentara_leave_t   *leave;
    ngx_mentara_change_t  *change;

    if (ngx_mentara_current_id(&e->body, "{\"messageId\":\"", &id) != NGX_OK
        || ngx_mentara_current_value(&e->body, ",\"isDeleted\":", &deleted)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    leave = (ngx_mentara_leave_t *)
            ngx_mentara_uuid_tree_find(&a->current.left, &e->conversation);

    if (leave != NULL && leave->gone && deleted.data[0] != 't') {
        return NGX_OK;
    }

    change = ngx_mentara_current_get(a, &a->current.tree, &id,
                                     sizeof(ngx_mentara_change_t));
    if (change == NULL) {
        return NGX_DECLINED;
    }

    change->position = e->position;
    change->event_seq = e->event_seq;

    return NGX_OK;
}


/* the node of an id, made if need be; NULL: too many, or no memory */

static void *
ngx_mentara_current_get(ngx_mentara_attach_t *a, ngx_rbtree_t *tree,
    ngx_mentara_uuid_t *id, size_t size)
{
    ngx_mentara_current_t    *c;
    ngx_mentara_uuid_node_t  *n;

    c = &a->current;
    n = ngx_mentara_uuid_tree_find(tree, id);

    if (n != NULL || c->n == NGX_MENTARA_CHANGES) {
        return n;
    }

    if (c->pool == NULL) {
        c->pool = ngx_create_pool(4096, a->session->live->logger);
    }

    n = (c->pool == NULL) ? NULL : ngx_pcalloc(c->pool, size);

    if (n != NULL) {
        n->id = *id;
        ngx_mentara_uuid_tree_insert(tree, n);
        c->n++;
    }

    return n;
}


ngx_int_t
ngx_mentara_current_body(ngx_mentara_attach_t *a, ngx_int_t kind,
    uint64_t position, uint64_t event_seq, ngx_str_t *body)
{
    ngx_int_t               rc;
    ngx_mentara_since_t     since;
    ngx_mentara_current_t  *c;

    c = &a->current;

    if (c->n == 0
        || (kind != NGX_MENTARA_EVENT_NEW_MESSAGE
            && kind != NGX_MENTARA_EVENT_MESSAGE_UPDATED))
    {
        return NGX_OK;
    }

    if (c->text != NULL) {
        ngx_destroy_pool(c->text);
    }

    c->text = ngx_create_pool(1024, a->session->live->logger);
    if (c->text == NULL) {
        return NGX_ERROR;
    }

    since.position = position;
    since.event_seq = event_seq;

    rc = ngx_mentara_current_message(a, kind, &since, body);

    return (rc == NGX_OK) ? ngx_mentara_current_quote(a, &since, body) : rc;
}


/*
 * The body of the newest change of a message, in the text pool.  NGX_DONE:
 * there is none that counts.
 */

static ngx_int_t
ngx_mentara_current_change(ngx_mentara_attach_t *a, ngx_mentara_uuid_t *id,
    ngx_mentara_since_t *since, ngx_str_t *changed)
{
    ngx_mentara_live_t    *live;
    ngx_mentara_entry_t    e;
    ngx_mentara_change_t  *change;
    ngx_mentara_reader_t  *r;

    change = (ngx_mentara_change_t *)
             ngx_mentara_uuid_tree_find(&a->current.tree, id);

    if (change == NULL || change->position <= since->position
        || change->event_seq < since->event_seq)
    {
        return NGX_DONE;
    }

    live = a->session->live;
    r = &live->single;
    r->epoch = a->session->epoch;
    r->cursor = change->position - 1;

    if (ngx_mentara_log_read(&live->log, r, change->position, NULL) != NGX_OK
        || ngx_mentara_log_next(r, &e) != NGX_OK)
    {
        return NGX_DECLINED;
    }

    return ngx_mentara_current_join(&a->current, &e.body, 1, changed);
}


static ngx_int_t
ngx_mentara_current_message(ngx_mentara_attach_t *a, ngx_int_t kind,
    ngx_mentara_since_t *since, ngx_str_t *body)
{
    u_char              *p;
    ngx_int_t            rc;
    ngx_str_t            changed, parts[2];
    ngx_mentara_uuid_t   id;

    if (ngx_mentara_current_id(body,
                               (kind == NGX_MENTARA_EVENT_NEW_MESSAGE)
                               ? "{\"id\":\"" : "{\"messageId\":\"", &id)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    rc = ngx_mentara_current_change(a, &id, since, &changed);

    if (rc != NGX_OK) {
        return (rc == NGX_DONE) ? NGX_OK : rc;
    }

    if (kind == NGX_MENTARA_EVENT_NEW_MESSAGE) {
        return ngx_mentara_current_value(&changed, ",\"message\":", body);
    }

    /* its own place in the order stays: the last field, a number */

    for (p = body->data + body->len - 1; p > body->data && *p != ','; p--) {
        /* void */
    }

    parts[1].data = p;
    parts[1].len = body->data + body->len - p;

    parts[0] = changed;

    while (parts[0].len > 0 && parts[0].data[parts[0].len] != ',') {
        parts[0].len--;
    }

    return ngx_mentara_current_join(&a->current, parts, 2, body);
}


/* a message that quotes another one has a copy of it, as it was then */

static ngx_int_t
ngx_mentara_current_quote(ngx_mentara_attach_t *a,
    ngx_mentara_since_t *since, ngx_str_t *body)
{
    ngx_int_t            rc;
    ngx_str_t            quote, changed, message, parts[17];
    ngx_uint_t           i;
    ngx_mentara_uuid_t   id;

    static const char   *keys[] = {
        "{\"id\":", ",\"senderId\":", ",\"content\":", ",\"messageType\":",
        ",\"isDeleted\":", ",\"createdAt\":", ",\"sender\":"
    };

    if (ngx_mentara_current_value(body, ",\"replyTo\":", &quote) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ngx_mentara_current_id(&quote, "{\"id\":\"", &id) != NGX_OK) {
        return NGX_OK;
    }

    rc = ngx_mentara_current_change(a, &id, since, &changed);

    if (rc != NGX_OK) {
        return (rc == NGX_DONE) ? NGX_OK : rc;
    }

    if (ngx_mentara_current_value(&changed, ",\"message\":", &message)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    parts[0].data = body->data;
    parts[0].len = quote.data - body->data;

    for (i = 0; i < 7; i++) {
        parts[2 * i + 1].data = (u_char *) keys[i];
        parts[2 * i + 1].len = ngx_strlen(keys[i]);

        if (ngx_mentara_current_value(&message, keys[i], &parts[2 * i + 2])
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    ngx_str_set(&parts[15], "}");
    parts[16].data = quote.data + quote.len;
    parts[16].len = body->data + body->len - parts[16].data;

    return ngx_mentara_current_join(&a->current, parts, 17, body);
}


/*
 * Behind the first `key` of what was written by ngx_mentara_view: fields of a
 * message come before those of what it holds, and in a string a quotation
 * mark is escaped.
 */

static u_char *
ngx_mentara_current_behind(ngx_str_t *text, const char *key)
{
    u_char  *p;

    p = ngx_strnstr(text->data, (char *) key, text->len);

    return (p == NULL) ? NULL : p + ngx_strlen(key);
}


static ngx_int_t
ngx_mentara_current_value(ngx_str_t *text, const char *key, ngx_str_t *value)
{
    u_char           *p;
    mentara_slice_t   found;

    p = ngx_mentara_current_behind(text, key);

    if (p == NULL
        || mentara_json_scan(p, text->data + text->len, &found, NULL) < 0)
    {
        return NGX_ERROR;
    }

    value->data = (u_char *) found.data;
    value->len = found.len;

    return NGX_OK;
}


/* NGX_DECLINED: the text does not begin so */

static ngx_int_t
ngx_mentara_current_id(ngx_str_t *text, const char *key,
    ngx_mentara_uuid_t *id)
{
    size_t  len;

    len = ngx_strlen(key);

    if (text->len < len + MENTARA_ID_TEXT
        || ngx_memcmp(text->data, key, len) != 0
        || mentara_id_parse(id->data, text->data + len, MENTARA_ID_TEXT)
           != MENTARA_OK)
    {
        return NGX_DECLINED;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_mentara_current_join(ngx_mentara_current_t *c, ngx_str_t *parts,
    ngx_uint_t n, ngx_str_t *body)
{
    u_char      *p;
    size_t       len;
    ngx_uint_t   i;

    len = 0;

    for (i = 0; i < n; i++) {
        len += parts[i].len;
    }

    p = ngx_pnalloc(c->text, len + 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    body->data = p;
    body->len = len;

    for (i = 0; i < n; i++) {
        p = ngx_cpymem(p, parts[i].data, parts[i].len);
    }

    *p = '\0';

    return NGX_OK;
}
