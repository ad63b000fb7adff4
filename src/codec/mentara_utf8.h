/*
 * UTF-8 (RFC 3629), checked as it comes: a text may be cut anywhere, also
 * within a character.
 */

#ifndef _MENTARA_UTF8_H_INCLUDED_
#define _MENTARA_UTF8_H_INCLUDED_


#include <mentara.h>


typedef struct {
    unsigned char  need;    /* octets that the character still lacks */
    unsigned char  low;     /* bounds of the next one of them */
    unsigned char  high;
} mentara_utf8_t;


void mentara_utf8_init(mentara_utf8_t *u);

/*
 * Takes all octets or fails at the first one that cannot belong to a valid
 * text: overlong forms, surrogates and code points above U+10FFFF are seen
 * at their second octet.  MENTARA_OK or MENTARA_BAD.
 */
int mentara_utf8_update(mentara_utf8_t *u, const unsigned char *pos,
    const unsigned char *last);

/* MENTARA_OK: the text may end here; MENTARA_MORE: within a character */
int mentara_utf8_done(const mentara_utf8_t *u);

/* the number of code points, or MENTARA_BAD */
intptr_t mentara_utf8_length(const unsigned char *data, size_t len);


#endif /* _MENTARA_UTF8_H_INCLUDED_ */
