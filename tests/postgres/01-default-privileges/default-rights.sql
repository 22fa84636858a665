-- covers: B.4 Default rights; B.6 1
do $$ begin create role oracle_grantor; exception when duplicate_object or unique_violation then null; end $$;
do $$ begin create role oracle_grantee; exception when duplicate_object or unique_violation then null; end $$;
create schema default_rights authorization oracle_grantor;
create schema default_rights_2;
alter default privileges for role oracle_grantor in schema default_rights grant select, insert on tables to oracle_grantee;
alter default privileges for role oracle_grantor in schema default_rights_2 grant all on functions to oracle_grantee with grant option;
alter default privileges for role oracle_grantor in schema default_rights grant usage on types to public;
alter default privileges for role oracle_grantor in schema default_rights grant usage on sequences to oracle_grantee, public;
alter default privileges for role oracle_grantor revoke execute on functions from public;
alter default privileges for role oracle_grantor revoke usage on types from public;
alter default privileges for role oracle_grantor revoke delete, truncate on tables from oracle_grantor;
alter default privileges for role oracle_grantor grant select on tables to oracle_grantee;
alter default privileges for role oracle_grantor grant usage, create on schemas to oracle_grantee;
alter default privileges grant select on sequences to oracle_grantee;
alter default privileges for role oracle_grantee revoke all on sequences from oracle_grantee;
-- What was made under them has them as its own.
set role oracle_grantor;
create table default_rights.t (a int);
create function default_rights.f() returns int language sql as 'select 1';
create type default_rights.e as enum ('a');
create sequence default_rights.s;
reset role;
