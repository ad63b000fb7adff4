/*
 * A JSON writer (RFC 8259) into a buffer that grows by a callback.  Values
 * are written as they are asked for: commas and braces are the caller's.
 */

#ifndef _MENTARA_JSON_H_INCLUDED_
#define _MENTARA_JSON_H_INCLUDED_


#include <mentara.h>


typedef struct mentara_json_s  mentara_json_t;

/*
 * Makes room for need more octets: start, pos and last may move.  Returns 0,
 * or -1 (then failed is set and nothing is written any more).
 */
typedef intptr_t (*mentara_json_grow_pt)(mentara_json_t *j, size_t need);


struct mentara_json_s {
    unsigned char         *start;
    unsigned char         *pos;
    unsigned char         *last;
    mentara_json_grow_pt   grow;
    void                  *data;     /* the caller's */
    unsigned               failed:1;
};


/* grow may be NULL: the buffer is all there is */
void mentara_json_init(mentara_json_t *j, unsigned char *buf, size_t size,
    mentara_json_grow_pt grow, void *data);

/* octets as they are */
void mentara_json_raw(mentara_json_t *j, const void *data, size_t len);

/* len octets that were written before, from start + at on */
void mentara_json_again(mentara_json_t *j, size_t at, size_t len);

/*
 * A string in quotes; data is valid UTF-8.  Only the quote, the backslash
 * and controls below U+0020 are escaped.
 */
void mentara_json_string(mentara_json_t *j, const unsigned char *data,
    size_t len);

/* an array of strings: lines that are joined by newline */
void mentara_json_lines(mentara_json_t *j, const unsigned char *data,
    size_t len);

void mentara_json_int(mentara_json_t *j, int64_t n);

/* 36 characters in quotes, of 16 octets */
void mentara_json_uuid(mentara_json_t *j, const unsigned char *id);

/*
 * "YYYY-MM-DDTHH:MM:SS.mmmZ" in quotes; us: microseconds since 2000-01-01
 * UTC, as Postgres sends a timestamptz in binary.  Years outside 0..9999 are
 * held at that bound.
 */
void mentara_json_time(mentara_json_t *j, int64_t us);


#endif /* _MENTARA_JSON_H_INCLUDED_ */
