
/*
 * The log of one host in one process: what is appended, read, forgotten,
 * overtaken and begun anew.
 */

#include <ngx_mentara_log.h>
#include <ngx_mentara_places.h>
#include "mentara_tap.h"
#include "ngx_shim.h"


static ngx_mentara_zone_t     zone;
static ngx_mentara_log_t      mlog;
static ngx_mentara_reader_t   reader;
static ngx_mentara_targets_t  targets;


static void
begin(ngx_uint_t ring, ngx_uint_t rooms, size_t bodies)
{
    ngx_mentara_zone_opts_t  opts = { ring, rooms, bodies };

    shim_zone(&zone, 2 << 20, &opts);
    ngx_mentara_log_init(&mlog, &zone);

    free(reader.buf);
    reader.size = ngx_mentara_log_buffer(&mlog);
    reader.buf = malloc(reader.size);
    reader.epoch = 0;
}


static ngx_mentara_snapshot_t
snapshot(const char *text)
{
    ngx_str_t               s, id = ngx_string("7:1");
    ngx_mentara_snapshot_t  snap;

    s.data = (u_char *) text;
    s.len = strlen(text);

    memset(&snap, 0, sizeof(snap));

    if (ngx_mentara_snapshot_set(&snap, &s, &id) != NGX_OK) {
        printf("Bail out! snapshot %s\n", text);
        exit(1);
    }

    return snap;
}


static ngx_int_t
install(const char *text, ngx_mentara_lag_t *rows, ngx_uint_t n)
{
    ngx_mentara_snapshot_t  s = snapshot(text);

    return ngx_mentara_log_install(&mlog, mlog.head->snapshot_no, &s, rows, n,
                                   0);
}


static ngx_mentara_entry_t
event(u_char c, uint64_t event_seq, uint64_t xid, const char *body)
{
    ngx_mentara_entry_t  e;

    memset(&e, 0, sizeof(e));
    memset(e.conversation.data, c, 16);

    e.event_seq = event_seq;
    e.xid = xid;
    e.body.data = (u_char *) body;
    e.body.len = strlen(body);

    return e;
}


static ngx_int_t
append(u_char c, uint64_t event_seq, uint64_t xid, const char *body)
{
    ngx_mentara_entry_t  e = event(c, event_seq, xid, body);

    targets.n = 0;

    return ngx_mentara_log_append(&mlog, &e, &targets);
}


static ngx_int_t
swept(u_char c, uint64_t event_seq, uint64_t xid, const char *body)
{
    ngx_uint_t           added;
    ngx_mentara_entry_t  e = event(c, event_seq, xid, body);

    targets.n = 0;

    return ngx_mentara_log_sweep_append(&mlog, mlog.head->snapshot_no, &e, 1,
                                        &added, &targets);
}


/* what a reader gets, as "c5:body " */

static const char *
all_read(void)
{
    char                 *p;
    ngx_int_t             rc;
    static char           text[4096];
    ngx_mentara_entry_t   e;

    p = text;

    do {
        rc = ngx_mentara_log_read(&mlog, &reader, 0, NULL);

        if (rc == NGX_ABORT || rc == NGX_DECLINED) {
            return (rc == NGX_ABORT) ? "overtaken" : "other epoch";
        }

        while (ngx_mentara_log_next(&reader, &e) == NGX_OK) {
            p += sprintf(p, "%c%d:%.*s ", e.conversation.data[0],
                         (int) e.event_seq, (int) ngx_min(e.body.len, 20),
                         e.body.data);
        }

    } while (rc == NGX_AGAIN);

    *p = '\0';

    return text;
}


