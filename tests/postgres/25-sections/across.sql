-- covers: B.6 25
-- What stands before the data and needs what stands after it, and the other way round.
create schema sections;
set search_path = sections;
create table t (id int primary key, name text unique);
insert into t values (1, 'x');
create view grouped as select id, name from t group by id;
create view plain as select id from grouped;
create rule on_grouped as on insert to grouped do instead insert into t values (new.id, new.name);
create function of_grouped(grouped) returns int language sql as 'select 1';
create table held (g grouped, default_of int default 1);
create table defaulting (a int, constraint c check (a > 0));
alter table defaulting alter a set default of_grouped(null);
create policy p on t using (exists (select from grouped g where g.id = t.id));
alter table t enable row level security;
create materialized view m as select id, name from grouped;
create unique index m_id on m (id);
create statistics s on id, name from m;
create function trig() returns trigger language plpgsql as 'begin return new; end';
create trigger tr before insert on t for each row when (new.id > of_grouped(null)) execute function trig();
create publication sections_publication for table t;
create domain d as int check (of_grouped(null) = 1);
create index t_f on t (id) where id > 0;
create view security_view as select * from t where id in (select id from m);
