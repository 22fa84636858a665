-- covers: B.4 Cast; B.6 11
create schema casts;
set search_path = casts;
create type a as (n int);
create type b as enum ('1', '2');
create function a_to_int(a) returns int language sql immutable as 'select ($1).n';
create function int_to_a(int, int, boolean) returns a language sql immutable as 'select row($1)::casts.a';
create cast (a as int) with function a_to_int(a);
create cast (int as a) with function int_to_a(int, int, boolean) as assignment;
create cast (a as text) with inout as implicit;
create cast (b as text) with inout as assignment;
-- Of types that are the server's, by functions that are the server's.
create cast (timestamptz as interval) with function age(timestamptz) as assignment;
create domain dom as int;
create view v as select row(3)::a::int as i, 5::a as a, age(now()) as ag;
create table t (x int default (row(7)::a)::int, y text default (row(8)::a)::text);
