create or replace function messaging.other_of(
    p_conversation messaging.conversations, p_user text)
returns text
language sql immutable
as $$
    select case when p_conversation.direct_low = p_user
                then p_conversation.direct_high
                else p_conversation.direct_low end
$$;
comment on function messaging.other_of is 'The other one of a DIRECT.';


create or replace function messaging.message_answer(p_status text,
    p_conversation uuid, p_seq bigint, p_flags integer default 0)
returns setof messaging.item
language plpgsql stable
set search_path = messaging, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set jit = off
as $$
begin
    return next status_item(p_status, p_flags => p_flags);
    return query select * from message_items i
                  where i.conversation_id = p_conversation and i.seq = p_seq;
    return query select * from message_extras(p_conversation, p_seq,
                                              case when p_flags & 64 = 0
                                                   then 21 end);
end
$$;
comment on function messaging.message_answer is
    's and a Message, with all its receipts if p_flags has 64.';


create or replace function messaging.message_send(p_user text,
    p_conversation uuid, p_id uuid, p_content text, p_type text,
    p_reply_to uuid, p_attachment_url text, p_attachment_name text,
    p_attachment_size bigint, p_client_id text, p_body_hash text)
returns setof messaging.item
language plpgsql
security definer
set search_path = messaging, pg_temp
as $$
declare
    v_c       conversations;
    v_visible bigint;
    v_account record;
    v_old     record;
    v_reply   bigint;
    v_at      timestamptz(3);
    v_event   events;
begin
    -- the row lock first: what is checked below stays true until commit

    select * into v_c from conversations c where c.id = p_conversation
       for no key update;

    select p.visible_from into v_visible
      from participants p
     where p.conversation_id = p_conversation and p.user_id = p_user
       and p.is_active;

    if not found then
        return next status_item('forbidden');
        return;
    end if;

    select u.is_active, u.first_name, u.last_name, u.avatar_url, u.role
      into v_account
      from directory u where u.id = p_user;

    if not coalesce(v_account.is_active, false) then
        return next status_item('user_inactive');
        return;
    end if;

    if p_type = 'SYSTEM' then
        return next status_item('system_message',
                                'messageType SYSTEM cannot be sent');
        return;
    end if;

    if p_client_id is not null then
        select m.conversation_id, m.seq, m.body_hash into v_old
          from messages m
         where m.sender_id = p_user and m.client_id = p_client_id;

        if found then
            if v_old.conversation_id <> p_conversation
               or v_old.body_hash <> p_body_hash
            then
                return next status_item('idempotency_key_reused');
                return;
            end if;

            return query select * from message_answer('replayed',
                             p_conversation, v_old.seq);
            return;
        end if;
    end if;

    if v_c.type = 'DIRECT' and is_blocked(p_user, other_of(v_c, p_user)) then
        return next status_item('cannot_contact');
        return;
    end if;

    if not v_c.is_active then
        return next status_item('conversation_closed');
        return;
    end if;

    if p_reply_to is not null then
        select m.seq into v_reply
          from messages m
         where m.id = p_reply_to and m.conversation_id = p_conversation
           and m.seq >= v_visible;

        if not found then
            return next status_item('validation_failed',
                'replyToId must be a message of this conversation');
            return;
        end if;

        if exists (select from messages m
                    where m.conversation_id = p_conversation
                      and m.seq = v_reply and m.type = 'SYSTEM')
        then
            return next status_item('system_message');
            return;
        end if;
    end if;

    v_at := greatest(clock_timestamp(), v_c.last_message_at);

    insert into messages (conversation_id, seq, id, sender_id, content, type,
                          attachment_url, attachment_name, attachment_size,
                          reply_seq, created_at, updated_at, client_id,
                          body_hash)
    values (p_conversation, v_c.seq + 1, p_id, p_user,
            coalesce(p_content, ''), p_type, p_attachment_url,
            p_attachment_name, p_attachment_size, v_reply, v_at, v_at,
            p_client_id, p_body_hash)
    on conflict (sender_id, client_id) where client_id is not null
    do nothing;

    -- the same key, at the same time, in another conversation

    if not found then
        return next status_item('idempotency_key_reused');
        return;
    end if;

    update conversations
       set seq = seq + 1,
           event_seq = event_seq + 1,
           last_event_xid = pg_current_xact_id(),
           last_message_at = v_at,
           updated_at = v_at,
           has_archived = false
     where id = p_conversation;

    insert into events (conversation_id, event_seq, kind, actor, message_id,
                        message_seq)
    values (p_conversation, v_c.event_seq + 1, 'new_message', p_user, p_id,
            v_c.seq + 1)
    returning * into v_event;

    if v_c.has_archived then
        update participants
           set is_archived = false
         where conversation_id = p_conversation and is_archived
           and not is_muted;

        update conversations set has_archived = true
         where id = p_conversation
           and exists (select from participants p
                        where p.conversation_id = p_conversation
                          and p.is_archived);
    end if;

    return next status_item('created');

    if v_reply is not null then
        return query select * from message_items i
                      where i.conversation_id = p_conversation
                        and i.seq = v_c.seq + 1;
    else
        return next row('m', null, p_id, p_conversation, null, v_c.seq + 1,
            p_attachment_size, null, null, 0, p_type, coalesce(p_content, ''),
            v_at, v_at, null, p_user, v_account.first_name,
            v_account.last_name, v_account.avatar_url, v_account.role,
            p_attachment_url, p_attachment_name, p_client_id, null, null,
            null, null, null, null, null, null, null, null)::item;
    end if;

    return next row('e', null, null, p_conversation, p_id, v_c.seq + 1,
        v_event.id, v_event.event_seq, v_event.xid, 0, 'new_message', null,
        v_event.created_at, null, null, p_user, v_account.first_name,
        v_account.last_name, v_account.avatar_url, v_account.role, null, null,
        null, null, null, null, null, null, null, null, null, null,
        null)::item;
