
#include "live.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>


#define LIVE_BUFFER  262144      /* octets of one read */
#define LIVE_SENT    16384       /* most octets of one write */

#define LIVE_UPGRADE                                                         \
    "Host: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"       \
    "Sec-WebSocket-Version: 13\r\n"                                          \
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"


static void live_write(live_socket_t *s, const char *data, size_t len);
static void live_ask(live_socket_t *s);
static void live_upgrade(live_t *l, live_socket_t *s);
static void live_read(live_t *l, live_socket_t *s);
static size_t live_take(live_t *l, live_socket_t *s, char *data, size_t len);
static size_t live_head(live_t *l, live_socket_t *s, char *data, size_t len);
static size_t live_frame_len(const char *data, size_t len, size_t *head);
static void live_frame(live_t *l, live_socket_t *s, const char *data,
    size_t len, size_t head);
static size_t live_put(char *to, int opcode, const char *data, size_t len);
static void live_send(live_socket_t *s, int opcode, const char *data,
    size_t len);
static const char *live_name(live_t *l, const char *data, size_t len);


void
live_open_all(live_t *l, long first, long n)
{
    long  i, before;

    if (l->kind != LIVE_RAW && first + n > l->targets) {
        live_die("%ld targets are too few", l->targets);
    }

    before = l->ready;

    for (i = 0; i < n; i++) {
        while (i - (l->ready - before) >= l->at_once) {
            live_wait(l, 30000);
        }

        l->s[first + i].number = first + i;
        live_open(l, &l->s[first + i]);
    }

    while (l->ready - before < n) {
        if (live_wait(l, 30000) == 0) {
            live_die("%ld of %ld sockets are there", l->ready - before, n);
        }
    }
}


/* closed by a reset, so that ports are free at once */

void
live_open(live_t *l, live_socket_t *s)
{
    int                 on;
    struct linger       linger;
    struct epoll_event  ev;
    struct sockaddr_in  sin;

    memset(&sin, 0, sizeof(sin));
    sin.sin_family = AF_INET;
    sin.sin_port = htons(l->port);
    sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);

    s->fd = socket(AF_INET, SOCK_STREAM, 0);

    if (s->fd == -1
        || connect(s->fd, (struct sockaddr *) &sin, sizeof(sin)) == -1)
    {
        live_die("connect: %s", strerror(errno));
    }

    on = 1;
    linger.l_onoff = 1;
    linger.l_linger = 0;
    (void) setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    (void) setsockopt(s->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));

    memset(&ev, 0, sizeof(ev));
    ev.events = EPOLLIN;
    ev.data.ptr = s;

    if (fcntl(s->fd, F_SETFL, O_NONBLOCK) == -1
        || epoll_ctl(l->ep, EPOLL_CTL_ADD, s->fd, &ev) == -1)
    {
        live_die("epoll_ctl: %s", strerror(errno));
    }

    if (l->kind == LIVE_RAW) {
        s->state = LIVE_READY;
        l->ready++;
        return;
    }

    s->token = l->tokens[s->number];
    s->conversation = l->conversations[s->number];

    if (l->ask) {
        live_ask(s);

    } else {
        live_upgrade(l, s);
    }
}


/* what is written is far smaller than a socket's buffer */

static void
live_write(live_socket_t *s, const char *data, size_t len)
{
    if (send(s->fd, data, len, MSG_NOSIGNAL) != (ssize_t) len) {
        live_die("send: %s", strerror(errno));
    }
}


static void
live_ask(live_socket_t *s)
{
    const char  *request = "GET /worker HTTP/1.1\r\nHost: localhost\r\n\r\n";

    live_write(s, request, strlen(request));
}


static void
live_upgrade(live_t *l, live_socket_t *s)
{
    int   len;
    char  request[LIVE_SENT];

    s->state = LIVE_UPGRADING;

    switch (l->kind) {

    case LIVE_PLAIN:
        len = snprintf(request, sizeof(request),
                       "GET /messaging/ws HTTP/1.1\r\n" LIVE_UPGRADE
                       "Authorization: Bearer %s\r\n\r\n", s->token);
        break;

    case LIVE_SIO:
        len = snprintf(request, sizeof(request),
                       "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1"
                       "\r\n" LIVE_UPGRADE "\r\n");
        break;

    default:
        len = snprintf(request, sizeof(request),
                       "GET /ws-echo HTTP/1.1\r\n" LIVE_UPGRADE "\r\n");
    }

    live_write(s, request, len);
}


