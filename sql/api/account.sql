create or replace function messaging.account(p_user text)
returns setof messaging.item
language plpgsql stable
security definer
set search_path = messaging, pg_temp
as $$
declare
    v_active boolean;
begin
    select u.is_active into v_active from directory u where u.id = p_user;

    if not coalesce(v_active, false) then
        return next status_item('user_inactive');
        return;
    end if;

    return next status_item('ok');
    return query select * from user_item(p_user);
end
$$;
comment on function messaging.account is
    'Whether a user is known and active, and the user: s, u.';


create or replace function messaging.health()
returns setof messaging.item
language sql stable
security definer
set search_path = messaging, pg_temp
as $$
    select * from status_item('ok', null, schema_version()::bigint)
$$;
comment on function messaging.health is 'The schema version: s (n).';


create or replace function messaging.contact_list(p_user text, p_query text,
    p_limit bigint)
returns setof messaging.item
language plpgsql stable
security definer
set search_path = messaging, pg_temp
as $$
declare
    v_prefix text;
begin
    v_prefix := trim(lower(public.unaccent(coalesce(p_query, ''))));
    v_prefix := regexp_replace(v_prefix, '([\\%_])', '\\\1', 'g') || '%';

    return next status_item('ok');
    return query
        select i.*
          from directory u
         cross join lateral user_item(u.id) i
         where u.is_active and u.id <> p_user
           and (lower(public.unaccent(u.first_name)) like v_prefix
                or lower(public.unaccent(u.last_name)) like v_prefix
                or lower(public.unaccent(u.first_name || ' ' || u.last_name))
                   like v_prefix)
           and not is_blocked(p_user, u.id)
           and may_contact(p_user, u.id)
         order by u.first_name, u.last_name, u.id
         limit p_limit;
end
$$;
comment on function messaging.contact_list is
    'Active people whom the caller may contact, by prefix of a name: s, u...';
