-- Tables of the messaging schema.  Transactional and re-runnable.
-- Order and recovery lean on: conversations.event_seq and last_event_xid,
-- memberships as intervals of event_seq, events in the same transaction.

begin;

create schema if not exists messaging;
create extension if not exists unaccent with schema public;

create table if not exists messaging.schema_migrations (
    version    integer primary key,
    applied_at timestamptz not null default now()
);

-- UUID version 7 (RFC 9562 5.7): ids rise with time
create or replace function messaging.new_id() returns uuid
language sql volatile parallel safe
set search_path = pg_catalog
as $$
    select encode(set_bit(set_bit(overlay(
               uuid_send(gen_random_uuid())
               placing substring(int8send((extract(epoch
                   from clock_timestamp()) * 1000)::bigint) from 3)
               from 1 for 6), 52, 1), 53, 1), 'hex')::uuid
$$;

-- people: used where no existing table of users is plugged into the view
create table if not exists messaging.people (
    id         text primary key check (char_length(id) between 1 and 255),
    first_name text not null default '',
    last_name  text not null default '',
    avatar_url text,
    role       text not null default 'client'
               check (role in ('client', 'therapist', 'moderator', 'admin')),
    is_active  boolean not null default true
);

do $$
begin
    if to_regclass('messaging.directory') is null then
        create view messaging.directory as
            select id, first_name, last_name, avatar_url, role, is_active
              from messaging.people;
    end if;
end
$$;

comment on view messaging.directory is
    'Who there is: id, first_name, last_name, avatar_url, role, is_active. '
    'Replace it to plug an existing table of users in.';

create table if not exists messaging.conversations (
    id              uuid primary key,
    type            text not null
                    check (type in ('DIRECT', 'GROUP', 'SESSION', 'SUPPORT',
                                    'PERSONAL')),
    title           text check (char_length(title) between 1 and 200),
    session_id      text check (char_length(session_id) between 1 and 128),
    created_by      text not null,
    direct_low      text,
    direct_high     text,
    is_active       boolean not null default true,
    has_archived    boolean not null default false,
    seq             bigint not null default 0,
    event_seq       bigint not null default 0,
    last_event_xid  xid8,
    last_message_at timestamptz(3),
    created_at      timestamptz(3) not null,
    updated_at      timestamptz(3) not null
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02);

-- one DIRECT per pair, for ever
create unique index if not exists conversations_direct
    on messaging.conversations (direct_low, direct_high)
    where direct_low is not null;
-- one conversation per session
create unique index if not exists conversations_session
    on messaging.conversations (session_id) where type = 'SESSION';
-- the list of open SUPPORT conversations, oldest first
create index if not exists conversations_support
    on messaging.conversations (created_at, id)
    where type = 'SUPPORT' and is_active;
-- one personal stream per user
create unique index if not exists conversations_personal
    on messaging.conversations (created_by) where type = 'PERSONAL';

create table if not exists messaging.participants (
    conversation_id uuid not null references messaging.conversations,
    user_id         text not null,
    id              uuid not null default messaging.new_id(),
    role            text not null
                    check (role in ('MEMBER', 'MODERATOR', 'ADMIN')),
    is_active       boolean not null default true,
    is_muted        boolean not null default false,
    is_archived     boolean not null default false,
    joined_at       timestamptz(3) not null,
    visible_from    bigint not null default 1,
    last_read_seq   bigint not null default 0,
    last_read_at    timestamptz(3),
    shown_read_at   timestamptz(3),
    delivered_seq   bigint not null default 0,
    primary key (conversation_id, user_id)
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02);

-- the list of a user's conversations
create index if not exists participants_user
    on messaging.participants (user_id) where is_active;

create table if not exists messaging.memberships (
    conversation_id  uuid not null references messaging.conversations,
    user_id          text not null,
    joined_event_seq bigint not null,
    left_event_seq   bigint,
    visible_from     bigint not null default 1,
    primary key (conversation_id, user_id, joined_event_seq)
);

-- what a socket may see, when it connects
create index if not exists memberships_user
    on messaging.memberships (user_id);

