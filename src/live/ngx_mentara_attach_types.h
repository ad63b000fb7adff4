/*
 * What the files that start a session share: how far the client is, what it
 * missed.
 */

#ifndef _NGX_MENTARA_ATTACH_TYPES_H_INCLUDED_
#define _NGX_MENTARA_ATTACH_TYPES_H_INCLUDED_


#include <ngx_mentara_live_types.h>
#include <ngx_mentara_event.h>
#include <ngx_mentara_log.h>


typedef enum {
    NGX_MENTARA_ATTACH_NEW = 0,    /* from now on */
    NGX_MENTARA_ATTACH_RING,       /* from a position that the log holds */
    NGX_MENTARA_ATTACH_LOG         /* from the database */
} ngx_mentara_attach_mode_e;


/* where the next page of a conversation begins */
typedef struct {
    ngx_mentara_uuid_t         conversation;
    uint64_t                   event_seq;
} ngx_mentara_sent_t;


/* what has become of the messages that are replayed */
typedef struct {
    ngx_pool_t                *pool;
    ngx_pool_t                *text;       /* of the body made last */
    ngx_rbtree_t               tree;       /* the newest change of each */
    ngx_rbtree_node_t          nil;
    ngx_rbtree_t               left;       /* conversations that the user
                                              has left on the way */
    ngx_rbtree_node_t          left_nil;
    ngx_uint_t                 n;          /* in both trees */
    uint64_t                   looked;     /* position up to which */
} ngx_mentara_current_t;


struct ngx_mentara_attach_s {
    ngx_mentara_session_t     *session;    /* NULL: it has gone */
    ngx_pool_t                *pool;
    ngx_pool_t                *page;       /* of the rows that are written */
    ngx_mentara_pg_query_t    *query;
    ngx_event_t                timer;      /* patience */

    ngx_mentara_return_t       back;
    ngx_mentara_offset_t       from;       /* what the client has */
    ngx_uint_t                 mode;
    ngx_uint_t                 most;
    time_t                     token;

    uint64_t                   epoch;      /* when the database was asked */
    uint64_t                   cursor;     /* where the log was, and */
    uint64_t                   floor;      /* its floor, at the start */

    ngx_array_t                events;     /* of ngx_mentara_event_t */
    ngx_uint_t                 next;       /* of them */
    uint64_t                  *floors;     /* for their offsets */
    ngx_array_t                sent;       /* ngx_mentara_sent_t */
    ngx_mentara_current_t      current;
    ngx_mentara_due_t         *due;        /* in the page's pool */
    ngx_uint_t                 ndue;
    uint64_t                   upto;       /* the log's head without them */
    ngx_array_t                contacts;   /* of ngx_str_t, and how many */
    ngx_uint_t                 greeted;    /* have been looked at */
    ngx_str_t                  user;       /* JSON */

    unsigned                   known:1;    /* from is */
    unsigned                   own:1;      /* the pid is the client's own */
    unsigned                   database:1; /* the log is of no use */
    unsigned                   more:1;     /* rows than one page */
    unsigned                   paged:1;
    unsigned                   recovered:1;
    unsigned                   crowded:1;  /* it waits for another to go */
};


#endif /* _NGX_MENTARA_ATTACH_TYPES_H_INCLUDED_ */
