
#include <ngx_mentara_auth.h>
#include <ngx_mentara_claims.h>
#include <ngx_mentara_key.h>
#include <ngx_mentara_token_cache.h>
#include <mentara_jws.h>
#include <openssl/sha.h>


#define NGX_MENTARA_SECRET_MIN  32    /* octets */
#define NGX_MENTARA_FILE_MAX    262144
#define NGX_MENTARA_JWKS_WAIT   10    /* s between two fetches */


struct ngx_mentara_auth_s {
    ngx_array_t                 keys;     /* of ngx_mentara_key_t */
    ngx_array_t                 require;  /* of ngx_mentara_require_t */
    time_t                      leeway;

    ngx_str_t                   uri;      /* of a JWKS to fetch */
    ngx_str_t                   file;     /* of a JWKS to read */
    time_t                      refresh;

    /* of one worker: changes while it runs */
    ngx_mentara_keys_t         *jwks;
    time_t                      fetched;  /* when the set was loaded */
    time_t                      next;     /* no fetch before */
    time_t                      mtime;    /* of the file */
    ngx_uint_t                  generation;
    ngx_mentara_token_cache_t  *cache;
    uint32_t                    named;       /* hash of the kid wanted last */
    uint32_t                    missed;      /* fetched for, and not there */
    unsigned                    running:1;   /* a fetch */
    unsigned                    failed:1;    /* the last one */
    unsigned                    wanted:1;    /* a key that is not there */
};


static void ngx_mentara_auth_cleanup(void *data);
static char *ngx_mentara_auth_file(ngx_conf_t *cf, ngx_str_t *name,
    ngx_str_t *content);
static ngx_int_t ngx_mentara_auth_read(ngx_str_t *name, ngx_pool_t *pool,
    ngx_log_t *log, ngx_str_t *content, time_t *mtime);
static void ngx_mentara_auth_reread(ngx_mentara_auth_t *a, time_t now,
    ngx_pool_t *pool, ngx_log_t *log);
static ngx_uint_t ngx_mentara_auth_stale(ngx_mentara_auth_t *a, time_t now);
static time_t ngx_mentara_auth_wait(ngx_mentara_auth_t *a);
static ngx_int_t ngx_mentara_auth_verify(ngx_mentara_auth_t *a,
    ngx_str_t *token, time_t now, ngx_pool_t *pool, ngx_log_t *log,
    ngx_mentara_token_t *entry);
static json_t *ngx_mentara_auth_part(mentara_slice_t part, ngx_pool_t *pool);
static ngx_int_t ngx_mentara_auth_signature(ngx_mentara_auth_t *a,
    mentara_jws_t *jws, json_t *header, time_t now, ngx_pool_t *pool);
static ngx_int_t ngx_mentara_auth_try(ngx_mentara_key_t *keys, ngx_uint_t n,
    ngx_uint_t alg, ngx_str_t *kid, mentara_jws_t *jws, u_char *sig,
    size_t sig_len);


ngx_mentara_auth_t *
ngx_mentara_auth_create(ngx_conf_t *cf)
{
    ngx_mentara_auth_t  *a;
    ngx_pool_cleanup_t  *cln;

    a = ngx_pcalloc(cf->pool, sizeof(ngx_mentara_auth_t));
    if (a == NULL) {
        return NULL;
    }

    if (ngx_array_init(&a->keys, cf->pool, 2, sizeof(ngx_mentara_key_t))
        != NGX_OK
        || ngx_array_init(&a->require, cf->pool, 2,
                          sizeof(ngx_mentara_require_t))
           != NGX_OK)
    {
        return NULL;
    }

    cln = ngx_pool_cleanup_add(cf->pool, 0);
    if (cln == NULL) {
        return NULL;
    }

    cln->handler = ngx_mentara_auth_cleanup;
    cln->data = a;

    a->leeway = 5;
    a->generation = 1;

    return a;
}


