-- since: 17
-- covers: B.4 Identity sequence; B.4 Partition
create schema identity_parts;
set search_path = identity_parts;
create table parts (id int generated always as identity, k int) partition by list (k);
create table part_1 partition of parts for values in (1);
create table part_2 (k int, id int not null);
alter table parts attach partition part_2 for values in (2);
insert into parts (k) values (1), (2), (1);
