-- covers: B.4 Function; B.4 Setting value; B.6 12; B.6 own
create schema functions;
set search_path = functions;
create schema "Odd ""Schema"", two";
create function plain(a int, b int default 1) returns int language sql immutable strict parallel safe cost 5 as 'select a + b';
create function plain(a text, variadic rest text[]) returns text language sql stable as $f$ select a || array_to_string(rest, '$$') $f$;
create function outs(n int, out i int, inout j text, out "K ""k""" bigint) language sql as $$select 1, 'x'::text, 2::bigint$$;
create function tabled(n int) returns table (a int, b text) language plpgsql stable rows 50 as $$begin return query select 1, 'x'; end$$;
create function setof_rows(n int, out i int, out sq bigint) returns setof record language sql rows 7 cost 0.5 as 'select 1, 1::bigint';
create function settings() returns int language sql
    set search_path = functions, "Odd ""Schema"", two", "$user", pg_temp set work_mem = '8MB' set datestyle = 'ISO, DMY'
    set application_name = 'it''s' set temp_tablespaces = 'pg_default', '' set enable_seqscan = off
    as 'select 1';
create function empty_path() returns int language sql set search_path = '' as 'select 1';
create function current_setting_of() returns int language sql set timezone from current as 'select 1';
create function definer() returns int language sql security definer leakproof volatile parallel restricted as 'select 1';
create function called_on_null(a int) returns int language sql called on null input as 'select 1';
create function poly(a anyelement, b anyarray default null, out c anyelement) language sql as 'select a';
create function ranged(a anyrange) returns anyelement language sql as 'select lower(a)';
create function any_of(variadic "any") returns int language internal immutable as 'pg_num_nonnulls';
create function binary_and_symbol(text) returns text language c as '$libdir/hstore', 'hstore_version_diag';
create function "Odd ""Name""()"(int, "B ""b""" int) returns int language sql as 'select $1';
create function quoted() returns text language plpgsql as $outer$
begin
    -- 'quotes', "double", \back, $$, $function$, $_$
    return $inner$it's$inner$;
end
$outer$;
create function windowed() returns int8 language internal window immutable strict as 'window_row_number';
create function typed(interval(3), numeric(5, 2), varchar(3)[], timestamptz(2)) returns bit(3) language sql as $$select b'101'$$;
create function defaults(a timestamptz default now(), b text default 'x''y', c int[] default '{1,2}'::int[], d text default null) returns int language sql as 'select 1';
create function setof_text() returns setof text language sql as $$values ('x')$$;
create function void() returns void language sql as '';
create procedure proc(in a int, inout b text default 'x', c int default 3) language plpgsql security definer set work_mem = '1MB' as $$begin commit; end$$;
create procedure proc(variadic int[]) language sql as '';
create function trig() returns trigger language plpgsql as 'begin return null; end';
create function ev() returns event_trigger language plpgsql as 'begin end';
create table t (a int primary key, b text);
create function of_row(t) returns text language sql stable as 'select $1.b';
create function rows_of() returns setof t language sql stable as 'select * from functions.t';
create function col(t.b%type) returns t.a%type language sql as 'select 1';
create view uses as select of_row(t) as r, t.b from t;
create table by_default (a int default plain(1, 2), b text default outs(1, 'x')::text);

do $$ begin create role oracle_functions; exception when duplicate_object or unique_violation then null; end $$;
alter function plain(int, int) owner to oracle_functions;
revoke all on function plain(int, int) from public;
grant execute on function plain(text, text[]) to oracle_functions with grant option;
grant execute on procedure proc(int, text, int) to oracle_functions;
revoke execute on procedure proc(int[]) from public;
comment on function outs(int, text) is 'outs';
comment on procedure proc(int, text, int) is 'a procedure';
