/*
 * Token -> verified claims.  Keys pinned to one algorithm each; a bounded
 * cache of verified tokens per worker, keyed by the SHA-256 of the token and
 * the generation of the key set.  Nothing here reads nginx configuration or
 * a request: edge hands over the token's bytes.
 */

#ifndef _NGX_MENTARA_AUTH_H_INCLUDED_
#define _NGX_MENTARA_AUTH_H_INCLUDED_


#include <ngx_mentara.h>


#define NGX_MENTARA_TOKEN_MAX  16384   /* bytes; longer is token_invalid */


/* ngx_mentara_auth_check() answers NGX_OK, NGX_AGAIN, NGX_ERROR or these */
#define NGX_MENTARA_TOKEN_INVALID  1
#define NGX_MENTARA_TOKEN_EXPIRED  2
#define NGX_MENTARA_KEYS_MISSING   3   /* JWKS not loaded yet: 503 */
#define NGX_MENTARA_KEY_UNKNOWN    4   /* invalid, unless the key is new */


typedef struct ngx_mentara_auth_s  ngx_mentara_auth_t;


/* verified claims; the strings live in the pool given to the check */
typedef struct {
    ngx_str_t                sub;      /* 1..255 code points */
    ngx_str_t                sid;      /* empty: none */
    time_t                   exp;
    time_t                   iat;      /* 0: none */
} ngx_mentara_claims_t;


/*
 * Key configuration of one location, built by directives at nginx -t.
 * Each ..._add() returns NGX_CONF_OK or an error text that names the value.
 * Files are read at configuration time; a JWKS file is read again when its
 * mtime changed, at most once per refresh; a JWKS uri (starts with "/" and is
 * not a readable file) is fetched by edge with a subrequest.
 */
ngx_mentara_auth_t *ngx_mentara_auth_create(ngx_conf_t *cf);
char *ngx_mentara_auth_add_key(ngx_conf_t *cf, ngx_mentara_auth_t *a,
    ngx_str_t *alg, ngx_str_t *file, ngx_str_t *kid);
char *ngx_mentara_auth_add_secret(ngx_conf_t *cf, ngx_mentara_auth_t *a,
    ngx_str_t *alg, ngx_str_t *file);
char *ngx_mentara_auth_set_jwks(ngx_conf_t *cf, ngx_mentara_auth_t *a,
    ngx_str_t *uri, time_t refresh);
/* name is iss, aud or azp; several values of one name: any of them fits */
char *ngx_mentara_auth_require(ngx_conf_t *cf, ngx_mentara_auth_t *a,
    ngx_str_t *name, ngx_str_t *value);
void ngx_mentara_auth_set_leeway(ngx_mentara_auth_t *a, time_t leeway);

/* whether at least one key, secret or JWKS is configured */
ngx_uint_t ngx_mentara_auth_has_keys(ngx_mentara_auth_t *a);


/*
 * Verifies a compact JWS.  now: wall clock, seconds.
 *   NGX_OK                     claims are filled in
 *   NGX_MENTARA_TOKEN_INVALID  any other fault
 *   NGX_MENTARA_TOKEN_EXPIRED  all good but exp (claims are filled in: a
 *                              recovering socket may still use them)
 *   NGX_AGAIN                  JWKS uri: keys not loaded, older than refresh
 *                              or kid unknown, and a fetch runs or is allowed
 *                              now: fetch, ngx_mentara_auth_jwks(), ask again
 *   NGX_MENTARA_KEY_UNKNOWN    no key has that name in a set that was just
 *                              fetched, though not for this name: who cannot
 *                              ask again takes it as invalid
 *   NGX_MENTARA_KEYS_MISSING   no key fits, none could be loaded lately and
 *                              no fetch is allowed now
 *   NGX_ERROR                  out of memory
 */
ngx_int_t ngx_mentara_auth_check(ngx_mentara_auth_t *a, ngx_str_t *token,
    time_t now, ngx_pool_t *pool, ngx_log_t *log, ngx_mentara_claims_t *claims);

/* the internal location to fetch, or an empty string */
ngx_str_t *ngx_mentara_auth_jwks_uri(ngx_mentara_auth_t *a);

/*
 * Whether a fetch should come before any token: keys are missing, too old, or
 * lack what an earlier token named.
 */
ngx_uint_t ngx_mentara_auth_jwks_due(ngx_mentara_auth_t *a, time_t now);

/* whether there is any key that a token could be checked with now */
ngx_uint_t ngx_mentara_auth_usable(ngx_mentara_auth_t *a);

/*
 * Whether a fetch should start now: marks it as running until
 * ngx_mentara_auth_jwks(), so that one runs per interval and worker; 0: no.
 * ahead: only if keys are missing, wanted, or older than 4/5 of refresh.
 */
ngx_uint_t ngx_mentara_auth_jwks_begin(ngx_mentara_auth_t *a, time_t now,
    ngx_uint_t ahead);

/*
 * Installs a fetched JWKS document; NULL = the fetch failed.  The old keys
 * stay until the new set parses.  When a key leaves the set, or changes, the
 * generation rises and the cache is emptied.
 */
ngx_int_t ngx_mentara_auth_jwks(ngx_mentara_auth_t *a, ngx_str_t *doc,
    time_t now, ngx_log_t *log);


#endif /* _NGX_MENTARA_AUTH_H_INCLUDED_ */
