-- Takes over what the replaced NestJS and Prisma service has stored.
--
--   psql -d mentara -f sql/import_prisma.sql
--
--   -v old=public        schema of the old tables
--   -v rehearsal=on      does everything, reports, and takes it back
--
-- One transaction: all or nothing.  Can be run again: rows that were added to
-- the old tables meanwhile are taken over, what has been taken over stays as
-- it is, and what was changed since in the new service is not overwritten.
-- The old tables are only read.  See docs/migrating.md.
--
-- Expected, as Prisma makes them (text, integer, boolean, enums, timestamp(3)
-- in UTC; uuid and timestamptz will do as well):
--
--   "User"                     id firstName lastName avatarUrl role isActive
--   "Conversation"             id type title isActive createdAt updatedAt
--   "ConversationParticipant"  id conversationId userId role joinedAt
--                              lastReadAt isActive isMuted
--   "Message"                  id conversationId senderId content messageType
--                              replyToId isEdited isDeleted editedAt
--                              createdAt updatedAt, and attachmentUrl,
--                              attachmentName, attachmentSize or, in later
--                              versions, attachmentUrls, attachmentNames,
--                              attachmentSizes (arrays)
--   "MessageReadReceipt"       id messageId userId readAt
--   "MessageReaction"          id messageId userId emoji createdAt
--   "UserBlock"                id blockerId blockedId reason createdAt
--
-- Not read: "TypingIndicator" and every other table and column.
--
-- What cannot be taken, or not as it was, is a row of messaging.import_report
-- with the whole old row in it.  Every old row is counted; if one is in
-- neither place, nothing is taken.

\set ON_ERROR_STOP on
\set QUIET on

\if :{?old}
\else
\set old public
\endif

\if :{?rehearsal}
\else
\set rehearsal off
\endif

begin;

-- timestamps without a zone are UTC
set local timezone to 'UTC';
set local search_path to pg_catalog;
set local client_min_messages to warning;
set local statement_timeout to 0;
set local lock_timeout to 0;

select pg_advisory_xact_lock(hashtextextended('messaging.import', 0))
    as one_at_a_time \gset

-- 1. Is everything there?

create temp table import_expected (
    relation  text,
    attribute text
) on commit drop;

insert into pg_temp.import_expected
select r.relation, a.attribute
  from (values
        ('User', 'id firstName lastName avatarUrl role isActive'),
        ('Conversation', 'id type title isActive createdAt updatedAt'),
        ('ConversationParticipant',
         'id conversationId userId role joinedAt lastReadAt isActive isMuted'),
        ('Message',
         'id conversationId senderId content messageType replyToId isEdited '
         'isDeleted editedAt createdAt updatedAt attachmentUrl'),
        ('MessageReadReceipt', 'id messageId userId readAt'),
        ('MessageReaction', 'id messageId userId emoji createdAt'),
        ('UserBlock', 'id blockerId blockedId reason createdAt'))
       as r (relation, attributes)
 cross join lateral unnest(string_to_array(r.attributes, ' '))
       as a (attribute);

create temp table import_missing on commit drop as
select e.relation, c.oid is null as whole,
       format(case when c.oid is null then 'there is no table %I.%I'
                   else '%I.%I lacks ' || string_agg(
                        format('%I', e.attribute), ', ' order by e.attribute)
                   end, :'old'::text, e.relation) as what
  from pg_temp.import_expected e
  left join pg_namespace n on n.nspname = :'old'
  left join pg_class c on c.relnamespace = n.oid and c.relname = e.relation
       and c.relkind in ('r', 'p', 'v', 'm', 'f')
 where not exists (
        select from pg_attribute a
         where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
           and (a.attname = e.attribute
                or e.attribute = 'attachmentUrl'
                   and a.attname = 'attachmentUrls'))
 group by e.relation, c.oid;

do $$
begin
    if to_regclass('messaging.messages') is null
       or to_regprocedure('messaging.schema_version()') is null
    then
        raise exception 'the schema messaging is not there'
              using hint = 'Run sql/migrate.sh first.';
    end if;

    if exists (select from pg_temp.import_missing) then
        raise exception 'the old tables are not as this import expects them'
              using detail = (select string_agg(what, E'\n' order by relation)
                                from pg_temp.import_missing),
                    hint = 'Name their schema with -v old=..., or give it '
                           'views that have these names and columns.';
    end if;
end
$$;

-- 2. What stays after the import: the report, and which rows have no other
-- trace in the new tables once they are removed there

create table if not exists messaging.import_report (
    source  text not null,
    old_id  text not null,
    outcome text not null check (outcome in ('refused', 'adapted')),
    code    text not null,
    n       bigint not null default 1,
    old_row jsonb,
    at      timestamptz(3) not null default clock_timestamp(),
    primary key (source, old_id, code)
);

comment on table messaging.import_report is
    'Rows of the replaced service that could not be taken over (refused) or '
    'not as they were (adapted), whole; see docs/migrating.md.';

create table if not exists messaging.import_taken (
    source text not null,
    old_id text not null,
    primary key (source, old_id)
);

comment on table messaging.import_taken is
    'Reactions and blocks of the replaced service that were taken over, so '
    'that a later import does not bring back what was removed since.';

-- null when it is no UUID in its usual form
create or replace function pg_temp.import_uuid(p_text text) returns uuid
language sql immutable
as $$
    select case when p_text ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
                then p_text::uuid end
$$;

-- whether the search index of the schema can hold a text
create or replace function pg_temp.import_fits(p_text text) returns boolean
language plpgsql
as $$
begin
    if octet_length(p_text) > 100000 then
        perform to_tsvector('messaging.words'::regconfig,
                            messaging.words(p_text));
    end if;
    return true;
exception when program_limit_exceeded then
    return false;
end
$$;

