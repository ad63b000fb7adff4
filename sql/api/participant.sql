create or replace function messaging.participant_answer(p_status text,
    p_conversation uuid, p_other text, p_user text, p_event_seq bigint)
returns setof messaging.item
language sql stable
as $$
    select * from messaging.status_item(p_status)
    union all
    select * from messaging.participant_items(p_conversation, p_user, p_other)
    union all
    select * from messaging.event_rows(p_conversation, p_event_seq)
$$;
comment on function messaging.participant_answer is 's, p and the events.';


create or replace function messaging.participant_add(p_user text, p_id uuid,
    p_other text, p_role text)
returns setof messaging.item
language plpgsql
security definer
set search_path = messaging, pg_temp
as $$
declare
    v_c    conversations;
    v_p    participants;
    v_o    participants;
    v_role text := coalesce(p_role, 'MEMBER');
    v_account text;
    v_seq  bigint;
begin
    select * into v_c from conversations c where c.id = p_id
       for no key update;
    select * into v_p from participants p
     where p.conversation_id = p_id and p.user_id = p_user and p.is_active;

    if not found then
        return next status_item('not_found');
        return;
    end if;

    if v_c.type = 'DIRECT' then
        return next status_item('direct_conversation');
        return;
    end if;

    if rank_of(v_p.role) < 2 or rank_of(v_role) > rank_of(v_p.role) then
        return next status_item('forbidden',
                                'your role does not allow to add');
        return;
    end if;

    select * into v_o from participants p
     where p.conversation_id = p_id and p.user_id = p_other and p.is_active;

    if found then
        return query select * from participant_answer('existing', p_id,
                               p_other, p_user, v_c.event_seq);
        return;
    end if;

    select u.role into v_account from directory u
     where u.id = p_other and u.is_active;

    if found and v_account = 'client' and v_role = 'ADMIN'
       and v_c.type in ('SESSION', 'SUPPORT')
    then
        return next status_item('forbidden', 'a client cannot be admin here');
        return;
    end if;

    if found and (is_blocked(p_user, p_other)
                  or not may_contact(p_user, p_other))
    then
        return next status_item('cannot_contact');
        return;
    end if;

    if not v_c.is_active then
        return next status_item('conversation_closed');
        return;
    end if;

    if v_account is null then
        return next status_item('validation_failed',
            'userId names somebody who is unknown or not active');
        return;
    end if;

    if (select count(*) from participants p
         where p.conversation_id = p_id and p.is_active) >= 200
    then
        return next status_item('validation_failed',
            'userId cannot be added: there are 200 participants');
        return;
    end if;

    v_seq := event_add(p_id, 'conversation_created', p_user, array[p_other],
                       'join', p_message_seq => v_c.seq + 1,
                       p_only_for => array[p_other]);
    perform join_conversation(p_id, p_other, v_role, v_seq, v_c.seq + 1);
    perform event_add(p_id, 'participant_added', p_user, array[p_other]);
    perform system_message(p_id, p_user, 'participant_added', p_other,
        display_name(p_user) || ' added ' || display_name(p_other));

    return query select * from participant_answer('created', p_id, p_other,
                                                  p_user, v_c.event_seq);
end
$$;
comment on function messaging.participant_add is
    'Adds somebody, who sees what comes from now on: s, p, e.';


create or replace function messaging.participant_update(p_user text,
    p_id uuid, p_other text, p_role text)
returns setof messaging.item
language plpgsql
security definer
set search_path = messaging, pg_temp
as $$
declare
    v_c conversations;
    v_p participants;
    v_o participants;
begin
    select * into v_c from conversations c where c.id = p_id
       for no key update;
    select * into v_p from participants p
     where p.conversation_id = p_id and p.user_id = p_user and p.is_active;

    if not found then
        return next status_item('not_found');
        return;
    end if;

    if v_c.type = 'DIRECT' then
        return next status_item('direct_conversation');
        return;
    end if;

    select * into v_o from participants p
     where p.conversation_id = p_id and p.user_id = p_other and p.is_active;

    if v_p.role <> 'ADMIN' then
        return next status_item('forbidden', 'only an admin changes roles');
        return;
    end if;

    if v_o.user_id is null then
        return next status_item('not_found');
        return;
    end if;

    if p_role = 'ADMIN' and v_c.type in ('SESSION', 'SUPPORT')
       and exists (select from directory u
                    where u.id = p_other and u.role = 'client')
    then
        return next status_item('forbidden', 'a client cannot be admin here');
        return;
    end if;

    if v_o.role = 'ADMIN' and p_role <> 'ADMIN'
       and v_c.type in ('GROUP', 'SESSION')
       and not exists (select from participants p
                        where p.conversation_id = p_id and p.is_active
                          and p.role = 'ADMIN' and p.user_id <> p_other)
       and exists (select from participants p
                    where p.conversation_id = p_id and p.is_active
                      and p.user_id <> p_other)
    then
        return next status_item('last_admin');
        return;
    end if;

    if v_o.role <> p_role then
        update participants set role = p_role
         where conversation_id = p_id and user_id = p_other;
        perform event_add(p_id, 'participant_updated', p_user,
                          array[p_other]);
        perform system_message(p_id, p_user, 'role_changed', p_other,
            display_name(p_user) || ' made ' || display_name(p_other)
            || ' ' || lower(p_role));
    end if;

    return query select * from participant_answer('ok', p_id, p_other,
                                                  p_user, v_c.event_seq);