end
$$;
comment on function messaging.message_send is
    'Stores a message and its event; a repeated key gives the first one as '
    'it is now: s, m, e.';


create or replace function messaging.audit_read(p_conversation uuid,
    p_user text, p_action text)
returns void
language plpgsql
set search_path = messaging, pg_temp
as $$
begin
    perform set_config('synchronous_commit', 'off', true);
    insert into access_log (conversation_id, user_id, action, at)
    values (p_conversation, p_user, p_action, clock_timestamp());
end
$$;
comment on function messaging.audit_read is
    'A line of the access log; losing the last ones in a crash is accepted.';


create or replace function messaging.message_page(p_user text,
    p_conversation uuid, p_mode text, p_value bigint, p_around uuid,
    p_limit bigint)
returns setof messaging.item
language plpgsql
security definer
set search_path = messaging, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set jit = off
as $$
declare
    v_from  bigint;
    v_last  bigint;
    v_low   bigint;
    v_high  bigint;
    v_more  boolean;
    v_seq   bigint;
begin
    -- seqs have no holes: a page is a range

    select p.visible_from, c.seq into v_from, v_last
      from participants p
      join conversations c on c.id = p.conversation_id
     where p.conversation_id = p_conversation and p.user_id = p_user
       and p.is_active;

    if not found then
        return next status_item('forbidden');
        return;
    end if;

    if p_mode = 'page' then
        v_high := v_last - (p_value - 1) * p_limit;
        v_low := greatest(v_high - p_limit + 1, v_from);
        v_more := v_low > v_from;
    elsif p_mode = 'before' then
        v_high := least(p_value - 1, v_last);
        v_low := greatest(v_high - p_limit + 1, v_from);
        v_more := v_low > v_from;
    elsif p_mode = 'after' then
        v_low := greatest(p_value + 1, v_from);
        v_high := least(v_low + p_limit - 1, v_last);
        v_more := v_high < v_last;
    else
        select m.seq into v_seq
          from messages m
         where m.id = p_around and m.conversation_id = p_conversation
           and m.seq >= v_from;

        if not found then
            return next status_item('not_found');
            return;
        end if;

        v_low := greatest(v_seq - p_limit / 2, v_from);
        v_high := least(v_low + p_limit - 1, v_last);
        v_low := greatest(least(v_low, v_high - p_limit + 1), v_from);
        v_more := false;
    end if;

    if is_staff(p_user) then
        perform audit_read(p_conversation, p_user, 'read');
    end if;

    return next status_item('ok', p_flags =>
        case when v_more and v_high >= v_low then 64 else 0 end);

    if v_high >= v_low then
        return query select * from message_items i
                      where i.conversation_id = p_conversation
                        and i.seq between v_low and v_high
                      order by i.seq;
        return query select * from extra_items(p_conversation, v_low, v_high);
    end if;
