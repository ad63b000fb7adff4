/*
 * A Postgres snapshot as text ("xmin:xmax:xip,...", pg_snapshot) with the
 * identity of the log that it belongs to.  Plain memory without pointers:
 * it lives in the shared zone.
 */

#ifndef _NGX_MENTARA_SNAPSHOT_H_INCLUDED_
#define _NGX_MENTARA_SNAPSHOT_H_INCLUDED_


#include <ngx_mentara.h>


#define NGX_MENTARA_SNAPSHOT_TEXT  4000   /* bytes */
#define NGX_MENTARA_LOG_ID         56     /* system identifier, timeline */


typedef struct {
    uint64_t                 xmin;     /* all below are finished */
    uint64_t                 xmax;     /* one past the highest finished */
    uint32_t                 cut;      /* xmax is not that, but xmin */
    uint32_t                 len;
    uint32_t                 id_len;
    u_char                   id[NGX_MENTARA_LOG_ID];
    u_char                   text[NGX_MENTARA_SNAPSHOT_TEXT];
} ngx_mentara_snapshot_t;


/*
 * A list of running transactions that does not fit is left out, and xmax
 * is taken back to xmin: the next sweep reads more, and nothing is lost.
 * NGX_ERROR: no snapshot.
 */
ngx_int_t ngx_mentara_snapshot_set(ngx_mentara_snapshot_t *s,
    ngx_str_t *text, ngx_str_t *id);

/* whether what a committed transaction wrote is seen by the snapshot */
ngx_uint_t ngx_mentara_snapshot_sees(ngx_mentara_snapshot_t *s,
    uint64_t xid);


#endif /* _NGX_MENTARA_SNAPSHOT_H_INCLUDED_ */