static void
ngx_mentara_auth_cleanup(void *data)
{
    ngx_mentara_auth_t *a = data;

    ngx_uint_t          i;
    ngx_mentara_key_t  *key;

    key = a->keys.elts;

    for (i = 0; i < a->keys.nelts; i++) {
        EVP_PKEY_free(key[i].pkey);
    }

    ngx_mentara_keys_free(a->jwks);
}


ngx_uint_t
ngx_mentara_auth_has_keys(ngx_mentara_auth_t *a)
{
    return a->keys.nelts != 0 || a->uri.len != 0 || a->file.len != 0;
}


void
ngx_mentara_auth_set_leeway(ngx_mentara_auth_t *a, time_t leeway)
{
    a->leeway = leeway;
}


ngx_str_t *
ngx_mentara_auth_jwks_uri(ngx_mentara_auth_t *a)
{
    return &a->uri;
}


char *
ngx_mentara_auth_add_key(ngx_conf_t *cf, ngx_mentara_auth_t *a,
    ngx_str_t *alg, ngx_str_t *file, ngx_str_t *kid)
{
    ngx_str_t           pem;
    ngx_uint_t          id;
    const char         *fault;
    ngx_mentara_key_t  *key;

    id = ngx_mentara_alg(alg->data, alg->len);

    if (id == NGX_MENTARA_ALG_NONE || ngx_mentara_alg_family(id) == 'H') {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid algorithm \"%V\" in \"mentara_jwt_key\","
                           " it must be RS256, RS384, RS512, ES256 or ES384",
                           alg);
        return NGX_CONF_ERROR;
    }

    if (ngx_mentara_auth_file(cf, file, &pem) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    key = ngx_array_push(&a->keys);
    if (key == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(key, sizeof(ngx_mentara_key_t));

    key->alg = id;
    key->kid = *kid;

    fault = ngx_mentara_key_pem(key, &pem);

    if (fault != NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "key file \"%V\" in \"mentara_jwt_key\" %s",
                           file, fault);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


char *
ngx_mentara_auth_add_secret(ngx_conf_t *cf, ngx_mentara_auth_t *a,
    ngx_str_t *alg, ngx_str_t *file)
{
    ngx_str_t           secret;
    ngx_uint_t          id;
    ngx_mentara_key_t  *key;

    id = ngx_mentara_alg(alg->data, alg->len);

    if (id == NGX_MENTARA_ALG_NONE || ngx_mentara_alg_family(id) != 'H') {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid algorithm \"%V\" in "
                           "\"mentara_jwt_secret\", it must be HS256, HS384 "
                           "or HS512", alg);
        return NGX_CONF_ERROR;
    }

    if (ngx_mentara_auth_file(cf, file, &secret) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    /* an editor ends the file with a line feed that is not meant */

    while (secret.len > 0 && (secret.data[secret.len - 1] == LF
                              || secret.data[secret.len - 1] == CR))
    {
        secret.len--;
    }

    if (secret.len < NGX_MENTARA_SECRET_MIN) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "secret file \"%V\" in \"mentara_jwt_secret\" "
                           "holds less than %d octets", file,
                           NGX_MENTARA_SECRET_MIN);
        return NGX_CONF_ERROR;
    }

    if (ngx_strnstr(secret.data, "-----BEGIN", secret.len) != NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "secret file \"%V\" in \"mentara_jwt_secret\" is "
                           "a PEM file", file);
        return NGX_CONF_ERROR;
    }

    key = ngx_array_push(&a->keys);
    if (key == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(key, sizeof(ngx_mentara_key_t));

    key->alg = id;
    key->secret = secret;

    return NGX_CONF_OK;
}


