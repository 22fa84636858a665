-- since: 18
-- covers: B.4 Constraint
-- A foreign key of a partitioned table may be not valid since 18.
create schema unvalidated_parts;
set search_path = unvalidated_parts;
create table above (id int primary key);
create table parts (id int) partition by range (id);
create table part_1 partition of parts for values from (0) to (10);
create table part_2 partition of parts for values from (10) to (20);
insert into parts values (5);
alter table parts add constraint late foreign key (id) references above not valid;
