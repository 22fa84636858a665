-- covers: B.4 Publication; B.6 19
create schema publications;
set search_path = publications;
create table t (a int primary key, b text, c int);
create table "Odd ""Table""" (a int primary key);
create table parts (a int primary key) partition by list (a);
create table part partition of parts for values in (1);
create publication plain;
create publication everything for all tables;
create publication "Odd ""Publication""" for table t, "Odd ""Table""" with (publish = 'insert, delete');
create publication truncates for table only part with (publish = 'truncate');
create publication nothing for table t with (publish = '');
do $$ begin create role oracle_publisher superuser; exception when duplicate_object or unique_violation then null; end $$;
alter publication everything owner to oracle_publisher;
comment on publication plain is 'plain';
