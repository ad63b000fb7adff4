/*
 * What the parts of the pollbox share: entering a box and telling its
 * workers.
 */

#ifndef _NGX_MENTARA_POLLBOX_PART_H_INCLUDED_
#define _NGX_MENTARA_POLLBOX_PART_H_INCLUDED_


#include <ngx_mentara_pollbox.h>


/* locks; NULL: there is no such box, and it is unlocked again */
ngx_mentara_box_t *ngx_mentara_box_enter(ngx_mentara_pollbox_t *pb,
    ngx_mentara_box_ref_t *ref);

/* unlocks, then wakes who was told */
void ngx_mentara_pollbox_unlock(ngx_mentara_pollbox_t *pb);

/* puts it into the chain of its worker in that role, which is woken */
void ngx_mentara_box_tell(ngx_mentara_pollbox_t *pb, ngx_mentara_box_t *box,
    ngx_uint_t role);


#endif /* _NGX_MENTARA_POLLBOX_PART_H_INCLUDED_ */
