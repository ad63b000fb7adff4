/*
 * Whether a string is exactly one RGI emoji (UTS #51), and its fully
 * qualified form.
 */

#ifndef _MENTARA_EMOJI_H_INCLUDED_
#define _MENTARA_EMOJI_H_INCLUDED_


#include <mentara.h>


#define MENTARA_EMOJI_MAX  64   /* octets; the longest has 35 */


/*
 * Compared without U+FE0F: phones send both forms.  Returns the fully
 * qualified form, NUL-terminated, or NULL.
 */
const char *mentara_emoji(mentara_slice_t text);


/* mentara_emoji_data.c */
extern const size_t       mentara_emoji_n;
extern const char *const  mentara_emoji_table[];


#endif /* _MENTARA_EMOJI_H_INCLUDED_ */
