-- What the real-time part asks: what has become visible since a snapshot,
-- what a socket may see, and marks of delivery.  Rows are messaging.item.

create or replace function messaging.server_key()
returns setof messaging.item
language sql stable
security definer
set search_path = messaging, pg_temp
as $$
    select * from status_item('ok', (select encode(key, 'hex')
                                       from server_keys
                                      where name = 'recovery'))
$$;
comment on function messaging.server_key is
    'The key that signs what a client brings back to recover: s (content, '
    'hexadecimal).';


create or replace function messaging.log_id() returns text
language plpgsql stable
set search_path = pg_catalog
as $$
begin
    return (select system_identifier::text from pg_control_system()) || '-'
           || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8);
end
$$;
comment on function messaging.log_id is
    'Which history this is: system identifier and timeline.';


-- Newly visible since a snapshot is what began after it or was running.
create or replace function messaging.sweep_delta(p_from pg_snapshot)
returns setof messaging.item
language plpgsql stable
security definer
set search_path = messaging, pg_temp
as $$
declare
    v_now pg_snapshot := pg_current_snapshot();
begin
    return next status_item('ok', v_now::text, null, 0, log_id());

    if p_from is null then
        return;
    end if;

    return query
        select 'l', null::text, null::uuid, e.conversation_id, null::uuid,
               min(e.event_seq), max(e.event_seq), null::bigint, null::xid8,
               null::integer, null::text, null::text, null::timestamptz,
               null::timestamptz, null::timestamptz, null::text, null::text,
               null::text, null::text, null::text, null::text, null::text,
               null::text, null::text, null::text, null::text, null::text,
               null::text, null::timestamptz, null::text, null::text,
               null::text, null::text
          from events e
         where e.xid >= pg_snapshot_xmax(p_from)
            or e.xid = any (array(select pg_snapshot_xip(p_from)))
         group by e.conversation_id;
end
$$;
comment on function messaging.sweep_delta is
    'The present snapshot, and per conversation the event_seq that became '
    'visible since p_from (null: none): s (content = snapshot, client_id = '
    'log id), l (conversation_id, seq = first, n = last)...';


create or replace function messaging.sweep_events(p_conversations uuid[],
    p_after bigint[], p_limit bigint)
returns setof messaging.item
language plpgsql stable
security definer
set search_path = messaging, pg_temp
as $$
declare
    v_event events;
begin
    return next status_item('ok');

    for v_event in
        select e.*
          from unnest(p_conversations, p_after) as w (id, after)
         cross join lateral (
            select * from events x
             where x.conversation_id = w.id and x.event_seq > w.after
             order by x.event_seq
             limit p_limit) e
         order by e.id
         limit p_limit
    loop
        return next event_item(v_event);
        return query select * from event_body(v_event);
    end loop;
end
$$;
comment on function messaging.sweep_events is
    'The next events of conversations beyond what each has, in order: s, e '
    'rows with their bodies.';


create or replace function messaging.contacts_of(p_user text)
returns setof text
language sql stable
as $$
    select distinct o.user_id
      from messaging.participants p
      join messaging.conversations c on c.id = p.conversation_id
                                    and c.is_active
      join messaging.participants o on o.conversation_id = p.conversation_id
                                   and o.is_active and o.user_id <> p_user
     where p.user_id = p_user and p.is_active
       and not exists (select from messaging.blocks b
                        where b.blocker_id = p_user
                          and b.blocked_id = o.user_id)
       and not exists (select from messaging.blocks b
                        where b.blocker_id = o.user_id
                          and b.blocked_id = p_user)
$$;
comment on function messaging.contacts_of is
    'Who may know whether somebody is online: participants of open '
    'conversations, less blocks either way.';


create or replace function messaging.id_item(p_kind text, p_user text,
    p_conversation uuid default null, p_seq bigint default null,
    p_n bigint default null, p_event_seq bigint default null,
    p_flags integer default 0, p_content text default null,
    p_id uuid default null, p_subject text default null,
    p_at timestamptz default null)
returns messaging.item
language sql immutable
as $$
    select row(p_kind, null, p_id, p_conversation, null, p_seq, p_n,
               p_event_seq, null, p_flags, null, p_content, p_at, null, null,
               p_user, null, null, null, null, null, null, null, null,
               p_subject, null, null, null, null, null, null, null,
               null)::messaging.item
$$;
comment on function messaging.id_item is
    'A row of ids and numbers, for the rows of this file.';


create or replace function messaging.presence_contacts(p_user text)
returns setof messaging.item
language plpgsql stable
security definer
set search_path = messaging, pg_temp
as $$
begin
    return next status_item('ok');
    return query select i.* from contacts_of(p_user) c
                  cross join lateral id_item('x', c) i;
