-- covers: B.4 Column; B.6 20; B.6 9
create schema generated;
set search_path = generated;
create function twice(int) returns int language sql immutable as 'select $1 * 2';
create table t (a int, b int generated always as (a * 2) stored, c text generated always as (upper('a' || a)) stored not null,
    d int generated always as (twice(a)) stored);
insert into t (a) values (1), (2);
create table child (e int generated always as (a + 1) stored) inherits (t);
insert into child (a) values (3);
create table other (a int, b int generated always as (a * 2) stored, c text generated always as (upper('a' || a)) stored not null,
    d int generated always as (twice(a)) stored);
alter table other inherit t;
create table generated_alone (b int generated always as (1) stored);
insert into generated_alone default values;
create table parts (k int, b int generated always as (k * 2) stored) partition by list (k);
create table part_1 partition of parts for values in (1);
create table part_2 (b int generated always as (k * 2) stored, k int);
alter table parts attach partition part_2 for values in (2);
insert into parts (k) values (1), (2);
create index t_b on t (b) where c <> '';