char *
ngx_mentara_auth_set_jwks(ngx_conf_t *cf, ngx_mentara_auth_t *a,
    ngx_str_t *uri, time_t refresh)
{
    time_t           mtime;
    ngx_str_t        name, doc;
    ngx_file_info_t  fi;

    if (a->uri.len != 0 || a->file.len != 0) {
        return "is duplicate";
    }

    a->refresh = refresh;
    name = *uri;

    if (uri->data[0] == '/'
        && (ngx_file_info(uri->data, &fi) == NGX_FILE_ERROR
            || !ngx_is_file(&fi)))
    {
        a->uri = *uri;
        return NGX_CONF_OK;
    }

    if (ngx_conf_full_name(cf->cycle, &name, 1) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    if (ngx_mentara_auth_read(&name, cf->pool, cf->log, &doc, &mtime)
        != NGX_OK)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           "JWKS file \"%V\" in \"mentara_jwt_jwks\" cannot "
                           "be read", &name);
        return NGX_CONF_ERROR;
    }

    a->jwks = ngx_mentara_keys_parse(&doc, cf->log);

    if (a->jwks == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "JWKS file \"%V\" in \"mentara_jwt_jwks\" holds "
                           "no usable key", &name);
        return NGX_CONF_ERROR;
    }

    a->file = name;
    a->mtime = mtime;

    return NGX_CONF_OK;
}


char *
ngx_mentara_auth_require(ngx_conf_t *cf, ngx_mentara_auth_t *a,
    ngx_str_t *name, ngx_str_t *value)
{
    ngx_mentara_require_t  *r;

    if (value->len == 0
        || name->len != 3
        || (ngx_memcmp(name->data, "iss", 3) != 0
            && ngx_memcmp(name->data, "aud", 3) != 0
            && ngx_memcmp(name->data, "azp", 3) != 0))
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid parameter \"%V=%V\" in "
                           "\"mentara_jwt_require\", it must be iss=, aud= "
                           "or azp= with a value", name, value);
        return NGX_CONF_ERROR;
    }

    r = ngx_array_push(&a->require);
    if (r == NULL) {
        return NGX_CONF_ERROR;
    }

    r->name = *name;
    r->value = *value;

    return NGX_CONF_OK;
}


static char *
ngx_mentara_auth_file(ngx_conf_t *cf, ngx_str_t *name, ngx_str_t *content)
{
    time_t      mtime;
    ngx_str_t  *directive;

    if (ngx_conf_full_name(cf->cycle, name, 1) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    if (ngx_mentara_auth_read(name, cf->pool, cf->log, content, &mtime)
        == NGX_OK)
    {
        return NGX_CONF_OK;
    }

    directive = cf->args->elts;

    ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                       "key file \"%V\" in \"%V\" cannot be read", name,
                       directive);

    return NGX_CONF_ERROR;
}


/* small local files only; the content is NUL-terminated too */

static ngx_int_t
ngx_mentara_auth_read(ngx_str_t *name, ngx_pool_t *pool, ngx_log_t *log,
    ngx_str_t *content, time_t *mtime)
{
    ssize_t          n;
    ngx_fd_t         fd;
    ngx_int_t        rc;
    ngx_file_info_t  fi;

    fd = ngx_open_file(name->data, NGX_FILE_RDONLY, NGX_FILE_OPEN, 0);
    if (fd == NGX_INVALID_FILE) {
        return NGX_ERROR;
    }

    rc = NGX_ERROR;

    if (ngx_fd_info(fd, &fi) != NGX_FILE_ERROR
        && ngx_file_size(&fi) > 0
        && ngx_file_size(&fi) <= NGX_MENTARA_FILE_MAX)
    {
        *mtime = ngx_file_mtime(&fi);

        /* it may change again within its second: it is read once more */

        if (*mtime >= ngx_time() - 1) {
            *mtime = 0;
        }
        content->len = (size_t) ngx_file_size(&fi);
        content->data = ngx_pnalloc(pool, content->len + 1);

        if (content->data != NULL) {
            n = ngx_read_fd(fd, content->data, content->len);

            if (n == (ssize_t) content->len) {
                content->data[n] = '\0';
                rc = NGX_OK;
            }
        }
    }

    if (ngx_close_file(fd) == NGX_FILE_ERROR) {
        ngx_log_error(NGX_LOG_ALERT, log, ngx_errno,
                      ngx_close_file_n " \"%V\" failed", name);
    }

    return rc;
}


