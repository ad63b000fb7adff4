-- Rows of messaging.item: one view or function per kind of row, used by all
-- API functions, by sweeps and by replay.  Columns as docs/architecture.md
-- has them.
--
-- What is called often is either a query that the planner puts into the
-- caller's (language sql, returns its columns, sets nothing) or plpgsql, which
-- keeps its plans; any other function in SQL is parsed and planned each time.
-- Who reads rows plans once, whatever the parameters (plan_cache_mode), and by
-- an index, however small a table still is (enable_seqscan); compiling what runs
-- for a millisecond takes tens of them (jit).

create or replace function messaging.status_item(p_status text,
    p_content text default null, p_n bigint default null,
    p_flags integer default 0, p_cursor text default null)
returns messaging.item
language sql immutable
as $$
    select row('s', p_status, null, null, null, null, p_n, null, null,
               p_flags, null, p_content, null, null, null, null, null, null,
               null, null, null, null, p_cursor, null, null, null, null, null,
               null, null, null, null, null)::messaging.item
$$;
comment on function messaging.status_item is
    'The first row of every answer: a success or a code of the error table.';


-- offset 0: looked up one by one, never all people read to join with a few
create or replace function messaging.person(p_id text)
returns setof messaging.directory
language sql stable
as $$
    select u.* from messaging.directory u where u.id = p_id offset 0
$$;
comment on function messaging.person is
    'A person of the directory, or no row; by the index on its id.';


create or replace view messaging.message_items as
    select 'm'::text as kind, null::text as status, m.id, m.conversation_id,
           q.id as ref_id, m.seq, m.attachment_size as n,
           null::bigint as event_seq, null::xid8 as xid,
           (m.is_edited::integer + 2 * m.is_deleted::integer
            + 32 * coalesce(q.is_deleted, false)::integer) as flags,
           m.type, m.content, m.created_at::timestamptz as created_at,
           m.updated_at::timestamptz as updated_at,
           m.edited_at::timestamptz as edited_at, m.sender_id as user_id,
           coalesce(u.first_name, '') as first_name,
           coalesce(u.last_name, '') as last_name, u.avatar_url,
           coalesce(u.role, 'client') as role, m.attachment_url,
           m.attachment_name, m.client_id, m.system_action as action,
           m.system_user_id as subject, q.sender_id as reply_sender_id,
           q.content as reply_content, q.type as reply_type,
           q.created_at::timestamptz as reply_created_at,
           v.first_name as reply_first_name, v.last_name as reply_last_name,
           v.avatar_url as reply_avatar_url, v.role as reply_role
      from messaging.messages m
      left join lateral messaging.person(m.sender_id) u on true
      left join messaging.messages q
        on q.conversation_id = m.conversation_id and q.seq = m.reply_seq
      left join lateral messaging.person(q.sender_id) v on true;


create or replace function messaging.reaction_items(p_conversation uuid,
    p_from bigint, p_upto bigint)
returns setof messaging.item
language sql stable
as $$
    select (row('r', null, r.id, r.conversation_id, r.message_id, r.seq, null,
           null, null, 0, null, r.emoji, r.created_at, null, null, r.user_id,
           coalesce(u.first_name, ''), coalesce(u.last_name, ''),
           u.avatar_url, coalesce(u.role, 'client'), null, null, null, null,
           null, null, null, null, null, null, null, null,
           null)::messaging.item).*
      from messaging.reactions r
      left join lateral messaging.person(r.user_id) u on true
     where r.conversation_id = p_conversation
       and r.seq between p_from and p_upto
     order by r.seq, r.created_at, r.user_id
$$;
comment on function messaging.reaction_items is
    'r rows of the messages from one seq to another.';


-- Marks of a reader do not overlap: beyond the range only the next one of each
-- can reach into it, however many came later.
create or replace function messaging.mark_items(p_conversation uuid,
    p_from bigint, p_upto bigint)