int
live_wait(live_t *l, int ms)
{
    int                  i, n;
    struct epoll_event   events[512];

    n = epoll_wait(l->ep, events, 512, ms);

    for (i = 0; i < n; i++) {
        if (events[i].data.ptr != NULL) {
            live_read(l, events[i].data.ptr);
        }
    }

    return n > 0;
}


void
live_quiet(live_t *l, int ms)
{
    double  since;

    since = live_now();

    while (live_now() - since < ms / 1e3) {
        if (live_wait(l, ms)) {
            since = live_now();
        }
    }
}


static void
live_read(live_t *l, live_socket_t *s)
{
    char          *data;
    size_t         len, taken;
    ssize_t        n;
    static char    buf[LIVE_BUFFER];

    memcpy(buf, s->rest, s->len);
    n = recv(s->fd, buf + s->len, sizeof(buf) - s->len, 0);

    if (n == -1 && errno == EAGAIN) {
        return;
    }

    if (n <= 0) {
        live_die("socket %ld: %s", s->number,
                 (n == 0) ? "closed" : strerror(errno));
    }

    data = buf;
    len = s->len + n;

    do {
        taken = live_take(l, s, data, len);
        data += taken;
        len -= taken;
    } while (taken != 0 && len != 0);

    free(s->rest);
    s->rest = NULL;
    s->len = len;

    if (len != 0) {
        s->rest = live_alloc(len);
        memcpy(s->rest, data, len);
    }
}


/* how much of it was whole */

static size_t
live_take(live_t *l, live_socket_t *s, char *data, size_t len)
{
    size_t  head, all;

    if (s->state == LIVE_ASKING || s->state == LIVE_UPGRADING) {
        return live_head(l, s, data, len);
    }

    all = live_frame_len(data, len, &head);

    if (all != 0) {
        l->frames++;
        live_frame(l, s, data, all, head);
    }

    return all;
}


static size_t
live_head(live_t *l, live_socket_t *s, char *data, size_t len)
{
    char    *end, *field;
    size_t   all;

    end = memmem(data, len, "\r\n\r\n", 4);
    if (end == NULL) {
        return 0;
    }

    all = end + 4 - data;

    if (s->state == LIVE_UPGRADING) {

        if (memcmp(data, "HTTP/1.1 101", 12) != 0) {
            live_die("no upgrade: %.*s", (int) len, data);
        }

        s->state = (l->kind == LIVE_BARE) ? LIVE_READY : LIVE_STARTING;
        l->ready += (l->kind == LIVE_BARE);

        return all;
    }

    field = memmem(data, all, "Content-Length: ", 16);

    if (memcmp(data, "HTTP/1.1 200", 12) != 0 || field == NULL) {
        live_die("which worker? %.*s", (int) len, data);
    }

    if (len < all + atol(field + 16)) {
        return 0;
    }

    s->worker = atol(data + all);
    all += atol(field + 16);
    live_upgrade(l, s);

    return all;
}


/* of a whole frame, 0: it is not; a server's frames have no mask */

static size_t
live_frame_len(const char *data, size_t len, size_t *head)
{
    int             i;
    size_t          n, size;
    const uint8_t  *p;

    p = (const uint8_t *) data;

    if (len < 2) {
        return 0;
    }

    n = p[1] & 0x7f;
    size = (n == 126) ? 2 : (n == 127) ? 8 : 0;
    *head = 2 + size;

    if (len < *head) {
        return 0;
    }

    for (n = (size == 0) ? n : 0, i = 0; i < (int) size; i++) {
        n = n << 8 | p[2 + i];
    }

    if (*head + n > LIVE_BUFFER) {
        live_die("a frame of %zu octets", n);
    }

    return (len < *head + n) ? 0 : *head + n;
}


