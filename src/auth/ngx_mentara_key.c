
#include <ngx_mentara_key.h>
#include <mentara_jws.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/hmac.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/x509.h>


#define NGX_MENTARA_RSA_BITS  2048


static const EVP_MD *ngx_mentara_alg_digest(ngx_uint_t alg);
static EVP_PKEY *ngx_mentara_pem_read(ngx_str_t *pem);
static const char *ngx_mentara_key_fits(ngx_mentara_key_t *key);
static ngx_int_t ngx_mentara_jwk_parse(json_t *jwk, ngx_mentara_key_t *key);
static EVP_PKEY *ngx_mentara_jwk_rsa(json_t *jwk);
static EVP_PKEY *ngx_mentara_jwk_ec(json_t *jwk, ngx_uint_t *alg);
static EVP_PKEY *ngx_mentara_jwk_make(const char *type,
    OSSL_PARAM_BLD *build);
static BIGNUM *ngx_mentara_jwk_number(json_t *jwk, const char *name);
static long ngx_mentara_jwk_octets(json_t *jwk, const char *name,
    u_char *out, size_t size);
static ngx_int_t ngx_mentara_verify_hmac(ngx_mentara_key_t *key,
    u_char *input, size_t len, u_char *sig, size_t sig_len);
static u_char *ngx_mentara_ecdsa_der(ngx_uint_t alg, u_char *sig,
    size_t sig_len, size_t *der_len);


ngx_uint_t
ngx_mentara_alg(const u_char *name, size_t len)
{
    ngx_uint_t          i;
    static const char  *names[] = { "RS256", "RS384", "RS512", "ES256",
                                    "ES384", "HS256", "HS384", "HS512" };

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (len == 5 && ngx_memcmp(names[i], name, 5) == 0) {
            return i + NGX_MENTARA_ALG_RS256;
        }
    }

    return NGX_MENTARA_ALG_NONE;
}


u_char
ngx_mentara_alg_family(ngx_uint_t alg)
{
    switch (alg) {

    case NGX_MENTARA_ALG_RS256:
    case NGX_MENTARA_ALG_RS384:
    case NGX_MENTARA_ALG_RS512:
        return 'R';

    case NGX_MENTARA_ALG_ES256:
    case NGX_MENTARA_ALG_ES384:
        return 'E';

    default:
        return 'H';
    }
}


static const EVP_MD *
ngx_mentara_alg_digest(ngx_uint_t alg)
{
    switch (alg) {

    case NGX_MENTARA_ALG_RS384:
    case NGX_MENTARA_ALG_ES384:
    case NGX_MENTARA_ALG_HS384:
        return EVP_sha384();

    case NGX_MENTARA_ALG_RS512:
    case NGX_MENTARA_ALG_HS512:
        return EVP_sha512();

    default:
        return EVP_sha256();
    }
}


const char *
ngx_mentara_key_pem(ngx_mentara_key_t *key, ngx_str_t *pem)
{
    const char  *fault;

    if (ngx_strlcasestrn(pem->data, pem->data + pem->len,
                         (u_char *) "PRIVATE KEY", 11 - 1)
        != NULL)
    {
        return "is a private key; the public one belongs here";
    }

    key->pkey = ngx_mentara_pem_read(pem);

    if (key->pkey == NULL) {
        return "is not a public key or certificate in PEM";
    }

    fault = ngx_mentara_key_fits(key);

    if (fault != NULL) {
        EVP_PKEY_free(key->pkey);
        key->pkey = NULL;
    }

    return fault;
}


static EVP_PKEY *
ngx_mentara_pem_read(ngx_str_t *pem)
{
    BIO       *bio;
    X509      *cert;
    EVP_PKEY  *pkey;

    bio = BIO_new_mem_buf(pem->data, (int) pem->len);
    if (bio == NULL) {
        return NULL;
    }

    pkey = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);

    if (pkey == NULL) {
        (void) BIO_reset(bio);
        cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);

        if (cert != NULL) {
            pkey = X509_get_pubkey(cert);
            X509_free(cert);
        }
    }

    BIO_free(bio);
    ERR_clear_error();

    return pkey;
}