/* a JWKS file that has changed; at most one look per refresh */

static void
ngx_mentara_auth_reread(ngx_mentara_auth_t *a, time_t now, ngx_pool_t *pool,
    ngx_log_t *log)
{
    time_t           mtime;
    ngx_str_t        doc;
    ngx_file_info_t  fi;

    if (a->file.len == 0 || now < a->next) {
        return;
    }

    a->next = now + a->refresh;

    if (ngx_file_info(a->file.data, &fi) == NGX_FILE_ERROR
        || ngx_file_mtime(&fi) == a->mtime
        || ngx_mentara_auth_read(&a->file, pool, log, &doc, &mtime) != NGX_OK)
    {
        return;
    }

    if (ngx_mentara_auth_jwks(a, &doc, now, log) == NGX_OK) {
        a->mtime = mtime;
    }
}


ngx_int_t
ngx_mentara_auth_check(ngx_mentara_auth_t *a, ngx_str_t *token, time_t now,
    ngx_pool_t *pool, ngx_log_t *log, ngx_mentara_claims_t *claims)
{
    u_char                digest[SHA256_DIGEST_LENGTH];
    ngx_int_t             rc;
    ngx_mentara_token_t  *entry, fresh;

    if (token->len == 0 || token->len > NGX_MENTARA_TOKEN_MAX) {
        return NGX_MENTARA_TOKEN_INVALID;
    }

    ngx_mentara_auth_reread(a, now, pool, log);

    if (ngx_mentara_auth_stale(a, now)) {
        return NGX_AGAIN;
    }

    if (a->cache == NULL) {
        a->cache = ngx_mentara_token_cache_create(log);
        if (a->cache == NULL) {
            return NGX_ERROR;
        }
    }

    SHA256(token->data, token->len, digest);
    entry = ngx_mentara_token_cache_get(a->cache, digest, a->generation);

    if (entry == NULL) {
        ngx_memzero(&fresh, sizeof(ngx_mentara_token_t));

        rc = ngx_mentara_auth_verify(a, token, now, pool, log, &fresh);
        if (rc != NGX_OK) {
            return rc;
        }

        ngx_memcpy(fresh.digest, digest, sizeof(digest));
        fresh.generation = a->generation;
        ngx_mentara_token_cache_put(a->cache, &fresh, log);
        entry = &fresh;
    }

    claims->sub.len = entry->sub.len;
    claims->sub.data = ngx_pstrdup(pool, &entry->sub);
    claims->sid.len = entry->sid.len;
    claims->sid.data = ngx_pstrdup(pool, &entry->sid);
    claims->exp = entry->exp;
    claims->iat = entry->iat;

    if (claims->sub.data == NULL || claims->sid.data == NULL) {
        return NGX_ERROR;
    }

    if (entry->nbf > now + a->leeway) {
        return NGX_MENTARA_TOKEN_INVALID;
    }

    return (entry->exp + a->leeway <= now) ? NGX_MENTARA_TOKEN_EXPIRED
                                           : NGX_OK;
}


/*
 * Whether keys that were fetched are too old to be used.  While a fetch runs,
 * and for a while after one that failed, they have to do.
 */

static ngx_uint_t
ngx_mentara_auth_stale(ngx_mentara_auth_t *a, time_t now)
{
    if (a->uri.len == 0 || a->jwks == NULL || a->running || now < a->next
        || now - a->fetched < a->refresh)
    {
        return 0;
    }

    return !a->failed || now - a->next >= a->refresh;
}


/* from one fetch to the next, in s; short refreshes leave room for one ahead */

