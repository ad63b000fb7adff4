create or replace function messaging.conversation_answer(p_status text,
    p_conversation uuid, p_user text)
returns setof messaging.item
language sql stable
as $$
    select * from messaging.status_item(p_status)
    union all
    select * from messaging.conversation_items(p_conversation, p_user)
$$;
comment on function messaging.conversation_answer is 's and a Conversation.';


create or replace function messaging.conversation_make(p_id uuid,
    p_type text, p_user text, p_others text[], p_title text,
    p_session_id text, p_low text default null, p_high text default null)
returns boolean
language plpgsql
set search_path = messaging, pg_temp
as $$
declare
    v_at   timestamptz(3) := clock_timestamp();
    v_seq  bigint;
    v_one  text;
begin
    insert into conversations (id, type, title, session_id, created_by,
                               direct_low, direct_high, created_at,
                               updated_at)
    values (p_id, p_type, p_title, p_session_id, p_user, p_low, p_high, v_at,
            v_at)
    on conflict do nothing;

    if not found then
        return false;
    end if;

    v_seq := event_add(p_id, 'conversation_created', p_user,
                       array[p_user] || p_others, 'join');

    foreach v_one in array array[p_user] || p_others loop
        perform join_conversation(p_id, v_one,
            case when p_type = 'GROUP' and v_one = p_user then 'ADMIN'
                 when p_type = 'SESSION'
                      and exists (select from directory u
                                   where u.id = v_one
                                     and u.role = 'therapist') then 'ADMIN'
                 else 'MEMBER' end, v_seq, 1);
    end loop;

    return true;
end
$$;
comment on function messaging.conversation_make is
    'A new conversation with its first participants; false: there is one.';


create or replace function messaging.conversation_create(p_user text,
    p_type text, p_participant_ids text[], p_title text, p_session_id text,
    p_key text, p_body_hash text)
returns setof messaging.item
language plpgsql
security definer
set search_path = messaging, pg_temp
as $$
declare
    v_others text[];
    v_known  integer;
    v_role   text;
    v_id     uuid := new_id();
    v_old    uuid;
    v_hash   text;
    v_new    boolean;
    v_one    text;
    v_low    text;
    v_high   text;
