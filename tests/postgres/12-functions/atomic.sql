-- since: 14
-- covers: B.4 Function; B.6 12; B.6 own
create schema atomic;
set search_path = atomic;
create function add(int, int) returns int language sql immutable return $1 + $2;
create function add(text, text) returns text language sql immutable return $1 || $2;
create function z_uses(a int) returns text language sql stable begin atomic select add(a, a); select add('x', a::text); end;
create function a_uses(a int default add(1, 2)) returns text language sql stable begin atomic select z_uses(a); end;
create table t (id int primary key, name text, n int);
create sequence s;
create function reads() returns bigint language sql stable begin atomic select count(*) from t where name = 'it''s'; end;
create function draws() returns bigint language sql begin atomic select nextval('s'); end;
-- Its parse needs a primary key.
create function grouped() returns setof text language sql stable begin atomic select name from t group by id; end;
create view over_grouped as select * from grouped();
create procedure writes(a int) language sql begin atomic insert into t values (a, 'x', default) on conflict (id) do nothing; update t set n = 1; end;
create function out_of(out a int, out b text) language sql begin atomic select 1, 'x'; end;
create procedure nothing() language sql begin atomic end;
create table uses (a int default add(1, 2), b text generated always as (add('a', 'b')) stored, check (add(a, 1) > 0));
create view v as select add(1, 2) as a, reads() as r;
create function reads_view() returns int language sql stable return (select a from v limit 1);
insert into t values (1, 'x', 2);
