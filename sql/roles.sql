-- Least privilege: the role that nginx connects as may call the API
-- functions and nothing else.  Set the name:
--
--   psql -v app=mentara_app -f sql/roles.sql

\if :{?app}
\else
\set app mentara_app
\endif

select not exists (select from pg_roles where rolname = :'app') as missing
\gset
\if :missing
create role :"app" login;
\endif

revoke all on schema messaging from public;
grant usage on schema messaging to :"app";
revoke all on all tables in schema messaging from :"app";
revoke execute on all functions in schema messaging from public;
grant execute on all functions in schema messaging to :"app";
