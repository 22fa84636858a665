-- since: 17
-- covers: B.4 Table; B.4 Access method; B.6 20
create schema partitioned_methods;
set search_path = partitioned_methods;
create access method oracle_heap_2 type table handler heap_tableam_handler;
create table parts (a int) partition by list (a) using oracle_heap_2;
create table part_1 partition of parts for values in (1);
create table part_2 partition of parts for values in (2) using heap;
create table part_3 partition of parts for values in (3) partition by list (a);
create table other (a int) partition by list (a) using heap;
create table other_1 partition of other for values in (1) using oracle_heap_2;
