-- since: 17
-- covers: B.4 Column; B.4 Inheritance
create schema generated_in_children;
set search_path = generated_in_children;
create table t (a int, b int generated always as (a * 2) stored);
create table child (b int generated always as (a * 3) stored) inherits (t);
create table joined (a int, b int generated always as (7) stored);
alter table joined inherit t;
insert into child (a) values (1);
create table parts (k int, b int generated always as (k * 2) stored) partition by list (k);
create table part_1 partition of parts (b generated always as (k * 5) stored) for values in (1);
create table part_2 (b int generated always as (k + 100) stored, k int);
alter table parts attach partition part_2 for values in (2);
insert into parts (k) values (1), (2);
