-- covers: B.6 own; B.4 View; B.4 Composite
create schema altered;
set search_path = altered;
create type comp as (a int, b text);
create function make() returns comp language sql stable as $$select row(1, 'x')::altered.comp$$;
create view v as select c.* from make() c;
create view w as select (make()).a as a;
alter type comp add attribute c int;
alter type comp rename attribute b to "B ""b""";
create table t (a int, b int);
create view over_t as select * from t;
alter table t rename a to renamed;
alter table t add c int;
create view join_using as select * from t join (select 1 as b) u using (b);
alter table t rename b to "b ""b""";
