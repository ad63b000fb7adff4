
#include <mentara_highlight.h>


typedef struct {
    uint32_t  folded[MENTARA_HIGHLIGHT_WORD];
    size_t    n;
} mentara_word_t;

typedef struct {
    const unsigned char  *pos;
    const unsigned char  *last;
    uint32_t              unit;     /* UTF-16 code units before pos */
} mentara_scan_t;


static uint32_t mentara_scan_peek(const mentara_scan_t *s, size_t *len);
static uint32_t mentara_scan_next(mentara_scan_t *s);
static uint32_t mentara_fold(uint32_t code);
static int mentara_letter(uint32_t code);
static int mentara_mark(uint32_t code);
static size_t mentara_words(mentara_slice_t query, mentara_word_t *words);
static uint32_t mentara_prefix(mentara_scan_t s, const mentara_word_t *word);


static uint32_t
mentara_scan_peek(const mentara_scan_t *s, size_t *len)
{
    size_t    i;
    uint32_t  code;

    code = *s->pos;

    *len = (code < 0x80) ? 1 : (code < 0xe0) ? 2 : (code < 0xf0) ? 3 : 4;

    if (*len > (size_t) (s->last - s->pos)) {
        *len = 1;
    }

    if (*len > 1) {
        code &= 0x7fu >> *len;
    }

    for (i = 1; i < *len; i++) {
        code = code << 6 | (s->pos[i] & 0x3f);
    }

    return code;
}


static uint32_t
mentara_scan_next(mentara_scan_t *s)
{
    size_t    len;
    uint32_t  code;

    code = mentara_scan_peek(s, &len);

    s->pos += len;
    s->unit += (code > 0xffff) ? 2 : 1;

    return code;
}


static uint32_t
mentara_fold(uint32_t code)
{
    size_t  low, high, middle;

    if (code < 0x80) {
        return (code >= 'A' && code <= 'Z') ? code + 32 : code;
    }

    low = 0;
    high = mentara_fold_n;

    while (low < high) {
        middle = low + (high - low) / 2;

        if (mentara_fold_table[middle].code == code) {
            return mentara_fold_table[middle].base;
        }

        if (mentara_fold_table[middle].code < code) {
            low = middle + 1;

        } else {
            high = middle;
        }
    }

    return code;
}


/* beyond ASCII all but punctuation, symbols and emoji */

static int
mentara_letter(uint32_t code)
{
    if (code < 0x80) {
        return (code >= '0' && code <= '9') || (code >= 'a' && code <= 'z')
               || (code >= 'A' && code <= 'Z');
    }

    return !(code < 0xaa || (code >= 0xab && code <= 0xbf && code != 0xb5
                             && code != 0xba)
             || code == 0xd7 || code == 0xf7
             || (code >= 0x2000 && code <= 0x206f)
             || (code >= 0x20a0 && code <= 0x20cf)
             || (code >= 0x2100 && code <= 0x2bff)
             || (code >= 0x3000 && code <= 0x3004)
             || (code >= 0x3008 && code <= 0x3020)
             || (code >= 0xfe00 && code <= 0xfe6f)
             || (code >= 0xff00 && code <= 0xff0f)
             || (code >= 0x1f000 && code <= 0x1faff));
}


/* a combining mark: it belongs to the letter before it */

static int
mentara_mark(uint32_t code)
{
    return code >= 0x300 && code <= 0x36f;
}


static size_t
mentara_words(mentara_slice_t query, mentara_word_t *words)
{
    size_t           n;
    uint32_t         code;
    mentara_scan_t   s;
    mentara_word_t  *word;

    s.pos = query.data;
    s.last = query.data + query.len;
    s.unit = 0;
    n = 0;
    word = NULL;

    while (s.pos < s.last) {
        code = mentara_scan_next(&s);

        if (mentara_mark(code)) {
            continue;
        }

        if (!mentara_letter(code)) {
            word = NULL;
            continue;
        }

        if (word == NULL) {
            if (n == MENTARA_HIGHLIGHT_WORDS) {
                break;
            }

            word = &words[n++];
            word->n = 0;
        }

        if (word->n < MENTARA_HIGHLIGHT_WORD) {
            word->folded[word->n++] = mentara_fold(code);
        }
    }

    return n;
}


/* the length in code units of that word at s, 0 when it is not there */

static uint32_t
mentara_prefix(mentara_scan_t s, const mentara_word_t *word)
{
    size_t    i, len;
    uint32_t  start, code;

    start = s.unit;

    for (i = 0; i < word->n; i++) {
        if (s.pos == s.last
            || mentara_fold(mentara_scan_next(&s)) != word->folded[i])
        {
            return 0;
        }

        while (s.pos < s.last) {
            code = mentara_scan_peek(&s, &len);

            if (!mentara_mark(code)) {
                break;
            }

            mentara_scan_next(&s);
        }
    }

    return s.unit - start;
}


size_t
mentara_highlight(mentara_slice_t text, mentara_slice_t query,
    mentara_highlight_t *hits, size_t max)
{
    int              inside;
    size_t           i, n, nwords, len;
    uint32_t         code, units, best;
    mentara_scan_t   s;
    mentara_word_t   words[MENTARA_HIGHLIGHT_WORDS];

    nwords = mentara_words(query, words);

    s.pos = text.data;
    s.last = text.data + text.len;
    s.unit = 0;
    n = 0;
    inside = 0;

    while (s.pos < s.last && n < max) {
        code = mentara_scan_peek(&s, &len);

        if (!mentara_letter(code) && !mentara_mark(code)) {
            inside = 0;

        } else if (!inside) {
            inside = 1;
            best = 0;

            for (i = 0; i < nwords; i++) {
                units = mentara_prefix(s, &words[i]);
                best = (units > best) ? units : best;
            }

            if (best > 0) {
                hits[n].start = s.unit;
                hits[n].length = best;
                n++;
            }
        }

        mentara_scan_next(&s);
    }

    return n;
}
