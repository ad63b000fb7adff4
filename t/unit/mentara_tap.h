/*
 * TAP for the unit tests, and memory that ends at a page which may not be
 * touched: a parser that looks one octet too far dies there.
 */

#ifndef _MENTARA_TAP_H_INCLUDED_
#define _MENTARA_TAP_H_INCLUDED_


#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>


#define TAP_GUARD_SIZE  (4u << 20)


static int             tap_count;
static int             tap_failures;
static unsigned char  *tap_guard_page;


/* the test's name is a sentence of what holds */

static int __attribute__((format(printf, 2, 3), unused))
ok(int cond, const char *format, ...)
{
    va_list  args;

    tap_count++;
    tap_failures += !cond;

    printf("%sok %d - ", cond ? "" : "not ", tap_count);

    va_start(args, format);
    vprintf(format, args);
    va_end(args);

    printf("\n");

    return cond;
}


static int __attribute__((unused))
is_text(const char *got, const char *expected, const char *name)
{
    int  same;

    same = (strcmp(got, expected) == 0);

    if (!ok(same, "%s", name)) {
        printf("#      got: %s\n# expected: %s\n", got, expected);
    }

    return same;
}


static int __attribute__((unused))
is_int(long got, long expected, const char *name)
{
    if (!ok(got == expected, "%s", name)) {
        printf("#      got: %ld\n# expected: %ld\n", got, expected);
    }

    return got == expected;
}


static int __attribute__((unused))
tap_done(void)
{
    printf("1..%d\n", tap_count);

    return tap_failures != 0;
}


/* a copy of data whose end is the guard page; one at a time */

static __attribute__((unused)) unsigned char *
guarded(const void *data, size_t len)
{
    size_t          page;
    unsigned char  *p;

    if (tap_guard_page == NULL) {
        page = (size_t) sysconf(_SC_PAGESIZE);

        p = mmap(NULL, TAP_GUARD_SIZE + page, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        if (p == MAP_FAILED
            || mprotect(p + TAP_GUARD_SIZE, page, PROT_NONE) != 0)
        {
            printf("Bail out! no guard page\n");
            exit(1);
        }

        tap_guard_page = p + TAP_GUARD_SIZE;
    }

    if (len > TAP_GUARD_SIZE) {
        printf("Bail out! %zu octets are too many for the guard\n", len);
        exit(1);
    }

    p = tap_guard_page - len;

    if (len > 0) {
        memmove(p, data, len);
    }

    return p;
}


#endif /* _MENTARA_TAP_H_INCLUDED_ */
