/*
 * A look at JSON (RFC 8259) without building it: is it valid, and where do
 * its parts begin and end?  What is only passed on needs no more than that.
 * Text is taken as UTF-8 that was checked before.
 */

#ifndef _MENTARA_JSON_SCAN_H_INCLUDED_
#define _MENTARA_JSON_SCAN_H_INCLUDED_


#include <mentara.h>


#define MENTARA_SCAN_DEPTH  64    /* levels of arrays and objects */


typedef struct {
    unsigned  nul:1;              /* a string holds U+0000 */
    unsigned  surrogate:1;        /* a string holds half of a pair */
} mentara_json_marks_t;


/*
 * One value and the space around it, from pos on.  Returns the octets up to
 * what follows, or MENTARA_BAD: invalid, cut, or deeper than
 * MENTARA_SCAN_DEPTH.  value (may be NULL): the value without that space.
 * marks (may be NULL) are only ever set, never cleared: valid JSON that
 * neither Postgres nor a strict parser takes.
 */
intptr_t mentara_json_scan(const unsigned char *pos,
    const unsigned char *last, mentara_slice_t *value,
    mentara_json_marks_t *marks);

/* the first octet of a value tells what it is */
#define mentara_json_is_string(value)   ((value).data[0] == '"')
#define mentara_json_is_object(value)   ((value).data[0] == '{')
#define mentara_json_is_array(value)    ((value).data[0] == '[')
#define mentara_json_is_number(value)                                         \
    ((value).data[0] == '-'                                                   \
     || ((value).data[0] >= '0' && (value).data[0] <= '9'))

/*
 * The elements of a valid array, one after the other; *pos starts at NULL.
 * MENTARA_OK, or MENTARA_MORE: there is none left.
 */
int mentara_json_element(mentara_slice_t array, const unsigned char **pos,
    mentara_slice_t *value);

/*
 * The text of a valid string in quotes.  Returns its length, or MENTARA_BAD:
 * longer than size, or half of a surrogate pair.
 */
intptr_t mentara_json_unescape(mentara_slice_t string, unsigned char *out,
    size_t size);


#endif /* _MENTARA_JSON_SCAN_H_INCLUDED_ */