begin
    select u.role into v_role
      from directory u where u.id = p_user and u.is_active;

    if not found then
        return next status_item('user_inactive');
        return;
    end if;

    v_others := array(select distinct x from unnest(p_participant_ids) x
                       order by x);

    if p_user = any (v_others) then
        return next status_item('validation_failed',
                                'participantIds must not name oneself');
        return;
    end if;

    if p_type = 'SUPPORT' and cardinality(v_others) <> 0
       or p_type = 'DIRECT' and cardinality(v_others) <> 1
       or p_type in ('GROUP', 'SESSION') and cardinality(v_others) = 0
    then
        return next status_item('validation_failed',
            'participantIds has the wrong number of people');
        return;
    end if;

    -- one transaction at a time per key: the second one finds the first's

    if p_key is not null then
        perform pg_advisory_xact_lock(hashtextextended(p_user || E'\n'
                                                       || p_key, 0));

        select k.conversation_id, k.body_hash into v_old, v_hash
          from conversation_keys k
         where k.user_id = p_user and k.key = p_key;

        if found and v_hash <> p_body_hash then
            return next status_item('idempotency_key_reused');
            return;
        end if;

        if found then
            return query select * from conversation_answer('replayed', v_old,
                                                           p_user);
            return;
        end if;
    end if;

    select count(*) into v_known
      from directory u where u.id = any (v_others) and u.is_active;

    if v_known <> cardinality(v_others) then
        return next status_item('validation_failed',
            'participantIds names somebody who is unknown or not active');
        return;
    end if;

    if p_type = 'SUPPORT' and v_role <> 'client' then
        return next status_item('forbidden',
                                'only a client can ask for support');
        return;
    end if;

    foreach v_one in array v_others loop
        if is_blocked(p_user, v_one) then
            return next status_item('cannot_contact');
            return;
        end if;
    end loop;

    if p_type = 'DIRECT' then
        v_low := least(p_user collate "C", v_others[1] collate "C");
        v_high := greatest(p_user collate "C", v_others[1] collate "C");

        select c.id into v_old
          from conversations c
         where c.direct_low = v_low and c.direct_high = v_high;
    elsif p_type = 'SESSION' then
        select c.id into v_old
          from conversations c
         where c.session_id = p_session_id and c.type = 'SESSION';
    elsif p_type = 'SUPPORT' then
        perform pg_advisory_xact_lock(hashtextextended('support' || E'\n'
                                                       || p_user, 0));
        select c.id into v_old
          from conversations c
          join participants p on p.conversation_id = c.id
         where p.user_id = p_user and p.is_active
           and c.type = 'SUPPORT' and c.is_active
           and c.created_by = p_user;
    end if;

    if v_old is null then
        if p_type = 'SESSION' then
            if not may_open_session(p_user, p_session_id, v_others) then
                return next status_item('cannot_contact');
                return;
            end if;
        else
            foreach v_one in array v_others loop
                if not may_contact(p_user, v_one) then
                    return next status_item('cannot_contact');
                    return;
                end if;
            end loop;
        end if;

        v_new := conversation_make(v_id, p_type, p_user, v_others, p_title,
                                   p_session_id, v_low, v_high);

        if not v_new then
            if p_type = 'DIRECT' then
                select c.id into v_old
                  from conversations c
                 where c.direct_low = v_low and c.direct_high = v_high;
            else
                select c.id into v_old
                  from conversations c
                 where c.session_id = p_session_id and c.type = 'SESSION';
            end if;
        end if;
    end if;

    if v_old is not null and p_type = 'SESSION'
       and not exists (select from participants p
                        where p.conversation_id = v_old
                          and p.user_id = p_user and p.is_active)
    then
        return next status_item('cannot_contact');
        return;
    end if;

    if p_key is not null then
        insert into conversation_keys (user_id, key, conversation_id,
                                       body_hash)
        values (p_user, p_key, coalesce(v_old, v_id), p_body_hash);
    end if;

    if v_old is not null then
        return query select * from conversation_answer('existing', v_old,
                                                       p_user);
        return;
    end if;

    return query select * from conversation_answer('created', v_id, p_user);
    return query select * from event_rows(v_id, 0);
end
$$;
comment on function messaging.conversation_create is
    'A conversation, or the one that there is: s, c, e.';


create or replace function messaging.conversation_get(p_user text, p_id uuid)
returns setof messaging.item
language plpgsql stable
security definer
set search_path = messaging, pg_temp
as $$
begin
    if not exists (select from participants p
                    where p.conversation_id = p_id and p.user_id = p_user
                      and p.is_active)
    then
        return next status_item('not_found');
        return;
    end if;

    return query select * from conversation_answer('ok', p_id, p_user);
end
$$;
comment on function messaging.conversation_get is 'One conversation: s, c.';


-- A cursor is the snapshot of the first page and the last place: paging goes
-- on in the order of that moment, whatever arrives meanwhile.

create or replace function messaging.conversation_activity(
    p_conversation messaging.conversations, p_snapshot pg_snapshot)
returns timestamptz
language plpgsql stable
as $$
begin
    if p_snapshot is null
       or p_conversation.last_event_xid is null
       or pg_visible_in_snapshot(p_conversation.last_event_xid, p_snapshot)
    then
        return coalesce(p_conversation.last_message_at,
                        p_conversation.created_at);
    end if;

    return coalesce(
        (select m.created_at
           from messaging.events e
           join messaging.messages m
             on m.conversation_id = e.conversation_id
            and m.seq = e.message_seq
          where e.conversation_id = p_conversation.id
            and e.kind = 'new_message'
            and pg_visible_in_snapshot(e.xid, p_snapshot)
          order by e.event_seq desc
          limit 1), p_conversation.created_at);
end
$$;
comment on function messaging.conversation_activity is
    'When a conversation was last active, as a snapshot saw it.';


create or replace function messaging.conversation_list(p_user text,
    p_page bigint, p_limit bigint, p_cursor text, p_session_id text,
    p_archived text)
returns setof messaging.item
language plpgsql stable
security definer
set search_path = messaging, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set jit = off
as $$
declare
    v_parts    text[];
    v_snapshot pg_snapshot;
    v_at       timestamptz;
    v_id       uuid;
    v_rows     record;
    v_n        bigint := 0;
    v_ids      uuid[] := '{}';
    v_last     timestamptz;
    v_cursor   text;
