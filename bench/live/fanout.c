
/*
 * Fan-out: bursts of events to all sockets of a room, the next one when all
 * of the last one has come.
 *
 * What counts is what the sender spends, so its CPU time per frame is the
 * measure: with two cores the wall clock is as much the receiver's, which is
 * woken by each frame, and with send_message the database's.  A send() over
 * loopback does the receiver's half of TCP in the sender's time, for the
 * floor and for the module alike.  Wall time, from the first frame that came
 * to the last, is printed beside it.
 *
 * frames=N cpu=US/FRAME wall=US/FRAME rate=FRAMES/S OF CPU octets=OF A FRAME
 */

#include "live.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>


typedef struct {
    uint64_t   frames;       /* of this burst */
    double     first;
    double     last;
    char       frame[65536];
    size_t     len;
} live_fanout_t;


static void live_fanout_event(live_t *l, live_socket_t *s, const char *frame,
    size_t len);
static double live_fanout_burst(live_t *l, uint64_t number);
static void live_fanout_trigger(live_t *l, uint64_t number);
static void live_fanout_write(live_t *l, live_fanout_t *f);


int
live_fanout(live_t *l)
{
    long           i;
    double         wall, cpu;
    uint64_t       number;
    live_fanout_t  f;

    memset(&f, 0, sizeof(live_fanout_t));
    l->s = live_alloc((l->sockets + 1) * sizeof(live_socket_t));
    l->data = &f;

    /* the first one triggers */

    live_open_all(l, 0, 1);
    live_open_all(l, 1, l->sockets);
    live_quiet(l, (l->kind == LIVE_RAW) ? 50 : 600);

    l->event = live_fanout_event;
    number = 0;

    for (i = 0; i < 6; i++) {
        (void) live_fanout_burst(l, number);
        number += l->burst;
    }

    wall = 0;
    cpu = live_cpu(l->sender);

    for (i = 0; i < l->rounds; i++) {
        wall += live_fanout_burst(l, number);
        number += l->burst;
    }

    cpu = (live_cpu(l->sender) - cpu) / l->rounds / l->burst / l->sockets;
    wall = wall / l->rounds / (l->burst * l->sockets - 1);

    if (l->kind != LIVE_RAW) {
        live_fanout_write(l, &f);
    }

    printf("frames=%ld cpu=%.3f wall=%.3f rate=%.0f octets=%zu\n",
           l->rounds * l->burst * l->sockets, cpu * 1e6, wall * 1e6, 1 / cpu,
           f.len);

    return 0;
}


static void
live_fanout_event(live_t *l, live_socket_t *s, const char *frame, size_t len)
{
    live_fanout_t  *f;

    f = l->data;

    if (s->number == 0 || !live_is_event(l, frame, len)) {
        return;
    }

    if (f->frames == 0) {
        f->first = live_now();
        f->len = len;
        memcpy(f->frame, frame, len);
    }

    f->frames++;

    if (f->frames == (uint64_t) (l->burst * l->sockets)) {
        f->last = live_now();
    }
}


/* seconds from the first frame to the last */

static double
live_fanout_burst(live_t *l, uint64_t number)
{
    live_fanout_t  *f;

    f = l->data;
    f->frames = 0;

    live_fanout_trigger(l, number);

    while (f->frames < (uint64_t) (l->burst * l->sockets)) {
        if (!live_wait(l, 10000)) {
            live_die("%llu of %ld frames came",
                     (unsigned long long) f->frames, l->burst * l->sockets);
        }
    }

    return f->last - f->first;
}


static void
live_fanout_trigger(live_t *l, uint64_t number)
{
    uint32_t  events;

    if (l->kind != LIVE_RAW) {
        live_emit(l, &l->s[0], l->burst, number);
        return;
    }

    events = l->burst;

    if (send(l->s[0].fd, &events, sizeof(events), 0) != sizeof(events)) {
        live_die("send: %s", strerror(errno));
    }
}


/* for the floor */

static void
live_fanout_write(live_t *l, live_fanout_t *f)
{
    FILE  *file;

    if (l->file == NULL) {
        return;
    }

    file = fopen(l->file, "w");

    if (file == NULL || fwrite(f->frame, 1, f->len, file) != f->len
        || fclose(file) != 0)
    {
        live_die("%s: %s", l->file, strerror(errno));
    }
}
