create or replace function messaging.block_add(p_user text, p_other text,
    p_reason text)
returns setof messaging.item
language plpgsql
security definer
set search_path = messaging, pg_temp
as $$
declare
    v_stream uuid;
    v_event_seq bigint;
    v_new boolean;
begin
    if p_other = p_user then
        return next status_item('validation_failed',
                                'userId must not be oneself');
        return;
    end if;

    if not exists (select from directory u where u.id = p_other) then
        return next status_item('not_found', 'this user does not exist');
        return;
    end if;

    v_stream := personal_stream(p_user);
    select c.event_seq into v_event_seq
      from conversations c where c.id = v_stream for no key update;

    insert into blocks as b (blocker_id, blocked_id, reason, created_at)
    values (p_user, p_other, p_reason, clock_timestamp())
    on conflict (blocker_id, blocked_id) do update
       set reason = excluded.reason
    returning b.xmax = 0 into v_new;

    return next status_item('created');

    if v_new then
        perform event_add(v_stream, 'user_blocked', p_user, array[p_other],
                          p_only_for => array[p_user]);
        return query select * from event_rows(v_stream, v_event_seq);
    end if;
end
$$;
comment on function messaging.block_add is
    'Blocks somebody; again: the reason is updated.  s, e.';


create or replace function messaging.block_remove(p_user text, p_other text)
returns setof messaging.item
language plpgsql
security definer
set search_path = messaging, pg_temp
as $$
declare
    v_stream uuid;
    v_event_seq bigint;
begin
    -- without a block there is nothing to write, not even a stream

    if not exists (select from blocks
                    where blocker_id = p_user and blocked_id = p_other)
    then
        return next status_item('ok');
        return;
    end if;

    v_stream := personal_stream(p_user);
    select c.event_seq into v_event_seq
      from conversations c where c.id = v_stream for no key update;

    delete from blocks
     where blocker_id = p_user and blocked_id = p_other;

    return next status_item('ok');

    if found then
        perform event_add(v_stream, 'user_unblocked', p_user, array[p_other],
                          p_only_for => array[p_user]);
        return query select * from event_rows(v_stream, v_event_seq);
    end if;
end
$$;
comment on function messaging.block_remove is
    'Ends a block; also when there is none.  s, e.';


create or replace function messaging.block_list(p_user text)
returns setof messaging.item
language sql stable
security definer
set search_path = messaging, pg_temp
as $$
    select status_item('ok')
    union all
    (select row('b', null, null, null, null, null, null, null, null, 0, null,
           b.reason, b.created_at, null, null, b.blocked_id,
           coalesce(u.first_name, ''), coalesce(u.last_name, ''),
           u.avatar_url, coalesce(u.role, 'client'), null, null, null, null,
           null, null, null, null, null, null, null, null, null)::messaging.item
      from blocks b
      left join directory u on u.id = b.blocked_id
     where b.blocker_id = p_user
     order by b.created_at, b.blocked_id)
$$;
comment on function messaging.block_list is 'The caller''s own blocks: s, b...';
