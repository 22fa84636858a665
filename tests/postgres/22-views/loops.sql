-- covers: B.6 22; B.6 own; B.6 25
create schema view_loops;
set search_path = view_loops;
create table t (id int primary key, name text collate "C");
insert into t values (1, 'x');
-- Two views in a ring by way of a rule.
create view ring_a as select id, name from t;
create view ring_b as select id, name from ring_a;
create rule ring as on insert to ring_a do instead insert into t select id, name from ring_b where id = new.id;
create or replace view ring_a as select id, name from t where exists (select from t t2 where t2.id = t.id);
-- By way of a function with the view's rows.
create view by_function as select id, name, 1::bigint as n from t;
create function of_view(by_function) returns bigint language sql stable as 'select $1.id::bigint';
create or replace view by_function as select id, name, (select count(*) from t) as n from t;
create function rows_of_view() returns setof by_function language sql stable as 'select * from view_loops.by_function';
create view over_rows as select * from rows_of_view();
create or replace view by_function as select id, name, (select count(*) from rows_of_view()) as n from t;
comment on view by_function is 'in a loop';
comment on column by_function.n is 'a column in a loop';
grant select on by_function to pg_monitor;
-- Grouped by a key, with others upon it.
create view grouped as select id, name from t group by id;
create view over_grouped as select name from grouped;
create function of_grouped(grouped) returns text language sql stable as 'select $1.name';
create view uses_function as select of_grouped(g) as n from grouped g;
create table held (g grouped);
create view with_options with (security_barrier) as select id, name from t group by id;
create function of_options(with_options) returns int language sql as 'select 1';
alter view with_options alter name set default 'x';
do $$ begin create role oracle_views; exception when duplicate_object or unique_violation then null; end $$;
alter view grouped owner to oracle_views;
create trigger instead instead of insert on grouped for each row execute function suppress_redundant_updates_trigger();

-- One that has to wait, with a column of the type of another one that has to.
create table of_grouped (id int primary key, g grouped);
create view around_grouped as select id, g from of_grouped group by id;
