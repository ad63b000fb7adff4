/*
 * Questions about texts: how long, blank, a user's id, a UUID.
 */

#ifndef _MENTARA_TEXT_H_INCLUDED_
#define _MENTARA_TEXT_H_INCLUDED_


#include <mentara.h>
#include <jansson.h>


/* code points of valid UTF-8 */
size_t mentara_text_points(const char *text, size_t len);

/* nothing but white space, or nothing */
int mentara_text_blank(const char *text, size_t len);

/* 1 to 255 code points without control characters */
int mentara_text_user(const char *text, size_t len);

/* a string that is a UUID */
int mentara_text_uuid(json_t *value);

/* whether the text is one of the words "A B C" */
int mentara_text_in_list(const char *values, const char *text, size_t len);

/*
 * Whether a browser would leave the folder that the rest of an URL is in: a
 * segment "." or "..", also escaped, a backslash, white space, a control
 * character
 */
int mentara_text_climbs(mentara_slice_t path);

/* MENTARA_OK: 1 to max code points, valid UTF-8, no control characters */
int mentara_text_check(mentara_slice_t text, size_t max);


#endif /* _MENTARA_TEXT_H_INCLUDED_ */
