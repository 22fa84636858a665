-- since: 14
-- covers: B.4 Column; B.6 5
create schema lz4s;
set search_path = lz4s;
create table t (a text compression lz4);
insert into t values (repeat('a', 5000));
