-- The event log: written in the transaction of the change, under the row
-- lock of the conversation; read for answers, sweeps and replay.

create or replace function messaging.event_add(p_conversation uuid,
    p_kind text, p_actor text, p_subjects text[] default null,
    p_action text default null, p_message_id uuid default null,
    p_message_seq bigint default null, p_hidden_from text[] default null,
    p_only_for text[] default null, p_staff boolean default false,
    p_ref uuid default null, p_reaction_id uuid default null,
    p_emoji text default null, p_at timestamptz default null)
returns bigint
language plpgsql
set search_path = messaging, pg_temp
as $$
declare
    v_event_seq bigint;
begin
    update conversations
       set event_seq = event_seq + 1,
           last_event_xid = pg_current_xact_id()
     where id = p_conversation
    returning event_seq into v_event_seq;

    insert into events (conversation_id, event_seq, kind, actor, subjects,
                        action, message_id, message_seq, hidden_from,
                        only_for, staff, ref_conversation, reaction_id, emoji,
                        at)
    values (p_conversation, v_event_seq, p_kind, p_actor, p_subjects,
            p_action, p_message_id, p_message_seq, p_hidden_from, p_only_for,
            p_staff, p_ref, p_reaction_id, p_emoji, p_at);

    return v_event_seq;
end
$$;
comment on function messaging.event_add is
    'One event of a conversation whose row is locked; returns its event_seq.';


create or replace function messaging.personal_stream(p_user text)
returns uuid
language plpgsql
set search_path = messaging, pg_temp
as $$
declare
    v_id uuid;
begin
    select c.id into v_id
      from conversations c
     where c.created_by = p_user and c.type = 'PERSONAL';

    if found then
        return v_id;
    end if;

    insert into conversations (id, type, created_by, created_at, updated_at)
    values (new_id(), 'PERSONAL', p_user, clock_timestamp(),
            clock_timestamp())
    on conflict (created_by) where type = 'PERSONAL' do nothing
    returning id into v_id;

    if not found then
        select c.id into v_id
          from conversations c
         where c.created_by = p_user and c.type = 'PERSONAL';
        return v_id;
    end if;

    insert into memberships (conversation_id, user_id, joined_event_seq)
    values (v_id, p_user, 1);

    return v_id;
end
$$;
comment on function messaging.personal_stream is
    'The conversation of type PERSONAL that carries events for one user only.';


create or replace function messaging.event_item(p_event messaging.events)
returns messaging.item
language plpgsql stable
as $$
declare
    v_actor record;
begin
    select coalesce(u.first_name, '') as first_name,
           coalesce(u.last_name, '') as last_name, u.avatar_url,
           coalesce(u.role, 'client') as role
      into v_actor
      from (select 1) one
      left join messaging.directory u on u.id = p_event.actor;

    return row('e', null, null, p_event.conversation_id, p_event.message_id,
               p_event.message_seq, p_event.id, p_event.event_seq,
               p_event.xid, 128 * p_event.staff::integer, p_event.kind,
               array_to_string(p_event.hidden_from, E'\n'),
               coalesce(p_event.at, p_event.created_at)::timestamptz, null,
               null, p_event.actor, v_actor.first_name, v_actor.last_name,
               v_actor.avatar_url, v_actor.role, null, null,
               array_to_string(p_event.only_for, E'\n'), p_event.action,
               array_to_string(p_event.subjects, E'\n'), null, null, null,
               null, null, null, null, null)::messaging.item;
end
$$;
comment on function messaging.event_item is 'The e row of an event.';


create or replace function messaging.event_body(p_event messaging.events)
returns setof messaging.item
language plpgsql stable
set search_path = messaging, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set jit = off
as $$
declare
    v_only text;
    v_conversation uuid;
