
/*
 * A small HTTP/1.1 load generator: one thread, epoll, N keep-alive
 * connections with one request in flight each, so that N is the number of
 * requests in flight.
 *
 *   load -p PORT -c CONNECTIONS (-t SECONDS | -n REQUESTS) [-s SEED]
 *        TEMPLATE TARGETS
 *
 * TEMPLATE is a request: head lines, an empty line, a body.  {1} to {4}
 * stand for the columns of a line of TARGETS, drawn at random for each
 * request; {key} for 24 characters that no other request has.
 *
 * Prints one line; everything that is not 2xx, or cannot be read, counts as
 * failed.  Times are in milliseconds.
 *
 *   requests=N seconds=N rate=N p50=N p95=N p99=N max=N failed=N
 */

#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>


#define LOAD_CONNECTIONS  4096
#define LOAD_COLUMNS      4
#define LOAD_REQUEST      32768       /* most octets of a request */
#define LOAD_HEAD         16384       /* most octets of an answer's head */
#define LOAD_KEY          24


typedef struct {
    char       *data;
    size_t      len;
    size_t      key;                  /* offset of the key, 0: none */
} load_request_t;


typedef struct {
    int         fd;
    double      since;                /* when the request was sent, s */
    char       *request;
    size_t      request_size;
    char        head[LOAD_HEAD + 1];
    size_t      len;                  /* of the head so far */
    long        body;                 /* octets to come; -1: in the head */
    int         status;
} load_conn_t;


typedef struct {
    int              port;
    long             connections;
    double           seconds;
    long             requests;        /* to send; 0: as time allows */

    load_request_t  *prepared;
    size_t           nprepared;

    int              ep;
    load_conn_t     *conns;
    uint64_t         random;
    uint64_t         run;             /* makes keys differ between runs */
    uint64_t         number;          /* requests sent */

    uint32_t        *times;           /* of answers, us */
    size_t           ntimes;
    size_t           size;
    uint64_t         failed;
    double           end;
} load_t;


static void
load_die(const char *format, ...)
{
    va_list  args;

    va_start(args, format);
    fprintf(stderr, "load: ");
    vfprintf(stderr, format, args);
    fprintf(stderr, "\n");
    va_end(args);

    exit(1);
}


static double
load_now(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);

    return ts.tv_sec + ts.tv_nsec / 1e9;
}


static void *
load_alloc(void *old, size_t size)
{
    void  *p;

    p = realloc(old, size);
    if (p == NULL) {
        load_die("out of memory");
    }

    return p;
}


/* xorshift: which target comes next need not be a secret */

static uint64_t
load_random(load_t *l)
{
    l->random ^= l->random << 13;
    l->random ^= l->random >> 7;
    l->random ^= l->random << 17;

    return l->random;
}


static char *
load_file(const char *name)
{
    FILE    *file;
    char    *data;
    size_t   size, len, n;

    file = fopen(name, "r");
    if (file == NULL) {
        load_die("%s: %s", name, strerror(errno));
    }

    size = 65536;
    data = load_alloc(NULL, size + 1);
    len = 0;

    while ((n = fread(data + len, 1, size - len, file)) > 0) {
        len += n;

        if (len == size) {
            size *= 2;
            data = load_alloc(data, size + 1);
        }
    }

    fclose(file);
    data[len] = '\0';

    return data;
}


static char *
load_put(char *at, char *end, const char *text, size_t len)
{
    if ((size_t) (end - at) < len) {
        load_die("a request is longer than %d octets", LOAD_REQUEST);
    }

    memcpy(at, text, len);

    return at + len;
}


/* fills the placeholders; key receives the offset of the key in buf */

static size_t
load_expand(char *buf, const char *from, size_t len, char **columns,
    size_t *key)
{
    char        *at, *end;
    const char  *last;

    at = buf;
    end = buf + LOAD_REQUEST;
    last = from + len;

    while (from < last) {
        if (last - from >= 5 && memcmp(from, "{key}", 5) == 0) {
            *key = at - buf;
            at = load_put(at, end, "000000000000000000000000", LOAD_KEY);
            from += 5;
            continue;
        }

        if (last - from >= 3 && from[0] == '{' && from[2] == '}'
            && from[1] >= '1' && from[1] < '1' + LOAD_COLUMNS)
        {
            at = load_put(at, end, columns[from[1] - '1'],
                          strlen(columns[from[1] - '1']));
            from += 3;
            continue;
        }

        at = load_put(at, end, from++, 1);
    }

    return at - buf;
}


/* one request per target, complete but for its key */

