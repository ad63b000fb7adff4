
/*
 * Connects sockets, says how fast that was, and holds them until its input
 * ends.  Each one counts when it has had `connected`.
 *
 *   sockets=N seconds=S rate=SOCKETS/S
 */

#include "live.h"

#include <poll.h>
#include <stdio.h>
#include <unistd.h>


int
live_hold(live_t *l)
{
    char           c;
    double         began;
    struct pollfd  input;

    l->s = live_alloc(l->sockets * sizeof(live_socket_t));

    began = live_now();
    live_open_all(l, 0, l->sockets);
    began = live_now() - began;

    printf("sockets=%ld seconds=%.3f rate=%.1f\n", l->sockets, began,
           l->sockets / began);
    fflush(stdout);

    input.fd = STDIN_FILENO;
    input.events = POLLIN;

    for ( ;; ) {
        (void) live_wait(l, 20);

        if (poll(&input, 1, 0) == 1 && read(STDIN_FILENO, &c, 1) <= 0) {
            return 0;
        }
    }
}
