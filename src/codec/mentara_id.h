/*
 * Ids: UUID text (RFC 9562) to 16 octets and back, UUID version 7.
 */

#ifndef _MENTARA_ID_H_INCLUDED_
#define _MENTARA_ID_H_INCLUDED_


#include <mentara.h>


#define MENTARA_ID_LEN   16
#define MENTARA_ID_TEXT  36


/*
 * 8-4-4-4-12 hexadecimal digits of any case, nothing before or behind.
 * MENTARA_OK or MENTARA_BAD.
 */
int mentara_id_parse(unsigned char *id, const unsigned char *text, size_t len);

/* writes MENTARA_ID_TEXT characters, lower case, no NUL */
void mentara_id_format(unsigned char *text, const unsigned char *id);

/* version 7 (RFC 9562 5.7): ms since 1970-01-01 UTC and 10 random octets */
void mentara_id_v7(unsigned char *id, uint64_t ms,
    const unsigned char *random);


#endif /* _MENTARA_ID_H_INCLUDED_ */