static void
load_prepare(load_t *l, const char *template, char **columns)
{
    char             buf[LOAD_REQUEST], body[LOAD_REQUEST], *at, *end;
    size_t           nbody, key, body_key, len;
    const char      *blank;
    load_request_t  *r;

    blank = strstr(template, "\n\n");
    len = (blank == NULL) ? strlen(template) : (size_t) (blank - template);

    key = 0;
    body_key = 0;
    nbody = 0;
    end = buf + LOAD_REQUEST;
    at = buf + load_expand(buf, template, len, columns, &key);

    if (blank != NULL) {
        nbody = load_expand(body, blank + 2, strcspn(blank + 2, "\n"),
                            columns, &body_key);
    }

    if (nbody > 0) {
        at += snprintf(at, end - at, "\nContent-Length: %zu", nbody);
    }

    at = load_put(at, end, "\n\n", 2);

    if (body_key != 0) {
        key = (at - buf) + body_key;
    }

    at = load_put(at, end, body, nbody);

    l->prepared = load_alloc(l->prepared,
                             (l->nprepared + 1) * sizeof(load_request_t));
    r = &l->prepared[l->nprepared++];
    r->len = at - buf;
    r->key = key;
    r->data = load_alloc(NULL, r->len);
    memcpy(r->data, buf, r->len);
}


static void
load_targets(load_t *l, char *template, char *targets)
{
    int    n;
    char  *line, *rest, *word, *more, *columns[LOAD_COLUMNS];

    for (line = strtok_r(targets, "\n", &rest);
         line != NULL;
         line = strtok_r(NULL, "\n", &rest))
    {
        n = 0;

        for (word = strtok_r(line, " \t", &more);
             word != NULL && n < LOAD_COLUMNS;
             word = strtok_r(NULL, " \t", &more))
        {
            columns[n++] = word;
        }

        while (n < LOAD_COLUMNS) {
            columns[n++] = "";
        }

        load_prepare(l, template, columns);
    }

    if (l->nprepared == 0) {
        load_die("no targets");
    }
}


static void
load_connect(load_t *l, load_conn_t *c)
{
    int                 on;
    struct epoll_event  ev;
    struct sockaddr_in  sin;

    memset(&sin, 0, sizeof(sin));
    sin.sin_family = AF_INET;
    sin.sin_port = htons(l->port);
    sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);

    c->fd = socket(AF_INET, SOCK_STREAM, 0);

    if (c->fd == -1
        || connect(c->fd, (struct sockaddr *) &sin, sizeof(sin)) == -1)
    {
        load_die("connect: %s", strerror(errno));
    }

    on = 1;
    (void) setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));

    if (fcntl(c->fd, F_SETFL, O_NONBLOCK) == -1) {
        load_die("fcntl: %s", strerror(errno));
    }

    memset(&ev, 0, sizeof(ev));
    ev.events = EPOLLIN;
    ev.data.ptr = c;

    if (epoll_ctl(l->ep, EPOLL_CTL_ADD, c->fd, &ev) == -1) {
        load_die("epoll_ctl: %s", strerror(errno));
    }
}


/* a request is far smaller than a socket's buffer: it goes out at once */

static void
load_send(load_t *l, load_conn_t *c)
{
    char             key[LOAD_KEY + 1];
    load_request_t  *r;

    r = &l->prepared[load_random(l) % l->nprepared];
    l->number++;

    if (c->request_size < r->len) {
        c->request = load_alloc(c->request, r->len);
        c->request_size = r->len;
    }

    memcpy(c->request, r->data, r->len);

    if (r->key != 0) {
        snprintf(key, sizeof(key), "%012llx%012llx",
                 (unsigned long long) (l->run & 0xffffffffffff),
                 (unsigned long long) (l->number & 0xffffffffffff));
        memcpy(c->request + r->key, key, LOAD_KEY);
    }

    c->len = 0;
    c->body = -1;
    c->status = 0;
    c->since = load_now();

    if (send(c->fd, c->request, r->len, MSG_NOSIGNAL) != (ssize_t) r->len) {
        load_die("send: %s", strerror(errno));
    }
}


/* status and length of the body; 0: the head is not complete */

static int
load_head(load_conn_t *c)
{
    char  *end, *field;

    c->head[c->len] = '\0';

    end = strstr(c->head, "\r\n\r\n");
    if (end == NULL) {
        return 0;
    }

    end += 4;

    if (sscanf(c->head, "HTTP/1.1 %d", &c->status) != 1) {
        load_die("not an HTTP/1.1 answer");
    }

    field = strcasestr(c->head, "\r\nContent-Length:");

    if (field != NULL && field < end) {
        c->body = atol(field + sizeof("\r\nContent-Length:") - 1);

    } else if (c->status == 204 || c->status == 304) {
        c->body = 0;

    } else {
        load_die("an answer without Content-Length");
    }

    c->body -= c->len - (end - c->head);

    return 1;
}