end
$$;
comment on function messaging.message_page is
    'A page of messages, oldest first: s, m..., r..., k..., d...';


create or replace function messaging.message_get(p_user text, p_id uuid)
returns setof messaging.item
language plpgsql
security definer
set search_path = messaging, pg_temp
as $$
declare
    v_conversation uuid;
    v_seq bigint;
begin
    select m.conversation_id, m.seq into v_conversation, v_seq
      from messages m
      join participants p
        on p.conversation_id = m.conversation_id and p.user_id = p_user
       and p.is_active and m.seq >= p.visible_from
     where m.id = p_id;

    if not found then
        return next status_item('not_found');
        return;
    end if;

    if is_staff(p_user) then
        perform audit_read(v_conversation, p_user, 'read');
    end if;

    return query select * from message_answer('ok', v_conversation, v_seq, 64);
end
$$;
comment on function messaging.message_get is
    'One message with all receipts: s, m, r..., k..., d...';


create or replace function messaging.message_lock(p_user text, p_id uuid,
    out o_conversation messaging.conversations,
    out o_message messaging.messages,
    out o_participant messaging.participants)
language plpgsql
set search_path = messaging, pg_temp
as $$
declare
    v_conversation uuid;
begin
    select m.conversation_id into v_conversation
      from messages m where m.id = p_id;

    select * into o_conversation
      from conversations c where c.id = v_conversation for no key update;
    select * into o_participant
      from participants p
     where p.conversation_id = v_conversation and p.user_id = p_user
       and p.is_active;
    select * into o_message
      from messages m
     where m.id = p_id and m.seq >= o_participant.visible_from;
end
$$;
comment on function messaging.message_lock is
    'The message, its locked conversation and the caller''s participation; '
    'the message is null when the caller may not see it.';


create or replace function messaging.message_edit(p_user text, p_id uuid,
    p_content text)
returns setof messaging.item
language plpgsql
security definer
set search_path = messaging, pg_temp
as $$
declare
    v_l record;
    v_c  conversations;
    v_m  messages;
    v_p  participants;
    v_at timestamptz(3);
begin
    select * into v_l from message_lock(p_user, p_id);
    v_c := v_l.o_conversation;
    v_m := v_l.o_message;
    v_p := v_l.o_participant;

    if v_m.id is null then
        return next status_item('not_found');
        return;
    end if;

    if v_m.type = 'SYSTEM' then
        return next status_item('system_message');
        return;
    end if;

    if v_m.sender_id <> p_user then
        return next status_item('forbidden', 'only the sender can edit');
        return;
    end if;

    if v_c.type = 'DIRECT' and is_blocked(p_user, other_of(v_c, p_user)) then
        return next status_item('cannot_contact');
        return;
    end if;

    if not v_c.is_active then
        return next status_item('conversation_closed');
        return;
    end if;

    if v_m.is_deleted then
        return next status_item('validation_failed',
                                'content of a deleted message is gone');
        return;
    end if;

    if v_m.content <> p_content then
        v_at := greatest(clock_timestamp(), v_m.updated_at);

        insert into message_revisions (message_id, conversation_id, content,
                                       edited_at, edited_by)
        values (p_id, v_c.id, v_m.content, v_at, p_user);

        update messages
           set content = p_content, is_edited = true, edited_at = v_at,
               updated_at = v_at
         where conversation_id = v_c.id and seq = v_m.seq;

        perform event_add(v_c.id, 'message_updated', p_user,
                          p_message_id => p_id, p_message_seq => v_m.seq);
    end if;

    return query select * from message_answer('ok', v_c.id, v_m.seq);
    return query select * from event_rows(v_c.id, v_c.event_seq);
end
$$;
comment on function messaging.message_edit is
    'Changes the text of an own message: s, m, r..., k..., d..., e.';


create or replace function messaging.message_delete(p_user text, p_id uuid)
returns setof messaging.item
language plpgsql
security definer
set search_path = messaging, pg_temp
as $$
declare
    v_l record;
    v_c    conversations;
    v_m    messages;
    v_p    participants;
    v_rank integer;
    v_at   timestamptz(3);