end
$$;
comment on function messaging.presence_contacts is
    'Who is told that somebody comes or goes: s, x (user_id)...';


-- The lower bound of what was missed in a conversation: what a socket has
-- is a prefix in event_seq, and everything below the floor is in it.
create or replace function messaging.missed(p_user text, p_floor xid8,
    p_conversations uuid[], p_from bigint[], p_limit bigint)
returns setof messaging.events
language sql stable
as $$
    select e.*
      from messaging.memberships ms
      join messaging.conversations c on c.id = ms.conversation_id
      left join unnest(p_conversations, p_from) as w (id, first)
        on w.id = ms.conversation_id
     cross join lateral (
        select *
          from messaging.events x
         where x.conversation_id = ms.conversation_id
           and x.event_seq >= case when ms.left_event_seq is null
                                   then ms.joined_event_seq
                                   else ms.left_event_seq end
           and x.event_seq <= coalesce(ms.left_event_seq, c.event_seq)
           and x.event_seq > coalesce(w.first - 1, (
                select b.event_seq
                  from messaging.events b
                 where b.conversation_id = ms.conversation_id
                   and b.xid < p_floor
                 order by b.event_seq desc
                 limit 1), 0)
         order by x.event_seq
         limit p_limit) e
     where ms.user_id = p_user and c.last_event_xid >= p_floor
     order by e.id
     limit p_limit
$$;
comment on function messaging.missed is
    'Events of a user at or above a floor, and from event_seq on where it is '
    'given, in order; of a membership that has ended its end alone.';


create or replace function messaging.attach(p_user text, p_floor xid8,
    p_conversations uuid[], p_from bigint[], p_limit bigint)
returns setof messaging.item
language plpgsql stable
security definer
set search_path = messaging, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set jit = off
as $$
declare
    v_now     pg_snapshot := pg_current_snapshot();
    v_active  boolean;
    v_refused boolean := false;
    v_event   events;
    v_n       bigint := 0;
begin
    select u.is_active into v_active from directory u where u.id = p_user;

    if not coalesce(v_active, false) then
        return next status_item('user_inactive');
        return;
    end if;

    if p_floor is not null then
        v_refused := p_floor < (select k.from_xid from kept k)
                     or p_floor > pg_snapshot_xmax(v_now);
    end if;

    return next status_item(case when v_refused then 'existing' else 'ok' end,
                            pg_snapshot_xmin(v_now)::text, null, 0, log_id());
    return query select * from user_item(p_user);

    return query
        select 'i', null::text, null::uuid, ms.conversation_id, null::uuid,
               ms.joined_event_seq, ms.left_event_seq, c.event_seq,
               c.last_event_xid, 4 * (c.type <> 'PERSONAL')::integer,
               null::text, ms.visible_from::text, null::timestamptz,
               null::timestamptz, null::timestamptz, p_user, null::text,
               null::text, null::text, null::text, null::text, null::text,
               null::text, null::text, null::text, null::text, null::text,
               null::text, null::timestamptz, null::text, null::text,
               null::text, null::text
          from memberships ms
          join conversations c on c.id = ms.conversation_id
         where ms.user_id = p_user;

    if p_conversations is null then
        return query select i.* from contacts_of(p_user) c
                      cross join lateral id_item('x', c) i;
        return query
            select i.*
              from blocks b
             cross join lateral id_item('b', b.blocked_id, p_flags => 1) i
             where b.blocker_id = p_user
            union all
            select i.*
              from blocks b
             cross join lateral id_item('b', b.blocker_id, p_flags => 2) i
             where b.blocked_id = p_user;
    end if;

    if p_floor is null or v_refused then
        return;
    end if;

    for v_event in
        select * from missed(p_user, p_floor, p_conversations, p_from,
                             p_limit + 1)
    loop
        v_n := v_n + 1;

        if v_n > p_limit then
            return next status_item('ok', null, v_n, 64);
            exit;
        end if;

        return next event_item(v_event);
        return query select * from event_body(v_event);
    end loop;
end
$$;
comment on function messaging.attach is
    'What a socket starts from, in one snapshot: s (status existing: the '
    'floor is of no use; content = xmin, client_id = log id), u, i '
    '(conversation_id, seq = joined, n = left, event_seq = now, xid of that, '
    'content = visible_from)..., x (contacts)..., b (blocks, flags 1 by, 2 of '
    'the user)..., then what was missed: e rows with bodies, and s (flags 64) '
    'if there is more.';