static void
test_snapshot(void)
{
    char                    *big;
    size_t                   i, n;
    ngx_str_t                s, id = ngx_string("7:1");
    ngx_mentara_snapshot_t   snap;

    static const char  *bad[] = {
        "", "1", "1:2", ":2:", "1::", "a:2:", "5:4:", "1 :2:",
        "99999999999999999999:99999999999999999999:"
    };

    snap = snapshot("10:20:10,12,19");

    ok(ngx_mentara_snapshot_sees(&snap, 9), "below xmin is seen");
    ok(!ngx_mentara_snapshot_sees(&snap, 10), "what runs is not seen");
    ok(ngx_mentara_snapshot_sees(&snap, 11), "between the running is seen");
    ok(!ngx_mentara_snapshot_sees(&snap, 12), "the second that runs is not");
    ok(!ngx_mentara_snapshot_sees(&snap, 19), "nor the last");
    ok(!ngx_mentara_snapshot_sees(&snap, 20), "nor xmax");

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        s.data = (u_char *) bad[i];
        s.len = strlen(bad[i]);

        ok(ngx_mentara_snapshot_set(&snap, &s, &id) == NGX_ERROR,
           "\"%s\" is no snapshot", bad[i]);
    }

    big = malloc(20000);
    n = sprintf(big, "1000:9000:");

    for (i = 1000; n < 19000; i += 2) {
        n += sprintf(big + n, "%d,", (int) i);
    }

    s.data = (u_char *) big;
    s.len = n - 1;

    is_int(ngx_mentara_snapshot_set(&snap, &s, &id), NGX_OK,
           "a snapshot with very many running transactions is taken");
    ok(snap.len == 10 && memcmp(snap.text, "1000:1000:", 10) == 0,
       "as one that sees less");
    ok(snap.cut && snap.xmax == 1000
       && !ngx_mentara_snapshot_sees(&snap, 1001), "and says so");

    free(big);
}


static void
test_append(void)
{
    ngx_mentara_lag_t  row;

    begin(64, 8, 64 * 1024);

    is_int(append('a', 1, 100, "one"), NGX_BUSY,
           "a log without a snapshot takes nothing");
    is_int(ngx_mentara_log_seek(&mlog, &reader), NGX_DECLINED,
           "and nobody reads it");

    is_int(install("100:100:", NULL, 0), NGX_OK, "the first one opens it");
    is_int(ngx_mentara_log_seek(&mlog, &reader), NGX_OK, "now it is read");

    is_int(append('a', 5, 100, "five"), NGX_AGAIN,
           "an event of an unknown conversation is left to a sweep");
    is_int(mlog.head->sweep_wanted, 1, "which is asked for");

    is_int(swept('a', 5, 100, "five"), NGX_OK, "the sweep brings it");
    is_int(append('a', 5, 100, "five"), NGX_DECLINED, "it is in only once");
    is_int(append('a', 4, 99, "four"), NGX_DECLINED, "as are older ones");
    is_int(append('a', 7, 102, "seven"), NGX_AGAIN, "an early one waits");
    is_int(append('a', 6, 101, "six"), NGX_OK, "the next one goes in");
    is_int(append('a', 7, 102, "seven"), NGX_OK, "and then its successor");
    is_int(append('a', 0, 0, "typing"), NGX_OK, "ephemeral ones always go in");

    is_text(all_read(), "a5:five a6:six a7:seven a0:typing ",
            "a reader gets all in order");
    is_text(all_read(), "", "and only once");

    memset(&row, 0, sizeof(row));
    memset(row.conversation.data, 'a', 16);
    row.min = 5;
    row.max = 8;

    is_int(ngx_mentara_log_compare(&mlog, mlog.head->snapshot_no, &row, 1),
           NGX_OK, "a sweep compares");
    ok(row.lag && row.last == 7, "and finds what is missing");
    is_int(install("103:103:", &row, 1), NGX_AGAIN,
           "its snapshot is refused while an event is missing");
    is_int(swept('a', 8, 103, "eight"), NGX_OK, "it is brought");
    is_int(install("103:103:", &row, 1), NGX_OK, "then it is installed");
    is_int(install("102:104:102", NULL, 0), NGX_AGAIN,
           "the floor does not go back");
    is_int(ngx_mentara_log_compare(&mlog, mlog.head->snapshot_no - 1, &row, 1),
           NGX_ABORT, "a sweep from an older snapshot is void");
}


static ngx_mentara_due_t
due(u_char c, uint64_t event_seq, uint64_t xid)
{
    ngx_mentara_due_t  d;

    memset(d.conversation.data, c, 16);
    d.event_seq = event_seq;
    d.xid = xid;

    return d;
}


