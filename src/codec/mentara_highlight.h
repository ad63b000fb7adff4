/*
 * Where the words of a query are in a text: case- and accent-insensitive,
 * each word as a prefix of a word of the text, as the search itself does.
 */

#ifndef _MENTARA_HIGHLIGHT_H_INCLUDED_
#define _MENTARA_HIGHLIGHT_H_INCLUDED_


#include <mentara.h>


#define MENTARA_HIGHLIGHT_WORDS  32    /* words of a query that count */
#define MENTARA_HIGHLIGHT_WORD   128   /* code points of one of them */


/* in UTF-16 code units of the text */
typedef struct {
    uint32_t  start;
    uint32_t  length;
} mentara_highlight_t;


/*
 * Both are valid UTF-8.  Returns the number of places written to hits, at
 * most max, in the order of the text.
 */
size_t mentara_highlight(mentara_slice_t text, mentara_slice_t query,
    mentara_highlight_t *hits, size_t max);


/* mentara_fold_data.c */
typedef struct {
    uint16_t  code;
    uint16_t  base;
} mentara_fold_t;

extern const size_t          mentara_fold_n;
extern const mentara_fold_t  mentara_fold_table[];


#endif /* _MENTARA_HIGHLIGHT_H_INCLUDED_ */
