-- covers: B.6 4; B.4 Inheritance
create schema not_null;
set search_path = not_null;
create table plain (a int not null, b int constraint named not null, c int);
create table child (c int not null) inherits (plain);
create table other (d int) inherits (plain);
alter table only other alter d set not null;
create table grand () inherits (child, other);
create table late (a int);
create table late_child () inherits (late);
alter table late_child alter a set not null;
create table part (a int not null, b int) partition by list (a);
create table part_1 partition of part (b not null) for values in (1);
create table part_2 (b int, a int not null);
alter table part attach partition part_2 for values in (2);
insert into plain values (1, 2, null);
insert into part values (1, 1), (2, null);
