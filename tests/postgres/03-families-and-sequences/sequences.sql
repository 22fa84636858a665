-- covers: B.4 Sequence; B.6 3
create schema sequences;
set search_path = sequences;
create sequence plain;
create sequence small as smallint start with -3 increment by -2 minvalue -100 maxvalue 50 cache 7 cycle;
create sequence huge as bigint minvalue -9223372036854775808 maxvalue 9223372036854775807 start 0;
create sequence called;
select setval('called', 41), nextval('called');
create sequence uncalled start 5;
select setval('uncalled', 9, false);
create table t (id serial primary key, big bigserial, small smallserial, "Odd ""Column""" int);
insert into t ("Odd ""Column""") select g from generate_series(1, 5) g;
create sequence "Odd ""Sequence""" owned by t."Odd ""Column""";
create sequence shared owned by t.id;
create table uses (id int default nextval('shared'), other int default nextval('"Odd ""Sequence"""'));
-- A column that was serial, and whose sequence was let go.
create table was_serial (id serial);
alter sequence was_serial_id_seq owned by none;
-- The sequence belongs to a table in another schema's name order.
create sequence a_first;
create table z_last (a int default nextval('a_first'));
alter sequence a_first owned by z_last.a;
comment on sequence plain is 'plain';
do $$ begin create role oracle_sequences; exception when duplicate_object or unique_violation then null; end $$;
grant usage, select on sequence plain to oracle_sequences with grant option;
grant all on all sequences in schema sequences to pg_monitor;
revoke update on sequence small from postgres;
