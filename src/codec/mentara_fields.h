/*
 * Bodies and query strings against the declared fields of an endpoint: all
 * faults are reported together, each in a sentence that names its field.
 */

#ifndef _MENTARA_FIELDS_H_INCLUDED_
#define _MENTARA_FIELDS_H_INCLUDED_


#include <mentara.h>
#include <jansson.h>


#define MENTARA_FAULTS_MAX  2048   /* octets of all sentences together */
#define MENTARA_JSON_DEPTH  8


/* sentences joined by newline; code is that of the error table */
typedef struct {
    const char  *code;
    size_t       len;
    char         text[MENTARA_FAULTS_MAX];
} mentara_faults_t;


/*
 * Parses and checks the body of an endpoint (MENTARA_EP_...).  An empty body
 * counts as {}.  max_content: code points of a message.  MENTARA_OK: *args
 * is a new reference to the object, emoji in their fully qualified form;
 * MENTARA_BAD: faults are filled in; MENTARA_MORE: out of memory.
 */
int mentara_body_check(int endpoint, const unsigned char *data, size_t len,
    size_t max_content, json_t **args, mentara_faults_t *faults);

/* the same for an object that was parsed already (a socket's event) */
int mentara_object_check(int endpoint, json_t *object, size_t max_content,
    mentara_faults_t *faults);

/*
 * The same for a query string: values become strings and integers.  Names
 * that the endpoint does not declare are ignored.
 */
int mentara_query_check(int endpoint, mentara_slice_t query, json_t **args,
    mentara_faults_t *faults);

#endif /* _MENTARA_FIELDS_H_INCLUDED_ */