static void
load_answered(load_t *l, load_conn_t *c)
{
    double  now;

    now = load_now();

    if (c->status < 200 || c->status > 299) {
        if (l->failed++ == 0) {
            fprintf(stderr, "load: first failure:\n%s\n", c->head);
        }
    }

    if (l->ntimes == l->size) {
        l->size = (l->size == 0) ? 65536 : 2 * l->size;
        l->times = load_alloc(l->times, l->size * sizeof(uint32_t));
    }

    l->times[l->ntimes++] = (uint32_t) ((now - c->since) * 1e6);

    if (strcasestr(c->head, "\r\nConnection: close") != NULL) {
        close(c->fd);
        load_connect(l, c);
    }

    if (now < l->end && (l->requests == 0
                         || l->number < (uint64_t) l->requests))
    {
        load_send(l, c);
        return;
    }

    close(c->fd);
    c->fd = -1;
    l->connections--;
}


static void
load_read(load_t *l, load_conn_t *c)
{
    ssize_t  n;
    char     skip[65536];

    for ( ;; ) {
        if (c->body == -1) {
            n = recv(c->fd, c->head + c->len, LOAD_HEAD - c->len, 0);

        } else {
            n = recv(c->fd, skip, sizeof(skip), 0);
        }

        if (n == -1 && errno == EAGAIN) {
            return;
        }

        if (n <= 0) {
            load_die("recv: %s", (n == 0) ? "closed" : strerror(errno));
        }

        if (c->body == -1) {
            c->len += n;

            if (!load_head(c)) {
                if (c->len == LOAD_HEAD) {
                    load_die("the head of an answer is too long");
                }

                continue;
            }

        } else {
            c->body -= n;
        }

        if (c->body <= 0) {
            load_answered(l, c);
            return;
        }
    }
}


static void
load_run(load_t *l)
{
    int                  i, n;
    long                 k, started;
    struct epoll_event   events[256];

    l->ep = epoll_create1(0);
    if (l->ep == -1) {
        load_die("epoll_create1: %s", strerror(errno));
    }

    started = l->connections;
    l->conns = calloc(started, sizeof(load_conn_t));
    if (l->conns == NULL) {
        load_die("out of memory");
    }

    for (k = 0; k < started; k++) {
        load_connect(l, &l->conns[k]);
    }

    l->end = load_now() + l->seconds;

    for (k = 0; k < started; k++) {
        load_send(l, &l->conns[k]);
    }

    while (l->connections > 0) {
        n = epoll_wait(l->ep, events, 256, 30000);

        if (n == 0) {
            load_die("no answer for 30 seconds");
        }

        for (i = 0; i < n; i++) {
            load_read(l, events[i].data.ptr);
        }
    }
}


static int
load_compare(const void *one, const void *two)
{
    uint32_t  a, b;

    a = *(const uint32_t *) one;
    b = *(const uint32_t *) two;

    return (a > b) - (a < b);
}


static double
load_percentile(load_t *l, double share)
{
    return l->times[(size_t) ((l->ntimes - 1) * share)] / 1e3;
}


static void
load_report(load_t *l, double elapsed)
{
    qsort(l->times, l->ntimes, sizeof(uint32_t), load_compare);

    printf("requests=%zu seconds=%.2f rate=%.1f p50=%.3f p95=%.3f p99=%.3f "
           "max=%.3f failed=%llu\n",
           l->ntimes, elapsed, l->ntimes / elapsed, load_percentile(l, 0.5),
           load_percentile(l, 0.95), load_percentile(l, 0.99),
           load_percentile(l, 1), (unsigned long long) l->failed);
}


int
main(int argc, char **argv)
{
    int     option;
    double  began;
    load_t  l;

    memset(&l, 0, sizeof(l));
    l.connections = 1;
    l.run = ((uint64_t) time(NULL) << 16) ^ (uint64_t) getpid();
    l.random = 88172645463325252ULL;

    while ((option = getopt(argc, argv, "p:c:t:n:s:")) != -1) {
        switch (option) {

        case 'p':
            l.port = atoi(optarg);
            break;

        case 'c':
            l.connections = atol(optarg);
            break;

        case 't':
            l.seconds = atof(optarg);
            break;

        case 'n':
            l.requests = atol(optarg);
            break;

        case 's':
            l.random ^= strtoull(optarg, NULL, 10) << 20;
            break;

        default:
            return 2;
        }
    }

    if (argc - optind != 2 || l.port <= 0 || l.connections < 1
        || l.connections > LOAD_CONNECTIONS
        || (l.seconds <= 0 && l.requests < l.connections))
    {
        load_die("usage: load -p port -c connections (-t seconds | "
                 "-n requests) [-s seed] template targets");
    }

    if (l.seconds <= 0) {
        l.seconds = 1e9;
    }

    load_targets(&l, load_file(argv[optind]), load_file(argv[optind + 1]));

    began = load_now();
    load_run(&l);
    load_report(&l, load_now() - began);

    return (l.failed > 0) ? 1 : 0;
}
