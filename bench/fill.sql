-- Fills an empty messaging schema with people and conversations that grow
-- with the number of messages, as a platform grows: a person has 4 DIRECT
-- conversations of 50 messages, whatever the size; one GROUP of 80 members
-- holds 5 % of all messages.
--
--   psql -v messages=1000000 -f bench/fill.sql
--
-- Person n is bench_n.  Conversation k has an id of decimal digits, so that
-- a pgbench script can write it: 1 is the group, the others are DIRECT.

\set ON_ERROR_STOP on
\set users :messages / 105
set synchronous_commit = off;
set maintenance_work_mem = '256MB';
set work_mem = '256MB';

begin;

create function pg_temp.conversation(k bigint) returns uuid
language sql immutable
as $$ select ('00000000000070008000' || (100000000000 + k))::uuid $$;

insert into messaging.people (id, first_name, last_name, avatar_url, role)
select 'bench_' || n, 'First' || n, 'Last' || n,
       '/avatars/' || n || '.svg',
       case when n % 10 = 0 then 'therapist' else 'client' end
  from generate_series(1, :users) n;

-- k, its two people, and the size

create temp table direct as
select 1 + (d - 1) * (:users) + n as k,
       'bench_' || n as a,
       'bench_' || (n + d - 1) % (:users) + 1 as b
  from generate_series(1, :users) n, generate_series(1, 2) d;

create temp table place as
select 1::bigint as k, 'GROUP' as type, :messages / 20 as size
union all
select k, 'DIRECT', 50 from direct;

insert into messaging.conversations (id, type, title, created_by, direct_low,
                                     direct_high, seq, event_seq,
                                     last_message_at, created_at, updated_at)
select pg_temp.conversation(p.k), p.type,
       case when p.k = 1 then 'Everybody' end, coalesce(d.a, 'bench_1'),
       least(d.a collate "C", d.b), greatest(d.a collate "C", d.b),
       p.size, p.size + 1,
       now() - p.k * interval '1 millisecond', now() - interval '91 days',
       now() - p.k * interval '1 millisecond'
  from place p
  left join direct d on d.k = p.k;

create temp table member as
select 1::bigint as k, 'bench_' || n as user_id, n as rank
  from generate_series(1, 80) n
union all
select k, a, 1 from direct
union all
select k, b, 2 from direct;

-- ten messages behind; half of the group 400

insert into messaging.participants (conversation_id, user_id, role,
                                    joined_at, last_read_seq, last_read_at,
                                    shown_read_at, delivered_seq)
select pg_temp.conversation(m.k), m.user_id,
       case when m.rank = 1 then 'ADMIN' else 'MEMBER' end,
       now() - interval '91 days', p.size - case when m.rank > 40 then 400 else 10 end,
       now() - interval '1 day',
       now() - interval '1 day', p.size
  from member m
  join place p on p.k = m.k;

insert into messaging.memberships (conversation_id, user_id,
                                   joined_event_seq)
select conversation_id, user_id, 1 from messaging.participants;

-- Messages in the order of time, so that those of one conversation lie
-- apart as they do in a table that has grown.  "today" is in every third,
-- "topicN" in one of a thousand, "wordN" in one of a hundred thousand.

drop index messaging.messages_words;

insert into messaging.messages (conversation_id, seq, id, sender_id, content,
                                type, reply_seq, created_at, updated_at,
                                client_id, body_hash)
select x.id, x.seq,
       ('00000000' || to_char(x.k, 'FM000000000000')
        || to_char(x.seq, 'FM000000000000'))::uuid,
       x.sender, 'I feel ' || (array['calm', 'tired', 'better', 'restless',
           'hopeful', 'anxious', 'fine'])[1 + x.h % 7]
       || case when x.h % 3 = 0 then ' today' else ' now' end
       || ', mostly about topic' || x.h % 1000 || ' and what we said of word'
       || x.h / 7 % 100000 || '. Could we speak of it again?',
       'TEXT', case when x.seq > 1 and x.h % 20 = 0 then x.seq - 1 end,
       x.at, x.at, null, null
  from (select pg_temp.conversation(p.k) as id, p.k, s as seq,
               now() - interval '90 days' * (1 - s::float8 / p.size)
               - p.k * interval '1 millisecond' as at,
               case when p.k = 1 then 'bench_' || 1 + s % 80
                    when s % 2 = 0 then d.a else d.b end as sender,
               abs(hashint8(p.k * 1000003 + s)::bigint) as h
          from place p
          left join direct d on d.k = p.k
         cross join lateral generate_series(1, p.size) s) x
 order by x.at;

create index messages_words on messaging.messages using gin (words);

insert into messaging.reactions (conversation_id, seq, user_id, emoji,
                                 message_id, created_at)
select conversation_id, seq, sender_id, '👍', id, created_at
  from messaging.messages
 where seq % 20 = 0;

insert into messaging.read_marks (conversation_id, user_id, from_seq,
                                  upto_seq, read_at)
select pg_temp.conversation(m.k), m.user_id, s - 9, s,
       now() - interval '90 days' * (1 - s::float8 / p.size)
  from member m
  join place p on p.k = m.k
 cross join lateral generate_series(10, p.size - 10, 10) s
 where m.k > 1 or m.rank = 1 + s / 10 % 80;

commit;

vacuum analyze;
