-- covers: B.4 Column; B.4 Table
-- Columns that were dropped, altered, added with a default that old rows hold only in the catalog.
create schema odd_numbers;
set search_path = odd_numbers;
create table t (a int, gone int, b text);
insert into t values (1, 2, 'x');
alter table t drop column gone;
alter table t add c int default 7 not null, add d timestamptz default '2024-01-01 00:00+00', add e int;
insert into t (a) values (2);
alter table t alter c drop default;
alter table t alter a type bigint;
create table all_gone (a int);
insert into all_gone values (1), (2);
alter table all_gone drop column a;
create table wide_defaults (a text default e'\\ '' \n', b int[] default '{1,2}', c date default current_date, d text default current_user,
    e interval default '1 day -02:00', f bit(3) default b'101', g float8 default 'NaN', h numeric default 'NaN', i text default null::text,
    j name default session_user, k text default (('x'::text || 'y'::text)), l regclass default 'pg_class', m xml default '<a/>');
