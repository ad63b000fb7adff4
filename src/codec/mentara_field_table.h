/*
 * What each endpoint takes: the declared fields of its body and query.
 */

#ifndef _MENTARA_FIELD_TABLE_H_INCLUDED_
#define _MENTARA_FIELD_TABLE_H_INCLUDED_


#include <mentara.h>


typedef enum {
    MENTARA_FIELD_STRING = 0,   /* min..max code points */
    MENTARA_FIELD_CONTENT,      /* 0..max_content; blank is judged later */
    MENTARA_FIELD_ENUM,         /* one of values */
    MENTARA_FIELD_UUID,
    MENTARA_FIELD_USER,         /* 1..255 code points, no control */
    MENTARA_FIELD_USERS,        /* array of min..max of them */
    MENTARA_FIELD_UUIDS,        /* array of min..max */
    MENTARA_FIELD_INTEGER,      /* min..max */
    MENTARA_FIELD_BOOLEAN,
    MENTARA_FIELD_EMOJI,
    MENTARA_FIELD_TIME          /* ISO 8601 */
} mentara_field_type_e;


#define MENTARA_FIELD_REQUIRED  1
#define MENTARA_FIELD_NULLABLE  2   /* null has a meaning of its own */
#define MENTARA_FIELD_SOLID     4   /* not blank */
#define MENTARA_FIELD_ONE_OF    8   /* at most one of these at a time */


typedef struct {
    const char              *name;     /* NULL ends a list */
    mentara_field_type_e     type;
    unsigned                 flags;
    int64_t                  min;
    int64_t                  max;
    const char              *values;   /* "A B C" of an enum */
} mentara_field_t;


/* the lists of an endpoint; an endpoint without fields has an empty one */
const mentara_field_t *mentara_body_fields(int endpoint);
const mentara_field_t *mentara_query_fields(int endpoint);


#endif /* _MENTARA_FIELD_TABLE_H_INCLUDED_ */