create or replace function messaging.accounts_check(p_users text[],
    p_roles text[])
returns setof messaging.item
language plpgsql stable
security definer
set search_path = messaging, pg_temp
as $$
begin
    return next status_item('ok');
    return query
        select 'u', null::text, null::uuid, null::uuid, null::uuid,
               null::bigint, null::bigint, null::bigint, null::xid8,
               4 * coalesce(u.is_active, false)::integer, null::text,
               null::text, null::timestamptz, null::timestamptz,
               null::timestamptz, w.id, null::text, null::text, null::text,
               u.role, null::text, null::text, null::text, null::text,
               null::text, null::text, null::text, null::text,
               null::timestamptz, null::text, null::text, null::text,
               null::text
          from unnest(p_users, p_roles) as w (id, role)
          left join directory u on u.id = w.id
         where not coalesce(u.is_active, false) or u.role <> w.role;
end
$$;
comment on function messaging.accounts_check is
    'Of these users those who are not active any more or have another role: '
    's, u...';


create or replace function messaging.deliver_marks(p_conversations uuid[],
    p_users text[], p_seqs bigint[])
returns setof messaging.item
language plpgsql
security definer
set search_path = messaging, pg_temp
as $$
declare
    v_mark record;
    v_old  bigint;
    v_at   timestamptz(3) := clock_timestamp();
begin
    return next status_item('ok');

    for v_mark in
        select w.id, w.user_id, max(w.seq) as seq
          from unnest(p_conversations, p_users, p_seqs)
               as w (id, user_id, seq)
         group by w.id, w.user_id
         order by w.id, w.user_id
    loop
        -- in a DIRECT no mark moves under a block
        continue when exists (
            select from conversations c
             where c.id = v_mark.id and c.type = 'DIRECT'
               and is_blocked(v_mark.user_id, other_of(c, v_mark.user_id)));

        select greatest(p.delivered_seq, p.visible_from - 1) into v_old
          from participants p
         where p.conversation_id = v_mark.id
           and p.user_id = v_mark.user_id and p.is_active
           and p.delivered_seq < v_mark.seq
         for no key update;

        continue when not found or v_old >= v_mark.seq;

        update participants p
           set delivered_seq = v_mark.seq
         where p.conversation_id = v_mark.id
           and p.user_id = v_mark.user_id;

        return query
            select i.*
              from (select (array_agg(m.id order by m.seq desc))[1] as id,
                           string_agg(distinct m.sender_id, E'\n') as authors
                      from messages m
                      join participants a
                           on a.conversation_id = m.conversation_id
                          and a.user_id = m.sender_id and a.is_active
                          and a.visible_from <= m.seq
                     where m.conversation_id = v_mark.id
                       and m.seq > v_old and m.seq <= v_mark.seq
                       and m.sender_id <> v_mark.user_id
                       and m.type <> 'SYSTEM'
                       and not is_blocked(m.sender_id, v_mark.user_id)) x
             cross join lateral id_item('d', v_mark.user_id, v_mark.id,
                                        p_id => x.id, p_at => v_at,
                                        p_subject => x.authors) i
             where x.id is not null;
    end loop;
end
$$;
comment on function messaging.deliver_marks is
    'Raises marks of delivery, and tells which messages of whom they passed, '
    'of those who are there still: '
    's, d (conversation_id, user_id, id = newest message, subject = authors, '
    'created_at)...';


create or replace function messaging.prune_events(p_age interval)
returns bigint
language plpgsql
set search_path = messaging, pg_temp
as $$
declare
    v_n   bigint;
    v_xid xid8;
begin
    with gone as (
        delete from events where created_at < now() - p_age returning xid)
    select count(*), max(g.xid) into v_n, v_xid from gone g;

    if v_n > 0 then
        update kept
           set from_xid = greatest(from_xid,
                                   (v_xid::text::bigint + 1)::text::xid8);
    end if;

    return v_n;
end
$$;
comment on function messaging.prune_events is
    'Forgets events that are older, and from when on they are kept: who comes '
    'back from before is told to reload. For a nightly job, with the time of '
    'mentara_recovery. Returns how many. Messages stay.';


create or replace function messaging.restored()
returns void
language plpgsql
set search_path = messaging, pg_temp
as $$
begin
    delete from events;
    update conversations set last_event_xid = null
     where last_event_xid is not null;
    update kept set from_xid = pg_current_xact_id();
end
$$;
comment on function messaging.restored is
    'To be called once after a dump was restored into another cluster, before '
    'nginx comes: transactions are numbered anew there. Who comes back is told '
    'to reload. Messages stay.';
