
#include <mentara_time.h>


typedef struct {
    const char  *pos;
    const char  *last;
} mentara_time_t;


static int mentara_time_number(mentara_time_t *t, int width, int min, int max);
static int mentara_time_char(mentara_time_t *t, char c);
static int mentara_time_date(mentara_time_t *t);
static int mentara_time_clock(mentara_time_t *t);
static int mentara_time_zone(mentara_time_t *t);


/* a number of so many digits in that range, or -1 */

static int
mentara_time_number(mentara_time_t *t, int width, int min, int max)
{
    int  n;

    if (t->last - t->pos < width) {
        return -1;
    }

    n = 0;

    while (width-- > 0) {
        if (*t->pos < '0' || *t->pos > '9') {
            return -1;
        }

        n = n * 10 + (*t->pos++ - '0');
    }

    return (n >= min && n <= max) ? n : -1;
}


static int
mentara_time_char(mentara_time_t *t, char c)
{
    if (t->pos == t->last || *t->pos != c) {
        return 0;
    }

    t->pos++;

    return 1;
}


static int
mentara_time_date(mentara_time_t *t)
{
    int                year, month, day, days;
    static const char  length[] = { 31, 28, 31, 30, 31, 30,
                                    31, 31, 30, 31, 30, 31 };

    year = mentara_time_number(t, 4, 1, 9999);

    if (year < 1 || !mentara_time_char(t, '-')) {
        return MENTARA_BAD;
    }

    month = mentara_time_number(t, 2, 1, 12);

    if (month < 1 || !mentara_time_char(t, '-')) {
        return MENTARA_BAD;
    }

    days = length[month - 1];

    if (month == 2 && year % 4 == 0
        && (year % 100 != 0 || year % 400 == 0))
    {
        days = 29;
    }

    day = mentara_time_number(t, 2, 1, days);

    return (day < 0) ? MENTARA_BAD : MENTARA_OK;
}


static int
mentara_time_clock(mentara_time_t *t)
{
    int  n;

    if (mentara_time_number(t, 2, 0, 23) < 0
        || !mentara_time_char(t, ':')
        || mentara_time_number(t, 2, 0, 59) < 0)
    {
        return MENTARA_BAD;
    }

    if (!mentara_time_char(t, ':')) {
        return MENTARA_OK;
    }

    if (mentara_time_number(t, 2, 0, 59) < 0) {
        return MENTARA_BAD;
    }

    if (!mentara_time_char(t, '.')) {
        return MENTARA_OK;
    }

    for (n = 0; n < 9 && mentara_time_number(t, 1, 0, 9) >= 0; n++) {
        /* void */
    }

    return (n == 0) ? MENTARA_BAD : MENTARA_OK;
}


static int
mentara_time_zone(mentara_time_t *t)
{
    if (t->pos == t->last || mentara_time_char(t, 'Z')) {
        return MENTARA_OK;
    }

    if (!mentara_time_char(t, '+') && !mentara_time_char(t, '-')) {
        return MENTARA_BAD;
    }

    if (mentara_time_number(t, 2, 0, 14) < 0
        || !mentara_time_char(t, ':')
        || mentara_time_number(t, 2, 0, 59) < 0)
    {
        return MENTARA_BAD;
    }

    return MENTARA_OK;
}


int
mentara_time_check(const char *text, size_t len)
{
    mentara_time_t  t;

    t.pos = text;
    t.last = text + len;

    if (mentara_time_date(&t) != MENTARA_OK) {
        return MENTARA_BAD;
    }

    if (t.pos == t.last) {
        return MENTARA_OK;
    }

    if (!mentara_time_char(&t, 'T')
        || mentara_time_clock(&t) != MENTARA_OK
        || mentara_time_zone(&t) != MENTARA_OK)
    {
        return MENTARA_BAD;
    }

    return (t.pos == t.last) ? MENTARA_OK : MENTARA_BAD;
}
