-- covers: B.6 9; B.6 extensions
-- The hash of an enum is another one in every database: rows may belong into another partition.
create schema enum_hash;
set search_path = enum_hash;
create type letter as enum ('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h');
create table t (l letter, n int) partition by hash (l);
create table t_0 partition of t for values with (modulus 3, remainder 0);
create table t_1 partition of t for values with (modulus 3, remainder 1);
create table t_2 partition of t for values with (modulus 3, remainder 2) partition by range (n);
create table t_2_low partition of t_2 for values from (minvalue) to (50);
create table t_2_high partition of t_2 for values from (50) to (maxvalue);
insert into t select unnest(enum_range(null::letter)), g from generate_series(1, 99) g;
