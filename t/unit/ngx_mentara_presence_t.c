
/*
 * Who is there, over the slots of several workers: what is counted, what is
 * told, and what is left of somebody who has gone.
 */

#include <ngx_mentara_presence.h>
#include "mentara_tap.h"
#include "ngx_shim.h"


#define GRACE  1000


static ngx_mentara_zone_t  zone;


static void
begin(void)
{
    ngx_mentara_zone_opts_t  opts = { 64, 64, 65536 };

    shim_zone(&zone, 2 << 20, &opts);
}


static ngx_str_t
name(const char *text)
{
    ngx_str_t  s;

    s.data = (u_char *) text;
    s.len = strlen(text);

    return s;
}


static ngx_int_t
enter(const char *who, ngx_uint_t slot)
{
    ngx_str_t  user = name(who);

    return ngx_mentara_presence_enter(&zone, slot, &user);
}


static ngx_int_t
tell(const char *who)
{
    ngx_str_t  user = name(who);

    return ngx_mentara_presence_tell(&zone, &user);
}


static void
leave(const char *who, ngx_uint_t slot, uint64_t now)
{
    ngx_str_t  user = name(who);

    ngx_mentara_presence_leave(&zone, slot, &user, now);
}


static ngx_uint_t
online(const char *who)
{
    ngx_str_t  user = name(who);

    return ngx_mentara_presence_online(&zone, &user);
}


static ngx_uint_t
count(const char *who)
{
    ngx_str_t  user = name(who);

    return ngx_mentara_presence_count(&zone, &user);
}


static ngx_int_t
expire(uint64_t now)
{
    ngx_mentara_somebody_t  who;

    return ngx_mentara_presence_expire(&zone, now, GRACE, &who);
}


static void
dies(ngx_uint_t slot, uint64_t now)
{
    ngx_mentara_zone_lock(&zone);
    ngx_mentara_presence_reap(&zone, slot, &now);
    ngx_mentara_zone_unlock(&zone);
}


static void
test_told(void)
{
    begin();

    ok(enter("ana", 1) == NGX_OK && count("ana") == 1, "a first socket");
    ok(!online("ana"), "is not there until that is told");
    ok(enter("ana", 2) == NGX_OK && count("ana") == 2, "a second one");
    leave("ana", 1, 100);
    ok(tell("ana") == NGX_OK && online("ana"),
       "the first has gone: the second tells it");
    ok(tell("ana") == NGX_DECLINED, "once");
    ok(enter("ana", 3) == NGX_OK && tell("ana") == NGX_DECLINED,
       "nor does a third one, elsewhere");
    leave("ana", 2, 200);
    ok(expire(9000) == NGX_DONE && online("ana"), "there is one left");
    leave("ana", 3, 300);
    ok(online("ana"), "and when it goes there is the grace period");
    ok(expire(300 + GRACE - 1) == NGX_DONE, "which is not over");
    ok(enter("ana", 4) == NGX_OK && tell("ana") == NGX_DECLINED,
       "back in it: nobody has heard of anything");
    leave("ana", 4, 400);
    ok(expire(400 + GRACE) == NGX_OK, "over: it is told that she has gone");
    ok(expire(9000) == NGX_DONE && !online("ana"), "once");
    ok(enter("ana", 4) == NGX_OK && tell("ana") == NGX_OK,
       "and that she is back");
}


static void
test_untold(void)
{
    ngx_str_t           user = name("ana");
    ngx_mentara_uuid_t  room;

    memset(&room, 7, sizeof(room));

    begin();

    enter("ana", 1);
    ok(ngx_mentara_joined_tell(&zone, &user, &room) == NGX_OK,
       "who is not told yet joins");
    leave("ana", 1, 100);
    ok(!online("ana") && expire(100 + GRACE) == NGX_DONE,
       "and goes: there is nothing to be told");
    ok(ngx_mentara_joined_tell(&zone, &user, &room) == NGX_OK,
       "next time it is told that she joins");

    begin();

    enter("ana", 1);
    dies(1, 100);
    ok(count("ana") == 0 && !online("ana") && expire(9000) == NGX_DONE,
       "the same when her worker dies");
    ok(enter("ana", 2) == NGX_OK && tell("ana") == NGX_OK,
       "then she comes anew");
}


static void
test_workers(void)
{
    ngx_uint_t  slot;

    begin();

    enter("ana", 1);
    enter("ana", 2);
    tell("ana");
    dies(1, 100);
    leave("ana", 2, 800);
    ok(expire(100 + GRACE) == NGX_DONE,
       "the grace period begins with the last one, whoever died before");
    ok(expire(800 + GRACE) == NGX_OK, "and ends");

    begin();

    enter("ana", 1);
    tell("ana");
    leave("ana", 1, 100);

    for (slot = 2; slot < 9; slot++) {
        enter("ana", slot);
    }

    ok(count("ana") == 7, "a place for each of seven workers");
    ok(enter("ana", 9) == NGX_OK && count("ana") == 8,
       "and for an eighth, in place of the one that counts nothing");
    ok(enter("ana", 10) == NGX_BUSY && count("ana") == 8, "then it is full");

    for (slot = 2; slot < 10; slot++) {
        leave("ana", slot, 200);
    }

    ok(expire(200 + GRACE) == NGX_OK && count("ana") == 0 && !online("ana"),
       "all of them go, and nothing is left behind");
}


int
main(void)
{
    test_told();
    test_untold();
    test_workers();

    return tap_done();
}
