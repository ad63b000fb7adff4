/*
 * The client of the rows of real time: many sockets in one thread.  Events,
 * what they look like on the wire of each kind of server, and the loop.
 */

#ifndef _LIVE_H_INCLUDED_
#define _LIVE_H_INCLUDED_


#define _GNU_SOURCE

#include <stddef.h>
#include <stdint.h>


typedef struct live_s  live_t;
typedef struct live_socket_s  live_socket_t;

/* an event, or with LIVE_RAW anything; frame: with its head */
typedef void (*live_event_pt)(live_t *l, live_socket_t *s, const char *frame,
    size_t len);


typedef enum {
    LIVE_RAW = 0,       /* frames come at once: the floor */
    LIVE_BARE,          /* an upgrade and no more */
    LIVE_PLAIN,         /* /messaging/ws */
    LIVE_SIO            /* Socket.IO */
} live_kind_e;


typedef enum {
    LIVE_ASKING = 0,    /* which worker it is */
    LIVE_UPGRADING,
    LIVE_STARTING,      /* until `connected` */
    LIVE_READY
} live_state_e;


struct live_socket_s {
    int              fd;
    live_state_e     state;
    long             worker;        /* its pid, 0: was not asked for */
    long             number;
    char            *token;
    char            *conversation;
    char            *rest;          /* read and not yet taken */
    size_t           len;
    void            *data;
};


struct live_s {
    int              port;
    live_kind_e      kind;
    long             sockets;
    long             at_once;       /* that may be connecting */
    long             sender;        /* pid whose time counts */
    long             burst;         /* events */
    long             rounds;
    double           rate;          /* events per second */
    double           seconds;
    char            *file;          /* of a frame */
    int              message;       /* send_message, else typing_indicator */
    int              ask;           /* for workers */

    char           **tokens;
    char           **conversations;
    long             targets;

    int              ep;
    live_socket_t   *s;
    long             ready;
    live_event_pt    event;
    void            *data;
    uint64_t         frames;        /* read, whatever they were */
};


/* util.c */

void live_die(const char *format, ...);
double live_now(void);
void *live_alloc(size_t size);
int live_compare(const void *one, const void *two);

/* of sorted times, ms */
double live_percentile(double *times, size_t n, double share);

/* CPU time of a process and its threads, s */
double live_cpu(long pid);


/* socket.c */

/* opens n sockets for the targets from first on, at_once at a time */
void live_open_all(live_t *l, long first, long n);
void live_open(live_t *l, live_socket_t *s);

/* reads what has come, waiting at most so long; 0: nothing had */
int live_wait(live_t *l, int ms);

/* until nothing has come for so long */
void live_quiet(live_t *l, int ms);

/* writes the event that is asked for, n times in one write, on and off */
void live_emit(live_t *l, live_socket_t *s, long n, uint64_t number);

/* whether a frame is that event */
int live_is_event(live_t *l, const char *frame, size_t len);


/* the scenarios */

int live_sign(int argc, char **argv);
int live_floor(live_t *l);
int live_fanout(live_t *l);
int live_latency(live_t *l);
int live_cross(live_t *l);
int live_hold(live_t *l);


#endif /* _LIVE_H_INCLUDED_ */