static time_t
ngx_mentara_auth_wait(ngx_mentara_auth_t *a)
{
    return ngx_min((a->refresh + 1) / 2, NGX_MENTARA_JWKS_WAIT);
}


/* all but the clock */

static ngx_int_t
ngx_mentara_auth_verify(ngx_mentara_auth_t *a, ngx_str_t *token, time_t now,
    ngx_pool_t *pool, ngx_log_t *log, ngx_mentara_token_t *entry)
{
    json_t           *json;
    ngx_int_t         rc;
    mentara_jws_t     jws;
    mentara_slice_t   text;

    text.data = token->data;
    text.len = token->len;

    if (mentara_jws_split(text, &jws) != MENTARA_OK) {
        return NGX_MENTARA_TOKEN_INVALID;
    }

    json = ngx_mentara_auth_part(jws.header, pool);
    rc = ngx_mentara_auth_signature(a, &jws, json, now, pool);
    json_decref(json);

    if (rc != NGX_OK) {
        return rc;
    }

    json = ngx_mentara_auth_part(jws.payload, pool);
    rc = ngx_mentara_claims(&a->require, json, pool, entry);
    json_decref(json);

    return rc;
}


/* an object of a token, or NULL */

static json_t *
ngx_mentara_auth_part(mentara_slice_t part, ngx_pool_t *pool)
{
    long     n;
    u_char  *p;
    json_t  *json;

    p = ngx_pnalloc(pool, mentara_base64url_size(part.len));
    if (p == NULL) {
        return NULL;
    }

    n = mentara_base64url_decode(p, part);
    if (n <= 0) {
        return NULL;
    }

    json = json_loadb((char *) p, (size_t) n, JSON_REJECT_DUPLICATES, NULL);

    if (!json_is_object(json)) {
        json_decref(json);
        return NULL;
    }

    return json;
}


/*
 * The algorithm and the key are looked up in the configuration before
 * anything is verified; nothing in the token can add one.
 */

static ngx_int_t
ngx_mentara_auth_signature(ngx_mentara_auth_t *a, mentara_jws_t *jws,
    json_t *header, time_t now, ngx_pool_t *pool)
{
    long         n;
    u_char      *sig;
    json_t      *kid_value;
    ngx_str_t    kid;
    ngx_int_t    rc;
    ngx_uint_t   alg;
    const char  *name;

    name = json_string_value(json_object_get(header, "alg"));
    kid_value = json_object_get(header, "kid");

    if (name == NULL || json_object_get(header, "crit") != NULL
        || (kid_value != NULL && !json_is_string(kid_value)))
    {
        return NGX_MENTARA_TOKEN_INVALID;
    }

    alg = ngx_mentara_alg((u_char *) name, ngx_strlen(name));
    if (alg == NGX_MENTARA_ALG_NONE) {
        return NGX_MENTARA_TOKEN_INVALID;
    }

    kid.data = (u_char *) json_string_value(kid_value);
    kid.len = json_string_length(kid_value);

    sig = ngx_pnalloc(pool, mentara_base64url_size(jws->signature.len));
    if (sig == NULL) {
        return NGX_ERROR;
    }

    n = mentara_base64url_decode(sig, jws->signature);
    if (n <= 0) {
        return NGX_MENTARA_TOKEN_INVALID;
    }

    rc = ngx_mentara_auth_try(a->keys.elts, a->keys.nelts, alg, &kid, jws,
                              sig, (size_t) n);

    if (rc == NGX_OK || rc == NGX_ERROR) {
        return rc;
    }

    if (a->jwks != NULL) {
        rc = ngx_mentara_auth_try(a->jwks->keys, a->jwks->n, alg, &kid, jws,
                                  sig, (size_t) n);

    } else if (a->uri.len != 0) {
        rc = NGX_DECLINED;
    }

    if (rc == NGX_OK || rc == NGX_ERROR) {
        return rc;
    }

    /* a key of the algorithm was there, or no set could bring one */

    if (rc == NGX_ABORT || a->uri.len == 0
        || ngx_mentara_alg_family(alg) == 'H')
    {
        return NGX_MENTARA_TOKEN_INVALID;
    }

    a->wanted = 1;
    a->named = ngx_crc32_long(kid.data, kid.len);

    if (a->running || now >= a->next) {
        return NGX_AGAIN;
    }

    if (a->jwks == NULL || a->failed) {
        return NGX_MENTARA_KEYS_MISSING;
    }

    return (a->named == a->missed) ? NGX_MENTARA_TOKEN_INVALID
                                   : NGX_MENTARA_KEY_UNKNOWN;
}


