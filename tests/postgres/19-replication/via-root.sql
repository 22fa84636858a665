-- since: 13
-- covers: B.4 Publication; B.6 19
create schema via_root;
set search_path = via_root;
create table parts (a int primary key) partition by list (a);
create table part partition of parts for values in (1);
create publication via_root for table parts with (publish_via_partition_root = true);
create publication of_part for table part;
