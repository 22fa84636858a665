-- covers: B.4 Extension; B.6 extensions; B.6 11; B.6 8
do $$ begin create role oracle_extensions; exception when duplicate_object or unique_violation then null; end $$;
create schema extensions;
create schema members;
create extension hstore with schema extensions;
create extension pg_trgm with schema extensions;
create extension "uuid-ossp";
create extension cube with schema members;
create extension earthdistance with schema members;
create extension tablefunc;
create extension pgcrypto with schema extensions;
create extension pg_stat_statements;
comment on extension pg_trgm is 'three letters each';
set search_path = members, extensions, public;
-- Rights of members, changed.
revoke execute on function extensions.akeys(hstore) from public;
grant execute on function extensions.akeys(hstore) to oracle_extensions;
grant usage on type extensions.hstore to oracle_extensions;
revoke all on function pg_stat_statements_reset from public;
revoke select on pg_stat_statements from public;
grant select (calls) on pg_stat_statements to oracle_extensions;
revoke usage on type cube from public;
-- Uses of members.
create table t (a extensions.hstore, b cube, c text default uuid_generate_v4()::text, d uuid default gen_random_uuid());
insert into t values ('a=>1', '(1,2)', 'x', null);
create index t_a on t using gin (a);
create index t_c on t using gin (c gin_trgm_ops);
create view v as select a -> 'x' as x from t;
create domain h as extensions.hstore check (exist(value, 'a'));
-- What goes with an extension.
create function f() returns int language sql as 'select 1';
alter function f() depends on extension hstore;
create procedure p() language sql as '';
alter procedure p() depends on extension cube;
create materialized view m as select 1 as a;
alter materialized view m depends on extension hstore;
alter index t_a depends on extension hstore;
create function trig() returns trigger language plpgsql as 'begin return new; end';
create trigger tr before insert on t for each row execute function trig();
alter trigger tr on t depends on extension cube;
-- Members made members later, and members let go.
create table joined (a int);
insert into joined values (1);
alter extension hstore add table joined;
create function joined_f() returns int language sql as 'select 1';
grant execute on function joined_f() to oracle_extensions;
alter extension cube add function joined_f();