static const char *
ngx_mentara_key_fits(ngx_mentara_key_t *key)
{
    char    group[32];
    size_t  len;

    if (ngx_mentara_alg_family(key->alg) == 'R') {
        if (EVP_PKEY_base_id(key->pkey) != EVP_PKEY_RSA) {
            return "is not an RSA key";
        }

        if (EVP_PKEY_bits(key->pkey) < NGX_MENTARA_RSA_BITS) {
            return "has less than 2048 bits";
        }

        return NULL;
    }

    if (EVP_PKEY_base_id(key->pkey) != EVP_PKEY_EC
        || EVP_PKEY_get_group_name(key->pkey, group, sizeof(group), &len)
           != 1)
    {
        return "is not an EC key";
    }

    if (key->alg == NGX_MENTARA_ALG_ES256
        && ngx_strcmp(group, "prime256v1") != 0
        && ngx_strcmp(group, "P-256") != 0)
    {
        return "is not on the curve P-256";
    }

    if (key->alg == NGX_MENTARA_ALG_ES384
        && ngx_strcmp(group, "secp384r1") != 0
        && ngx_strcmp(group, "P-384") != 0)
    {
        return "is not on the curve P-384";
    }

    return NULL;
}


ngx_mentara_keys_t *
ngx_mentara_keys_parse(ngx_str_t *doc, ngx_log_t *log)
{
    size_t               i;
    json_t              *root, *list;
    ngx_mentara_keys_t  *keys;

    if (doc->len > NGX_MENTARA_JWKS_MAX) {
        return NULL;
    }

    root = json_loadb((char *) doc->data, doc->len, JSON_REJECT_DUPLICATES,
                      NULL);
    list = json_object_get(root, "keys");

    if (!json_is_array(list)) {
        json_decref(root);
        return NULL;
    }

    keys = ngx_calloc(sizeof(ngx_mentara_keys_t), log);
    if (keys == NULL) {
        json_decref(root);
        return NULL;
    }

    for (i = 0; i < json_array_size(list) && keys->n < NGX_MENTARA_KEYS_MAX;
         i++)
    {
        if (ngx_mentara_jwk_parse(json_array_get(list, i),
                                  &keys->keys[keys->n])
            == NGX_OK)
        {
            keys->n++;
            continue;
        }

        ngx_log_error(NGX_LOG_NOTICE, log, 0,
                      "mentara: key %uz of the JWKS is not usable", i);
    }

    json_decref(root);

    if (keys->n == 0) {
        ngx_free(keys);
        return NULL;
    }

    return keys;
}


static ngx_int_t
ngx_mentara_jwk_parse(json_t *jwk, ngx_mentara_key_t *key)
{
    ngx_uint_t   alg;
    const char  *kty, *use, *name, *kid;

    ngx_memzero(key, sizeof(ngx_mentara_key_t));

    kty = json_string_value(json_object_get(jwk, "kty"));
    use = json_string_value(json_object_get(jwk, "use"));
    name = json_string_value(json_object_get(jwk, "alg"));
    kid = json_string_value(json_object_get(jwk, "kid"));

    if (kty == NULL || (use != NULL && ngx_strcmp(use, "sig") != 0)) {
        return NGX_DECLINED;
    }

    alg = (name == NULL) ? NGX_MENTARA_ALG_NONE
          : ngx_mentara_alg((u_char *) name, ngx_strlen(name));

    if (name != NULL && alg == NGX_MENTARA_ALG_NONE) {
        return NGX_DECLINED;
    }

    if (ngx_strcmp(kty, "RSA") == 0) {
        key->alg = (name == NULL) ? NGX_MENTARA_ALG_RS256 : alg;
        key->pkey = ngx_mentara_jwk_rsa(jwk);

    } else if (ngx_strcmp(kty, "EC") == 0) {
        key->pkey = ngx_mentara_jwk_ec(jwk, &key->alg);

        if (name != NULL && alg != key->alg) {
            key->alg = NGX_MENTARA_ALG_NONE;
        }
    }

    if (key->pkey == NULL || key->alg == NGX_MENTARA_ALG_NONE
        || ngx_mentara_alg_family(key->alg) == 'H'
        || ngx_mentara_key_fits(key) != NULL)
    {
        EVP_PKEY_free(key->pkey);
        return NGX_DECLINED;
    }

    if (kid == NULL) {
        return NGX_OK;
    }

    key->kid.len = ngx_strlen(kid);
    key->kid.data = (u_char *) strdup(kid);

    if (key->kid.data == NULL) {
        EVP_PKEY_free(key->pkey);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static EVP_PKEY *
ngx_mentara_jwk_rsa(json_t *jwk)
{
    BIGNUM          *n, *e;
    EVP_PKEY        *pkey;
    OSSL_PARAM_BLD  *build;

    pkey = NULL;
    n = ngx_mentara_jwk_number(jwk, "n");
    e = ngx_mentara_jwk_number(jwk, "e");
    build = OSSL_PARAM_BLD_new();

    if (n != NULL && e != NULL && build != NULL
        && OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n) == 1
        && OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e) == 1)
    {
        pkey = ngx_mentara_jwk_make("RSA", build);
    }

    OSSL_PARAM_BLD_free(build);
    BN_free(n);
    BN_free(e);

    return pkey;
}