begin
    select * into v_l from message_lock(p_user, p_id);
    v_c := v_l.o_conversation;
    v_m := v_l.o_message;
    v_p := v_l.o_participant;

    if v_m.id is null then
        return next status_item('not_found');
        return;
    end if;

    if v_m.type = 'SYSTEM' then
        return next status_item('system_message');
        return;
    end if;

    if v_m.sender_id <> p_user then
        -- a sender who has left counts as MEMBER

        select rank_of(p.role) into v_rank
          from participants p
         where p.conversation_id = v_c.id and p.user_id = v_m.sender_id
           and p.is_active;

        if v_c.type = 'DIRECT'
           or rank_of(v_p.role) <= coalesce(v_rank, 1)
        then
            return next status_item('forbidden',
                                    'your role does not allow to delete it');
            return;
        end if;
    end if;

    if not v_m.is_deleted then
        v_at := greatest(clock_timestamp(), v_m.updated_at);

        insert into message_revisions (message_id, conversation_id, content,
                                       edited_at, edited_by)
        values (p_id, v_c.id, v_m.content, v_at, p_user);

        update messages
           set content = '', attachment_url = null, attachment_name = null,
               attachment_size = null, reply_seq = null, is_deleted = true,
               updated_at = v_at
         where conversation_id = v_c.id and seq = v_m.seq;

        delete from reactions
         where conversation_id = v_c.id and seq = v_m.seq;

        perform event_add(v_c.id, 'message_updated', p_user,
                          p_message_id => p_id, p_message_seq => v_m.seq);
    end if;

    return query select * from message_answer('ok', v_c.id, v_m.seq);
    return query select * from event_rows(v_c.id, v_c.event_seq);
end
$$;
comment on function messaging.message_delete is
    'Leaves a tombstone: s, m, e.';


create or replace function messaging.message_revisions(p_user text, p_id uuid)
returns setof messaging.item
language plpgsql
security definer
set search_path = messaging, pg_temp
as $$
declare
    v_conversation uuid;
begin
    select m.conversation_id into v_conversation
      from messages m where m.id = p_id;

    if not may_audit(p_user) then
        if v_conversation is not null
           and exists (select from participants p
                         join messages m
                           on m.conversation_id = p.conversation_id
                        where m.id = p_id and p.user_id = p_user
                          and p.is_active and m.seq >= p.visible_from)
        then
            return next status_item('forbidden', 'only for auditors');
        else
            return next status_item('not_found');
        end if;

        return;
    end if;

    if v_conversation is null then
        return next status_item('not_found');
        return;
    end if;

    insert into access_log (conversation_id, user_id, action, at)
    values (v_conversation, p_user, 'revisions', clock_timestamp());

    return next status_item('ok');
    return query
        select 'v', null::text, null::uuid, r.conversation_id, r.message_id,
               null::bigint, r.id, null::bigint, null::xid8, 0, null::text,
               r.content, null::timestamptz, null::timestamptz,
               r.edited_at::timestamptz, r.edited_by, null::text, null::text,
               null::text, null::text, null::text, null::text, null::text,
               null::text, null::text, null::text, null::text, null::text,
               null::timestamptz, null::text, null::text, null::text,
               null::text
          from message_revisions r
         where r.message_id = p_id
         order by r.id;
end
$$;
comment on function messaging.message_revisions is
    'Earlier texts of a message, for auditors, and a line of the access log: '
    's, v...';


create or replace function messaging.mark_read(
    p_conversation messaging.conversations,
    p_participant messaging.participants, p_seq bigint)
returns boolean
language plpgsql
set search_path = messaging, pg_temp
as $$
declare
    v_at       timestamptz(3) := clock_timestamp();
    v_hidden   boolean;
    v_from     bigint;
    v_id       uuid;
    v_message  bigint;
    v_away     text[];
