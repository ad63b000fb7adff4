
#include <ngx_mentara_room.h>
#include <ngx_mentara_append.h>
#include <ngx_mentara_presence.h>


static ngx_mentara_room_t *ngx_mentara_room_get(ngx_mentara_live_t *live,
    ngx_mentara_uuid_t *id);
static ngx_mentara_peer_t *ngx_mentara_peer_find(ngx_mentara_user_t *u,
    ngx_str_t *id);
static void ngx_mentara_record_inherit(ngx_mentara_record_t *r,
    ngx_mentara_record_t *next);


static ngx_str_t  ngx_mentara_roles[] = {
    ngx_string("client"),
    ngx_string("therapist"),
    ngx_string("moderator"),
    ngx_string("admin"),
    ngx_null_string
};


ngx_int_t
ngx_mentara_list_next(ngx_str_t *list, ngx_str_t *id)
{
    u_char  *p;

    if (list->len == 0) {
        return NGX_DONE;
    }

    id->data = list->data;
    p = ngx_strlchr(list->data, list->data + list->len, '\n');

    if (p == NULL) {
        id->len = list->len;
        list->len = 0;
        return NGX_OK;
    }

    id->len = p - list->data;
    list->len -= id->len + 1;
    list->data = p + 1;

    return NGX_OK;
}


ngx_uint_t
ngx_mentara_listed(ngx_str_t *list, ngx_str_t *id)
{
    ngx_str_t  rest, one;

    rest = *list;

    while (ngx_mentara_list_next(&rest, &one) == NGX_OK) {
        if (one.len == id->len
            && ngx_memcmp(one.data, id->data, one.len) == 0)
        {
            return 1;
        }
    }

    return 0;
}


ngx_str_t
ngx_mentara_role(ngx_str_t *name)
{
    ngx_str_t  *r;

    for (r = ngx_mentara_roles; r->len != 0; r++) {
        if (r->len == name->len
            && ngx_memcmp(r->data, name->data, r->len) == 0)
        {
            return *r;
        }
    }

    return ngx_mentara_roles[0];
}


ngx_mentara_user_t *
ngx_mentara_user_find(ngx_mentara_live_t *live, ngx_str_t *id)
{
    return (ngx_mentara_user_t *)
           ngx_str_rbtree_lookup(&live->users, id,
                                 ngx_crc32_long(id->data, id->len));
}


ngx_int_t
ngx_mentara_user_enter(ngx_mentara_live_t *live, ngx_str_t *id,
    ngx_mentara_session_t *s)
{
    ngx_mentara_user_t  *u;

    u = ngx_mentara_user_find(live, id);

    if (u == NULL) {
        u = ngx_calloc(sizeof(ngx_mentara_user_t) + id->len, live->logger);
        if (u == NULL) {
            return NGX_ERROR;
        }

        u->sn.str.len = id->len;
        u->sn.str.data = (u_char *) u + sizeof(ngx_mentara_user_t);
        ngx_memcpy(u->sn.str.data, id->data, id->len);

        u->sn.node.key = ngx_crc32_long(id->data, id->len);
        u->role = ngx_mentara_roles[0];
        ngx_queue_init(&u->sessions);
        ngx_queue_init(&u->peers);

        ngx_rbtree_insert(&live->users, &u->sn.node);
    }

    s->user = u;
    u->n++;
    ngx_queue_insert_tail(&u->sessions, &s->in_user);

    return NGX_OK;
}


void
ngx_mentara_user_leave(ngx_mentara_session_t *s)
{
    ngx_queue_t         *q;
    ngx_mentara_user_t  *u;

    u = s->user;

    ngx_queue_remove(&s->in_user);
    s->user = NULL;

    if (--u->n != 0) {
        return;
    }

    while (!ngx_queue_empty(&u->peers)) {
        q = ngx_queue_head(&u->peers);
        ngx_queue_remove(q);
        ngx_free(ngx_queue_data(q, ngx_mentara_peer_t, queue));
    }

    ngx_rbtree_delete(&s->live->users, &u->sn.node);
    ngx_free(u);
}


