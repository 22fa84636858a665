-- since: 14
-- covers: B.4 Column; B.6 5
-- Not every server is built with it.
select 'lz4' = any (enumvals) as lz4 from pg_settings where name = 'default_toast_compression' \gset
\if :lz4
create schema lz4s;
set search_path = lz4s;
create table t (a text compression lz4);
insert into t values (repeat('a', 5000));
\endif