-- words without accents and case, in any language
do $$
begin
    if not exists (select from pg_ts_config c
                     join pg_namespace n on n.oid = c.cfgnamespace
                    where n.nspname = 'messaging' and c.cfgname = 'words')
    then
        create text search configuration messaging.words
            (copy = pg_catalog.simple);
        alter text search configuration messaging.words
            alter mapping for asciiword, word, numword, asciihword, hword,
                numhword, hword_asciipart, hword_part, hword_numpart
            with public.unaccent, pg_catalog.simple;
    end if;
end
$$;

-- Letters and digits make words, everything else parts them, so that an
-- address or a path is found by its parts as a person would type them.
create or replace function messaging.words(p_text text) returns text
language sql immutable parallel safe
set search_path = pg_catalog
as $$
    select regexp_replace(normalize(p_text) collate "und-x-icu",
                          '[^[:alnum:]]+', ' ', 'g')
$$;

create table if not exists messaging.messages (
    conversation_id uuid not null references messaging.conversations,
    seq             bigint not null,
    id              uuid not null,
    sender_id       text not null,
    content         text not null,
    type            text not null
                    check (type in ('TEXT', 'IMAGE', 'FILE', 'VOICE', 'VIDEO',
                                    'SYSTEM', 'LOCATION', 'POLL')),
    attachment_url  text,
    attachment_name text,
    attachment_size bigint,
    reply_seq       bigint,
    is_edited       boolean not null default false,
    is_deleted      boolean not null default false,
    edited_at       timestamptz(3),
    created_at      timestamptz(3) not null,
    updated_at      timestamptz(3) not null,
    client_id       text,
    body_hash       text,
    system_action   text,
    system_user_id  text,
    words           tsvector generated always as
                    (to_tsvector('messaging.words',
                                 messaging.words(content))) stored,
    primary key (conversation_id, seq)
);

-- a message by its id
create unique index if not exists messages_id on messaging.messages (id);
-- a repeated Idempotency-Key of a sender
create unique index if not exists messages_client_id
    on messaging.messages (sender_id, client_id) where client_id is not null;
-- search
create index if not exists messages_words
    on messaging.messages using gin (words);

create table if not exists messaging.message_revisions (
    id              bigint generated always as identity primary key,
    message_id      uuid not null,
    conversation_id uuid not null,
    content         text not null,
    edited_at       timestamptz(3) not null,
    edited_by       text not null
);

create index if not exists message_revisions_message
    on messaging.message_revisions (message_id, id);

-- one row per advance of a reading mark: [from_seq, upto_seq] read at read_at
create table if not exists messaging.read_marks (
    conversation_id uuid not null,
    user_id         text not null,
    upto_seq        bigint not null,
    from_seq        bigint not null,
    read_at         timestamptz(3) not null,
    hidden          boolean not null default false,
    primary key (conversation_id, upto_seq, user_id)
);

-- the mark of one reader over one message
create index if not exists read_marks_user
    on messaging.read_marks (conversation_id, user_id, upto_seq);

create table if not exists messaging.reactions (
    conversation_id uuid not null,
    seq             bigint not null,
    user_id         text not null,
    emoji           text not null check (octet_length(emoji) <= 64),
    id              uuid not null default messaging.new_id(),
    message_id      uuid not null,
    created_at      timestamptz(3) not null,
    primary key (conversation_id, seq, user_id, emoji)
);

create table if not exists messaging.blocks (
    blocker_id text not null,
    blocked_id text not null,
    reason     text check (char_length(reason) <= 500),
    created_at timestamptz(3) not null,
    primary key (blocker_id, blocked_id),
    check (blocker_id <> blocked_id)
);

-- blocks the other way round
create index if not exists blocks_blocked
    on messaging.blocks (blocked_id, blocker_id);

create table if not exists messaging.conversation_keys (
    user_id         text not null,
    key             text not null,
    conversation_id uuid not null,
    body_hash       text not null,
    primary key (user_id, key)
);

create sequence if not exists messaging.events_id cache 1;

create table if not exists messaging.events (
    id              bigint not null default nextval('messaging.events_id'),
    xid             xid8 not null default pg_current_xact_id(),
    conversation_id uuid not null,
    event_seq       bigint not null,
    kind            text not null,
    actor           text not null,
    subjects        text[],
    action          text,
    message_id      uuid,
    message_seq     bigint,
    ref_conversation uuid,
    reaction_id     uuid,
    emoji           text,
    at              timestamptz(3),
    hidden_from     text[],
    only_for        text[],
    staff           boolean not null default false,
    created_at      timestamptz(3) not null default clock_timestamp(),
    primary key (conversation_id, event_seq)
);

