/*
 * What one worker has of the live part: its sessions, the rooms and users
 * they belong to, its place in the log, its sweep (docs/architecture.md,
 * "Life of an event").
 */

#ifndef _NGX_MENTARA_LIVE_H_INCLUDED_
#define _NGX_MENTARA_LIVE_H_INCLUDED_


#include <ngx_mentara_live_types.h>


/*
 * The eventfds of all slots, made once in the master, for as long as it
 * lives, so that every worker has every one of them.  NULL: no memory.
 */
int *ngx_mentara_live_fds(ngx_log_t *log);

/* init_process; NULL: out of memory, logged */
ngx_mentara_live_t *ngx_mentara_live_create(ngx_cycle_t *cycle,
    ngx_mentara_live_conf_t *conf, ngx_mentara_zone_t *zone,
    ngx_mentara_pg_t *pg, int *fds);

/*
 * Whether a session could start now.  NGX_AGAIN: the database is away; of a
 * worker that is new that is not said, a session waits for it.
 */
ngx_int_t ngx_mentara_live_ready(ngx_mentara_live_t *live);

/* exit_process */
void ngx_mentara_live_close(ngx_mentara_live_t *live);


#endif /* _NGX_MENTARA_LIVE_H_INCLUDED_ */