static ngx_mentara_peer_t *
ngx_mentara_peer_find(ngx_mentara_user_t *u, ngx_str_t *id)
{
    ngx_queue_t         *q;
    ngx_mentara_peer_t  *p;

    for (q = ngx_queue_head(&u->peers);
         q != ngx_queue_sentinel(&u->peers);
         q = ngx_queue_next(q))
    {
        p = ngx_queue_data(q, ngx_mentara_peer_t, queue);

        if (p->id.len == id->len
            && ngx_memcmp(p->id.data, id->data, id->len) == 0)
        {
            return p;
        }
    }

    return NULL;
}


ngx_int_t
ngx_mentara_user_block(ngx_mentara_user_t *u, ngx_str_t *peer, ngx_uint_t by,
    ngx_uint_t on, ngx_uint_t told)
{
    ngx_mentara_peer_t  *p;

    p = ngx_mentara_peer_find(u, peer);

    if (p == NULL) {
        p = ngx_calloc(sizeof(ngx_mentara_peer_t) + peer->len,
                       ngx_cycle->log);
        if (p == NULL) {
            return NGX_ERROR;
        }

        p->id.len = peer->len;
        p->id.data = (u_char *) p + sizeof(ngx_mentara_peer_t);
        ngx_memcpy(p->id.data, peer->data, peer->len);
        ngx_queue_insert_tail(&u->peers, &p->queue);
    }

    if (p->told && !told) {
        return NGX_OK;
    }

    p->told |= told ? 1 : 0;

    if (by) {
        p->by = on ? 1 : 0;

    } else {
        p->of = on ? 1 : 0;
    }

    return NGX_OK;
}


ngx_uint_t
ngx_mentara_user_blocked(ngx_mentara_user_t *u, ngx_str_t *peer)
{
    ngx_mentara_peer_t  *p;

    p = ngx_mentara_peer_find(u, peer);

    return p != NULL && (p->by || p->of);
}


ngx_mentara_room_t *
ngx_mentara_room_find(ngx_mentara_live_t *live, ngx_mentara_uuid_t *id)
{
    return (ngx_mentara_room_t *) ngx_mentara_uuid_tree_find(&live->rooms, id);
}


static ngx_mentara_room_t *
ngx_mentara_room_get(ngx_mentara_live_t *live, ngx_mentara_uuid_t *id)
{
    ngx_mentara_room_t  *room;

    room = ngx_mentara_room_find(live, id);

    if (room != NULL) {
        return room;
    }

    room = ngx_alloc(sizeof(ngx_mentara_room_t), live->logger);
    if (room == NULL) {
        return NULL;
    }

    room->un.id = *id;
    ngx_queue_init(&room->records);
    ngx_mentara_uuid_tree_insert(&live->rooms, &room->un);

    return room;
}


ngx_mentara_record_t *
ngx_mentara_record_add(ngx_mentara_session_t *s,
    ngx_mentara_uuid_t *conversation, uint64_t next, uint64_t to,
    uint64_t visible, ngx_uint_t shared)
{
    ngx_mentara_room_t    *room;
    ngx_mentara_record_t  *r;

    r = ngx_calloc(sizeof(ngx_mentara_record_t), s->live->logger);
    if (r == NULL) {
        return NULL;
    }

    room = ngx_mentara_room_get(s->live, conversation);
    if (room == NULL) {
        ngx_free(r);
        return NULL;
    }

    r->room = room;
    r->session = s;
    r->next = next;
    r->to = to;
    r->visible = visible;
    r->shared = shared ? 1 : 0;
    r->joined = r->shared;

    ngx_queue_insert_tail(&room->records, &r->in_room);
    ngx_queue_insert_tail(&s->records, &r->in_session);

    return r;
}


ngx_mentara_record_t *
ngx_mentara_record_find(ngx_mentara_session_t *s,
    ngx_mentara_uuid_t *conversation)
{
    ngx_queue_t           *q;
    ngx_mentara_room_t    *room;
    ngx_mentara_record_t  *r;

    room = ngx_mentara_room_find(s->live, conversation);
    if (room == NULL) {
        return NULL;
    }

    for (q = ngx_queue_head(&room->records);
         q != ngx_queue_sentinel(&room->records);
         q = ngx_queue_next(q))
    {
        r = ngx_queue_data(q, ngx_mentara_record_t, in_room);

        if (r->session == s && r->to == NGX_MENTARA_FOREVER && r->shared) {
            return r;
        }
    }

    return NULL;
}


