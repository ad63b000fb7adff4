-- Words of a query as a tsquery: all of them, each as a prefix; null when
-- there is no letter or digit.
create or replace function messaging.search_query(p_query text)
returns tsquery
language plpgsql immutable
as $$
begin
    return (
        select to_tsquery('messaging.words',
                          nullif(string_agg(w || ':*', ' & '), ''))
          from unnest(string_to_array(trim(messaging.words(p_query)), ' ')) w
         where w <> '');
end
$$;
comment on function messaging.search_query is
    'The tsquery of what a person typed; operators are plain text.';


-- The newest of a conversation are read backwards; a bitmap would look into
-- the index over everybody's words once for each conversation.
create or replace function messaging.search_recent(p_user text,
    p_query tsquery, p_conversation uuid, p_sender text, p_type text,
    p_from timestamptz, p_to timestamptz, p_window bigint, p_most bigint)
returns table (conversation_id uuid, seq bigint, created_at timestamptz,
               short boolean)
language plpgsql stable
set search_path = messaging, pg_temp
set enable_bitmapscan = off
as $$
begin
    return query
        select i.conversation_id, h.seq, h.created_at,
               i.first < i.start
               and count(h.seq) over (partition by i.conversation_id) < p_most
          from (select p.conversation_id, p.visible_from as first,
                       greatest(p.visible_from, c.seq - p_window + 1) as start
                  from participants p
                  join conversations c on c.id = p.conversation_id
                 where p.user_id = p_user and p.is_active
                   and (p_conversation is null or c.id = p_conversation)) i
          left join lateral (
                select m.seq, m.created_at
                  from messages m
                 where m.conversation_id = i.conversation_id
                   and m.seq >= i.start
                   and m.words @@ p_query and not m.is_deleted
                   and (p_sender is null or m.sender_id = p_sender)
                   and (p_type is null or m.type = p_type)
                   and (p_from is null or m.created_at >= p_from)
                   and (p_to is null or m.created_at <= p_to)
                 order by m.seq desc
                 limit p_most) h on true;
end
$$;
comment on function messaging.search_recent is
    'Hits among the newest p_window messages of each conversation of the '
    'caller, at most p_most each; short: older ones may count, too. A '
    'conversation without one has a row whose seq is null.';


-- Planned for these conversations each time, so that what is theirs and what has
-- the words meet in a bitmap before any message is read: how many others have
-- written hardly matters.
create or replace function messaging.search_all(p_user text,
    p_query tsquery, p_conversations uuid[], p_sender text, p_type text,
    p_from timestamptz, p_to timestamptz, p_most bigint)
returns table (conversation_id uuid, seq bigint, created_at timestamptz)
language plpgsql stable
set search_path = messaging, pg_temp
set plan_cache_mode = force_custom_plan
as $$
begin
    return query
        with hits as materialized (
            select m.conversation_id, m.seq, m.created_at
              from messages m
             where m.conversation_id = any (p_conversations)
               and m.words @@ p_query and not m.is_deleted
               and (p_sender is null or m.sender_id = p_sender)
               and (p_type is null or m.type = p_type)
               and (p_from is null or m.created_at >= p_from)
               and (p_to is null or m.created_at <= p_to))
        select h.conversation_id, h.seq, h.created_at::timestamptz
          from hits h
          join participants p
            on p.conversation_id = h.conversation_id
           and p.user_id = p_user and p.is_active
           and h.seq >= p.visible_from
         order by h.created_at desc, h.conversation_id, h.seq desc
         limit p_most;
end
$$;
comment on function messaging.search_all is
    'The newest p_most hits in these conversations of the caller.';


create or replace function messaging.message_search(p_user text,
    p_query text, p_conversation uuid, p_sender text, p_type text,
    p_from timestamptz, p_to timestamptz, p_page bigint, p_limit bigint)
returns setof messaging.item
language plpgsql stable
security definer
set search_path = messaging, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set jit = off
as $$
declare
    v_query  tsquery := search_query(p_query);
    v_before bigint := (p_page - 1) * p_limit;
    v_own    uuid[];
    v_window bigint;
    v_short  boolean;
    v_convs  uuid[];
    v_seqs   bigint[];
    v_n      bigint;
begin
    if v_query is null or numnode(v_query) = 0 then
        return next status_item('ok');
        return;
    end if;

    -- some thousand messages of one's own are read; they hold what is common

    select case when coalesce(sum(c.seq - p.visible_from + 1), 0) <= 5000
                then 5000 else greatest(50, 10000 / count(*)) end,
           array_agg(c.id)
      into v_window, v_own
      from participants p
      join conversations c on c.id = p.conversation_id
     where p.user_id = p_user and p.is_active
       and (p_conversation is null or c.id = p_conversation);

    select coalesce(bool_or(h.short), false),
           array_agg(h.conversation_id order by h.created_at desc,
                     h.conversation_id, h.seq desc)
               filter (where h.seq is not null),
           array_agg(h.seq order by h.created_at desc, h.conversation_id,
                     h.seq desc)
               filter (where h.seq is not null)
      into v_short, v_convs, v_seqs
      from search_recent(p_user, v_query, p_conversation, p_sender, p_type,
                         p_from, p_to, v_window, v_before + p_limit + 1) h;

    -- what is rare is looked up in the index over everybody's words, once

    if v_short then
        select array_agg(h.conversation_id order by h.created_at desc,
                         h.conversation_id, h.seq desc),
               array_agg(h.seq order by h.created_at desc, h.conversation_id,
                         h.seq desc)
          into v_convs, v_seqs
          from search_all(p_user, v_query, v_own, p_sender, p_type, p_from,
                          p_to, v_before + p_limit + 1) h;
    end if;

    v_n := greatest(coalesce(cardinality(v_seqs), 0) - v_before, 0);

    return next status_item('ok', p_flags =>
        case when v_n > p_limit then 64 else 0 end);

    return query
        select i.*
          from unnest(v_convs[v_before + 1 : v_before + p_limit],
                      v_seqs[v_before + 1 : v_before + p_limit])
               as h (conversation_id, seq)
         cross join lateral (
            select * from message_items m
             where m.conversation_id = h.conversation_id and m.seq = h.seq
            union all
            select * from conversation_item(h.conversation_id, null)
            union all
            select * from message_extras(h.conversation_id, h.seq)) i;
end
$$;
comment on function messaging.message_search is
    'Messages that the caller may see and that hold all words, newest first: '
    's, then per hit m, c, r..., k..., d...';