/* an uncompressed point: 4, x, y */

static EVP_PKEY *
ngx_mentara_jwk_ec(json_t *jwk, ngx_uint_t *alg)
{
    long             size;
    u_char           point[1 + 2 * 48];
    EVP_PKEY        *pkey;
    const char      *crv;
    OSSL_PARAM_BLD  *build;

    crv = json_string_value(json_object_get(jwk, "crv"));

    if (crv == NULL) {
        return NULL;
    }

    if (ngx_strcmp(crv, "P-256") == 0) {
        *alg = NGX_MENTARA_ALG_ES256;
        size = 32;

    } else if (ngx_strcmp(crv, "P-384") == 0) {
        *alg = NGX_MENTARA_ALG_ES384;
        size = 48;

    } else {
        return NULL;
    }

    point[0] = 4;

    if (ngx_mentara_jwk_octets(jwk, "x", point + 1, size) != size
        || ngx_mentara_jwk_octets(jwk, "y", point + 1 + size, size) != size)
    {
        return NULL;
    }

    pkey = NULL;
    build = OSSL_PARAM_BLD_new();

    if (build != NULL
        && OSSL_PARAM_BLD_push_utf8_string(build,
                                           OSSL_PKEY_PARAM_GROUP_NAME, crv, 0)
           == 1
        && OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY,
                                            point, 1 + 2 * size)
           == 1)
    {
        pkey = ngx_mentara_jwk_make("EC", build);
    }

    OSSL_PARAM_BLD_free(build);

    return pkey;
}


static EVP_PKEY *
ngx_mentara_jwk_make(const char *type, OSSL_PARAM_BLD *build)
{
    EVP_PKEY      *pkey;
    OSSL_PARAM    *params;
    EVP_PKEY_CTX  *ctx;

    pkey = NULL;
    params = OSSL_PARAM_BLD_to_param(build);
    ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);

    if (params == NULL || ctx == NULL || EVP_PKEY_fromdata_init(ctx) != 1
        || EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1)
    {
        pkey = NULL;
    }

    EVP_PKEY_CTX_free(ctx);
    OSSL_PARAM_free(params);
    ERR_clear_error();

    return pkey;
}


static long
ngx_mentara_jwk_octets(json_t *jwk, const char *name, u_char *out,
    size_t size)
{
    long              n;
    u_char            buf[2048];
    json_t           *value;
    mentara_slice_t   text;

    value = json_object_get(jwk, name);

    if (!json_is_string(value)) {
        return MENTARA_BAD;
    }

    text.data = (u_char *) json_string_value(value);
    text.len = json_string_length(value);

    if (mentara_base64url_size(text.len) > sizeof(buf)) {
        return MENTARA_BAD;
    }

    n = mentara_base64url_decode(buf, text);

    if (n <= 0 || (size_t) n > size) {
        return MENTARA_BAD;
    }

    ngx_memcpy(out, buf, n);

    return n;
}


static BIGNUM *
ngx_mentara_jwk_number(json_t *jwk, const char *name)
{
    long    n;
    u_char  octets[1024];

    n = ngx_mentara_jwk_octets(jwk, name, octets, sizeof(octets));

    return (n > 0) ? BN_bin2bn(octets, (int) n, NULL) : NULL;
}


