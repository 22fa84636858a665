-- covers: B.6 12; B.4 Function; B.6 25
-- Tables, types and functions that need each other.
create schema loops;
set search_path = loops;
create table t (id int primary key, n int);
create function of_t(t) returns int language sql immutable as 'select $1.n';
alter table t add constraint c check (of_t(t) > 0), alter n set default 1;
create function latest() returns int language sql stable as 'select max(id) from loops.t';
alter table t alter n set default latest();
create view v as select id, n from t;
create function of_v(v) returns int language sql stable as 'select $1.n';
create table by_v (x v, y v[]);
create view over_v as select of_v(v) as n from v;
create domain d as int;
create function fits(d) returns boolean language sql immutable as 'select $1 is not null';
alter domain d add constraint fits check (fits(value));
create sequence s;
create function draw() returns bigint language sql as $$select nextval('loops.s')$$;
create table drawn (a bigint default draw());
alter sequence s owned by drawn.a;
create type comp as (a int);
create function make(int) returns comp language sql immutable as 'select row($1)::loops.comp';
create table of_comp (c comp default make(1), cs comp[] default array[make(1)]);