returns setof messaging.item
language sql stable
as $$
    select (row('k', null, null, k.conversation_id, null, k.from_seq,
            k.upto_seq, null, null, 0, null, null, k.read_at, null, null,
            k.user_id, coalesce(u.first_name, ''), coalesce(u.last_name, ''),
            u.avatar_url, coalesce(u.role, 'client'), null, null, null, null,
            null, null, null, null, null, null, null, null,
            null)::messaging.item).*
      from (
        select x.* from messaging.read_marks x
         where x.conversation_id = p_conversation
           and x.upto_seq between p_from and p_upto
        union all
        select n.*
          from messaging.participants p
         cross join lateral (
            select x.* from messaging.read_marks x
             where x.conversation_id = p_conversation
               and x.user_id = p.user_id
               and x.upto_seq > p_upto
             order by x.upto_seq
             limit 1) n
         where p.conversation_id = p_conversation
           and p_upto < (select max(y.upto_seq) from messaging.read_marks y
                          where y.conversation_id = p_conversation)) k
      left join lateral messaging.person(k.user_id) u on true
     where k.from_seq <= p_upto
       and not k.hidden
     order by k.read_at, k.user_id
$$;
comment on function messaging.mark_items is
    'k rows: reading marks that cover a message from one seq to another.';


create or replace function messaging.delivered_items(p_conversation uuid,
    p_from bigint)
returns setof messaging.item
language sql stable
as $$
    select (row('d', null, null, p.conversation_id, null, p.visible_from,
               p.delivered_seq, null, null, 0, null, null, null, null, null,
               p.user_id, null, null, null, null, null, null, null, null,
               null, null, null, null, null, null, null, null,
               null)::messaging.item).*
      from messaging.participants p
     where p.conversation_id = p_conversation
       and p.delivered_seq >= p_from
     order by p.user_id
$$;
comment on function messaging.delivered_items is
    'd rows: who has been sent the messages from a seq on.';


create or replace function messaging.extra_items(p_conversation uuid,
    p_from bigint, p_upto bigint)
returns setof messaging.item
language sql stable
as $$
    select * from messaging.reaction_items(p_conversation, p_from, p_upto)
    union all
    select * from messaging.mark_items(p_conversation, p_from, p_upto)
    union all
    select * from messaging.delivered_items(p_conversation, p_from)
$$;
comment on function messaging.extra_items is
    'r, k and d rows, in this order, of the messages of a range.';


-- Of marks one more than are shown: the sender's own may be among them.
create or replace function messaging.message_extras(p_conversation uuid,
    p_seq bigint, p_most bigint default 21)
returns setof messaging.item
language sql stable
as $$
    select * from messaging.reaction_items(p_conversation, p_seq, p_seq)
    union all
    (select * from messaging.mark_items(p_conversation, p_seq, p_seq)
      limit p_most)
    union all
    (select * from messaging.delivered_items(p_conversation, p_seq) d
      where d.seq <= p_seq
      limit p_most)
$$;
comment on function messaging.message_extras is
    'r, k and d rows, in this order, of one message; at most p_most k and d '
    'rows, the earliest (null: all).';


create or replace function messaging.participant_items(p_conversation uuid,
    p_user text, p_only text default null)
returns setof messaging.item
language sql stable
as $$
    select (row('p', null, p.id, p.conversation_id, null, null,
           null, null, null,
           4 * p.is_active::integer
           + case when p.user_id = p_user
                  then 8 * p.is_muted::integer + 16 * p.is_archived::integer
                  else 0 end,
           p.role, null, p.joined_at, null,
           case when p.user_id = p_user then p.last_read_at
                else p.shown_read_at end,
           p.user_id, coalesce(u.first_name, ''), coalesce(u.last_name, ''),
           u.avatar_url, coalesce(u.role, 'client'), null, null, null, null,
           null, null, null, null, null, null, null, null,
           null)::messaging.item).*
      from messaging.participants p
      left join lateral messaging.person(p.user_id) u on true
     where p.conversation_id = p_conversation
       and (p.is_active or p_only is not null)
       and (p_only is null or p.user_id = p_only)
     order by (p.user_id = p_user) nulls first, p.joined_at, p.user_id
$$;
comment on function messaging.participant_items is
    'p rows of the active participants, the caller last and with own marks; '
    'p_only: of that person alone, active or not.';