-- An emoji in its fully qualified form, which is the one the API stores:
-- U+FE0F after what is text by default, unless a skin tone follows.  Null
-- when it is not one emoji.  Code points of Unicode 15.
create or replace function pg_temp.import_emoji(p_text text) returns text
language plpgsql immutable
as $$
declare
    v_text constant text :=
        '\u0023\u002a\u0030-\u0039\u00a9\u00ae\u203c\u2049\u2122\u2139'
        '\u2194-\u2199\u21a9-\u21aa\u2328\u23cf\u23ed-\u23ef\u23f1-\u23f2'
        '\u23f8-\u23fa\u24c2\u25aa-\u25ab\u25b6\u25c0\u25fb-\u25fc'
        '\u2600-\u2604\u260e\u2611\u2618\u261d\u2620\u2622-\u2623\u2626'
        '\u262a\u262e-\u262f\u2638-\u263a\u2640\u2642\u265f-\u2660\u2663'
        '\u2665-\u2666\u2668\u267b\u267e\u2692\u2694-\u2697\u2699'
        '\u269b-\u269c\u26a0\u26a7\u26b0-\u26b1\u26c8\u26cf\u26d1\u26d3'
        '\u26e9\u26f0-\u26f1\u26f4\u26f7-\u26f9\u2702\u2708-\u2709'
        '\u270c-\u270d\u270f\u2712\u2714\u2716\u271d\u2721\u2733-\u2734'
        '\u2744\u2747\u2763-\u2764\u27a1\u2934-\u2935\u2b05-\u2b07\u3030'
        '\u303d\u3297\u3299\U0001f170-\U0001f171\U0001f17e-\U0001f17f'
        '\U0001f202\U0001f237\U0001f321\U0001f324-\U0001f32c\U0001f336'
        '\U0001f37d\U0001f396-\U0001f397\U0001f399-\U0001f39b'
        '\U0001f39e-\U0001f39f\U0001f3cb-\U0001f3ce\U0001f3d4-\U0001f3df'
        '\U0001f3f3\U0001f3f5\U0001f3f7\U0001f43f\U0001f441\U0001f4fd'
        '\U0001f549-\U0001f54a\U0001f56f-\U0001f570\U0001f573-\U0001f579'
        '\U0001f587\U0001f58a-\U0001f58d\U0001f590\U0001f5a5\U0001f5a8'
        '\U0001f5b1-\U0001f5b2\U0001f5bc\U0001f5c2-\U0001f5c4'
        '\U0001f5d1-\U0001f5d3\U0001f5dc-\U0001f5de\U0001f5e1\U0001f5e3'
        '\U0001f5e8\U0001f5ef\U0001f5f3\U0001f5fa\U0001f6cb'
        '\U0001f6cd-\U0001f6cf\U0001f6e0-\U0001f6e5\U0001f6e9\U0001f6f0'
        '\U0001f6f3';
    v_any constant text :=
        '\u00a9\u00ae\u203c\u2049\u2122\u2139\u2194-\u2199\u21a9-\u21aa'
        '\u231a-\u231b\u2328\u23cf\u23e9-\u23f3\u23f8-\u23fa\u24c2'
        '\u25aa-\u25ab\u25b6\u25c0\u25fb-\u25fe\u2600-\u2604\u260e\u2611'
        '\u2614-\u2615\u2618\u261d\u2620\u2622-\u2623\u2626\u262a'
        '\u262e-\u262f\u2638-\u263a\u2640\u2642\u2648-\u2653\u265f-\u2660'
        '\u2663\u2665-\u2666\u2668\u267b\u267e-\u267f\u2692-\u2697\u2699'
        '\u269b-\u269c\u26a0-\u26a1\u26a7\u26aa-\u26ab\u26b0-\u26b1'
        '\u26bd-\u26be\u26c4-\u26c5\u26c8\u26ce-\u26cf\u26d1\u26d3-\u26d4'
        '\u26e9-\u26ea\u26f0-\u26f5\u26f7-\u26fa\u26fd\u2702\u2705'
        '\u2708-\u270d\u270f\u2712\u2714\u2716\u271d\u2721\u2728'
        '\u2733-\u2734\u2744\u2747\u274c\u274e\u2753-\u2755\u2757'
        '\u2763-\u2764\u2795-\u2797\u27a1\u27b0\u27bf\u2934-\u2935'
        '\u2b05-\u2b07\u2b1b-\u2b1c\u2b50\u2b55\u3030\u303d\u3297\u3299'
        '\U0001f004\U0001f0cf\U0001f170-\U0001f171\U0001f17e-\U0001f17f'
        '\U0001f18e\U0001f191-\U0001f19a\U0001f201-\U0001f202\U0001f21a'
        '\U0001f22f\U0001f232-\U0001f23a\U0001f250-\U0001f251'
        '\U0001f300-\U0001f321\U0001f324-\U0001f393\U0001f396-\U0001f397'
        '\U0001f399-\U0001f39b\U0001f39e-\U0001f3f0\U0001f3f3-\U0001f3f5'
        '\U0001f3f7-\U0001f4fd\U0001f4ff-\U0001f53d\U0001f549-\U0001f54e'
        '\U0001f550-\U0001f567\U0001f56f-\U0001f570\U0001f573-\U0001f57a'
        '\U0001f587\U0001f58a-\U0001f58d\U0001f590\U0001f595-\U0001f596'
        '\U0001f5a4-\U0001f5a5\U0001f5a8\U0001f5b1-\U0001f5b2\U0001f5bc'
        '\U0001f5c2-\U0001f5c4\U0001f5d1-\U0001f5d3\U0001f5dc-\U0001f5de'
        '\U0001f5e1\U0001f5e3\U0001f5e8\U0001f5ef\U0001f5f3'
        '\U0001f5fa-\U0001f64f\U0001f680-\U0001f6c5\U0001f6cb-\U0001f6d2'
        '\U0001f6d5-\U0001f6d7\U0001f6dc-\U0001f6e5\U0001f6e9'
        '\U0001f6eb-\U0001f6ec\U0001f6f0\U0001f6f3-\U0001f6fc'
        '\U0001f7e0-\U0001f7eb\U0001f7f0\U0001f90c-\U0001f93a'
        '\U0001f93c-\U0001f945\U0001f947-\U0001f9ff\U0001fa70-\U0001fa7c'
        '\U0001fa80-\U0001fa88\U0001fa90-\U0001fabd\U0001fabf-\U0001fac5'
        '\U0001face-\U0001fadb\U0001fae0-\U0001fae8\U0001faf0-\U0001faf8';
    v_one constant text := '(?![\U0001f3fb-\U0001f3ff])[' || v_any
        || ']\ufe0f?[\U0001f3fb-\U0001f3ff]?';
    v_form text;
begin
    if octet_length(p_text) > 64 then
        return null;
    end if;

    v_form := regexp_replace(replace(p_text, U&'\FE0F', ''),
        '([' || v_text || '])(?![\U0001f3fb-\U0001f3ff])',
        U&'\\1\FE0F', 'g');

    if octet_length(v_form) <= 64
       and v_form ~ ('^(?:[#*0-9]\ufe0f\u20e3'
                     '|[\U0001f1e6-\U0001f1ff]{2}'
                     '|\U0001f3f4[\U000e0061-\U000e007a]+\U000e007f'
                     '|' || v_one || '(?:\u200d' || v_one || ')*)$')
    then
        return v_form;
    end if;

    return null;
end
$$;


-- 3. The old rows, leaves before roots: the parents of a row that is seen are
-- seen too, also while the old service still writes

create temp table old_receipts on commit drop as
select r."id"::text as old_id, r."messageId"::text as message_id,
       r."userId"::text as user_id,
       r."readAt"::timestamptz(3) as read_at
  from :"old"."MessageReadReceipt" r;

create temp table old_reactions on commit drop as
select r."id"::text as old_id, r."messageId"::text as message_id,
       r."userId"::text as user_id, r."emoji"::text as emoji,
       r."createdAt"::timestamptz(3) as created_at
  from :"old"."MessageReaction" r;

create temp table old_blocks on commit drop as
select b."id"::text as old_id, b."blockerId"::text as blocker_id,
       b."blockedId"::text as blocked_id, b."reason"::text as reason,
       b."createdAt"::timestamptz(3) as created_at
  from :"old"."UserBlock" b;

