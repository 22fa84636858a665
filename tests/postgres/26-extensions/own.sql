-- covers: B.4 Extension; B.6 extensions
-- tests/postgres/extension: configuration tables and sequences, members in two schemas, rights set by its script.
do $$ begin create role oracle_extensions; exception when duplicate_object or unique_violation then null; end $$;
create schema oracle_ext;
create extension ksnapshot_oracle;
insert into oracle_ext.config values (10, 'ours'), (11, null);
insert into oracle_ext.whole values (10, 'x'), (1, 'y');
select setval('oracle_ext.counter', 77), setval('oracle_ext.fixed_seq', 5);
insert into oracle_ext.fixed values (2);
-- Rights, changed after it was made.
grant select on oracle_ext.fixed to oracle_extensions;
revoke execute on function oracle_ext.f(int) from public;
grant execute on function oracle_ext.g() to public;
revoke select (id) on oracle_ext.config from public;
grant select (v) on oracle_ext.config to oracle_extensions;
grant update on sequence oracle_ext.counter to oracle_extensions;
grant usage on sequence oracle_ext.fixed_seq to public;
revoke usage on type oracle_ext.kind from public;
grant usage on schema oracle_ext_other to public;
grant select on oracle_ext_other.t to oracle_extensions with grant option;
grant usage on foreign server oracle_ext_server to oracle_extensions;
grant usage on foreign data wrapper oracle_ext_wrapper to oracle_extensions;
revoke execute on function oracle_ext.total(int) from public;
comment on table oracle_ext.fixed is 'of an extension, and so not ours';
-- Ours, but in its schemas or with its objects.
create table oracle_ext.ours (k oracle_ext.kind, d oracle_ext.dom default 5, c int references oracle_ext.config);
insert into oracle_ext.ours values ('a', 1, 10);
create table oracle_ext_other.ours (a int) using oracle_ext_heap;
create view oracle_ext_other.over as select * from oracle_ext.v;
create table oracle_ext.child () inherits (oracle_ext.fixed);
create trigger tr before update on oracle_ext.config for each row execute function suppress_redundant_updates_trigger();
create index config_v on oracle_ext.config (v);
create policy p on oracle_ext.config using (true);
create foreign table oracle_ext.far (a int) server oracle_ext_server;
create user mapping for oracle_extensions server oracle_ext_server;
