-- since: 15
-- covers: B.4 Table; B.4 Key; B.4 Index; B.4 Materialized view; B.4 Database
create schema tablespaces;
set search_path = tablespaces;
set allow_in_place_tablespaces = on;
select 'create tablespace "oracle ""space""" location '''''
where not exists (select from pg_tablespace where spcname = 'oracle "space"') \gexec
create table t (a int primary key using index tablespace "oracle ""space""", b int, unique (b)) tablespace "oracle ""space""";
insert into t values (1, 2);
create index t_b on t (b) tablespace "oracle ""space""";
create materialized view m tablespace "oracle ""space""" as select a from t;
create table parts (a int primary key using index tablespace "oracle ""space""") partition by list (a) tablespace "oracle ""space""";
create table part_1 partition of parts for values in (1);
create table part_2 partition of parts for values in (2) tablespace pg_default;
create index parts_a on only parts (a) tablespace "oracle ""space""";
create table excluded (a int, exclude (a with =) using index tablespace "oracle ""space""");
