/*
 * Verification keys: each is pinned to one algorithm.
 */

#ifndef _NGX_MENTARA_KEY_H_INCLUDED_
#define _NGX_MENTARA_KEY_H_INCLUDED_


#include <ngx_mentara.h>
#include <jansson.h>
#include <openssl/evp.h>


#define NGX_MENTARA_KEYS_MAX    64        /* of one JWKS document */
#define NGX_MENTARA_JWKS_MAX    262144    /* octets of it */


typedef enum {
    NGX_MENTARA_ALG_NONE = 0,   /* not one that is supported */
    NGX_MENTARA_ALG_RS256,
    NGX_MENTARA_ALG_RS384,
    NGX_MENTARA_ALG_RS512,
    NGX_MENTARA_ALG_ES256,
    NGX_MENTARA_ALG_ES384,
    NGX_MENTARA_ALG_HS256,
    NGX_MENTARA_ALG_HS384,
    NGX_MENTARA_ALG_HS512
} ngx_mentara_alg_e;


typedef struct {
    ngx_uint_t    alg;
    ngx_str_t     kid;       /* empty: any */
    EVP_PKEY     *pkey;      /* RS and ES */
    ngx_str_t     secret;    /* HS */
} ngx_mentara_key_t;


/* a set that was read from a JWKS document; malloc'd */
typedef struct {
    ngx_uint_t         n;
    ngx_mentara_key_t  keys[NGX_MENTARA_KEYS_MAX];
} ngx_mentara_keys_t;


/* RFC 7518 3.1 name to ngx_mentara_alg_e */
ngx_uint_t ngx_mentara_alg(const u_char *name, size_t len);

/* whether the algorithm's family is RSA ('R'), EC ('E') or HMAC ('H') */
u_char ngx_mentara_alg_family(ngx_uint_t alg);

/*
 * A public key in PEM (also a certificate's).  NULL or an error text that
 * says why it does not fit the algorithm.
 */
const char *ngx_mentara_key_pem(ngx_mentara_key_t *key, ngx_str_t *pem);

/* parses a JWKS (RFC 7517 5); NULL: not one, or no usable key in it */
ngx_mentara_keys_t *ngx_mentara_keys_parse(ngx_str_t *doc, ngx_log_t *log);
void ngx_mentara_keys_free(ngx_mentara_keys_t *keys);

/* whether every key of a is in b, unchanged */
ngx_uint_t ngx_mentara_keys_within(ngx_mentara_keys_t *a,
    ngx_mentara_keys_t *b);

/* NGX_OK: the signature fits; NGX_DECLINED: it does not; NGX_ERROR */
ngx_int_t ngx_mentara_key_verify(ngx_mentara_key_t *key, u_char *input,
    size_t len, u_char *sig, size_t sig_len);


#endif /* _NGX_MENTARA_KEY_H_INCLUDED_ */
