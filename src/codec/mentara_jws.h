/*
 * A compact JWS (RFC 7515 3.1): its three parts, and base64url (RFC 4648 5).
 */

#ifndef _MENTARA_JWS_H_INCLUDED_
#define _MENTARA_JWS_H_INCLUDED_


#include <mentara.h>


typedef struct {
    mentara_slice_t  header;      /* still encoded */
    mentara_slice_t  payload;
    mentara_slice_t  signature;
    mentara_slice_t  input;       /* what is signed: header "." payload */
} mentara_jws_t;


/* MENTARA_OK, or MENTARA_BAD: not three parts that are not empty */
int mentara_jws_split(mentara_slice_t token, mentara_jws_t *jws);

/* octets that so many characters of base64url decode to, at most */
#define mentara_base64url_size(len)  ((len) / 4 * 3 + 3)

/*
 * Strict: no padding, no white space, no stray bits at the end.  Returns
 * the number of octets or MENTARA_BAD.
 */
long mentara_base64url_decode(unsigned char *out, mentara_slice_t in);


#endif /* _MENTARA_JWS_H_INCLUDED_ */