end
$$;
comment on function messaging.participant_update is
    'Changes a role: s, p, e.';


create or replace function messaging.participant_remove(p_user text,
    p_id uuid, p_other text)
returns setof messaging.item
language plpgsql
security definer
set search_path = messaging, pg_temp
as $$
declare
    v_c   conversations;
    v_p   participants;
    v_o   participants;
    v_seq bigint;
begin
    select * into v_c from conversations c where c.id = p_id
       for no key update;
    select * into v_p from participants p
     where p.conversation_id = p_id and p.user_id = p_user and p.is_active;

    if not found then
        return next status_item('not_found');
        return;
    end if;

    if v_c.type = 'DIRECT' then
        return next status_item('direct_conversation');
        return;
    end if;

    select * into v_o from participants p
     where p.conversation_id = p_id and p.user_id = p_other and p.is_active;

    if p_other <> p_user then
        if rank_of(v_p.role) < 2 then
            return next status_item('forbidden',
                                    'your role does not allow to remove');
            return;
        end if;

        if v_o.user_id is null then
            return next status_item('not_found');
            return;
        end if;

        if rank_of(v_o.role) > rank_of(v_p.role)
           or v_p.role = 'MODERATOR' and v_o.role <> 'MEMBER'
        then
            return next status_item('forbidden',
                                    'your role does not allow to remove');
            return;
        end if;
    end if;

    if v_o.role = 'ADMIN' and v_c.type in ('GROUP', 'SESSION')
       and not exists (select from participants p
                        where p.conversation_id = p_id and p.is_active
                          and p.role = 'ADMIN' and p.user_id <> p_other)
       and exists (select from participants p
                    where p.conversation_id = p_id and p.is_active
                      and p.user_id <> p_other)
    then
        return next status_item('last_admin');
        return;
    end if;

    v_seq := event_add(p_id, 'participant_removed', p_user, array[p_other],
                       'leave',
                       p_staff => v_c.type = 'SUPPORT' and v_o.role = 'ADMIN');
    perform leave_conversation(p_id, p_other, v_seq);

    if p_other = p_user then
        perform system_message(p_id, p_user, 'participant_left', p_other,
                               display_name(p_other) || ' left');
    else
        perform system_message(p_id, p_user, 'participant_removed', p_other,
            display_name(p_user) || ' removed ' || display_name(p_other));
    end if;

    -- a client who leaves support closes it

    if v_c.type = 'SUPPORT' and v_c.is_active and p_other = v_c.created_by
    then
        update conversations
           set is_active = false,
               updated_at = greatest(clock_timestamp(), updated_at)
         where id = p_id;
        perform event_add(p_id, 'conversation_updated', p_user);
        perform system_message(p_id, p_user, 'closed', null,
            display_name(p_user) || ' closed the conversation');
    end if;

    return next status_item('ok');
    return query select * from event_rows(p_id, v_c.event_seq);
end
$$;
comment on function messaging.participant_remove is
    'Removes somebody, or oneself: s, e.';


create or replace function messaging.is_staff(p_user text)
returns boolean
language plpgsql stable
as $$
begin
    return exists (select from messaging.directory u
                    where u.id = p_user and u.is_active
                      and u.role in ('moderator', 'admin'));
end
$$;
comment on function messaging.is_staff is 'A moderator or admin.';


create or replace function messaging.support_list(p_user text,
    p_limit bigint, p_page bigint)
returns setof messaging.item
language plpgsql stable
security definer
set search_path = messaging, pg_temp
as $$
declare
    v_id  uuid;
    v_ids uuid[];