ngx_mentara_record_t *
ngx_mentara_record_latest(ngx_mentara_session_t *s,
    ngx_mentara_room_t *room)
{
    ngx_queue_t           *q;
    ngx_mentara_record_t  *r, *latest;

    latest = NULL;

    for (q = ngx_queue_head(&room->records);
         q != ngx_queue_sentinel(&room->records);
         q = ngx_queue_next(q))
    {
        r = ngx_queue_data(q, ngx_mentara_record_t, in_room);

        if (r->session == s && !r->stale
            && (latest == NULL || r->to > latest->to))
        {
            latest = r;
        }
    }

    return latest;
}


/* that it had left its conversation is of no more interest */

static void
ngx_mentara_record_unjoined(ngx_mentara_record_t *r)
{
    ngx_mentara_live_t  *live;

    live = r->session->live;

    (void) ngx_mentara_joined_change(live->zone,
                                     ngx_mentara_slot_number(live),
                                     &r->session->user->sn.str, &r->room->un.id,
                                     -1);
}


void
ngx_mentara_record_drop(ngx_mentara_record_t *r)
{
    ngx_mentara_room_t  *room;

    room = r->room;

    ngx_queue_remove(&r->in_room);
    ngx_queue_remove(&r->in_session);

    if (r->marked) {
        ngx_queue_remove(&r->in_delivered);
    }

    if (r->shared && !r->joined) {
        ngx_mentara_record_unjoined(r);
    }

    if (ngx_queue_empty(&room->records)) {
        ngx_rbtree_delete(&r->session->live->rooms, &room->un.node);
        ngx_free(room);
    }

    ngx_free(r);
}


void
ngx_mentara_records_drop(ngx_mentara_session_t *s)
{
    ngx_queue_t  *q;

    while (!ngx_queue_empty(&s->records)) {
        q = ngx_queue_head(&s->records);
        ngx_mentara_record_drop(ngx_queue_data(q, ngx_mentara_record_t,
                                               in_session));
    }
}


void
ngx_mentara_records_retire(ngx_mentara_session_t *s, ngx_queue_t *stale)
{
    ngx_queue_t           *q;
    ngx_mentara_record_t  *r;

    ngx_queue_init(stale);

    for (q = ngx_queue_head(&s->records);
         q != ngx_queue_sentinel(&s->records);
         q = ngx_queue_next(q))
    {
        r = ngx_queue_data(q, ngx_mentara_record_t, in_session);
        r->stale = 1;
    }

    if (!ngx_queue_empty(&s->records)) {
        ngx_queue_add(stale, &s->records);
        ngx_queue_init(&s->records);
    }
}


void
ngx_mentara_records_succeed(ngx_mentara_session_t *s, ngx_queue_t *stale)
{
    ngx_queue_t           *q;
    ngx_mentara_record_t  *r, *next;

    while (!ngx_queue_empty(stale)) {
        q = ngx_queue_head(stale);
        r = ngx_queue_data(q, ngx_mentara_record_t, in_session);
        next = ngx_mentara_record_latest(s, r->room);

        if (next != NULL) {
            ngx_mentara_record_inherit(r, next);
        }

        ngx_mentara_record_drop(r);
    }
}


static void
ngx_mentara_record_inherit(ngx_mentara_record_t *r,
    ngx_mentara_record_t *next)
{
    if (r->shared && next->shared && !r->joined && next->joined) {
        next->joined = 0;
        r->joined = 1;
    }

    next->delivered = ngx_max(next->delivered, r->delivered);

    if (r->marked && !next->marked) {
        next->marked = 1;
        ngx_queue_insert_tail(&next->session->live->delivered,
                              &next->in_delivered);
    }
}


void
ngx_mentara_rooms_init(ngx_mentara_live_t *live)
{
    ngx_rbtree_init(&live->users, &live->users_nil,
                    ngx_str_rbtree_insert_value);
    ngx_mentara_uuid_tree_init(&live->rooms, &live->rooms_nil);
}
