/*
 * What is of the moment, over all workers: who is there, who types, who has
 * left a conversation's page.  A table of fixed size in the shared zone; when
 * it is full, presence and typing are not told, nothing else suffers.
 *
 * An entry that counts sockets belongs to a slot, so what a dead worker
 * counted can be taken back.
 */

#ifndef _NGX_MENTARA_PRESENCE_H_INCLUDED_
#define _NGX_MENTARA_PRESENCE_H_INCLUDED_


#include <ngx_mentara.h>
#include <ngx_mentara_zone.h>


#define NGX_MENTARA_PRESENCE_ID  128    /* octets of a longer user id are
                                           not told */
#define NGX_MENTARA_TYPING_GAP   2000   /* ms between two that are relayed */


/* somebody, and where: a copy */
typedef struct {
    ngx_mentara_uuid_t       conversation;
    ngx_str_t                user;
    u_char                   id[NGX_MENTARA_PRESENCE_ID];
} ngx_mentara_somebody_t;


/*
 * One more socket of a user in this slot.  NGX_OK, NGX_BUSY: the table is
 * full.
 */
ngx_int_t ngx_mentara_presence_enter(ngx_mentara_zone_t *zone,
    ngx_uint_t slot, ngx_str_t *user);

/*
 * NGX_OK: tell now that he is here; NGX_DECLINED: that was told, and he was
 * never gone for longer than the grace period since.
 */
ngx_int_t ngx_mentara_presence_tell(ngx_mentara_zone_t *zone,
    ngx_str_t *user);

/* one less; now: monotonic ms */
void ngx_mentara_presence_leave(ngx_mentara_zone_t *zone, ngx_uint_t slot,
    ngx_str_t *user, uint64_t now);

/* sockets of a user */
ngx_uint_t ngx_mentara_presence_count(ngx_mentara_zone_t *zone,
    ngx_str_t *user);

/* there, as was told, or gone for less than the grace period */
ngx_uint_t ngx_mentara_presence_online(ngx_mentara_zone_t *zone,
    ngx_str_t *user);

/*
 * Takes one user out whose last socket has gone grace ms ago, and who was
 * told to be there: who takes him out tells it.  NGX_OK or NGX_DONE.
 */
ngx_int_t ngx_mentara_presence_expire(ngx_mentara_zone_t *zone, uint64_t now,
    ngx_msec_t grace, ngx_mentara_somebody_t *who);

/* what a dead worker counted; with the zone's lock held.  now: uint64_t * */
void ngx_mentara_presence_reap(ngx_mentara_zone_t *zone, ngx_uint_t slot,
    void *now);

/*
 * Somebody types until `until`.  NGX_OK: relay it; NGX_DECLINED: it was
 * relayed a moment ago; NGX_BUSY: the table is full.
 */
ngx_int_t ngx_mentara_typing_begin(ngx_mentara_zone_t *zone, ngx_str_t *user,
    ngx_mentara_uuid_t *conversation, uint64_t now, uint64_t until);

/* NGX_OK: he typed, relay the end; NGX_DECLINED: he did not */
ngx_int_t ngx_mentara_typing_end(ngx_mentara_zone_t *zone, ngx_str_t *user,
    ngx_mentara_uuid_t *conversation);

/* takes one out whose time is over; NGX_OK or NGX_DONE */
ngx_int_t ngx_mentara_typing_expire(ngx_mentara_zone_t *zone, uint64_t now,
    ngx_mentara_somebody_t *who);

/* takes one of a user's out, whatever its time; NGX_OK or NGX_DONE */
ngx_int_t ngx_mentara_typing_stop(ngx_mentara_zone_t *zone, ngx_str_t *user,
    ngx_mentara_somebody_t *who);

/*
 * That a user has joined a conversation was told: NGX_OK: now for the first
 * time; NGX_DECLINED: before; NGX_BUSY: full.
 */
ngx_int_t ngx_mentara_joined_tell(ngx_mentara_zone_t *zone, ngx_str_t *user,
    ngx_mentara_uuid_t *conversation);

/*
 * A socket of the slot has left a conversation (1) or is joined again (-1).
 * Returns how many sockets of the user are still joined; with none it may be
 * told again that he joins.
 */
ngx_uint_t ngx_mentara_joined_change(ngx_mentara_zone_t *zone,
    ngx_uint_t slot, ngx_str_t *user, ngx_mentara_uuid_t *conversation,
    ngx_int_t change);


#endif /* _NGX_MENTARA_PRESENCE_H_INCLUDED_ */
