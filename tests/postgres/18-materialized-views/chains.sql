-- covers: B.4 Materialized view; B.6 18
create schema chains;
set search_path = chains;
create table t (id int primary key, n int);
insert into t select g, g % 3 from generate_series(1, 20) g;
create materialized view z_first as select n, count(*) as c from t group by n;
create materialized view y_second as select max(c) as m from z_first;
create view x_between as select m from y_second;
create materialized view a_third as select m + 1 as m from x_between;
create unique index z_first_n on z_first (n);
alter materialized view z_first cluster on z_first_n;
create materialized view unfilled as select 1 as one with no data;
create materialized view over_unfilled as select 1 as two;
-- It is filled, but what it reads is not any more.
create materialized view emptied as select n from t;
create materialized view was_filled as select n from emptied;
refresh materialized view emptied with no data;
create materialized view through_function as select f.* from generate_series(1, 3) f;
-- Depends on a primary key.
create materialized view grouped as select id, n from t group by id;
create materialized view over_grouped with (fillfactor = 70, autovacuum_enabled = false) as select count(*) as c from grouped;
create index grouped_n on grouped (n);
create view view_over as select * from over_grouped;
create materialized view "Odd ""View""" as select 'x'::text collate "C" as "Odd ""Column""", 'a'::varchar(3) as v where 'a'::varchar in ('a', 'b');
-- Whose function reads what pg_depend knows nothing of.
create table z_hidden (a int);
create function hidden() returns bigint language sql as 'select count(*) from chains.z_hidden';
insert into z_hidden values (1), (2);
create materialized view by_function as select hidden() as h;
comment on materialized view grouped is 'grouped';
do $$ begin create role oracle_materialized; exception when duplicate_object or unique_violation then null; end $$;
grant usage on schema chains to oracle_materialized;
grant select on t to oracle_materialized;
alter materialized view z_first owner to oracle_materialized;
grant select on y_second to oracle_materialized;
create statistics stat on id, n from grouped;
