/*
 * The vocabulary of the codecs: plain C, no nginx, no libpq, no sockets, no
 * clock, no log.
 */

#ifndef _MENTARA_H_INCLUDED_
#define _MENTARA_H_INCLUDED_


#include <stddef.h>
#include <stdint.h>
#include <string.h>


/*
 * Parsers take (pos, last) and return the number of octets consumed, or one
 * of these.
 */
#define MENTARA_OK     0
#define MENTARA_BAD   -1
#define MENTARA_MORE  -2


/* bytes that somebody else owns; the field order of ngx_str_t */
typedef struct {
    size_t          len;
    unsigned char  *data;
} mentara_slice_t;


#endif /* _MENTARA_H_INCLUDED_ */
