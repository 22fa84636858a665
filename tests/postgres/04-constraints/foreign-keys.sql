-- covers: B.4 Constraint; B.6 4; B.6 25
create schema foreign_keys;
set search_path = foreign_keys;
create table above (a int, b int, c text unique, primary key (a, b));
insert into above values (1, 1, 'x'), (2, 2, 'y');
create table below (a int, b int, c text,
    constraint "key ""one""" foreign key (a, b) references above match full on update cascade on delete set null,
    constraint two foreign key (c) references above (c) on delete set default on update restrict deferrable initially deferred,
    constraint three foreign key (b, a) references above not valid deferrable);
insert into below values (1, 1, 'x'), (null, null, 'y');
alter table below add constraint four foreign key (a, b) references above (b, a) on delete cascade;
comment on constraint "key ""one""" on below is 'one';
-- In a ring, and to itself.
create table ring_a (id int primary key, b int);
create table ring_b (id int primary key, a int references ring_a);
alter table ring_a add foreign key (b) references ring_b;
insert into ring_a values (1, null);
insert into ring_b values (1, 1);
update ring_a set b = 1;
create table self (id int primary key, up int references self);
insert into self values (1, 2), (2, 1);
-- From and to partitioned tables.
create table parts (id int primary key, v int) partition by range (id);
create table part_1 partition of parts for values from (0) to (10);
create table part_2 partition of parts for values from (10) to (20) partition by list (id);
create table part_2_1 partition of part_2 default;
create table to_parts (id int references parts on delete cascade);
create table from_parts (id int, k int, foreign key (id) references self, constraint kk foreign key (k) references parts) partition by list (k);
create table from_part_1 partition of from_parts for values in (1);
create table from_part_2 (k int, id int references self);
alter table from_parts attach partition from_part_2 for values in (12);
create table only_part (k int references part_1);
insert into parts values (1, 1), (12, 2);
insert into to_parts values (12);
insert into from_parts values (1, 1), (2, 12);
alter table from_part_1 add constraint own foreign key (id) references ring_a not valid;