begin
    if p_cursor is not null then
        begin
            v_parts := string_to_array(convert_from(decode(
                translate(p_cursor, '-_', '+/')
                || repeat('=', (4 - length(p_cursor) % 4) % 4), 'base64'),
                'UTF8'), '|');
            v_snapshot := v_parts[1]::pg_snapshot;
            v_at := v_parts[2]::timestamptz;
            v_id := v_parts[3]::uuid;
            if cardinality(v_parts) <> 3 or v_snapshot is null
               or v_at is null or v_id is null
            then
                raise data_exception;
            end if;
        exception when others then
            return next status_item('validation_failed',
                                    'cursor is not valid');
            return;
        end;
    end if;

    for v_rows in
        select c.id, a.at
          from participants p
          join conversations c on c.id = p.conversation_id
         cross join lateral (select conversation_activity(c, v_snapshot) as at)
               a
         where p.user_id = p_user and p.is_active
           and (p_archived = 'all' or p.is_archived = (p_archived = 'true'))
           and (p_session_id is null or c.session_id = p_session_id)
           and (v_snapshot is null
                or ((a.at, c.id) < (v_at, v_id)))
         order by a.at desc, c.id desc
         limit p_limit + 1
        offset case when p_cursor is null then (p_page - 1) * p_limit
                    else 0 end
    loop
        v_n := v_n + 1;

        if v_n <= p_limit then
            v_ids := v_ids || v_rows.id;
            v_last := v_rows.at;
        end if;
    end loop;

    if v_n > p_limit then
        v_cursor := translate(encode(convert_to(
            coalesce(v_snapshot, pg_current_snapshot())::text || '|'
            || v_last::text || '|' || v_ids[p_limit]::text, 'UTF8'),
            'base64'), E'+/=\n', '-_');
    end if;

    return next status_item('ok', p_cursor => v_cursor,
                            p_flags => case when v_cursor is null then 0
                                            else 64 end);

    foreach v_id in array v_ids loop
        return query select * from conversation_items(v_id, p_user);
    end loop;
end
$$;
comment on function messaging.conversation_list is
    'The caller''s conversations, newest activity first: s, c...';


create or replace function messaging.conversation_update(p_user text,
    p_id uuid, p_set_title boolean, p_title text, p_is_muted boolean,
    p_is_archived boolean, p_is_active boolean)
returns setof messaging.item
language plpgsql
security definer
set search_path = messaging, pg_temp
as $$
declare
    v_c         conversations;
    v_p         participants;
    v_renames   boolean;
    v_closes    boolean;
    v_own       boolean;
begin
    select * into v_c from conversations c where c.id = p_id
       for no key update;
    select * into v_p from participants p
     where p.conversation_id = p_id and p.user_id = p_user and p.is_active;

    if not found then
        return next status_item('not_found');
        return;
    end if;

    if v_c.type = 'DIRECT' and (p_set_title or p_is_active is not null) then
        return next status_item('direct_conversation');
        return;
    end if;

    v_renames := p_set_title;
    v_closes := p_is_active is not null;

    if v_renames and rank_of(v_p.role) < 2 then
        return next status_item('forbidden',
                                'only a moderator or admin can rename');
        return;
    end if;

    if v_closes and v_p.role <> 'ADMIN'
       and not (v_c.type = 'SUPPORT' and not p_is_active
                and v_c.created_by = p_user
                and not exists (select from participants x
                                 where x.conversation_id = p_id
                                   and x.is_active and x.role = 'ADMIN'))
    then
        return next status_item('forbidden',
                                'only an admin can close or reopen');
        return;
    end if;

    v_renames := v_renames and p_title is distinct from v_c.title;
    v_closes := v_closes and p_is_active <> v_c.is_active;
    v_own := p_is_muted is not null and p_is_muted <> v_p.is_muted
             or p_is_archived is not null
                and p_is_archived <> v_p.is_archived;

    if v_own then
        update participants
           set is_muted = coalesce(p_is_muted, is_muted),
               is_archived = coalesce(p_is_archived, is_archived)
         where conversation_id = p_id and user_id = p_user;
    end if;

    if v_own and p_is_archived then
        update conversations set has_archived = true
         where id = p_id and not has_archived;
    end if;

    if v_renames or v_closes then
        update conversations
           set title = case when v_renames then p_title else title end,
               is_active = case when v_closes then p_is_active
                                else is_active end,
               updated_at = greatest(clock_timestamp(), updated_at)
         where id = p_id;

        perform event_add(p_id, 'conversation_updated', p_user);
    end if;

    if v_renames then
        perform system_message(p_id, p_user, 'renamed', null,
            display_name(p_user) || case when p_title is null
                then ' removed the title'
                else ' renamed the conversation to "' || p_title || '"' end);
    end if;

    if v_closes then
        perform system_message(p_id, p_user,
            case when p_is_active then 'reopened' else 'closed' end, null,
            display_name(p_user) || case when p_is_active
                then ' reopened the conversation'
                else ' closed the conversation' end);
    end if;

    if v_own then
        perform event_add(p_id, 'conversation_updated', p_user,
                          p_only_for => array[p_user]);
    end if;

    return query select * from conversation_answer('ok', p_id, p_user);
    return query select * from event_rows(p_id, v_c.event_seq);
