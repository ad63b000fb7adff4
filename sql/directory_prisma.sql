-- Plugs the table "User" of the replaced service in as the directory: names,
-- avatars, account roles and who is active are read from it at each use.
--
--   psql -d mentara -f sql/directory_prisma.sql
--
--   -v old=public        schema of the table
--   -v copy=on           copies it into messaging.people instead, once more
--                        or for the first time, and uses that
--
-- The table is not changed.  A role that is unknown counts as client.  Where
-- there are suspendedAt and deactivatedAt, they make somebody inactive too.
-- Back to messaging.people as it is: -v old= (empty).  Can be run at any time.

\set ON_ERROR_STOP on
\set QUIET on

\if :{?old}
\else
\set old public
\endif

\if :{?copy}
\else
\set copy off
\endif

begin;

select :'old' = '' as own,
       count(*) filter (where a.attname in ('id', 'firstName', 'lastName',
                                            'avatarUrl', 'role', 'isActive'))
           = 6 as complete,
       count(*) filter (where a.attname in ('suspendedAt', 'deactivatedAt'))
           = 2 as suspends
  from pg_catalog.pg_attribute a
  join pg_catalog.pg_class c on c.oid = a.attrelid and c.relname = 'User'
  join pg_catalog.pg_namespace n
    on n.oid = c.relnamespace and n.nspname = :'old'
 where a.attnum > 0 and not a.attisdropped
\gset

\if :own

create or replace view messaging.directory as
    select id, first_name, last_name, avatar_url, role, is_active
      from messaging.people;

\elif :complete

\if :suspends

create or replace view messaging.directory as
    select u."id"::text as id,
           coalesce(u."firstName", '')::text as first_name,
           coalesce(u."lastName", '')::text as last_name,
           nullif(u."avatarUrl", '')::text as avatar_url,
           case when lower(u."role"::text) in ('therapist', 'moderator',
                                               'admin')
                then lower(u."role"::text) else 'client' end as role,
           coalesce(u."isActive", false) and u."suspendedAt" is null
               and u."deactivatedAt" is null as is_active
      from :"old"."User" u;

\else

create or replace view messaging.directory as
    select u."id"::text as id,
           coalesce(u."firstName", '')::text as first_name,
           coalesce(u."lastName", '')::text as last_name,
           nullif(u."avatarUrl", '')::text as avatar_url,
           case when lower(u."role"::text) in ('therapist', 'moderator',
                                               'admin')
                then lower(u."role"::text) else 'client' end as role,
           coalesce(u."isActive", false) as is_active
      from :"old"."User" u;

\endif

\if :copy

insert into messaging.people as p (id, first_name, last_name, avatar_url,
                                   role, is_active)
select d.id, d.first_name, d.last_name, d.avatar_url, d.role, d.is_active
  from messaging.directory d
    on conflict (id) do update
   set first_name = excluded.first_name,
       last_name = excluded.last_name,
       avatar_url = excluded.avatar_url,
       role = excluded.role,
       is_active = excluded.is_active;

create or replace view messaging.directory as
    select id, first_name, last_name, avatar_url, role, is_active
      from messaging.people;

\endif

\else

do $$
begin
    raise exception 'there is no table "User" with the columns id, '
        'firstName, lastName, avatarUrl, role and isActive'
        using hint = 'Name its schema with -v old=..., or make the view '
                     'messaging.directory by hand.';
end
$$;

\endif

commit;
