
/*
 *   live SCENARIO -p PORT [options] [TARGETS]
 *
 *   -k raw|bare|plain|sio     what is on the other side
 *   -n SOCKETS  -c AT_ONCE    how many, how many of them connecting
 *   -x typing|message         the event
 *   -P PID                    of the sender: its CPU time is measured
 *   -e EVENTS  -r ROUNDS      of a burst; how many bursts
 *   -R RATE  -t SECONDS       of events
 *   -w FILE                   of a frame: written by fanout, read by floor
 *
 *   live sign KEY PREFIX FIRST LAST TTL
 *
 * TARGETS has lines of a token and a conversation.  Each scenario prints one
 * line of name=value.
 */

#include "live.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>


typedef struct {
    const char   *name;
    int         (*run)(live_t *l);
} live_scenario_t;


static live_scenario_t  live_scenarios[] = {
    { "floor", live_floor },
    { "fanout", live_fanout },
    { "latency", live_latency },
    { "cross", live_cross },
    { "hold", live_hold },
    { NULL, NULL }
};


static void
live_targets(live_t *l, const char *name)
{
    char     line[8192], token[4096], conversation[64];
    FILE    *file;
    size_t   size;

    file = fopen(name, "r");
    if (file == NULL) {
        live_die("%s: %s", name, strerror(errno));
    }

    while (fgets(line, sizeof(line), file) != NULL) {

        if (sscanf(line, "%4095s %63s", token, conversation) != 2) {
            live_die("%s: a token and a conversation, please", name);
        }

        if (l->targets % 1024 == 0) {
            size = (l->targets + 1024) * sizeof(char *);
            l->tokens = realloc(l->tokens, size);
            l->conversations = realloc(l->conversations, size);
        }

        l->tokens[l->targets] = strdup(token);
        l->conversations[l->targets++] = strdup(conversation);
    }

    fclose(file);
}


static live_kind_e
live_kind(const char *name)
{
    const char  **k;
    const char   *kinds[] = { "raw", "bare", "plain", "sio", NULL };

    for (k = kinds; *k != NULL; k++) {
        if (strcmp(*k, name) == 0) {
            return k - kinds;
        }
    }

    live_die("no such kind: %s", name);

    return LIVE_RAW;
}


static void
live_option(live_t *l, int option, char *value)
{
    switch (option) {

    case 'p':
        l->port = atoi(value);
        break;

    case 'k':
        l->kind = live_kind(value);
        break;

    case 'n':
        l->sockets = atol(value);
        break;

    case 'c':
        l->at_once = atol(value);
        break;

    case 'x':
        l->message = (strcmp(value, "message") == 0);
        break;

    case 'P':
        l->sender = atol(value);
        break;

    case 'e':
        l->burst = atol(value);
        break;

    case 'r':
        l->rounds = atol(value);
        break;

    case 'R':
        l->rate = atof(value);
        break;

    case 't':
        l->seconds = atof(value);
        break;

    case 'w':
        l->file = value;
        break;

    default:
        exit(2);
    }
}


int
main(int argc, char **argv)
{
    int               option;
    live_t            l;
    live_scenario_t  *scenario;

    if (argc < 2) {
        live_die("a scenario, please");
    }

    if (strcmp(argv[1], "sign") == 0) {
        return live_sign(argc - 2, argv + 2);
    }

    signal(SIGPIPE, SIG_IGN);
    memset(&l, 0, sizeof(live_t));

    l.at_once = 64;
    l.burst = 1;
    l.rounds = 1;
    l.rate = 100;
    l.seconds = 1;

    for (scenario = live_scenarios; scenario->name != NULL; scenario++) {
        if (strcmp(scenario->name, argv[1]) == 0) {
            break;
        }
    }

    if (scenario->name == NULL) {
        live_die("no such scenario: %s", argv[1]);
    }

    argc--;
    argv++;

    while ((option = getopt(argc, argv, "p:k:n:c:x:P:e:r:R:t:w:")) != -1) {
        live_option(&l, option, optarg);
    }

    if (optind < argc) {
        live_targets(&l, argv[optind]);
    }

    l.ep = epoll_create1(0);
    if (l.ep == -1) {
        live_die("epoll_create1: %s", strerror(errno));
    }

    return scenario->run(&l);
}