end
$$;
comment on function messaging.conversation_update is
    'Title, closing, and the caller''s own mute and archive: s, c, e.';


create or replace function messaging.end_session(p_session_id text)
returns boolean
language plpgsql
set search_path = messaging, pg_temp
as $$
declare
    v_c conversations;
begin
    select * into v_c
      from conversations c
     where c.session_id = p_session_id and c.type = 'SESSION'
       for no key update;

    if not found then
        return false;
    end if;

    if v_c.is_active and (select s.value from settings s
                           where s.name = 'session_end_closes') = 'on'
    then
        update conversations
           set is_active = false,
               updated_at = greatest(clock_timestamp(), updated_at)
         where id = v_c.id;
        perform event_add(v_c.id, 'conversation_updated', v_c.created_by);
    end if;

    perform system_message(v_c.id, v_c.created_by, 'session_ended', null,
                           'The session has ended');
    return true;
end
$$;
comment on function messaging.end_session is
    'For the booking system: a SYSTEM line, and closed where the setting '
    'session_end_closes is on.  False: no conversation has this session.';


create or replace function messaging.notify_user(p_user_id text)
returns bigint
language plpgsql
set search_path = messaging, pg_temp
as $$
declare
    v_id uuid;
    v_n  bigint := 0;
begin
    for v_id in
        select p.conversation_id from participants p
         where p.user_id = p_user_id and p.is_active
         order by p.conversation_id
    loop
        perform from conversations c where c.id = v_id for no key update;
        perform event_add(v_id, 'participant_updated', p_user_id,
                          array[p_user_id]);
        v_n := v_n + 1;
    end loop;

    return v_n;
end
$$;
comment on function messaging.notify_user is
    'That user''s directory entry changed: tells the conversations; returns '
    'their number.';


create or replace function messaging.access_list(p_user text,
    p_conversation uuid)
returns setof messaging.item
language plpgsql stable
security definer
set search_path = messaging, pg_temp
as $$
begin
    if not exists (select from participants p
                    where p.conversation_id = p_conversation
                      and p.user_id = p_user and p.is_active)
    then
        return next status_item('not_found');
        return;
    end if;

    return next status_item('ok');
    return query
        select 'a', null::text, null::uuid, a.conversation_id, null::uuid,
               null::bigint, a.id, null::bigint, null::xid8, 0, null::text,
               null::text, a.at::timestamptz, null::timestamptz,
               null::timestamptz, a.user_id, coalesce(u.first_name, ''),
               coalesce(u.last_name, ''), u.avatar_url,
               coalesce(u.role, 'client'), null::text, null::text, null::text,
               a.action, null::text, null::text, null::text, null::text,
               null::timestamptz, null::text, null::text, null::text,
               null::text
          from access_log a
          left join directory u on u.id = a.user_id
         where a.conversation_id = p_conversation
         order by a.id desc
         limit 1000;
end
$$;
comment on function messaging.access_list is
    'Who from outside, or of the staff, has read it: s, a..., newest first.';
