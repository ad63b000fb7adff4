/*
 * What a client brings back to recover: an offset names a position in the
 * order of events; a pid is that of a session's start, signed for its user.
 * Neither authorises anything.
 */

#ifndef _NGX_MENTARA_RECOVER_H_INCLUDED_
#define _NGX_MENTARA_RECOVER_H_INCLUDED_


#include <ngx_mentara.h>


#define NGX_MENTARA_OFFSET_LEN  96     /* most octets of an offset */
#define NGX_MENTARA_PID_LEN     192    /* of a pid */


/*
 * All events of transactions below floor came before it; within the epoch
 * of a host's log it is also an exact position (epoch 0: it is not).
 */
typedef struct {
    uint64_t           epoch;
    uint64_t           position;
    uint64_t           floor;
    time_t             time;           /* s, when it was made */
    uint32_t           tag;            /* of the database's log id */
} ngx_mentara_offset_t;


/* writes at most NGX_MENTARA_OFFSET_LEN octets; returns the end */
u_char *ngx_mentara_offset_write(u_char *p, ngx_mentara_offset_t *o);

/* NGX_OK or NGX_DECLINED: malformed */
ngx_int_t ngx_mentara_offset_read(ngx_str_t *s, ngx_mentara_offset_t *o);

/* the one that is further on; they are of one log */
ngx_mentara_offset_t *ngx_mentara_offset_later(ngx_mentara_offset_t *a,
    ngx_mentara_offset_t *b);

/*
 * Writes at most NGX_MENTARA_PID_LEN octets; returns the end, NULL if the
 * signature could not be made.  key: 32 octets; token: time of the last
 * valid token.
 */
u_char *ngx_mentara_pid_write(u_char *p, u_char *key, ngx_str_t *user,
    ngx_mentara_offset_t *start, time_t token);

/* NGX_OK, or NGX_DECLINED: malformed, or not of this user */
ngx_int_t ngx_mentara_pid_read(ngx_str_t *s, u_char *key, ngx_str_t *user,
    ngx_mentara_offset_t *start, time_t *token);


#endif /* _NGX_MENTARA_RECOVER_H_INCLUDED_ */