static void
test_due(void)
{
    ngx_uint_t         n;
    ngx_mentara_due_t  rows[4];

    begin(64, 8, 64 * 1024);
    install("100:110:105", NULL, 0);
    swept('a', 5, 112, "five");

    rows[0] = due('a', 5, 112);
    rows[1] = due('a', 6, 113);
    rows[2] = due('b', 3, 109);
    rows[3] = due('c', 3, 105);
    n = 4;

    is_int(ngx_mentara_log_due(&mlog, rows, &n), 1, "the log has one event");
    is_int(n, 2, "what was appended, or seen by the snapshot, is there");
    ok(rows[0].conversation.data[0] == 'a' && rows[0].event_seq == 6,
       "an event beyond the last one of its conversation is due");
    ok(rows[1].conversation.data[0] == 'c',
       "so is one that ran, of a conversation that is not known");

    is_int(append('a', 6, 113, "six"), NGX_OK, "one comes");
    is_int(ngx_mentara_log_due(&mlog, rows, &n), 2, "it is up to there");
    is_int(n, 1, "the other one is still due");

    is_int(swept('c', 3, 105, "three"), NGX_OK, "the sweep brings it");
    is_int(ngx_mentara_log_due(&mlog, rows, &n), 3, "it is up to here");
    is_int(n, 0, "nothing is due");

    mlog.head->open = 0;
    rows[0] = due('b', 3, 109);
    n = 1;
    (void) ngx_mentara_log_due(&mlog, rows, &n);
    is_int(n, 1, "a log that is not open has seen nothing");
}


static void
test_bytes(void)
{
    char                  text[9000];
    ngx_mentara_entry_t   e, got;

    begin(64, 8, 64 * 1024);
    install("100:100:", NULL, 0);
    ngx_mentara_log_seek(&mlog, &reader);

    e = event('b', 0, 0, "{\"a\":1}");
    ngx_str_set(&e.actor, "mia");
    ngx_str_set(&e.subjects, "ana\nben");
    ngx_str_set(&e.hidden, "carl");
    ngx_str_set(&e.only, "dora");
    e.kind = NGX_MENTARA_EVENT_TYPING;
    e.flags = NGX_MENTARA_EVENT_JOIN;
    e.msg_seq = 77;

    ngx_mentara_log_append(&mlog, &e, &targets);
    ngx_mentara_log_read(&mlog, &reader, 0, NULL);
    is_int(ngx_mentara_log_next(&reader, &got), NGX_OK, "an entry is read");

    ok(got.actor.len == 3 && memcmp(got.actor.data, "mia", 3) == 0
       && got.subjects.len == 7 && memcmp(got.subjects.data, "ana\nben", 7) == 0
       && got.hidden.len == 4 && memcmp(got.hidden.data, "carl", 4) == 0
       && got.only.len == 4 && memcmp(got.only.data, "dora", 4) == 0
       && got.body.len == 7 && memcmp(got.body.data, "{\"a\":1}", 7) == 0,
       "its strings are what was put in");
    ok(got.kind == NGX_MENTARA_EVENT_TYPING && got.msg_seq == 77
       && got.flags == NGX_MENTARA_EVENT_JOIN && got.floor == 100
       && got.position == 1, "and its numbers");

    memset(text, 'x', sizeof(text));
    text[sizeof(text) - 1] = '\0';

    e = event('b', 0, 0, text);
    ngx_str_set(&e.only, "dora");
    ngx_mentara_log_append(&mlog, &e, &targets);
    ngx_mentara_log_read(&mlog, &reader, 0, NULL);
    ngx_mentara_log_next(&reader, &got);

    ok((got.flags & NGX_MENTARA_EVENT_BIG) && got.body.len == 0
       && got.only.len == 4,
       "one that is too large keeps its place, without a body");
}