-- what has become visible since a snapshot
create index if not exists events_xid on messaging.events (xid);

-- events below this transaction id are no longer kept
create table if not exists messaging.kept (
    only_row boolean primary key default true check (only_row),
    from_xid xid8 not null
);

insert into messaging.kept (from_xid) values ('0'::xid8)
    on conflict do nothing;

create table if not exists messaging.access_log (
    id              bigint generated always as identity primary key,
    conversation_id uuid not null,
    user_id         text not null,
    action          text not null,
    at              timestamptz(3) not null
);

create index if not exists access_log_conversation
    on messaging.access_log (conversation_id, id);

create table if not exists messaging.settings (
    name  text primary key,
    value text not null
);

insert into messaging.settings values ('session_end_closes', 'off')
    on conflict do nothing;

create table if not exists messaging.server_keys (
    name text primary key,
    key  bytea not null
);

insert into messaging.server_keys
    values ('recovery', uuid_send(gen_random_uuid())
                        || uuid_send(gen_random_uuid()))
    on conflict do nothing;

-- the one shape of all rows; its columns are never reordered
do $$
begin
    if to_regtype('messaging.item') is null then
        create type messaging.item as (
            kind              text,
            status            text,
            id                uuid,
            conversation_id   uuid,
            ref_id            uuid,
            seq               bigint,
            n                 bigint,
            event_seq         bigint,
            xid               xid8,
            flags             integer,
            type              text,
            content           text,
            created_at        timestamptz,
            updated_at        timestamptz,
            edited_at         timestamptz,
            user_id           text,
            first_name        text,
            last_name         text,
            avatar_url        text,
            role              text,
            attachment_url    text,
            attachment_name   text,
            client_id         text,
            action            text,
            subject           text,
            reply_sender_id   text,
            reply_content     text,
            reply_type        text,
            reply_created_at  timestamptz,
            reply_first_name  text,
            reply_last_name   text,
            reply_avatar_url  text,
            reply_role        text
        );
    end if;
end
$$;

-- shipped policies; a clinic replaces them, later migrations leave them alone
do $$
begin
    if to_regprocedure('messaging.may_contact(text,text)') is null then
        create function messaging.may_contact(p_from text, p_to text)
        returns boolean
        language sql stable
        set search_path = messaging, pg_temp
        as $f$
            select not exists (
                select from messaging.directory a, messaging.directory b
                 where a.id = p_from and a.role = 'client'
                   and b.id = p_to and b.role = 'client')
        $f$;
    end if;

    if to_regprocedure('messaging.may_open_session(text,text,text[])') is null
    then
        create function messaging.may_open_session(p_user text,
            p_session_id text, p_participant_ids text[])
        returns boolean
        language sql stable
        set search_path = messaging, pg_temp
        as $f$
            select exists (select from messaging.directory
                            where id = p_user and role = 'therapist')
               and exists (select from messaging.directory
                            where id = any (p_participant_ids)
                              and role = 'client')
        $f$;
    end if;

    if to_regprocedure('messaging.may_audit(text)') is null then
        create function messaging.may_audit(p_user text)
        returns boolean
        language sql stable
        set search_path = messaging, pg_temp
        as $f$
            select exists (select from messaging.directory
                            where id = p_user and role = 'admin')
        $f$;
    end if;
end
$$;

comment on function messaging.may_contact(text, text) is
    'Whether one person may open a conversation with, or add, another.';
comment on function messaging.may_open_session(text, text, text[]) is
    'Whether a user may open the conversation of a session with these.';
comment on function messaging.may_audit(text) is
    'Whether a user may read revisions and audit.';

insert into messaging.schema_migrations (version) values (1)
    on conflict do nothing;

create or replace function messaging.schema_version() returns integer
language sql stable
security definer
set search_path = messaging, pg_temp
as $$ select max(version) from messaging.schema_migrations $$;

comment on function messaging.schema_version() is
    'Number of the newest migration; the module checks it at connect.';

commit;
