-- since: 16
-- covers: B.4 Column
create schema default_storage;
set search_path = default_storage;
create table t (a text storage external, b text storage default, c int[] storage main);