static void
test_overtaken(void)
{
    int       i;
    char      text[1100];
    uint64_t  floor, tail;

    begin(16, 8, 64 * 1024);
    install("100:100:", NULL, 0);
    ngx_mentara_log_seek(&mlog, &reader);

    for (i = 0; i < 16; i++) {
        append('a', 0, 0, "x");
    }

    ok(strlen(all_read()) == 16 * 5, "a full ring is read");

    for (i = 0; i < 17; i++) {
        append('a', 0, 0, "x");
    }

    is_text(all_read(), "overtaken", "one more, and the reader is overtaken");
    ok(!ngx_mentara_log_holds(&mlog, mlog.head->epoch, reader.cursor),
       "its position is not held");
    ok(ngx_mentara_log_holds(&mlog, mlog.head->epoch, mlog.head->tail)
       && ngx_mentara_log_holds(&mlog, mlog.head->epoch, mlog.head->head),
       "the tail's and the head's are");
    ok(!ngx_mentara_log_holds(&mlog, mlog.head->epoch, mlog.head->head + 1),
       "one ahead of the log is not");
    ok(!ngx_mentara_log_holds(&mlog, mlog.head->epoch + 1, mlog.head->head),
       "nor one of another epoch");

    /* bodies overtake before entries do */

    begin(1024, 8, 64 * 1024);
    install("100:100:", NULL, 0);
    ngx_mentara_log_seek(&mlog, &reader);

    memset(text, 'y', sizeof(text));
    text[sizeof(text) - 1] = '\0';

    floor = 0;
    tail = 0;

    for (i = 0; i < 500; i++) {
        append('a', 0, 0, text + i % 1000);

        floor |= (mlog.head->tail < tail);
        tail = mlog.head->tail;
    }

    ok(mlog.head->head - mlog.head->tail < 130, "old bodies are given up");
    ok(!floor, "the tail never goes back");
    is_text(all_read(), "overtaken", "with their entries");

    reader.cursor = mlog.head->tail;
    ok(strlen(all_read()) > 300, "what is behind the tail is whole");
}


static void
test_places(void)
{
    int        i, rc;
    u_char     c;
    uint64_t   xid;

    begin(1024, 8, 64 * 1024);
    install("100:100:", NULL, 0);
    ngx_mentara_log_seek(&mlog, &reader);

    for (c = 'a'; c < 'a' + 8; c++) {
        swept(c, 3, 200, "x");
    }

    is_int(swept('z', 1, 201, "x"), NGX_DECLINED,
           "no conversation beyond the snapshot is forgotten");

    install("300:300:", NULL, 0);

    is_int(swept('z', 1, 301, "x"), NGX_OK, "below the floor it is");
    is_int(append('z', 2, 302, "x"), NGX_OK, "the new one is known");

    rc = 0;

    for (c = 'a'; c < 'a' + 8; c++) {
        rc += (append(c, 4, 400, "x") == NGX_AGAIN);
    }

    is_int(rc, 1, "and exactly one is not known any more");

    /* a transaction that stays open holds the floor back, not the table */

    begin(1024, 8, 64 * 1024);
    install("100:100:", NULL, 0);

    for (c = 'a'; c < 'a' + 8; c++) {
        swept(c, 3, 200, "x");
    }

    install("150:300:150", NULL, 0);
    is_int(swept('z', 1, 301, "x"), NGX_OK,
           "what the snapshot sees may be forgotten above the floor");

    /* many conversations through few places */

    begin(1024, 8, 64 * 1024);
    install("100:100:", NULL, 0);
    ngx_mentara_log_seek(&mlog, &reader);

    rc = NGX_OK;

    for (i = 0, xid = 100; i < 2000; i++) {
        char                    text[64];
        ngx_mentara_snapshot_t  s;

        rc |= swept('A' + i % 50, i / 50 + 1, xid++, "x");

        sprintf(text, "%d:%d:", (int) xid, (int) xid);
        s = snapshot(text);
        rc |= ngx_mentara_log_install(&mlog, mlog.head->snapshot_no, &s, NULL,
                                      0, 0);
    }

    is_int(rc, NGX_OK, "fifty conversations go through eight places");
    ok(mlog.head->head == 2000 && mlog.head->evicted > 1900,
       "one after the other");
}


