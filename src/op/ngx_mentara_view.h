/*
 * Rows -> JSON: one writer per object of the REST contract, used for
 * answers, events and replay alike, so that they are equal to the byte.
 * Rows are those of messaging.item (docs/architecture.md, "SQL interface").
 */

#ifndef _NGX_MENTARA_VIEW_H_INCLUDED_
#define _NGX_MENTARA_VIEW_H_INCLUDED_


#include <ngx_mentara.h>
#include <ngx_mentara_pg.h>
#include <mentara_json.h>


/* a writer over one result; ngx_mentara_view_init() */
#define NGX_MENTARA_VIEW_PEOPLE  4    /* whose profiles are copied */


/* a User that was written: whose it is, and where it lies */
typedef struct {
    ngx_str_t          id;
    size_t             at;
    size_t             len;
} ngx_mentara_view_person_t;


typedef struct {
    PGresult          *res;
    int                nrows;
    ngx_pool_t        *pool;
    mentara_json_t     json;

    /* a page of 50 messages is written by few */
    ngx_uint_t         npeople;
    ngx_mentara_view_person_t  people[NGX_MENTARA_VIEW_PEOPLE];
} ngx_mentara_view_t;


/* what belongs to messages and comes in rows of its own */
typedef struct {
    int                reaction;       /* next `r` row */
    int                reaction_end;
    void              *marks;          /* the `k` rows, read once */
    ngx_uint_t         nmarks;
    int                delivered;      /* the `d` rows */
    int                delivered_end;
    unsigned           all:1;          /* receipts beyond the 20 earliest */
} ngx_mentara_extras_t;


/* NGX_ERROR: out of memory */
ngx_int_t ngx_mentara_view_init(ngx_mentara_view_t *v, PGresult *res,
    ngx_pool_t *pool, size_t size);

/* what was written since init or the last take; NGX_ERROR: out of memory */
ngx_int_t ngx_mentara_view_take(ngx_mentara_view_t *v, ngx_str_t *json);

/* the letter in column 0, or 0 beyond the last row */
u_char ngx_mentara_view_kind(ngx_mentara_view_t *v, int row);

ngx_uint_t ngx_mentara_view_flags(ngx_mentara_view_t *v, int row);

/*
 * Finds the `r`, `k` and `d` rows from row on; returns the row after them,
 * or -1 (out of memory).
 */
int ngx_mentara_view_extras(ngx_mentara_view_t *v, int row,
    ngx_mentara_extras_t *x);

/* User of columns 15 to 19 */
void ngx_mentara_view_user(ngx_mentara_view_t *v, int row);

/* Participant without its closing brace (events add a field), of a `p` row */
void ngx_mentara_view_participant(ngx_mentara_view_t *v, int row);

/* Reaction, of an `r` row */
void ngx_mentara_view_reaction(ngx_mentara_view_t *v, int row);

/* Message without its closing brace (a search hit adds fields) */
void ngx_mentara_view_message(ngx_mentara_view_t *v, int row,
    ngx_mentara_extras_t *x);

/*
 * Conversation without its closing brace, of a `c` row and the `p`, `m`, `r`,
 * `k`, `d` rows behind it; returns the row after them, or -1.
 */
int ngx_mentara_view_conversation(ngx_mentara_view_t *v, int row);

/* the closing brace */
void ngx_mentara_view_end(ngx_mentara_view_t *v);

/* `"key":` with its comma, then a value as the name says */
void ngx_mentara_view_str(ngx_mentara_view_t *v, const char *key, size_t len,
    int row, int col);
void ngx_mentara_view_time(ngx_mentara_view_t *v, const char *key, size_t len,
    int row, int col);
void ngx_mentara_view_uuid(ngx_mentara_view_t *v, const char *key, size_t len,
    int row, int col);
void ngx_mentara_view_int(ngx_mentara_view_t *v, const char *key, size_t len,
    int row, int col);
void ngx_mentara_view_bool(ngx_mentara_view_t *v, const char *key, size_t len,
    ngx_uint_t yes);

/* key is a literal that begins with "{" or "," : ",\"title\":" */
#define ngx_mentara_view_key(key)  (key), sizeof(key) - 1


#endif /* _NGX_MENTARA_VIEW_H_INCLUDED_ */