begin
    if p_seq <= p_participant.last_read_seq then
        return false;
    end if;

    v_from := greatest(p_participant.last_read_seq + 1,
                       p_participant.visible_from);
    v_hidden := p_conversation.type = 'DIRECT'
                and is_blocked(p_participant.user_id,
                               other_of(p_conversation,
                                        p_participant.user_id));

    update participants
       set last_read_seq = p_seq,
           last_read_at = v_at,
           shown_read_at = case when v_hidden then shown_read_at
                                else v_at end
     where conversation_id = p_conversation.id
       and user_id = p_participant.user_id;

    insert into read_marks (conversation_id, user_id, from_seq, upto_seq,
                            read_at, hidden)
    values (p_conversation.id, p_participant.user_id, v_from, p_seq, v_at,
            v_hidden);

    -- the newest message of another that was passed; none: no event

    select m.id, m.seq into v_id, v_message
      from messages m
     where m.conversation_id = p_conversation.id
       and m.seq between v_from and p_seq
       and m.sender_id <> p_participant.user_id
       and m.type <> 'SYSTEM'
     order by m.seq desc
     limit 1;

    if not found then
        return true;
    end if;

    v_away := array(
        select b.blocked_id from blocks b
          join participants p on p.conversation_id = p_conversation.id
                             and p.user_id = b.blocked_id and p.is_active
         where b.blocker_id = p_participant.user_id
        union
        select b.blocker_id from blocks b
          join participants p on p.conversation_id = p_conversation.id
                             and p.user_id = b.blocker_id and p.is_active
         where b.blocked_id = p_participant.user_id);

    perform event_add(p_conversation.id, 'message_read',
                      p_participant.user_id, p_message_id => v_id,
                      p_message_seq => v_message,
                      p_hidden_from => nullif(v_away, '{}'), p_at => v_at);
    return true;
end
$$;
comment on function messaging.mark_read is
    'Moves a reading mark, never back, in a conversation whose row is '
    'locked; false: it was there already.';


create or replace function messaging.message_read(p_user text, p_id uuid)
returns setof messaging.item
language plpgsql
security definer
set search_path = messaging, pg_temp
as $$
declare
    v_l record;
    v_c   conversations;
    v_m   messages;
    v_p   participants;
    v_at  timestamptz;
begin
    select * into v_l from message_lock(p_user, p_id);
    v_c := v_l.o_conversation;
    v_m := v_l.o_message;
    v_p := v_l.o_participant;

    if v_m.id is null then
        return next status_item('not_found');
        return;
    end if;

    perform mark_read(v_c, v_p, v_m.seq);

    if v_m.sender_id <> p_user then
        select k.read_at into v_at
          from (select x.read_at, x.from_seq
                  from read_marks x
                 where x.conversation_id = v_c.id and x.user_id = p_user
                   and x.upto_seq >= v_m.seq
                 order by x.upto_seq
                 limit 1) k
         where k.from_seq <= v_m.seq;
    end if;

    return next status_item('ok');
    return next row('k', null, p_id, v_c.id, null, v_m.seq, v_m.seq, null,
        null, 0, null, null, v_at, null, null, p_user, null, null, null, null,
        null, null, null, null, null, null, null, null, null, null, null,
        null, null)::item;
    return query select * from event_rows(v_c.id, v_c.event_seq);
end
$$;
comment on function messaging.message_read is
    'Reads a message and all before it: s, k, e.';


create or replace function messaging.message_read_batch(p_user text,
    p_conversation uuid, p_ids uuid[])
returns setof messaging.item
language plpgsql
security definer
set search_path = messaging, pg_temp
as $$
declare
    v_c     conversations;
    v_p     participants;
    v_ids   uuid[] := array(select distinct x from unnest(p_ids) x);
    v_found bigint;
    v_count bigint;
    v_upto  bigint;
begin
    select * into v_c from conversations c where c.id = p_conversation
       for no key update;
    select * into v_p from participants p
     where p.conversation_id = p_conversation and p.user_id = p_user
       and p.is_active;

    if not found then
        return next status_item('not_found');
        return;
    end if;

    select count(*), max(m.seq),
           count(*) filter (where m.seq > v_p.last_read_seq
                              and m.sender_id <> p_user
                              and m.type <> 'SYSTEM'
                              and not m.is_deleted)
      into v_found, v_upto, v_count
      from messages m
     where m.id = any (v_ids) and m.conversation_id = p_conversation
       and m.seq >= v_p.visible_from;

    if v_found <> cardinality(v_ids) then
        return next status_item('validation_failed',
            'messageIds must be messages of this conversation');
        return;
    end if;

    perform mark_read(v_c, v_p, v_upto);

    return next status_item('ok', p_n => v_count);
    return query select * from event_rows(v_c.id, v_c.event_seq);
