/*
 * Base64 (RFC 4648, section 4) with padding, strict: one text for one value.
 */

#ifndef _MENTARA_BASE64_H_INCLUDED_
#define _MENTARA_BASE64_H_INCLUDED_


#include <mentara.h>


#define mentara_base64_len(len)  (((len) + 2) / 3 * 4)


/* writes mentara_base64_len(len) octets and returns their number */
size_t mentara_base64_encode(unsigned char *out, const unsigned char *data,
    size_t len);

/*
 * out may be in.data itself: the value is shorter.  Returns its length, or
 * MENTARA_BAD: another alphabet, missing or superfluous padding, bits that
 * are not zero behind the value, a length that is no multiple of four.
 */
intptr_t mentara_base64_decode(unsigned char *out, mentara_slice_t in);


#endif /* _MENTARA_BASE64_H_INCLUDED_ */
