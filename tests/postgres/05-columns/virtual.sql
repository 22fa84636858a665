-- since: 18
-- covers: B.4 Column; B.6 20
create schema virtuals;
set search_path = virtuals;
create table t (a int, b int generated always as (a * 2) virtual, c int generated always as (a + 1), d int generated always as (a) stored not null);
insert into t (a) values (1);
create table child (e text generated always as ('x') virtual) inherits (t);
insert into child (a) values (2);
create table other (a int, b int generated always as (a * 5) virtual, c int generated always as (a), d int generated always as (a) stored);
alter table other alter d set not null;
alter table other inherit t;
create table parts (k int, b int generated always as (k * 2)) partition by list (k);
create table part_1 partition of parts for values in (1);
create table part_2 (b int generated always as (k * 3), k int);
alter table parts attach partition part_2 for values in (2);
insert into parts (k) values (1), (2);
alter table t add constraint c check (b < 1000);
