-- since: 14
-- covers: B.6 own; B.6 extensions
-- Every kind under a name that would end a comment, a literal, a name or a dollar quote.
\set hostile 'a"b''c\\d$e$f=g\né%s; drop schema public cascade; --'
select set_config('oracle.hostile', :'hostile', false) \gset
\set body 'select $1 -- $_$ $$ \\'
create schema :"hostile";
set search_path = :"hostile";
do $$ begin execute format('create role %I', current_setting('oracle.hostile')); exception when duplicate_object or unique_violation then null; end $$;
create table :"hostile" (:"hostile" int primary key, constraint :"hostile" check (:"hostile" > 0));
insert into :"hostile" values (1);
comment on table :"hostile" is :'hostile';
comment on column :"hostile".:"hostile" is :'hostile';
comment on constraint :"hostile" on :"hostile" is :'hostile';
\set other :hostile '2'
create sequence :"other" owned by :"hostile".:"hostile";
\set other :hostile '3'
create view :"other" as select :"hostile" from :"hostile";
\set other :hostile '4'
create materialized view :"other" as select :"hostile" from :"hostile";
\set other :hostile '5'
create index :"other" on :"hostile" ((:"hostile" + 1));
\set other :hostile '6'
create type :"other" as enum (:'hostile', :'other');
create table of_enum (a :"other" default :'hostile');
insert into of_enum values (:'other');
\set other :hostile '7'
create type :"other" as (:"hostile" int);
comment on column :"other".:"hostile" is :'hostile';
\set other :hostile '8'
create domain :"other" as text default :'hostile' constraint :"hostile" check (value <> :'hostile');
comment on constraint :"hostile" on domain :"other" is :'hostile';
\set other :hostile '9'
create function :"other"(:"hostile" text default :'hostile') returns text language sql as :'body';
alter function :"other"(text) set search_path = :"hostile", :"other";
alter function :"other"(text) set application_name = :'hostile';
create trigger :"hostile" before update on :"hostile" for each row execute function suppress_redundant_updates_trigger(:'hostile');
comment on trigger :"hostile" on :"hostile" is :'hostile';
create rule :"hostile" as on delete to :"hostile" do instead nothing;
comment on rule :"hostile" on :"hostile" is :'hostile';
create policy :"hostile" on :"hostile" to :"hostile" using (true);
comment on policy :"hostile" on :"hostile" is :'hostile';
create statistics :"hostile" on (:"hostile" + 1) from :"hostile";
create foreign data wrapper :"hostile" options (option :'hostile');
create server :"hostile" type :'hostile' version :'hostile' foreign data wrapper :"hostile" options (option :'hostile');
create user mapping for :"hostile" server :"hostile" options (option :'hostile');
\set other :hostile 'f'
create foreign table :"other" (:"hostile" int options (option :'hostile')) server :"hostile" options (option :'hostile');
create publication :"hostile" for table :"hostile";
create subscription :"hostile" connection 'dbname=nowhere' publication :"hostile" with (connect = false, slot_name = none);
create collation :"hostile" (provider = libc, locale = 'C');
create conversion :"hostile" for 'UTF8' to 'LATIN1' from utf8_to_iso8859_1;
create text search dictionary :"hostile" (template = simple);
create text search configuration :"hostile" (copy = simple);
create operator family :"hostile" using btree;
create aggregate :"hostile"(int) (sfunc = int4pl, stype = int, initcond = '7');
create access method :"hostile" type table handler heap_tableam_handler;
create function ev() returns event_trigger language plpgsql as 'begin end';
create event trigger :"hostile" on ddl_command_end when tag in ('CREATE CAST') execute function ev();
alter table :"hostile" owner to :"hostile";
grant select on :"hostile" to :"hostile", pg_monitor with grant option;
grant select (:"hostile") on :"hostile" to pg_monitor;
alter default privileges for role :"hostile" in schema :"hostile" grant select on tables to pg_monitor;
grant usage on schema :"hostile" to :"hostile";