-- attachments are columns of one value or arrays: read by name
create temp table old_messages on commit drop as
select m."id"::text as old_id, m."conversationId"::text as conversation_id,
       m."senderId"::text as sender_id, m."content"::text as content,
       m."messageType"::text as type, m."replyToId"::text as reply_to,
       coalesce(m."isEdited", false) as is_edited,
       coalesce(m."isDeleted", false) as is_deleted,
       m."editedAt"::timestamptz(3) as edited_at,
       m."createdAt"::timestamptz as created_at,
       coalesce(m."updatedAt", m."createdAt")::timestamptz(3) as updated_at,
       nullif(coalesce(j.one ->> 'attachmentUrl',
                       j.one -> 'attachmentUrls' ->> 0), '') as url,
       nullif(coalesce(j.one ->> 'attachmentName',
                       j.one -> 'attachmentNames' ->> 0), '') as name,
       coalesce(j.one ->> 'attachmentSize',
                j.one -> 'attachmentSizes' ->> 0)::bigint as size,
       case when jsonb_typeof(j.one -> 'attachmentUrls') = 'array'
            then jsonb_array_length(j.one -> 'attachmentUrls')
            else 0 end as attachments,
       coalesce((j.one ->> 'isEncrypted')::boolean, false) as is_encrypted
  from :"old"."Message" m
 cross join lateral (select to_jsonb(m) as one) j;

create temp table old_participants on commit drop as
select p."id"::text as old_id, p."conversationId"::text as conversation_id,
       p."userId"::text as user_id, p."role"::text as role,
       p."joinedAt"::timestamptz(3) as joined_at,
       p."lastReadAt"::timestamptz(3) as last_read_at,
       coalesce(p."isActive", true) as is_active,
       coalesce(p."isMuted", false) as is_muted
  from :"old"."ConversationParticipant" p;

create temp table old_conversations on commit drop as
select c."id"::text as old_id, c."type"::text as type,
       c."title"::text as title, coalesce(c."isActive", true) as is_active,
       c."createdAt"::timestamptz(3) as created_at,
       coalesce(c."updatedAt", c."createdAt")::timestamptz(3) as updated_at
  from :"old"."Conversation" c;

create temp table old_users on commit drop as
select u."id"::text as id, lower(u."role"::text) as role
  from :"old"."User" u;

create index on pg_temp.old_messages (old_id);
create index on pg_temp.old_participants (old_id);
create index on pg_temp.old_conversations (old_id);
analyze pg_temp.old_receipts, pg_temp.old_reactions, pg_temp.old_blocks,
        pg_temp.old_messages, pg_temp.old_participants,
        pg_temp.old_conversations, pg_temp.old_users;

do $$
declare
    v_source text;
begin
    select source into v_source
      from (select 'MessageReadReceipt', old_id from pg_temp.old_receipts
            union all
            select 'MessageReaction', old_id from pg_temp.old_reactions
            union all
            select 'UserBlock', old_id from pg_temp.old_blocks
            union all
            select 'Message', old_id from pg_temp.old_messages
            union all
            select 'ConversationParticipant', old_id
              from pg_temp.old_participants
            union all
            select 'Conversation', old_id from pg_temp.old_conversations)
           as x (source, old_id)
     group by source, old_id
    having count(*) > 1 or old_id is null
     limit 1;

    if found then
        raise exception 'ids of the old table "%" are empty or not unique',
                        v_source
              using hint = 'Every row must have an id of its own.';
    end if;
end
$$;

-- 4. Plans: of every old row, where it goes, or the code that refuses it

-- the two of a DIRECT: only where exactly two are in it
create temp table direct_pairs on commit drop as
select p.conversation_id, count(distinct p.user_id) as people,
       count(distinct p.user_id) filter (where p.is_active) as active,
       min(p.user_id collate "C") filter (where p.is_active) as low,
       max(p.user_id collate "C") filter (where p.is_active) as high
  from pg_temp.old_participants p
 where p.user_id is not null
 group by p.conversation_id;

create temp table plan_conversations on commit drop as
select o.old_id, x.id, o.type, n.id is not null as there,
       case when x.id is null then 'id'
            when o.created_at is null then 'empty'
            when coalesce(o.type, '') not in ('DIRECT', 'GROUP', 'SESSION',
                                              'SUPPORT')
            then 'conversation_type' end as code,
       case when o.type <> 'DIRECT' then null
            when coalesce(d.people, 0) < 2 then 'direct_alone'
            when d.active > 2 then 'direct_of_many'
            when d.active < 2 then 'direct_left'
            when not o.is_active then 'direct_closed'
            when exists (select from messaging.conversations t
                          where t.direct_low = d.low
                            and t.direct_high = d.high)
                 or row_number() over (
                    partition by o.type, o.is_active, d.active, d.low, d.high
                    order by coalesce(m.last_at, o.created_at) desc,
                             o.old_id) > 1
            then 'direct_twice' end as direct,
       d.low, d.high
  from pg_temp.old_conversations o
 cross join lateral (select pg_temp.import_uuid(o.old_id) as id) x
  left join messaging.conversations n on n.id = x.id
  left join pg_temp.direct_pairs d on d.conversation_id = o.old_id
  left join (select conversation_id, max(created_at) as last_at
               from pg_temp.old_messages
              group by conversation_id) m on m.conversation_id = o.old_id;

create temp table plan_participants on commit drop as
select o.old_id, c.id as conversation_id, o.user_id, c.there as old_there,
       c.type, n.user_id is not null as there,
       case when c.id is null or c.code is not null then 'conversation'
            when o.joined_at is null or coalesce(o.user_id, '') = ''
            then 'empty'
            when row_number() over (partition by o.conversation_id, o.user_id
                                    order by o.joined_at, o.old_id) > 1
            then 'twice' end as code,
       coalesce(u.role, 'client') as account,
       coalesce(u.role in ('moderator', 'admin'), false) as is_staff,
       coalesce(u.role, 'client') not in ('therapist', 'moderator', 'admin')
           as is_client
  from pg_temp.old_participants o
  left join pg_temp.plan_conversations c on c.old_id = o.conversation_id
  left join pg_temp.old_users u on u.id = o.user_id
  left join messaging.participants n
    on n.conversation_id = c.id and n.user_id = o.user_id;

create temp table plan_messages on commit drop as
select o.old_id, x.id, c.id as conversation_id, n.id is not null as there,
       case when n.id is not null then null
            when x.id is null then 'id'
            when c.id is null or c.code is not null then 'conversation'
            when o.created_at is null or coalesce(o.sender_id, '') = ''
            then 'empty' end as code,
       -- a change in the old service after it was taken over
       n.id is not null and o.updated_at > n.updated_at
           and (o.is_deleted <> n.is_deleted
                or not o.is_deleted and o.content is distinct from n.content)
           as differs
  from pg_temp.old_messages o
 cross join lateral (select pg_temp.import_uuid(o.old_id) as id) x
  left join pg_temp.plan_conversations c on c.old_id = o.conversation_id
  left join messaging.messages n on n.id = x.id;

analyze pg_temp.plan_conversations, pg_temp.plan_participants,
        pg_temp.plan_messages;

-- Conversations of the new service that get something: their rows are locked
-- before anything is read that decides, in the order in which others do.

create temp table touched on commit drop as
select conversation_id as id from pg_temp.plan_participants
 where code is null and not there and old_there
union
select conversation_id from pg_temp.plan_messages
 where code is null and (not there or differs)