/*
 * NGX_OK: a key fits; NGX_ABORT: keys were asked, none fits; NGX_DECLINED:
 * there is no key of that algorithm and name
 */

static ngx_int_t
ngx_mentara_auth_try(ngx_mentara_key_t *keys, ngx_uint_t n, ngx_uint_t alg,
    ngx_str_t *kid, mentara_jws_t *jws, u_char *sig, size_t sig_len)
{
    ngx_int_t   rc, result;
    ngx_uint_t  i;

    result = NGX_DECLINED;

    for (i = 0; i < n; i++) {
        if (keys[i].alg != alg
            || (kid->len != 0 && keys[i].kid.len != 0
                && (kid->len != keys[i].kid.len
                    || ngx_memcmp(kid->data, keys[i].kid.data, kid->len)
                       != 0)))
        {
            continue;
        }

        rc = ngx_mentara_key_verify(&keys[i], jws->input.data,
                                    jws->input.len, sig, sig_len);

        if (rc != NGX_DECLINED) {
            return rc;
        }

        result = NGX_ABORT;
    }

    return result;
}


ngx_uint_t
ngx_mentara_auth_jwks_due(ngx_mentara_auth_t *a, time_t now)
{
    return a->uri.len != 0
           && (a->jwks == NULL || a->wanted || ngx_mentara_auth_stale(a, now));
}


ngx_uint_t
ngx_mentara_auth_usable(ngx_mentara_auth_t *a)
{
    return a->keys.nelts != 0 || a->jwks != NULL;
}


ngx_uint_t
ngx_mentara_auth_jwks_begin(ngx_mentara_auth_t *a, time_t now,
    ngx_uint_t ahead)
{
    if (a->uri.len == 0 || a->running || now < a->next) {
        return 0;
    }

    if (ahead && a->jwks != NULL && !a->wanted
        && now - a->fetched < a->refresh - a->refresh / 5)
    {
        return 0;
    }

    a->running = 1;
    a->next = now + ngx_mentara_auth_wait(a);

    return 1;
}


ngx_int_t
ngx_mentara_auth_jwks(ngx_mentara_auth_t *a, ngx_str_t *doc, time_t now,
    ngx_log_t *log)
{
    ngx_mentara_keys_t  *keys;

    keys = (doc == NULL) ? NULL : ngx_mentara_keys_parse(doc, log);

    if (a->running) {
        a->missed = a->wanted ? a->named : 0;
        a->running = 0;
        a->wanted = 0;
        a->failed = (keys == NULL);
        a->next = now + ngx_mentara_auth_wait(a);
    }

    if (keys == NULL) {
        ngx_log_error(NGX_LOG_ERR, log, 0,
                      "mentara: no JWKS could be loaded%s",
                      (a->jwks == NULL) ? "" : ", the old keys stay");
        return NGX_ERROR;
    }

    /* a new generation empties the cache */

    if (a->jwks != NULL && !ngx_mentara_keys_within(a->jwks, keys)) {
        a->generation++;
    }

    ngx_mentara_keys_free(a->jwks);

    a->jwks = keys;
    a->fetched = now;

    return NGX_OK;
}
