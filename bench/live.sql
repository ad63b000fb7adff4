-- People for the rows of real time, in an empty messaging schema: live_1 to
-- live_N in a ring, each with a DIRECT conversation with the next one, so
-- that everybody has two; and the room, a GROUP of the first 50 of them, with 20 sockets each,
-- and of a sender, whose id is so long that its typing_indicator is a frame
-- of about 260 octets; a longer one is not told.
--
--   psql -v people=12000 -v room=1000 -f bench/live.sql
--
-- Conversation 0 is the room, n is that of live_n and live_n+1.

\set ON_ERROR_STOP on
set synchronous_commit = off;

begin;

create temp table place as
select n as k, 'DIRECT' as type, 'live_' || n as a,
       'live_' || n % :people + 1 as b
  from generate_series(1, :people) n
union all
select 0, 'GROUP', 'live_1', null;

create temp table member as
select k, a as user_id from place where k > 0
union all
select k, b from place where k > 0
union all
select 0, 'live_' || n from generate_series(1, :room) n
union all
select 0, 'sender_' || repeat('x', 120) || '1';

create function pg_temp.conversation(k bigint) returns uuid
language sql immutable
as $$ select ('00000000000070008000' || (100000000000 + k))::uuid $$;

insert into messaging.people (id, first_name, last_name, role)
select distinct user_id, 'First', 'Last', 'client' from member;

insert into messaging.conversations (id, type, title, created_by, direct_low,
                                     direct_high, seq, event_seq, created_at,
                                     updated_at)
select pg_temp.conversation(k), type, case when k = 0 then 'Room' end, a,
       case when k > 0 then least(a collate "C", b) end,
       case when k > 0 then greatest(a collate "C", b) end,
       0, 1, now(), now()
  from place;

insert into messaging.participants (conversation_id, user_id, role, joined_at,
                                    last_read_seq, delivered_seq)
select pg_temp.conversation(k), user_id, 'MEMBER', now(), 0, 0 from member;

insert into messaging.memberships (conversation_id, user_id, joined_event_seq)
select pg_temp.conversation(k), user_id, 1 from member;

commit;

vacuum analyze;
