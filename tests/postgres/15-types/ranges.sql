-- covers: B.4 Range; B.4 Array; B.6 15
create schema ranges;
set search_path = ranges;
create function diff(float8, float8) returns float8 language sql immutable strict as 'select $1 - $2';
create type floats as range (subtype = float8, subtype_diff = diff);
create type texts as range (subtype = text, collation = "C");
create type patterns as range (subtype = text, subtype_opclass = text_pattern_ops, collation = "POSIX");
-- A canonical function needs the type, and the type the function.
create type days;
create function days_canonical(days) returns days language internal immutable strict as 'daterange_canonical';
create type days as range (subtype = date, canonical = days_canonical);
create type "Odd ""Range""" as range (subtype = numeric);
create table held (f floats, t texts, p patterns, o "Odd ""Range"""[], check (not isempty(f)));
insert into held values ('[1.5,2.5)', '[a,b]', '(,z)', array['[1,2]'::"Odd ""Range"""]);
create index held_f on held using gist (f);
grant usage on type floats to pg_monitor;
revoke all on type texts from public;
comment on type texts is 'of text';
