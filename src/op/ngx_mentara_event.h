/*
 * `e` rows and what follows them -> durable events with their JSON bodies;
 * used for what an op has just committed, for a sweep and for replay.
 */

#ifndef _NGX_MENTARA_EVENT_H_INCLUDED_
#define _NGX_MENTARA_EVENT_H_INCLUDED_


#include <ngx_mentara.h>
#include <ngx_mentara_view.h>


/* a durable event; its bytes live in the pool given to the reader */
typedef struct {
    ngx_mentara_uuid_t  conversation;
    int64_t             id;           /* messaging.events.id */
    int64_t             event_seq;
    uint64_t            xid;
    int64_t             msg_seq;      /* 0: not about a message */
    ngx_str_t           name;         /* "new_message", ... */
    ngx_str_t           actor;
    ngx_str_t           action;       /* "join", "leave" or other */
    ngx_str_t           subjects;     /* joined by newline */
    ngx_str_t           hidden;       /* must not get it, likewise */
    ngx_str_t           only;         /* alone get it; empty: all members */
    unsigned            staff:1;      /* also to all connected staff */
    ngx_str_t           body;         /* JSON of `data` */
} ngx_mentara_event_t;


/*
 * Reads the event whose `e` row is at row; returns the row after its body,
 * or -1 (out of memory, or a row that does not fit).  answer: the `m` row
 * that an `e` row without a body refers to, -1 if there is none.
 */
int ngx_mentara_event_read(ngx_mentara_view_t *v, int row, int answer,
    ngx_mentara_event_t *ev);

/*
 * All events from row on, in order.  events: an array of
 * ngx_mentara_event_t.  NGX_ERROR as above.
 */
ngx_int_t ngx_mentara_event_read_all(ngx_mentara_view_t *v, int row,
    int answer, ngx_array_t *events);


#endif /* _NGX_MENTARA_EVENT_H_INCLUDED_ */
