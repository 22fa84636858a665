-- since: 14
-- covers: B.4 Column; B.6 5; B.6 20
create schema compressions;
set search_path = compressions;
create table t (a text compression pglz, b text, c text);
alter table t alter b set compression pglz;
insert into t values (repeat('a', 5000), repeat('b', 5000), 'c');
create table child (d text compression pglz) inherits (t);
create table parts (a int, b text compression pglz) partition by list (a);
create table part partition of parts for values in (1);
create materialized view m as select a, b from t;
alter materialized view m alter b set compression pglz;