static void
test_epoch(void)
{
    uint64_t                  epoch, no;
    ngx_mentara_sweep_from_t  from;

    begin(64, 8, 64 * 1024);
    install("100:100:", NULL, 0);
    ngx_mentara_log_seek(&mlog, &reader);
    swept('a', 1, 100, "one");

    epoch = mlog.head->epoch;
    no = mlog.head->snapshot_no;

    ngx_mentara_log_new_epoch(&mlog, no - 1, &targets);
    ok(mlog.head->epoch == epoch, "a stale sweep does not end an epoch");

    ngx_mentara_log_new_epoch(&mlog, no, &targets);
    ok(mlog.head->epoch != epoch, "a new epoch has another number");
    is_text(all_read(), "other epoch", "its readers notice");
    is_int(append('a', 2, 101, "two"), NGX_BUSY, "it is closed at first");
    is_int(ngx_mentara_log_compare(&mlog, no, NULL, 0), NGX_ABORT,
           "sweeps of the old one are void");

    is_int(install("50:50:", NULL, 0), NGX_OK, "any snapshot opens it");
    ok(!ngx_mentara_log_holds(&mlog, mlog.head->epoch, 0),
       "nothing of the old one is held");
    is_int(append('a', 2, 51, "two"), NGX_AGAIN, "no conversation is known");
    is_int(ngx_mentara_log_seek(&mlog, &reader), NGX_OK, "it is read");
    swept('a', 2, 51, "two");
    is_text(all_read(), "a2:two ", "from its beginning");

    /* the role of the sweeper */

    is_int(ngx_mentara_log_sweep(&mlog, getpid(), 1000, &from), NGX_OK,
           "a sweep begins");
    ok(from.open && from.from.xmin == 50 && from.no == mlog.head->snapshot_no,
       "from the snapshot in force");
    is_int(ngx_mentara_log_sweep(&mlog, getppid(), 2000, &from), NGX_BUSY,
           "another process does not");
    is_int(ngx_mentara_log_sweep(&mlog, getppid(), 6001, &from), NGX_OK,
           "but when the first one takes too long");
    is_int(ngx_mentara_log_sweep_end(&mlog, getpid()), 0,
           "the first one's end is then nobody's");
    append('x', 9, 99, "early");
    is_int(ngx_mentara_log_sweep_end(&mlog, getppid()), 1,
           "whoever ends it learns that one was asked for");
}


static void
test_slots(void)
{
    int                   fds[NGX_MENTARA_SLOTS];
    int                   status;
    ngx_int_t             a, b;
    ngx_pid_t             child;
    ngx_mentara_slot_t   *s;

    begin(64, 8, 64 * 1024);
    install("100:100:", NULL, 0);

    memset(fds, -1, sizeof(fds));

    a = ngx_mentara_slots_claim(&zone, getpid(), fds);

    child = fork();

    if (child == 0) {
        _exit(ngx_mentara_slots_claim(&zone, getpid(), fds));
    }

    waitpid(child, &status, 0);
    b = WEXITSTATUS(status);

    ok(a == 0 && b == 1, "each process has a slot of its own");

    s = ngx_mentara_slot(&zone, a);
    s->sockets = 1;
    ngx_mentara_slot(&zone, b)->sockets = 1;

    append('a', 0, 0, "x");
    is_int(targets.n, 2, "an event wakes those that have sockets");
    append('a', 0, 0, "x");
    is_int(targets.n, 0, "but no one twice");

    ngx_mentara_log_seek(&mlog, &reader);
    ngx_mentara_log_read(&mlog, &reader, 0, s);
    append('a', 0, 0, "x");
    ok(targets.n == 1 && targets.slots[0] == a,
       "who has read is woken again");
    is_int(ngx_mentara_slots_wake(&targets, a), 1,
           "a worker learns that it is one of them");

    is_int(ngx_mentara_slots_reap(&zone, a, getpid(), NULL, NULL), 1,
           "the slot of a dead process is freed");
    ok(ngx_mentara_slot(&zone, b)->pid == 0 && s->pid != 0,
       "that of a living one is not");
    is_int(ngx_mentara_slots_reap(&zone, -1, getpid(), NULL, NULL), 1,
           "a slot that carries the pid of a newcomer is a dead one's");
}


int
main(void)
{
    test_snapshot();
    test_append();
    test_due();
    test_bytes();
    test_overtaken();
    test_places();
    test_epoch();
    test_slots();

    return tap_done();
}