static void
live_frame(live_t *l, live_socket_t *s, const char *data, size_t len,
    size_t head)
{
    char         text[LIVE_SENT];
    const char  *body;

    body = data + head;

    if ((data[0] & 0x0f) == 8) {
        live_die("socket %ld was closed by the server", s->number);
    }

    if ((data[0] & 0x0f) == 9) {
        live_send(s, 10, body, len - head);
        return;
    }

    if (l->kind == LIVE_SIO && len - head > 0 && body[0] == '0') {
        live_send(s, 1, text,
                  snprintf(text, sizeof(text),
                           "40/messaging,{\"token\":\"%s\"}", s->token));
        return;
    }

    if (l->kind == LIVE_SIO && len - head == 1 && body[0] == '2') {
        live_send(s, 1, "3", 1);
        return;
    }

    if (l->kind == LIVE_SIO && len - head > 2
        && memcmp(body, "44", 2) == 0)
    {
        live_die("socket %ld: %.*s", s->number, (int) (len - head), body);
    }

    if (s->state == LIVE_STARTING) {
        body = live_name(l, data, len);

        if (body != NULL && memcmp(body, "connected\"", 10) == 0) {
            s->state = LIVE_READY;
            l->ready++;
        }

        return;
    }

    if (l->event != NULL) {
        l->event(l, s, data, len);
    }
}


/* of an event, with the quote behind it */

static const char *
live_name(live_t *l, const char *data, size_t len)
{
    size_t       head;
    const char  *begin;

    (void) live_frame_len(data, len, &head);

    if (l->kind == LIVE_SIO
        || (l->kind == LIVE_RAW && data[head] == '4'))
    {
        begin = "42/messaging,[\"";

    } else {
        begin = "{\"event\":\"";
    }

    if (len < head + strlen(begin) + 20
        || memcmp(data + head, begin, strlen(begin)) != 0)
    {
        return NULL;
    }

    return data + head + strlen(begin);
}


int
live_is_event(live_t *l, const char *frame, size_t len)
{
    const char  *name, *event;

    name = live_name(l, frame, len);
    event = l->message ? "new_message\"" : "typing_indicator\"";

    return name != NULL && memcmp(name, event, strlen(event)) == 0;
}


/* a mask of zeros is a mask */

static size_t
live_put(char *to, int opcode, const char *data, size_t len)
{
    size_t  head;

    to[0] = (char) (0x80 | opcode);

    if (len < 126) {
        to[1] = (char) (0x80 | len);
        head = 2;

    } else {
        to[1] = (char) (0x80 | 126);
        to[2] = (char) (len >> 8);
        to[3] = (char) len;
        head = 4;
    }

    memset(to + head, 0, 4);
    memcpy(to + head + 4, data, len);

    return head + 4 + len;
}


static void
live_send(live_socket_t *s, int opcode, const char *data, size_t len)
{
    char  frame[LIVE_SENT + 8];

    live_write(s, frame, live_put(frame, opcode, data, len));
}


void
live_emit(live_t *l, live_socket_t *s, long n, uint64_t number)
{
    int          len;
    char         buf[LIVE_SENT], event[1024], more[128];
    long         i;
    size_t       size;
    const char  *name;

    name = l->message ? "send_message" : "typing_indicator";
    size = 0;

    for (i = 0; i < n; i++, number++) {

        if (l->message) {
            snprintf(more, sizeof(more), "\"content\":\"Better %016llx\"",
                     (unsigned long long) number);

        } else {
            snprintf(more, sizeof(more), "\"isTyping\":%s",
                     (number % 2 == 0) ? "true" : "false");
        }

        len = snprintf(event, sizeof(event),
                       (l->kind == LIVE_SIO)
                       ? "42/messaging,[\"%s\",{\"conversationId\":\"%s\",%s}]"
                       : "{\"event\":\"%s\",\"data\":"
                         "{\"conversationId\":\"%s\",%s}}",
                       name, s->conversation, more);

        if (size + len + 8 > sizeof(buf)) {
            live_die("a burst of %ld is too long", n);
        }

        size += live_put(buf + size, 1, event, len);
    }

    live_write(s, buf, size);
}