union
select m.conversation_id
  from pg_temp.old_receipts r
  join messaging.messages m on m.id = pg_temp.import_uuid(r.message_id)
  left join lateral (
       select k.from_seq from messaging.read_marks k
        where k.conversation_id = m.conversation_id
          and k.user_id = r.user_id and k.upto_seq >= m.seq
        order by k.upto_seq
        limit 1) k on true
 where k.from_seq is null or k.from_seq > m.seq
union
select m.conversation_id
  from pg_temp.old_reactions r
  join messaging.messages m on m.id = pg_temp.import_uuid(r.message_id)
 where not exists (select from messaging.import_taken t
                    where t.source = 'MessageReaction'
                      and t.old_id = r.old_id);

select count(*) as locked
  from (select c.id from messaging.conversations c
         where c.id in (select t.id from pg_temp.touched t)
         order by c.id
           for no key update) x \gset

-- 5. Conversations.  Who made one is not known: a client in SUPPORT, else an
-- ADMIN, else who joined first.

insert into messaging.conversations (id, type, title, created_by, direct_low,
    direct_high, is_active, created_at, updated_at)
select c.id, c.type, nullif(left(o.title, 200), ''),
       coalesce(first.user_id, author.sender_id, ''),
       case when c.type = 'DIRECT' and c.direct is null then c.low end,
       case when c.type = 'DIRECT' and c.direct is null then c.high end,
       o.is_active and coalesce(c.direct, '') not in ('direct_twice',
                                                      'direct_of_many'),
       o.created_at, o.updated_at
  from pg_temp.plan_conversations c
  join pg_temp.old_conversations o on o.old_id = c.old_id
  left join (
       select distinct on (p.conversation_id) p.conversation_id, p.user_id
         from pg_temp.plan_participants p
         join pg_temp.old_participants q on q.old_id = p.old_id
        where p.code is null
        order by p.conversation_id, (p.type = 'SUPPORT' and p.is_client) desc,
                 (q.role = 'ADMIN') desc, q.joined_at, p.user_id) first
    on first.conversation_id = c.id
  left join (
       select distinct on (m.conversation_id) m.conversation_id, m.sender_id
         from pg_temp.old_messages m
        order by m.conversation_id, m.created_at, m.old_id) author
    on author.conversation_id = c.old_id
 where c.code is null and not c.there
 order by c.id;

-- what follows joins with what was just written: it needs statistics
analyze messaging.conversations;

-- 6. Blocks, before the marks that they hide

create temp table plan_blocks on commit drop as
select o.*,
       t.old_id is not null or n.blocker_id is not null as there,
       case when t.old_id is not null then null
            when coalesce(o.blocker_id, '') = ''
                 or coalesce(o.blocked_id, '') = '' or o.created_at is null
            then 'empty'
            when o.blocker_id = o.blocked_id then 'oneself'
            when row_number() over (partition by o.blocker_id, o.blocked_id
                                    order by o.created_at, o.old_id) > 1
            then 'twice' end as code
  from pg_temp.old_blocks o
  left join messaging.import_taken t
    on t.source = 'UserBlock' and t.old_id = o.old_id
  left join messaging.blocks n
    on n.blocker_id = o.blocker_id and n.blocked_id = o.blocked_id;

insert into messaging.blocks (blocker_id, blocked_id, reason, created_at)
select blocker_id, blocked_id, left(reason, 500), created_at
  from pg_temp.plan_blocks
 where code is null and not there;

analyze messaging.blocks;

-- whether a block of the two of a DIRECT was there at a time
create or replace function pg_temp.import_hidden(p_conversation uuid,
    p_at timestamptz) returns boolean
language sql stable
as $$
    select exists (
        select from messaging.conversations c
          join messaging.blocks b
            on b.blocker_id = c.direct_low and b.blocked_id = c.direct_high
            or b.blocker_id = c.direct_high and b.blocked_id = c.direct_low
         where c.id = p_conversation and b.created_at <= p_at)
$$;

-- 7. Participants.  Everybody sees everything, as before.  Roles follow the
-- rules of the new service: MEMBER in a DIRECT, in SESSION the therapist is
-- ADMIN, in SUPPORT the first of the staff, a client in neither.

create temp table roles on commit drop as
select p.old_id, o.role as old_role,
       case when p.type = 'DIRECT' then 'MEMBER'
            when p.type in ('SESSION', 'SUPPORT') and p.is_client
            then 'MEMBER'
            when p.type = 'SESSION' and p.account = 'therapist' then 'ADMIN'
            when p.type = 'SUPPORT' and p.is_staff and o.is_active
                 and not exists (
                     select from messaging.participants a
                      where a.conversation_id = p.conversation_id
                        and a.is_active and a.role = 'ADMIN')
                 and row_number() over (
                     partition by p.conversation_id,
                                  p.is_staff and o.is_active
                     order by (o.role = 'ADMIN') desc, o.joined_at,
                              p.user_id) = 1
            then 'ADMIN'
            when o.role in ('MEMBER', 'MODERATOR', 'ADMIN') then o.role
            else 'MEMBER' end as role
  from pg_temp.plan_participants p
  join pg_temp.old_participants o on o.old_id = p.old_id
 where p.code is null and not p.there;

analyze pg_temp.roles;

insert into messaging.participants (conversation_id, user_id, id, role,
    is_active, is_muted, joined_at, last_read_at, shown_read_at)
select p.conversation_id, p.user_id,
       coalesce(pg_temp.import_uuid(p.old_id), messaging.new_id()), r.role,
       o.is_active, o.is_muted, o.joined_at, o.last_read_at,
       case when not pg_temp.import_hidden(p.conversation_id, o.last_read_at)
            then o.last_read_at end
  from pg_temp.plan_participants p
  join pg_temp.old_participants o on o.old_id = p.old_id
  join pg_temp.roles r on r.old_id = p.old_id
 order by p.conversation_id, p.user_id;

analyze messaging.participants;

-- 8. Messages: seq in the order of createdAt and id, after what is there

create temp table new_messages on commit drop as
select p.id, p.conversation_id, o.old_id, o.sender_id, o.created_at,
       c.seq + row_number() over (partition by p.conversation_id
                                  order by o.created_at, p.id) as seq,
       o.created_at < c.last_message_at as late,
       pg_temp.import_fits(o.content) as fits,
       coalesce(o.url ~* '^(https?://|/[^/\\])'
                and o.url !~ '[[:cntrl:]]', false) as url_is_safe
  from pg_temp.plan_messages p
  join pg_temp.old_messages o on o.old_id = p.old_id
  join messaging.conversations c on c.id = p.conversation_id
 where p.code is null and not p.there;

create unique index on pg_temp.new_messages (id);
analyze pg_temp.new_messages;

-- where each old message is now
create temp table places on commit drop as
select p.old_id, p.id, n.conversation_id, n.seq, o.sender_id, o.is_deleted,
       o.type = 'SYSTEM' as is_system
  from pg_temp.plan_messages p
  join pg_temp.old_messages o on o.old_id = p.old_id
  join pg_temp.new_messages n on n.id = p.id
