-- since: 18
-- covers: B.4 Constraint; B.6 own
create schema not_enforced;
set search_path = not_enforced;
create table above (id int primary key);
create table below (id int references above not enforced, n int check (n > 0) not enforced,
    m int constraint later references above);
alter table below alter constraint later not enforced;
insert into below values (5, -1, 7);
create table parts (a int, constraint c check (a > 0) not enforced) partition by list (a);
create table part partition of parts for values in (-1, 1);
insert into parts values (-1);
create table parent (a int constraint positive check (a > 0) not enforced);
create table child () inherits (parent);
comment on constraint c on parts is 'a wish';