void
ngx_mentara_keys_free(ngx_mentara_keys_t *keys)
{
    ngx_uint_t  i;

    if (keys == NULL) {
        return;
    }

    for (i = 0; i < keys->n; i++) {
        EVP_PKEY_free(keys->keys[i].pkey);
        free(keys->keys[i].kid.data);
    }

    ngx_free(keys);
}


ngx_uint_t
ngx_mentara_keys_within(ngx_mentara_keys_t *a, ngx_mentara_keys_t *b)
{
    ngx_uint_t  i, k;

    for (i = 0; i < a->n; i++) {
        for (k = 0; k < b->n; k++) {
            if (a->keys[i].alg == b->keys[k].alg
                && a->keys[i].kid.len == b->keys[k].kid.len
                && ngx_memcmp(a->keys[i].kid.data, b->keys[k].kid.data,
                              a->keys[i].kid.len) == 0
                && EVP_PKEY_eq(a->keys[i].pkey, b->keys[k].pkey) == 1)
            {
                break;
            }
        }

        if (k == b->n) {
            return 0;
        }
    }

    return 1;
}


ngx_int_t
ngx_mentara_key_verify(ngx_mentara_key_t *key, u_char *input, size_t len,
    u_char *sig, size_t sig_len)
{
    int          rc;
    u_char      *der;
    size_t       der_len;
    EVP_MD_CTX  *ctx;

    if (ngx_mentara_alg_family(key->alg) == 'H') {
        return ngx_mentara_verify_hmac(key, input, len, sig, sig_len);
    }

    der = NULL;

    if (ngx_mentara_alg_family(key->alg) == 'E') {
        der = ngx_mentara_ecdsa_der(key->alg, sig, sig_len, &der_len);

        if (der == NULL) {
            return NGX_DECLINED;
        }

        sig = der;
        sig_len = der_len;
    }

    ctx = EVP_MD_CTX_new();

    if (ctx == NULL) {
        OPENSSL_free(der);
        return NGX_ERROR;
    }

    rc = EVP_DigestVerifyInit(ctx, NULL, ngx_mentara_alg_digest(key->alg),
                              NULL, key->pkey);

    if (rc == 1) {
        rc = EVP_DigestVerify(ctx, sig, sig_len, input, len);
    }

    EVP_MD_CTX_free(ctx);
    OPENSSL_free(der);
    ERR_clear_error();

    return (rc == 1) ? NGX_OK : NGX_DECLINED;
}


static ngx_int_t
ngx_mentara_verify_hmac(ngx_mentara_key_t *key, u_char *input, size_t len,
    u_char *sig, size_t sig_len)
{
    u_char    sum[EVP_MAX_MD_SIZE];
    unsigned  n;

    if (HMAC(ngx_mentara_alg_digest(key->alg), key->secret.data,
             (int) key->secret.len, input, len, sum, &n)
        == NULL)
    {
        return NGX_ERROR;
    }

    if (sig_len != n || CRYPTO_memcmp(sum, sig, n) != 0) {
        return NGX_DECLINED;
    }

    return NGX_OK;
}


/* RFC 7518 3.4: r and s side by side; OpenSSL wants them in DER */

static u_char *
ngx_mentara_ecdsa_der(ngx_uint_t alg, u_char *sig, size_t sig_len,
    size_t *der_len)
{
    int         n;
    BIGNUM     *r, *s;
    u_char     *der;
    size_t      half;
    ECDSA_SIG  *es;

    half = (alg == NGX_MENTARA_ALG_ES256) ? 32 : 48;

    if (sig_len != 2 * half) {
        return NULL;
    }

    es = ECDSA_SIG_new();
    r = BN_bin2bn(sig, (int) half, NULL);
    s = BN_bin2bn(sig + half, (int) half, NULL);

    if (es == NULL || r == NULL || s == NULL || ECDSA_SIG_set0(es, r, s) != 1)
    {
        BN_free(r);
        BN_free(s);
        ECDSA_SIG_free(es);
        return NULL;
    }

    der = NULL;
    n = i2d_ECDSA_SIG(es, &der);
    ECDSA_SIG_free(es);

    if (n <= 0) {
        return NULL;
    }

    *der_len = (size_t) n;

    return der;
}