union all
select p.old_id, p.id, n.conversation_id, n.seq, n.sender_id, n.is_deleted,
       n.type = 'SYSTEM'
  from pg_temp.plan_messages p
  join messaging.messages n on n.id = p.id
 where p.there;

create unique index on pg_temp.places (old_id);
analyze pg_temp.places;

insert into messaging.messages (conversation_id, seq, id, sender_id, content,
    type, attachment_url, attachment_name, attachment_size, reply_seq,
    is_edited, is_deleted, edited_at, created_at, updated_at)
select n.conversation_id, n.seq, n.id, o.sender_id,
       case when o.is_deleted or o.content is null then ''
            when n.fits then o.content
            else left(o.content, 50000) end,
       case when o.type = 'AUDIO' then 'VOICE'
            when o.type in ('TEXT', 'IMAGE', 'FILE', 'VOICE', 'VIDEO',
                            'SYSTEM', 'LOCATION', 'POLL') then o.type
            else 'TEXT' end,
       case when n.url_is_safe and not o.is_deleted then o.url end,
       case when not o.is_deleted then o.name end,
       case when o.size >= 0 and not o.is_deleted then o.size end,
       case when not o.is_deleted then q.seq end,
       o.is_edited, o.is_deleted, o.edited_at, o.created_at, o.updated_at
  from pg_temp.new_messages n
  join pg_temp.old_messages o on o.old_id = n.old_id
  left join pg_temp.places q
    on q.old_id = o.reply_to and q.conversation_id = n.conversation_id
 order by n.conversation_id, n.seq;

analyze messaging.messages;

-- the text of a deleted message: only for auditors, as after a deletion here
insert into messaging.message_revisions (message_id, conversation_id, content,
    edited_at, edited_by)
select n.id, n.conversation_id, o.content, o.updated_at, o.sender_id
  from pg_temp.new_messages n
  join pg_temp.old_messages o on o.old_id = n.old_id
 where o.is_deleted and o.content <> ''
 order by n.conversation_id, n.seq;

-- edited or deleted in the old service after it was taken over, and as it was
-- in the new one: the change is taken over too

create temp table changes on commit drop as
select n.conversation_id, n.seq, n.id, n.content as was,
       coalesce(o.content, '') as content, o.is_deleted, o.is_edited,
       o.edited_at, o.updated_at, o.sender_id
  from pg_temp.plan_messages p
  join pg_temp.old_messages o on o.old_id = p.old_id
  join messaging.messages n on n.id = p.id
 where p.differs and not n.is_deleted and pg_temp.import_fits(o.content)
   and not exists (select from messaging.message_revisions r
                    where r.message_id = n.id);

insert into messaging.message_revisions (message_id, conversation_id, content,
    edited_at, edited_by)
select x.id, x.conversation_id, x.was, x.updated_at, x.sender_id
  from pg_temp.changes x
 order by x.conversation_id, x.seq;

update messaging.messages m
   set content = case when x.is_deleted then '' else x.content end,
       attachment_url = case when not x.is_deleted then m.attachment_url end,
       attachment_name = case when not x.is_deleted
                              then m.attachment_name end,
       attachment_size = case when not x.is_deleted
                              then m.attachment_size end,
       reply_seq = case when not x.is_deleted then m.reply_seq end,
       is_deleted = x.is_deleted,
       is_edited = x.is_edited,
       edited_at = x.edited_at,
       updated_at = x.updated_at
  from pg_temp.changes x
 where m.conversation_id = x.conversation_id and m.seq = x.seq;

delete from messaging.reactions r
 using pg_temp.changes x
 where r.conversation_id = x.conversation_id and r.seq = x.seq
   and x.is_deleted;

update pg_temp.places p
   set is_deleted = true
  from pg_temp.changes x
 where p.id = x.id and x.is_deleted;

-- 9. Receipts become marks.  Each keeps its time; messages of others that
-- were read at the same moment, one after the other, are one mark.  Once
-- read stays read then: what a mark covers already is left alone.

create temp table plan_receipts on commit drop as
select o.old_id, o.user_id, o.read_at, m.conversation_id, m.seq,
       m.is_deleted or m.is_system as is_quiet,
       k.from_seq is not null and k.from_seq <= m.seq as there,
       case when m.id is null then 'message'
            when o.read_at is null or coalesce(o.user_id, '') = ''
            then 'empty'
            when o.user_id = m.sender_id then 'own_message'
            when row_number() over (partition by o.message_id, o.user_id
                                    order by o.read_at, o.old_id) > 1
            then 'twice' end as code,
       pg_temp.import_hidden(m.conversation_id, o.read_at) as hidden
  from pg_temp.old_receipts o
  left join pg_temp.places m on m.old_id = o.message_id
  left join lateral (
       select x.from_seq from messaging.read_marks x
        where x.conversation_id = m.conversation_id
          and x.user_id = o.user_id and x.upto_seq >= m.seq
        order by x.upto_seq
        limit 1) k on true;

analyze pg_temp.plan_receipts;

create temp table new_marks on commit drop as
with steps as (
    select r.conversation_id, r.user_id, r.seq, r.read_at, r.hidden, 0 as own
      from pg_temp.plan_receipts r
     where r.code is null and not r.there
    union all
    select m.conversation_id, m.sender_id, m.seq, null, null, 1
      from pg_temp.places m
     where exists (select from pg_temp.plan_receipts r
                    where r.conversation_id = m.conversation_id
                      and r.user_id = m.sender_id
                      and r.code is null and not r.there)
), placed as (
    select s.*, s.seq - sum(s.own) over (
                    partition by s.conversation_id, s.user_id
                    order by s.seq) as place
      from steps s
), runs as (
    select p.*, p.place - row_number() over (
                    partition by p.conversation_id, p.user_id, p.read_at,
                                 p.hidden
                    order by p.seq) as run
      from placed p
     where p.own = 0
)
select conversation_id, user_id, read_at, hidden, min(seq) as from_seq,
       max(seq) as upto_seq
  from runs
 group by conversation_id, user_id, read_at, hidden, run;

insert into messaging.read_marks (conversation_id, user_id, upto_seq,
    from_seq, read_at, hidden)
select conversation_id, user_id, upto_seq, from_seq, read_at, hidden
  from pg_temp.new_marks
 order by conversation_id, upto_seq, user_id;

analyze pg_temp.new_marks, messaging.read_marks;

-- the mark of a participant is the newest one
create temp table advances on commit drop as
select p.conversation_id, p.user_id, x.upto_seq, x.read_at, x.shown_at
  from messaging.participants p
  join (select conversation_id, user_id, max(upto_seq) as upto_seq,
               max(read_at) as read_at,
               max(read_at) filter (where not hidden) as shown_at
          from pg_temp.new_marks
         group by conversation_id, user_id) x
    on x.conversation_id = p.conversation_id and x.user_id = p.user_id
 where x.upto_seq > p.last_read_seq;

update messaging.participants p
   set last_read_seq = x.upto_seq,
       last_read_at = greatest(p.last_read_at, x.read_at),
       shown_read_at = greatest(p.shown_read_at, x.shown_at)
  from pg_temp.advances x
 where p.conversation_id = x.conversation_id and p.user_id = x.user_id;

-- 10. Reactions, in the form in which the API stores emoji

