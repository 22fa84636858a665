-- covers: B.4 Table; B.6 20
create schema tables;
set search_path = tables;
create unlogged table unlogged (a int primary key, b text);
create table optioned (a int, b text) with (fillfactor = 70, autovacuum_enabled = false, autovacuum_vacuum_scale_factor = 0.05,
    toast_tuple_target = 4096, parallel_workers = 3, toast.autovacuum_enabled = false, toast.autovacuum_freeze_max_age = 200000000);
create type kind as (x float8, y text, "Z ""z""" int);
create table of_kind of kind;
create table of_kind_too of kind (x with options default 1.5 not null, primary key (y), constraint c check ("Z ""z""" > 0));
insert into of_kind_too values (1, 'y', 2);
create table no_columns ();
create table "Odd ""Table"" $$ \ 'x'" ("Odd ""Column"" \ '" int, "select" int, "A" int, "a" int, " " int);
insert into "Odd ""Table"" $$ \ 'x'" values (1, 2, 3, 4, 5);
create table longest_name_of_all_that_a_table_may_have_in_this_server_______ (a int primary key, b serial);
create table arrays (a int[3], b text[][], c numeric(5, 2)[] default '{1.5}', d varchar(3)[] collate "C");
create table typed (a timestamp(3), b time(0) with time zone, c interval year to month, d interval day to second(3), e bit(3), f bit varying(5),
    g char, h "char", i numeric(10), j float(20), k "_int4", l name);
do $$ begin execute 'create table wide (' || (select string_agg('c' || g || case when g % 200 = 0 then ' int default ' || g else ' int' end, ', ') from generate_series(1, 1600) g) || ')'; end $$;
insert into wide default values;
create table dependent (a text default 'x' check (a in ('a', 'x')) , b varchar check (b in ('a', 'b')));
create temporary table temporary (a int);
