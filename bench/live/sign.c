
/*
 * Tokens of many people, RS256 as tools/token has it, one a line:
 *
 *   live sign KEY PREFIX FIRST LAST TTL
 */

#include "live.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>


static size_t live_base64url(char *to, const void *data, size_t len);
static void live_sign_one(EVP_PKEY *key, const char *prefix, long number,
    long ttl);


int
live_sign(int argc, char **argv)
{
    long       n;
    FILE      *file;
    EVP_PKEY  *key;

    if (argc != 5) {
        live_die("usage: live sign key prefix first last ttl");
    }

    file = fopen(argv[0], "r");
    key = (file == NULL) ? NULL : PEM_read_PrivateKey(file, NULL, NULL, NULL);

    if (key == NULL) {
        live_die("%s: no private key", argv[0]);
    }

    fclose(file);

    for (n = atol(argv[2]); n <= atol(argv[3]); n++) {
        live_sign_one(key, argv[1], n, atol(argv[4]));
    }

    EVP_PKEY_free(key);

    return 0;
}


static size_t
live_base64url(char *to, const void *data, size_t len)
{
    int    n;
    char  *p;

    n = EVP_EncodeBlock((unsigned char *) to, data, len);

    while (n > 0 && to[n - 1] == '=') {
        n--;
    }

    for (p = to; p < to + n; p++) {
        *p = (*p == '+') ? '-' : (*p == '/') ? '_' : *p;
    }

    return n;
}


static void
live_sign_one(EVP_PKEY *key, const char *prefix, long number, long ttl)
{
    char            text[4096], body[1024];
    size_t          len, size;
    time_t          now;
    EVP_MD_CTX     *ctx;
    unsigned char   signature[1024];
    const char     *head = "{\"alg\":\"RS256\",\"typ\":\"JWT\"}";

    now = time(NULL);
    snprintf(body, sizeof(body),
             "{\"iss\":\"https://mentara.example\",\"sub\":\"%s%ld\","
             "\"sid\":\"sess_%s%ld\",\"iat\":%ld,\"exp\":%ld}",
             prefix, number, prefix, number, (long) now, (long) now + ttl);

    len = live_base64url(text, head, strlen(head));
    text[len++] = '.';
    len += live_base64url(text + len, body, strlen(body));

    size = sizeof(signature);
    ctx = EVP_MD_CTX_new();

    if (ctx == NULL
        || EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key) != 1
        || EVP_DigestSign(ctx, signature, &size, (unsigned char *) text, len)
           != 1)
    {
        live_die("cannot sign");
    }

    EVP_MD_CTX_free(ctx);
    text[len++] = '.';
    len += live_base64url(text + len, signature, size);

    printf("%.*s\n", (int) len, text);
}
