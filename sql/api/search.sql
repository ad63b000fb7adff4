-- Words of a query as a tsquery: all of them, each as a prefix; null when
-- there is no letter or digit.
create or replace function messaging.search_query(p_query text)
returns tsquery
language sql immutable
as $$
    select to_tsquery('messaging.words',
                      nullif(string_agg(w || ':*', ' & '), ''))
      from unnest(string_to_array(trim(messaging.words(p_query)), ' ')) w
     where w <> ''
$$;
comment on function messaging.search_query is
    'The tsquery of what a person typed; operators are plain text.';


create or replace function messaging.message_search(p_user text,
    p_query text, p_conversation uuid, p_sender text, p_type text,
    p_from timestamptz, p_to timestamptz, p_page bigint, p_limit bigint)
returns setof messaging.item
language plpgsql stable
security definer
set search_path = messaging, pg_temp
as $$
declare
    v_query  tsquery := search_query(p_query);
    v_own    bigint;
    v_hits   record;
    v_places record;
    v_ids    uuid[] := '{}';
    v_convs  uuid[] := '{}';
    v_seqs   bigint[] := '{}';
    v_n      bigint := 0;
begin
    if v_query is null or numnode(v_query) = 0 then
        return next status_item('ok');
        return;
    end if;

    -- few own messages: reading them beats the index over everybody's

    select coalesce(sum(c.seq - p.visible_from + 1), 0) into v_own
      from participants p
      join conversations c on c.id = p.conversation_id
     where p.user_id = p_user and p.is_active
       and (p_conversation is null or c.id = p_conversation);

    if v_own <= 5000 then
        for v_hits in
            select m.conversation_id, m.seq
              from participants p
              join messages m
                on m.conversation_id = p.conversation_id
               and m.seq >= p.visible_from
             where p.user_id = p_user and p.is_active
               and (p_conversation is null
                    or p.conversation_id = p_conversation)
               and m.words @@ v_query and not m.is_deleted
               and (p_sender is null or m.sender_id = p_sender)
               and (p_type is null or m.type = p_type)
               and (p_from is null or m.created_at >= p_from)
               and (p_to is null or m.created_at <= p_to)
             order by m.created_at desc, m.conversation_id, m.seq desc
             limit p_limit + 1 offset (p_page - 1) * p_limit
        loop
            v_convs := v_convs || v_hits.conversation_id;
            v_seqs := v_seqs || v_hits.seq;
        end loop;
    else
        for v_hits in
            select m.conversation_id, m.seq
              from messages m
              join participants p
                on p.conversation_id = m.conversation_id
               and p.user_id = p_user and p.is_active
               and m.seq >= p.visible_from
             where m.words @@ v_query and not m.is_deleted
               and (p_conversation is null
                    or m.conversation_id = p_conversation)
               and (p_sender is null or m.sender_id = p_sender)
               and (p_type is null or m.type = p_type)
               and (p_from is null or m.created_at >= p_from)
               and (p_to is null or m.created_at <= p_to)
             order by m.created_at desc, m.conversation_id, m.seq desc
             limit p_limit + 1 offset (p_page - 1) * p_limit
        loop
            v_convs := v_convs || v_hits.conversation_id;
            v_seqs := v_seqs || v_hits.seq;
        end loop;
    end if;

    return next status_item('ok', p_flags =>
        case when cardinality(v_seqs) > p_limit then 64 else 0 end);

    for v_n in 1 .. least(cardinality(v_seqs), p_limit) loop
        return query select * from message_items i
                      where i.conversation_id = v_convs[v_n]
                        and i.seq = v_seqs[v_n];
        return query select * from conversation_item(v_convs[v_n], null);
        return query select * from extra_items(v_convs[v_n], v_seqs[v_n],
                                               v_seqs[v_n]);
    end loop;
end
$$;
comment on function messaging.message_search is
    'Messages that the caller may see and that hold all words, newest first: '
    's, then per hit m, c, r..., k..., d...';
