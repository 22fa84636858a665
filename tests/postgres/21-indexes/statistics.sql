-- covers: B.4 Extended statistics; B.6 21
create schema stats;
set search_path = stats;
create schema other_stats;
do $$ begin create role oracle_statistics; exception when duplicate_object or unique_violation then null; end $$;
create table t (a int, b text, "C ""c""" int);
create statistics all_kinds on a, b, "C ""c""" from t;
create statistics nd (ndistinct) on a, b from t;
create statistics "Odd ""Statistics""" (dependencies, mcv) on a, "C ""c""" from t;
create statistics other_stats.elsewhere on a, b from t;
alter statistics nd owner to oracle_statistics;
comment on statistics nd is 'nd';
create materialized view m as select 1 as a, 2 as b;
create statistics of_m on a, b from m;
create table parts (a int, b int) partition by list (a);
create statistics of_parts on a, b from parts;