-- A bitmap would read all that is unread before the limit stops the count.
create or replace function messaging.unread(p_conversation uuid,
    p_user text, p_above bigint)
returns bigint
language plpgsql stable
set enable_bitmapscan = off
as $$
begin
    return (select count(*)
              from (select from messaging.messages m
                     where m.conversation_id = p_conversation
                       and m.seq > p_above
                       and m.sender_id <> p_user
                       and not m.is_deleted
                       and m.type <> 'SYSTEM'
                     limit 999) x);
end
$$;
comment on function messaging.unread is
    'Messages of others above a mark that count as unread, at most 999.';


create or replace function messaging.conversation_item(p_conversation uuid,
    p_user text)
returns setof messaging.item
language sql stable
as $$
    select (row('c', null, c.id, c.id, null, c.seq,
           coalesce((select messaging.unread(c.id, p_user,
                            greatest(p.last_read_seq, p.visible_from - 1))
                       from messaging.participants p
                      where p.conversation_id = c.id
                        and p.user_id = p_user and p.is_active), 0),
           null, null, 4 * c.is_active::integer, c.type, c.title,
           c.created_at, c.updated_at, c.last_message_at, null, null, null,
           null, null, null, null, c.session_id, null, null, null, null, null,
           null, null, null, null, null)::messaging.item).*
      from messaging.conversations c
     where c.id = p_conversation
$$;
comment on function messaging.conversation_item is
    'The c row, with the unread count of p_user (null: 0).';


create or replace function messaging.conversation_items(p_conversation uuid,
    p_user text)
returns setof messaging.item
language plpgsql stable
set search_path = messaging, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set jit = off
as $$
declare
    v_from bigint;
    v_seq  bigint;
begin
    return query select * from conversation_item(p_conversation, p_user);
    return query select * from participant_items(p_conversation, p_user);

    select p.visible_from into v_from
      from participants p
     where p.conversation_id = p_conversation and p.user_id = p_user
       and p.is_active;

    if not found then
        return;
    end if;

    select m.seq into v_seq
      from messages m
     where m.conversation_id = p_conversation and m.seq >= v_from
       and not m.is_deleted
     order by m.seq desc
     limit 1;

    if found then
        return query select * from message_items i
                      where i.conversation_id = p_conversation
                        and i.seq = v_seq;
        return query select * from message_extras(p_conversation, v_seq);
    end if;
end
$$;
comment on function messaging.conversation_items is
    'A whole Conversation as p_user sees it: c, p..., and the newest message.';


create or replace function messaging.user_item(p_user text)
returns setof messaging.item
language sql stable
as $$
    select (row('u', null, null, null, null, null,
           null, null, null,
           4 * u.is_active::integer, null, null, null, null, null, u.id,
           u.first_name, u.last_name, u.avatar_url, u.role, null, null, null,
           null, null, null, null, null, null, null, null, null,
           null)::messaging.item).*
      from messaging.directory u
     where u.id = p_user
$$;
comment on function messaging.user_item is 'The u row of a person.';


create or replace function messaging.display_name(p_user text)
returns text
language plpgsql stable
as $$
begin
    return coalesce((select nullif(trim(u.first_name || ' ' || u.last_name),
                                   '')
                       from messaging.directory u where u.id = p_user),
                    'Someone');
end
$$;
comment on function messaging.display_name is
    'How a system message names a person.';


create or replace function messaging.is_blocked(p_a text, p_b text)
returns boolean
language plpgsql stable
as $$
begin
    return exists (select from messaging.blocks
                    where blocker_id = p_a and blocked_id = p_b)
        or exists (select from messaging.blocks
                    where blocker_id = p_b and blocked_id = p_a);
end
$$;
comment on function messaging.is_blocked is 'A block between two, either way.';


create or replace function messaging.rank_of(p_role text)
returns integer
language sql immutable
as $$
    select case p_role when 'ADMIN' then 3 when 'MODERATOR' then 2 else 1 end
$$;
comment on function messaging.rank_of is 'Order of the conversation roles.';
