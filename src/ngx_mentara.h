/*
 * The few types that all floors share.  No prototypes here: each room has
 * a header of its own.
 */

#ifndef _NGX_MENTARA_H_INCLUDED_
#define _NGX_MENTARA_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>


/* the migration number that this build of the module expects */
#define NGX_MENTARA_SCHEMA_VERSION  2

#define NGX_MENTARA_USER_MAX        255    /* code points of a user id */
#define NGX_MENTARA_BODY_MAX        262144 /* bytes of a REST body */


/* one id of a conversation, message, participant or reaction */
typedef struct {
    u_char                   data[16];
} ngx_mentara_uuid_t;


#endif /* _NGX_MENTARA_H_INCLUDED_ */