create temp table plan_reactions on commit drop as
select o.old_id, m.conversation_id, m.seq, m.id as message_id, o.user_id,
       e.emoji, o.created_at,
       t.old_id is not null or n.id is not null as there,
       case when t.old_id is not null then null
            when m.id is null then 'message'
            when o.created_at is null or coalesce(o.user_id, '') = ''
            then 'empty'
            when m.is_deleted then 'message_deleted'
            when e.emoji is null then 'emoji'
            when row_number() over (
                 partition by o.message_id, o.user_id, e.emoji
                 order by o.created_at, o.old_id) > 1
            then 'twice' end as code
  from pg_temp.old_reactions o
 cross join lateral (select pg_temp.import_emoji(o.emoji) as emoji) e
  left join pg_temp.places m on m.old_id = o.message_id
  left join messaging.import_taken t
    on t.source = 'MessageReaction' and t.old_id = o.old_id
  left join messaging.reactions n
    on n.conversation_id = m.conversation_id and n.seq = m.seq
   and n.user_id = o.user_id and n.emoji = e.emoji;

analyze pg_temp.plan_reactions;

create temp table new_reactions on commit drop as
select r.*, coalesce(pg_temp.import_uuid(r.old_id), messaging.new_id()) as id
  from pg_temp.plan_reactions r
 where r.code is null and not r.there;

insert into messaging.reactions (conversation_id, seq, user_id, emoji, id,
    message_id, created_at)
select conversation_id, seq, user_id, emoji, id, message_id, created_at
  from pg_temp.new_reactions
 order by conversation_id, seq, created_at;

insert into messaging.import_taken (source, old_id)
select 'MessageReaction', old_id
  from pg_temp.plan_reactions
 where code is null
union all
select 'UserBlock', old_id
  from pg_temp.plan_blocks
 where code is null
    on conflict do nothing;

analyze pg_temp.advances, pg_temp.new_reactions, messaging.reactions;

-- 11. Events.  A conversation that is new here begins with the event that
-- its first members join by, and one for its newest message; what is older is
-- read as history and never replayed.  One that was here gets an event for
-- each thing that was added, in the order of seq: sweeps bring them to whoever
-- is connected, recovery to whoever comes back.

create temp table new_events on commit drop as
with members as (
    select p.conversation_id, p.user_id, p.old_there
      from pg_temp.plan_participants p
      join pg_temp.old_participants o on o.old_id = p.old_id
     where p.code is null and not p.there and o.is_active
), fresh as (
    select c.id, c.created_by, array_agg(m.user_id order by m.user_id)
               as members
      from pg_temp.plan_conversations p
      join messaging.conversations c on c.id = p.id
      join members m on m.conversation_id = p.id
     where p.code is null and not p.there
     group by c.id
), newest as (
    select distinct on (n.conversation_id) n.id
      from pg_temp.new_messages n
      join fresh f on f.id = n.conversation_id
     order by n.conversation_id, n.seq desc
), started as (
    select p.id from pg_temp.plan_conversations p where p.there
)
select 0 as step, f.id as conversation_id, null::bigint as place,
       null::timestamptz as at, 'conversation_created' as kind,
       f.created_by as actor, f.members as subjects, 'join' as action,
       null::uuid as message_id, null::bigint as message_seq,
       null::text[] as only_for, null::uuid as reaction_id,
       null::text as emoji, null::text[] as hidden_from
  from fresh f
union all
select 0, m.conversation_id, null, null, 'conversation_created', m.user_id,
       array[m.user_id], 'join', null, null, array[m.user_id], null, null,
       null
  from members m
 where m.old_there
union all
select 1, m.conversation_id, null, null, 'participant_added', m.user_id,
       array[m.user_id], null, null, null, null, null, null, null
  from members m
 where m.old_there
union all
select 2, n.conversation_id, n.seq, null, 'new_message', n.sender_id, null,
       null, n.id, n.seq, null, null, null, null
  from pg_temp.new_messages n
 where n.conversation_id in (select s.id from started s)
    or n.id in (select x.id from newest x)
union all
select 3, x.conversation_id, x.seq, null, 'message_updated', x.sender_id,
       null, null, x.id, x.seq, null, null, null, null
  from pg_temp.changes x
union all
select 4, r.conversation_id, r.seq, r.created_at, 'message_reaction',
       r.user_id, null, 'added', r.message_id, r.seq, null, r.id, r.emoji,
       null
  from pg_temp.new_reactions r
 where r.conversation_id in (select s.id from started s)
union all
select 5, a.conversation_id, m.seq, a.read_at, 'message_read', a.user_id,
       null, null, m.id, m.seq, null, null, null,
       nullif(array(select b.blocked_id from messaging.blocks b
                     where b.blocker_id = a.user_id
                    union
                    select b.blocker_id from messaging.blocks b
                     where b.blocked_id = a.user_id), '{}')
  from pg_temp.advances a
  join pg_temp.places m
    on m.conversation_id = a.conversation_id and m.seq = a.upto_seq
 where a.conversation_id in (select s.id from started s);

analyze pg_temp.new_events;

create temp table numbered on commit drop as
select e.*, c.event_seq + row_number() over (
           partition by e.conversation_id
           order by e.step, e.place, e.at, e.actor) as event_seq
  from pg_temp.new_events e
  join messaging.conversations c on c.id = e.conversation_id;

insert into messaging.events (conversation_id, event_seq, kind, actor,
    subjects, action, message_id, message_seq, only_for, reaction_id, emoji,
    hidden_from, at)
select conversation_id, event_seq, kind, actor, subjects, action, message_id,
       message_seq, only_for, reaction_id, emoji, hidden_from, at
  from pg_temp.numbered
 order by conversation_id, event_seq;

analyze pg_temp.numbered;

-- who has left before has no interval: nothing live was ever sent there
insert into messaging.memberships (conversation_id, user_id,
    joined_event_seq)
select e.conversation_id, s.user_id, e.event_seq
  from pg_temp.numbered e
 cross join lateral unnest(e.subjects) as s (user_id)
 where e.action = 'join';

update messaging.conversations c
   set seq = greatest(c.seq, x.seq),
       event_seq = greatest(c.event_seq, x.event_seq),
       last_event_xid = case when x.event_seq is null then c.last_event_xid
                             else pg_current_xact_id() end,
       last_message_at = greatest(c.last_message_at, x.last_at),
       updated_at = greatest(c.updated_at, x.last_at)
  from (select conversation_id as id, max(seq) as seq,
               max(last_at) as last_at, max(event_seq) as event_seq
          from (select conversation_id, seq, created_at as last_at,
                       null::bigint as event_seq
                  from pg_temp.new_messages
                union all
                select conversation_id, null, null, event_seq
                  from pg_temp.numbered) y
         group by conversation_id) x
 where c.id = x.id;

-- as a message that is sent does
update messaging.participants p
   set is_archived = false
 where p.is_archived and not p.is_muted
   and p.conversation_id in (select n.conversation_id
                               from pg_temp.new_messages n);

