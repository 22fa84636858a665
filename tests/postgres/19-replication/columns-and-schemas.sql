-- since: 15
-- covers: B.4 Publication; B.6 19
create schema columns_and_schemas;
create schema "Odd ""Schema""";
set search_path = columns_and_schemas;
create table t (a int primary key, gone int, "B ""b""" text, c int);
alter table t drop column gone;
create table u (a int primary key, b int);
create publication columns for table t (c, a), u;
create publication conditions for table t where (a > 10 and "B ""b""" <> 'it''s'), u where (b in (1, 2)) with (publish = 'insert');
create publication both_of for table t (a, "B ""b""") where (c is null) with (publish = 'insert');
create publication schemas for tables in schema columns_and_schemas, "Odd ""Schema""";
create publication mixed for table u, tables in schema "Odd ""Schema""";