begin
    if p_event.kind in ('new_message', 'message_updated') then
        return query select * from message_items i
                      where i.conversation_id = p_event.conversation_id
                        and i.seq = p_event.message_seq;
        return query select * from message_extras(p_event.conversation_id,
                                                  p_event.message_seq);

    elsif p_event.kind = 'message_reaction' then
        return query
            select 'r', null::text, p_event.reaction_id,
                   p_event.conversation_id, p_event.message_id,
                   p_event.message_seq, null::bigint, null::bigint,
                   null::xid8, 0, null::text, p_event.emoji,
                   p_event.at::timestamptz, null::timestamptz,
                   null::timestamptz, p_event.actor,
                   coalesce(u.first_name, ''), coalesce(u.last_name, ''),
                   u.avatar_url, coalesce(u.role, 'client'), null::text,
                   null::text, null::text, null::text, null::text, null::text,
                   null::text, null::text, null::timestamptz, null::text,
                   null::text, null::text, null::text
              from (select 1) one
              left join directory u on u.id = p_event.actor;

    elsif p_event.kind in ('conversation_created', 'conversation_updated')
    then
        v_only := p_event.only_for[1];
        v_conversation := coalesce(p_event.ref_conversation,
                                   p_event.conversation_id);
        return query select * from conversation_item(v_conversation, null);
        return query select * from participant_items(v_conversation, v_only) i
                      order by i.created_at, i.user_id;

    elsif p_event.kind like 'participant\_%' then
        return query select * from participant_items(p_event.conversation_id,
                                                     null,
                                                     p_event.subjects[1]);
    end if;
end
$$;
comment on function messaging.event_body is
    'The rows of the body of an event, as things are now.';


create or replace function messaging.event_rows(p_conversation uuid,
    p_after bigint)
returns setof messaging.item
language plpgsql stable
set search_path = messaging, pg_temp
as $$
declare
    v_event events;
begin
    for v_event in
        select * from events e
         where e.conversation_id = p_conversation and e.event_seq > p_after
         order by e.event_seq
    loop
        return next event_item(v_event);
        return query select * from event_body(v_event);
    end loop;
end
$$;
comment on function messaging.event_rows is
    'e rows with their bodies of a conversation, beyond an event_seq.';


create or replace function messaging.system_message(p_conversation uuid,
    p_actor text, p_action text, p_subject text, p_content text)
returns bigint
language plpgsql
set search_path = messaging, pg_temp
as $$
declare
    v_seq bigint;
    v_at  timestamptz(3);
    v_id  uuid := new_id();
begin
    update conversations
       set seq = seq + 1,
           last_message_at = greatest(clock_timestamp(), last_message_at),
           updated_at = greatest(clock_timestamp(), updated_at)
     where id = p_conversation
    returning seq, last_message_at into v_seq, v_at;

    insert into messages (conversation_id, seq, id, sender_id, content, type,
                          created_at, updated_at, system_action,
                          system_user_id)
    values (p_conversation, v_seq, v_id, p_actor, p_content, 'SYSTEM', v_at,
            v_at, p_action, p_subject);

    perform event_add(p_conversation, 'new_message', p_actor,
                      p_message_id => v_id, p_message_seq => v_seq);

    return v_seq;
end
$$;
comment on function messaging.system_message is
    'A SYSTEM message and its event, in a conversation whose row is locked.';


create or replace function messaging.join_conversation(p_conversation uuid,
    p_user text, p_role text, p_event_seq bigint, p_visible_from bigint)
returns void
language plpgsql
set search_path = messaging, pg_temp
as $$
begin
    insert into participants as p (conversation_id, user_id, role, joined_at,
                                   visible_from, last_read_seq)
    values (p_conversation, p_user, p_role, clock_timestamp(),
            p_visible_from, p_visible_from - 1)
    on conflict (conversation_id, user_id) do update
       set role = excluded.role,
           is_active = true,
           is_muted = false,
           is_archived = false,
           joined_at = excluded.joined_at,
           visible_from = excluded.visible_from,
           last_read_seq = greatest(p.last_read_seq, excluded.last_read_seq);

    insert into memberships (conversation_id, user_id, joined_event_seq,
                             visible_from)
    values (p_conversation, p_user, p_event_seq, p_visible_from);
end
$$;
comment on function messaging.join_conversation is
    'Makes somebody an active participant from an event on.';


create or replace function messaging.leave_conversation(p_conversation uuid,
    p_user text, p_event_seq bigint)
returns void
language plpgsql
set search_path = messaging, pg_temp
as $$
begin
    update participants
       set is_active = false
     where conversation_id = p_conversation and user_id = p_user;

    update memberships
       set left_event_seq = p_event_seq
     where conversation_id = p_conversation and user_id = p_user
       and left_event_seq is null;
end
$$;
comment on function messaging.leave_conversation is
    'Ends a participation with an event.';