end
$$;
comment on function messaging.message_read_batch is
    'Reads messages of a conversation and all before them: s, e.';


create or replace function messaging.reaction_add(p_user text, p_id uuid,
    p_emoji text)
returns setof messaging.item
language plpgsql
security definer
set search_path = messaging, pg_temp
as $$
declare
    v_l record;
    v_c   conversations;
    v_m   messages;
    v_p   participants;
    v_new uuid;
    v_at  timestamptz(3);
begin
    select * into v_l from message_lock(p_user, p_id);
    v_c := v_l.o_conversation;
    v_m := v_l.o_message;
    v_p := v_l.o_participant;

    if v_m.id is null then
        return next status_item('not_found');
        return;
    end if;

    if v_m.type = 'SYSTEM' then
        return next status_item('system_message');
        return;
    end if;

    if v_c.type = 'DIRECT' and is_blocked(p_user, other_of(v_c, p_user)) then
        return next status_item('cannot_contact');
        return;
    end if;

    if not v_c.is_active then
        return next status_item('conversation_closed');
        return;
    end if;

    if v_m.is_deleted then
        return next status_item('validation_failed',
                                'emoji cannot be put on a deleted message');
        return;
    end if;

    if not exists (select from reactions r
                    where r.conversation_id = v_c.id and r.seq = v_m.seq
                      and r.emoji = p_emoji)
       and (select count(distinct r.emoji) from reactions r
             where r.conversation_id = v_c.id and r.seq = v_m.seq) >= 20
    then
        return next status_item('validation_failed',
            'emoji: a message can have 20 different ones');
        return;
    end if;

    insert into reactions (conversation_id, seq, user_id, emoji, message_id,
                           created_at)
    values (v_c.id, v_m.seq, p_user, p_emoji, p_id, clock_timestamp())
    on conflict do nothing
    returning id, created_at into v_new, v_at;

    if v_new is not null then
        perform event_add(v_c.id, 'message_reaction', p_user,
                          p_action => 'added', p_message_id => p_id,
                          p_message_seq => v_m.seq, p_reaction_id => v_new,
                          p_emoji => p_emoji, p_at => v_at);
    end if;

    return next status_item(case when v_new is null then 'existing'
                                 else 'created' end);
    return query select * from reaction_items(v_c.id, v_m.seq, v_m.seq) i
                  where i.user_id = p_user and i.content = p_emoji;
    return query select * from event_rows(v_c.id, v_c.event_seq);
end
$$;
comment on function messaging.reaction_add is
    'Puts an emoji on a message; again: the first one.  s, r, e.';


create or replace function messaging.reaction_remove(p_user text, p_id uuid,
    p_emoji text)
returns setof messaging.item
language plpgsql
security definer
set search_path = messaging, pg_temp
as $$
declare
    v_l record;
    v_c   conversations;
    v_m   messages;
    v_p   participants;
    v_old uuid;
    v_at  timestamptz(3);
begin
    select * into v_l from message_lock(p_user, p_id);
    v_c := v_l.o_conversation;
    v_m := v_l.o_message;
    v_p := v_l.o_participant;

    if v_m.id is null then
        return next status_item('not_found');
        return;
    end if;

    if v_m.type = 'SYSTEM' then
        return next status_item('system_message');
        return;
    end if;

    delete from reactions
     where conversation_id = v_c.id and seq = v_m.seq and user_id = p_user
       and emoji = p_emoji
    returning id, created_at into v_old, v_at;

    if v_old is not null then
        perform event_add(v_c.id, 'message_reaction', p_user,
                          p_action => 'removed', p_message_id => p_id,
                          p_message_seq => v_m.seq, p_reaction_id => v_old,
                          p_emoji => p_emoji, p_at => v_at);
    end if;

    return next status_item('ok');
    return query select * from event_rows(v_c.id, v_c.event_seq);
end
$$;
comment on function messaging.reaction_remove is
    'Takes an own emoji away; nothing to remove is fine.  s, e.';
