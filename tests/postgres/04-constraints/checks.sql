-- covers: B.4 Constraint; B.6 4; B.6 8
create schema checks;
set search_path = checks;
create function even(int) returns boolean language sql immutable as 'select $1 % 2 = 0';
create table t (a int check (a > 0), b text constraint "b isn't ""empty""" check (b <> ''), c int,
    constraint together check (a < c or c is null), constraint here check (a <> 13) no inherit,
    check (even(a)), constraint lists check (b in ('x', 'y') or c = any (array[1, 2])));
insert into t values (2, 'x', 3);
alter table t add constraint later check (c > 100) not valid;
create table child (d int check (d > 0)) inherits (t);
alter table child add constraint own check (d < 100) not valid;
create table same (a int, constraint t_a_check check (a > 0)) inherits (t);
comment on constraint together on t is 'two columns';
comment on constraint later on t is 'not yet';
comment on constraint own on child is 'of the child';
-- A check that calls a function of the table's row.
create table row_checked (a int, b int);
create function row_ok(row_checked) returns boolean language sql immutable as 'select ($1).a < ($1).b';
alter table row_checked add constraint row_ok check (row_ok(row_checked));
insert into row_checked values (1, 2);
create table parts (a int, b int, constraint positive check (b > 0)) partition by range (a);
create table part_1 partition of parts for values from (0) to (10);
create table part_2 (a int, b int, constraint positive check (b > 0), constraint own check (a >= 10));
alter table parts attach partition part_2 for values from (10) to (20);
alter table parts add constraint late check (b < 50) not valid;
insert into parts values (1, 1), (15, 2);