-- the devices of who blocks somebody learn it
select count(x.event_seq) as blocks
  from (select messaging.event_add(messaging.personal_stream(b.blocker_id),
                   'user_blocked', b.blocker_id, array[b.blocked_id],
                   p_only_for => array[b.blocker_id]) as event_seq
          from (select * from pg_temp.plan_blocks
                 where code is null and not there
                 order by blocker_id, blocked_id) b
        offset 0) x \gset

-- 12. The report: what is refused is looked at anew by every run

create temp table findings (
    source  text,
    old_id  text,
    outcome text,
    code    text,
    n       bigint default 1
) on commit drop;

insert into pg_temp.findings (source, old_id, outcome, code)
select 'Conversation', old_id, 'refused', code
  from pg_temp.plan_conversations where code is not null
union all
select 'ConversationParticipant', old_id, 'refused', code
  from pg_temp.plan_participants where code is not null
union all
select 'Message', old_id, 'refused', code
  from pg_temp.plan_messages where code is not null
union all
select 'MessageReadReceipt', old_id, 'refused', code
  from pg_temp.plan_receipts where code is not null
union all
select 'MessageReaction', old_id, 'refused', code
  from pg_temp.plan_reactions where code is not null
union all
select 'UserBlock', old_id, 'refused', code
  from pg_temp.plan_blocks where code is not null
union all
select 'Message', old_id, 'refused', 'changed_in_both'
  from pg_temp.plan_messages p
 where p.differs and not exists (select from pg_temp.changes x
                                  where x.id = p.id);

insert into pg_temp.findings (source, old_id, outcome, code)
select 'Conversation', c.old_id, 'adapted', v.code
  from pg_temp.plan_conversations c
  join pg_temp.old_conversations o on o.old_id = c.old_id
 cross join lateral (values
       (c.direct),
       (case when char_length(o.title) > 200 then 'title_cut' end),
       (case when c.type = 'GROUP' and not exists (
                  select from messaging.participants p
                   where p.conversation_id = c.id and p.is_active
                     and p.role = 'ADMIN') then 'no_admin' end))
       as v (code)
 where c.code is null and not c.there and v.code is not null
union all
select 'ConversationParticipant', p.old_id, 'adapted', v.code
  from pg_temp.plan_participants p
  join pg_temp.roles r on r.old_id = p.old_id
 cross join lateral (values
       (case when r.role is distinct from r.old_role then 'role' end),
       (case when pg_temp.import_uuid(p.old_id) is null then 'new_id' end))
       as v (code)
 where v.code is not null
union all
select 'Message', n.old_id, 'adapted', v.code
  from pg_temp.new_messages n
  join pg_temp.old_messages o on o.old_id = n.old_id
  join messaging.messages m on m.id = n.id
 cross join lateral (values
       (case when not o.is_deleted and o.reply_to is not null
                  and m.reply_seq is null
             then case when exists (select from pg_temp.old_messages q
                                     where q.old_id = o.reply_to)
                       then 'reply_elsewhere' else 'reply_missing' end end),
       (case when not o.is_deleted and o.url is not null
                  and not n.url_is_safe then 'attachment_unsafe' end),
       (case when not o.is_deleted and o.attachments > 1
             then 'attachment_more' end),
       (case when not o.is_deleted and o.size < 0
             then 'attachment_size' end),
       (case when o.is_deleted and coalesce(o.url, o.name) is not null
             then 'attachment_deleted' end),
       (case when o.type is distinct from m.type and o.type <> 'AUDIO'
             then 'message_type' end),
       (case when o.is_encrypted then 'encrypted' end),
       (case when o.content is null then 'content_null' end),
       (case when not n.fits and not o.is_deleted then 'content_cut' end),
       (case when n.late then 'late' end)) as v (code)
 where v.code is not null
union all
select 'MessageReaction', r.old_id, 'adapted', 'new_id'
  from pg_temp.new_reactions r
 where pg_temp.import_uuid(r.old_id) is null
union all
select 'UserBlock', b.old_id, 'adapted', 'reason_cut'
  from pg_temp.plan_blocks b
 where b.code is null and not b.there and char_length(b.reason) > 500;

-- messages of others below a mark that never had a receipt: the old service
-- counted them as unread, the new one does not; they show no receipt

insert into pg_temp.findings (source, old_id, outcome, code, n)
with loud as not materialized (
    select m.conversation_id, m.seq, m.sender_id,
           (not m.is_deleted and not m.is_system)::integer as one
      from pg_temp.places m
), said as (
    select l.conversation_id, l.seq,
           sum(l.one) over (partition by l.conversation_id
                            order by l.seq) as n
      from loud l
), own as (
    select a.conversation_id, a.user_id, sum(l.one) as n
      from pg_temp.advances a
      join loud l on l.conversation_id = a.conversation_id
                 and l.sender_id = a.user_id and l.seq <= a.upto_seq
     group by a.conversation_id, a.user_id
), got as (
    select r.conversation_id, r.user_id, count(*) as n
      from pg_temp.plan_receipts r
     where r.code is null and not r.is_quiet
     group by r.conversation_id, r.user_id
), unread as (
    select p.old_id, s.n - coalesce(o.n, 0) - coalesce(g.n, 0) as n
      from pg_temp.advances a
      join pg_temp.plan_participants p
        on p.conversation_id = a.conversation_id and p.user_id = a.user_id
       and p.code is null and not p.there
      join said s
        on s.conversation_id = a.conversation_id and s.seq = a.upto_seq
      left join own o
        on o.conversation_id = a.conversation_id and o.user_id = a.user_id
      left join got g
        on g.conversation_id = a.conversation_id and g.user_id = a.user_id
)
select 'ConversationParticipant', old_id, 'adapted', 'unread_below_mark', n
  from unread
 where n > 0;

analyze pg_temp.findings;

delete from messaging.import_report r
 where r.outcome = 'refused'
   and not exists (select from pg_temp.findings f
                    where f.source = r.source and f.old_id = r.old_id
                      and f.code = r.code);

insert into messaging.import_report (source, old_id, outcome, code, n,
    old_row)
select f.source, f.old_id, f.outcome, f.code, f.n, o.old_row
  from pg_temp.findings f
  left join lateral (
       select to_jsonb(x) from :"old"."Conversation" x
        where f.source = 'Conversation' and x."id"::text = f.old_id
       union all
       select to_jsonb(x) from :"old"."ConversationParticipant" x
        where f.source = 'ConversationParticipant'
          and x."id"::text = f.old_id
       union all
       select to_jsonb(x) from :"old"."Message" x
        where f.source = 'Message' and x."id"::text = f.old_id
       union all
       select to_jsonb(x) from :"old"."MessageReadReceipt" x
        where f.source = 'MessageReadReceipt' and x."id"::text = f.old_id
       union all
       select to_jsonb(x) from :"old"."MessageReaction" x
        where f.source = 'MessageReaction' and x."id"::text = f.old_id
       union all
       select to_jsonb(x) from :"old"."UserBlock" x
        where f.source = 'UserBlock' and x."id"::text = f.old_id)
       as o (old_row) on true
    on conflict do nothing;

-- 13. Is everything where it should be?

