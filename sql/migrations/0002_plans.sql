-- Version 2: functions that are called with every message keep their plans,
-- which plpgsql does and SQL with settings of its own does not.  They return
-- what they did, so that nothing has to be computed anew.
begin;

create or replace function messaging.new_id() returns uuid
language plpgsql volatile parallel safe
set search_path = pg_catalog
as $$
begin
    return encode(set_bit(set_bit(overlay(
               uuid_send(gen_random_uuid())
               placing substring(int8send((extract(epoch
                   from clock_timestamp()) * 1000)::bigint) from 3)
               from 1 for 6), 52, 1), 53, 1), 'hex')::uuid;
end
$$;

create or replace function messaging.words(p_text text) returns text
language plpgsql immutable parallel safe
set search_path = pg_catalog
as $$
begin
    return regexp_replace(normalize(p_text) collate "und-x-icu",
                          '[^[:alnum:]]+', ' ', 'g');
end
$$;

insert into messaging.schema_migrations (version) values (2)
    on conflict do nothing;

commit;
