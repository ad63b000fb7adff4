
/*
 * What all of the client needs: an end with a word, time, memory.
 */

#include "live.h"

#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>


void
live_die(const char *format, ...)
{
    va_list  args;

    va_start(args, format);
    fprintf(stderr, "live: ");
    vfprintf(stderr, format, args);
    fprintf(stderr, "\n");
    va_end(args);

    exit(1);
}


double
live_now(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);

    return ts.tv_sec + ts.tv_nsec / 1e9;
}


void *
live_alloc(size_t size)
{
    void  *p;

    p = calloc(1, size);
    if (p == NULL) {
        live_die("out of memory");
    }

    return p;
}


int
live_compare(const void *one, const void *two)
{
    double  a, b;

    a = *(const double *) one;
    b = *(const double *) two;

    return (a > b) - (a < b);
}


double
live_percentile(double *times, size_t n, double share)
{
    return (n == 0) ? 0 : times[(size_t) ((n - 1) * share)] * 1e3;
}


/* nanoseconds, where /proc/PID/stat has ticks of ten milliseconds */

double
live_cpu(long pid)
{
    DIR                *dir;
    char                name[300];
    FILE               *file;
    double              total;
    struct dirent      *task;
    unsigned long long  ns;

    snprintf(name, sizeof(name), "/proc/%ld/task", pid);

    dir = opendir(name);
    if (dir == NULL) {
        live_die("%s: %s", name, strerror(errno));
    }

    total = 0;

    while ((task = readdir(dir)) != NULL) {
        snprintf(name, sizeof(name), "/proc/%ld/task/%s/schedstat", pid,
                 task->d_name);
        file = fopen(name, "r");

        if (file != NULL) {
            if (task->d_name[0] != '.' && fscanf(file, "%llu", &ns) == 1) {
                total += ns / 1e9;
            }

            fclose(file);
        }
    }

    closedir(dir);

    return total;
}
