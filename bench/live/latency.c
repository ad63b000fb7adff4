
/*
 * From the write of an event by one socket to its arrival at another.
 *
 * latency: pairs of people with a conversation of their own, events at a
 * steady rate that waits for no answer.
 *
 *   events=N p50=MS p95=MS p99=MS max=MS
 *
 * cross: one sends, one on its own worker and one on another worker receive;
 * the difference of the two arrivals of each event is what crossing adds.
 *
 *   events=N same50=MS same99=MS other50=MS other99=MS added50=MS added99=MS
 */

#include "live.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>


#define LIVE_PENDING  4096       /* events of one pair under way */
#define LIVE_CROSS    16         /* sockets, so that both workers have some */


typedef struct {
    double       sent[LIVE_PENDING];
    uint64_t     written;
    uint64_t     read;
} live_pair_t;


typedef struct {
    double      *times;
    size_t       n;
    size_t       size;

    double      *sent;           /* of cross, by number of the event */
    double      *at[2];          /* when the same, another worker's got it */
    uint64_t     read[2];
    long         which[2];       /* sockets */
} live_latency_t;


static void live_pace(live_t *l, double at);
static void live_latency_event(live_t *l, live_socket_t *s, const char *frame,
    size_t len);
static void live_cross_choose(live_t *l, live_latency_t *t);
static void live_cross_event(live_t *l, live_socket_t *s, const char *frame,
    size_t len);
static void live_cross_report(live_latency_t *t);


int
live_latency(live_t *l)
{
    long             i;
    double           began;
    uint64_t         n;
    live_pair_t     *pair;
    live_latency_t   t;

    memset(&t, 0, sizeof(live_latency_t));
    n = l->rate * l->seconds;
    t.times = live_alloc(n * sizeof(double));
    t.size = n;

    l->s = live_alloc(l->sockets * sizeof(live_socket_t));
    l->data = &t;
    live_open_all(l, 0, l->sockets);

    for (i = 0; i < l->sockets; i += 2) {
        pair = live_alloc(sizeof(live_pair_t));
        l->s[i].data = pair;
        l->s[i + 1].data = pair;
    }

    live_quiet(l, 500);
    l->event = live_latency_event;
    began = live_now() + 0.01;

    for (i = 0; i < (long) n; i++) {
        live_pace(l, began + i / l->rate);

        pair = l->s[i * 2 % l->sockets].data;

        if (pair->written - pair->read == LIVE_PENDING) {
            live_die("%d events of one pair are under way", LIVE_PENDING);
        }

        pair->sent[pair->written % LIVE_PENDING] = live_now();
        live_emit(l, &l->s[i * 2 % l->sockets], 1, pair->written++);
    }

    while (t.n < n) {
        if (!live_wait(l, 10000)) {
            live_die("%zu of %llu events came", t.n, (unsigned long long) n);
        }
    }

    qsort(t.times, t.n, sizeof(double), live_compare);

    printf("events=%zu p50=%.3f p95=%.3f p99=%.3f max=%.3f\n", t.n,
           live_percentile(t.times, t.n, 0.5),
           live_percentile(t.times, t.n, 0.95),
           live_percentile(t.times, t.n, 0.99),
           live_percentile(t.times, t.n, 1));

    return 0;
}


/* reads until it is time */

static void
live_pace(live_t *l, double at)
{
    double              left;
    static int          timer;
    struct itimerspec   spec;
    struct epoll_event  ev;

    /* it only wakes: nobody reads it */

    if (timer == 0) {
        timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
        memset(&ev, 0, sizeof(ev));
        ev.events = EPOLLIN|EPOLLET;
        ev.data.ptr = NULL;

        if (timer == -1
            || epoll_ctl(l->ep, EPOLL_CTL_ADD, timer, &ev) == -1)
        {
            live_die("timerfd: %s", strerror(errno));
        }
    }

    while ((left = at - live_now()) > 0) {
        memset(&spec, 0, sizeof(spec));
        spec.it_value.tv_sec = left;
        spec.it_value.tv_nsec = (left - (long) left) * 1e9 + 1;

        if (timerfd_settime(timer, 0, &spec, NULL) == -1) {
            live_die("timerfd_settime: %s", strerror(errno));
        }

        (void) live_wait(l, 1000);
    }
}


static void
live_latency_event(live_t *l, live_socket_t *s, const char *frame, size_t len)
{
    live_pair_t     *pair;
    live_latency_t  *t;

    t = l->data;
    pair = s->data;

    if (s->number % 2 == 0 || !live_is_event(l, frame, len)) {
        return;
    }

    if (pair->read == pair->written || t->n == t->size) {
        live_die("more events came than were sent");
    }

    t->times[t->n++] = live_now() - pair->sent[pair->read++ % LIVE_PENDING];
}


int
live_cross(live_t *l)
{
    long             i, n;
    double           began;
    live_latency_t   t;

    memset(&t, 0, sizeof(live_latency_t));
    n = l->rate * l->seconds;
    t.sent = live_alloc(n * sizeof(double));
    t.at[0] = live_alloc(n * sizeof(double));
    t.at[1] = live_alloc(n * sizeof(double));
    t.n = n;

    l->ask = 1;
    l->s = live_alloc(LIVE_CROSS * sizeof(live_socket_t));
    l->data = &t;
    live_open_all(l, 0, LIVE_CROSS);
    live_cross_choose(l, &t);
    live_quiet(l, 500);

    l->event = live_cross_event;
    began = live_now() + 0.01;

    for (i = 0; i < n; i++) {
        live_pace(l, began + i / l->rate);
        t.sent[i] = live_now();
        live_emit(l, &l->s[0], 1, i);
    }

    while (t.read[0] < (uint64_t) n || t.read[1] < (uint64_t) n) {
        if (!live_wait(l, 10000)) {
            live_die("events are missing");
        }
    }

    live_cross_report(&t);

    return 0;
}


static void
live_cross_choose(live_t *l, live_latency_t *t)
{
    int   other;
    long  i;

    for (i = 1; i < LIVE_CROSS; i++) {
        other = (l->s[i].worker != l->s[0].worker);
        t->which[other] = i;
    }

    if (t->which[0] == 0 || t->which[1] == 0) {
        live_die("all sockets are on one worker");
    }
}


static void
live_cross_event(live_t *l, live_socket_t *s, const char *frame, size_t len)
{
    int              i;
    live_latency_t  *t;

    t = l->data;

    for (i = 0; i < 2; i++) {
        if (s->number == t->which[i] && live_is_event(l, frame, len)) {
            t->at[i][t->read[i]++] = live_now();
        }
    }
}


static void
live_cross_report(live_latency_t *t)
{
    int      i, k;
    double  *times, results[3][2];
    size_t   n;

    times = live_alloc(t->n * sizeof(double));

    for (i = 0; i < 3; i++) {
        for (n = 0; n < t->n; n++) {
            times[n] = (i == 2) ? t->at[1][n] - t->at[0][n]
                                : t->at[i][n] - t->sent[n];
        }

        qsort(times, n, sizeof(double), live_compare);

        for (k = 0; k < 2; k++) {
            results[i][k] = live_percentile(times, n, k ? 0.99 : 0.5);
        }
    }

    printf("events=%zu same50=%.3f same99=%.3f other50=%.3f other99=%.3f "
           "added50=%.3f added99=%.3f\n", t->n, results[0][0], results[0][1],
           results[1][0], results[1][1], results[2][0], results[2][1]);
}