create temp table tally on commit drop as
select x.source, count(*) as old_rows,
       count(*) filter (where x.code is null and not x.there) as taken_now,
       count(*) filter (where x.code is null and x.there) as taken_before,
       count(*) filter (where x.code is not null) as refused
  from (select 1 as place, 'Conversation' as source, old_id, code, there
          from pg_temp.plan_conversations
        union all
        select 2, 'ConversationParticipant', old_id, code, there
          from pg_temp.plan_participants
        union all
        select 3, 'Message', old_id, code, there from pg_temp.plan_messages
        union all
        select 4, 'MessageReadReceipt', old_id, code, there
          from pg_temp.plan_receipts
        union all
        select 5, 'MessageReaction', old_id, code, there
          from pg_temp.plan_reactions
        union all
        select 6, 'UserBlock', old_id, code, there
          from pg_temp.plan_blocks) x
 group by x.place, x.source
 order by x.place;

do $$
begin
    if exists (select from pg_temp.tally
                where old_rows <> taken_now + taken_before + refused)
       or exists (select from pg_temp.findings f
                   where f.outcome = 'refused' and not exists (
                       select from messaging.import_report r
                        where r.source = f.source and r.old_id = f.old_id
                          and r.code = f.code and r.old_row is not null))
    then
        raise exception 'some old rows are neither taken over nor reported';
    end if;

    if exists (select from pg_temp.plan_conversations p
                 join pg_temp.old_conversations o on o.old_id = p.old_id
                 left join messaging.conversations n
                   on n.id = p.id and n.created_at = o.created_at
                where p.code is null and not p.there and n.id is null)
    then
        raise exception 'a conversation is not as it was';
    end if;

    if exists (select from pg_temp.plan_participants p
                 join pg_temp.old_participants o on o.old_id = p.old_id
                 left join messaging.participants n
                   on n.conversation_id = p.conversation_id
                  and n.user_id = o.user_id and n.joined_at = o.joined_at
                where p.code is null and not p.there and n.user_id is null)
    then
        raise exception 'a participant is not as it was';
    end if;

    if exists (select from pg_temp.plan_messages p
                 join pg_temp.old_messages o on o.old_id = p.old_id
                 left join pg_temp.new_messages x on x.id = p.id
                 left join messaging.messages n
                   on n.id = p.id
                  and n.conversation_id = p.conversation_id
                  and n.sender_id = o.sender_id
                  and n.created_at = o.created_at::timestamptz(3)
                  and n.updated_at = o.updated_at
                  and n.edited_at is not distinct from o.edited_at
                  and (n.content = coalesce(o.content, '') or not x.fits
                       or o.is_deleted and n.content = '')
                where p.code is null and not p.there and n.id is null)
    then
        raise exception 'a message is not as it was';
    end if;

    if exists (select from messaging.conversations c
                 join (select m.conversation_id, count(*) as n,
                              max(m.seq) as last
                         from messaging.messages m
                        where m.conversation_id in (
                              select x.conversation_id
                                from pg_temp.new_messages x)
                        group by m.conversation_id) x
                   on x.conversation_id = c.id
                where x.n <> x.last or x.last <> c.seq)
    then
        raise exception 'the messages of a conversation have a gap';
    end if;

    if exists (select from pg_temp.plan_receipts r
                 left join lateral (
                      select k.from_seq, k.read_at
                        from messaging.read_marks k
                       where k.conversation_id = r.conversation_id
                         and k.user_id = r.user_id and k.upto_seq >= r.seq
                       order by k.upto_seq
                       limit 1) k on true
                where r.code is null and not r.there
                  and (k.from_seq is null or k.from_seq > r.seq
                       or k.read_at <> r.read_at))
    then
        raise exception 'a receipt has no mark of its time';
    end if;

    if (select count(*) from pg_temp.new_reactions) <>
       (select count(*) from pg_temp.new_reactions r
          join messaging.reactions n
            on n.conversation_id = r.conversation_id and n.seq = r.seq
           and n.user_id = r.user_id and n.emoji = r.emoji
           and n.id = r.id and n.created_at = r.created_at)
    then
        raise exception 'a reaction is not as it was';
    end if;
end
$$;

create temp table meanings (code text, meaning text) on commit drop;

insert into pg_temp.meanings (code, meaning) values
    ('id', 'the id is no UUID in its usual form'),
    ('empty', 'a person or a time is missing'),
    ('twice', 'the same thing is there once more, earlier'),
    ('conversation', 'its conversation is missing or was refused'),
    ('conversation_type', 'the type of the conversation is unknown'),
    ('message', 'its message is missing or was refused'),
    ('message_deleted', 'it is on a deleted message'),
    ('own_message', 'a receipt for one''s own message'),
    ('emoji', 'it is not one emoji'),
    ('oneself', 'a block of oneself'),
    ('changed_in_both', 'changed in both services: the new one stands'),
    ('direct_twice', 'a newer DIRECT of the same two is open: closed'),
    ('direct_of_many', 'a DIRECT of more than two: closed, look at it'),
    ('direct_alone', 'a DIRECT of less than two: the pair may start anew'),
    ('direct_left', 'a DIRECT that one has left: the pair may start anew'),
    ('direct_closed', 'a closed DIRECT: the pair may start anew'),
    ('no_admin', 'a GROUP that nobody is ADMIN of'),
    ('title_cut', 'a title of more than 200 characters, cut'),
    ('role', 'the role follows the rules of the new service'),
    ('new_id', 'the id is no UUID: it has a new one'),
    ('unread_below_mark', 'older than what was read, without a receipt: '
                          'not counted as unread'),
    ('reply_missing', 'what it answers is missing: no longer a reply'),
    ('reply_elsewhere', 'what it answers is in another conversation or was '
                        'refused: no longer a reply'),
    ('attachment_unsafe', 'the link is neither http(s) nor a path: left out'),
    ('attachment_more', 'more than one attachment: only the first one'),
    ('attachment_size', 'a negative size: left out'),
    ('attachment_deleted', 'the attachment of a deleted message: left out'),
    ('message_type', 'a type of message that is unknown: TEXT'),
    ('encrypted', 'marked as encrypted: the text is as it was stored'),
    ('content_null', 'no text: an empty one'),
    ('content_cut', 'too long for the search index: its first 50,000 '
                    'characters'),
    ('late', 'older than a message that is there: placed after it'),
    ('reason_cut', 'a reason of more than 500 characters, cut');

\unset QUIET
\pset footer off

\echo
\echo 'Old rows'
select source, old_rows, taken_now, taken_before, refused
  from pg_temp.tally;

\echo 'Refused, and taken over otherwise than they were: messaging.import_report'
select r.source, r.outcome, r.code, count(*) as old_rows, sum(r.n) as things,
       m.meaning
  from messaging.import_report r
  left join pg_temp.meanings m on m.code = r.code
 group by r.source, r.outcome, r.code, m.meaning
 order by r.outcome desc, r.source, r.code;

\echo 'People in conversations'
select count(*) as people,
       count(*) filter (where u.id is null) as not_in_directory,
       count(*) filter (where not u.is_active) as not_active
  from (select distinct user_id from messaging.participants
         where is_active) p
  left join messaging.directory u on u.id = p.user_id;

\set QUIET on

\if :rehearsal
rollback;
\echo 'This was a rehearsal: nothing was changed.'
\else
commit;
\echo 'Done.'
\endif
