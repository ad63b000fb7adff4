
/*
 * The floor of fan-out: a server that does nothing but send() one frame to
 * each of its sockets in turn.  Who connects first says when and how often;
 * when that one goes, it ends.
 */

#include "live.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>


static int live_floor_listen(int port);
static int live_floor_accept(int listening, int flags);
static void live_floor_send(int *fds, long n, const char *frame, size_t len);


int
live_floor(live_t *l)
{
    int        listening, control, *fds;
    char       frame[65536];
    FILE      *file;
    long       i;
    size_t     len;
    uint32_t   events;

    file = fopen(l->file, "r");
    if (file == NULL) {
        live_die("%s: %s", l->file, strerror(errno));
    }

    len = fread(frame, 1, sizeof(frame), file);
    fclose(file);

    listening = live_floor_listen(l->port);
    fds = live_alloc(l->sockets * sizeof(int));

    printf("listening\n");
    fflush(stdout);

    control = live_floor_accept(listening, 0);

    for (i = 0; i < l->sockets; i++) {
        fds[i] = live_floor_accept(listening, SOCK_NONBLOCK);
    }

    while (recv(control, &events, sizeof(events), MSG_WAITALL)
           == sizeof(events))
    {
        while (events-- > 0) {
            live_floor_send(fds, l->sockets, frame, len);
        }
    }

    return 0;
}


static int
live_floor_listen(int port)
{
    int                 fd, on;
    struct sockaddr_in  sin;

    memset(&sin, 0, sizeof(sin));
    sin.sin_family = AF_INET;
    sin.sin_port = htons(port);
    sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);

    on = 1;
    fd = socket(AF_INET, SOCK_STREAM, 0);

    if (fd == -1
        || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == -1
        || bind(fd, (struct sockaddr *) &sin, sizeof(sin)) == -1
        || listen(fd, 4096) == -1)
    {
        live_die("port %d: %s", port, strerror(errno));
    }

    return fd;
}


static int
live_floor_accept(int listening, int flags)
{
    int  fd, on;

    fd = accept4(listening, NULL, NULL, flags);
    if (fd == -1) {
        live_die("accept: %s", strerror(errno));
    }

    on = 1;
    (void) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));

    return fd;
}


static void
live_floor_send(int *fds, long n, const char *frame, size_t len)
{
    long  i;

    for (i = 0; i < n; i++) {
        if (send(fds[i], frame, len, MSG_NOSIGNAL) != (ssize_t) len) {
            live_die("send: %s", strerror(errno));
        }
    }
}