begin
    if not is_staff(p_user) then
        return next status_item('forbidden', 'only for moderators and admins');
        return;
    end if;

    v_ids := array(
        select c.id
          from conversations c
         where c.type = 'SUPPORT' and c.is_active
           and not exists (select from participants p
                            where p.conversation_id = c.id and p.is_active
                              and p.role = 'ADMIN')
         order by c.created_at, c.id
         limit p_limit + 1
        offset (p_page - 1) * p_limit);

    return next status_item('ok', p_flags =>
        case when cardinality(v_ids) > p_limit then 64 else 0 end);

    foreach v_id in array v_ids[1:p_limit] loop
        return query select * from conversation_item(v_id, null);
        return query select * from participant_items(v_id, null);
    end loop;
end
$$;
comment on function messaging.support_list is
    'Open SUPPORT conversations without a claimant, oldest first, without '
    'text: s, c...';


create or replace function messaging.support_claim(p_user text, p_id uuid)
returns setof messaging.item
language plpgsql
security definer
set search_path = messaging, pg_temp
as $$
declare
    v_c   conversations;
    v_seq bigint;
begin
    select * into v_c from conversations c where c.id = p_id
       for no key update;

    if v_c.id is null or v_c.type <> 'SUPPORT'
       or not is_staff(p_user)
          and not exists (select from participants p
                           where p.conversation_id = p_id
                             and p.user_id = p_user and p.is_active)
    then
        if v_c.id is not null and v_c.type <> 'SUPPORT'
           and exists (select from participants p
                        where p.conversation_id = p_id
                          and p.user_id = p_user and p.is_active)
        then
            return next status_item('forbidden', 'this is not support');
        else
            return next status_item('not_found');
        end if;

        return;
    end if;

    if not is_staff(p_user) then
        return next status_item('forbidden', 'only for moderators and admins');
        return;
    end if;

    if exists (select from participants p
                where p.conversation_id = p_id and p.is_active
                  and p.role = 'ADMIN')
    then
        return next status_item('already_claimed');
        return;
    end if;

    if is_blocked(p_user, v_c.created_by) then
        return next status_item('cannot_contact');
        return;
    end if;

    if not v_c.is_active then
        return next status_item('conversation_closed');
        return;
    end if;

    v_seq := event_add(p_id, 'conversation_created', p_user, array[p_user],
                       'join', p_only_for => array[p_user]);
    perform join_conversation(p_id, p_user, 'ADMIN', v_seq, 1);
    perform event_add(p_id, 'participant_added', p_user, array[p_user]);
    update conversations
       set updated_at = greatest(clock_timestamp(), updated_at)
     where id = p_id;
    perform event_add(p_id, 'conversation_updated', p_user, p_staff => true);
    perform system_message(p_id, p_user, 'claimed', p_user,
        display_name(p_user) || ' joined to help');

    insert into access_log (conversation_id, user_id, action, at)
    values (p_id, p_user, 'claimed', clock_timestamp());

    return query select * from conversation_answer('ok', p_id, p_user);
    return query select * from event_rows(p_id, v_c.event_seq);
end
$$;
comment on function messaging.support_claim is
    'Takes an unclaimed SUPPORT conversation on: s, c, e.';


create or replace function messaging.support_unclaim(p_user text, p_id uuid)
returns setof messaging.item
language plpgsql
security definer
set search_path = messaging, pg_temp
as $$
declare
    v_c   conversations;
    v_p   participants;
    v_seq bigint;
begin
    select * into v_c from conversations c where c.id = p_id
       for no key update;
    select * into v_p from participants p
     where p.conversation_id = p_id and p.user_id = p_user and p.is_active;

    if not found then
        return next status_item('not_found');
        return;
    end if;

    if v_c.type <> 'SUPPORT' or v_p.role <> 'ADMIN' then
        return next status_item('forbidden', 'only for the claimant');
        return;
    end if;

    -- who goes has participant_removed last, though staff as well

    update conversations
       set updated_at = greatest(clock_timestamp(), updated_at)
     where id = p_id;
    perform event_add(p_id, 'conversation_updated', p_user, p_staff => true);
    v_seq := event_add(p_id, 'participant_removed', p_user, array[p_user],
                       'leave');
    perform leave_conversation(p_id, p_user, v_seq);
    perform system_message(p_id, p_user, 'unclaimed', p_user,
        display_name(p_user) || ' handed the conversation back');

    return next status_item('ok');
    return query select * from event_rows(p_id, v_c.event_seq);
end
$$;
comment on function messaging.support_unclaim is
    'Gives a SUPPORT conversation back: s, e.';
