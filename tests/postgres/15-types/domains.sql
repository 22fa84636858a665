-- covers: B.4 Domain; B.6 15; B.6 11; B.6 4
create schema domains;
set search_path = domains;
create domain email as varchar(200) collate "C" default 'nobody@example.com' not null
    constraint has_at check (value like '%@%') constraint "short ""enough""" check (length(value) < 100);
create domain plain as int;
create domain positive as numeric(12, 2) check (value > 0);
alter domain positive add constraint not_huge check (value < 1000000) not valid;
create domain over_domain as positive default 5 check (value > 1) not null;
create domain tags as text[] default '{"a b"}' check (cardinality(value) < 10);
create function long_enough(text) returns boolean language sql immutable as 'select length($1) > 2';
create domain checked as text check (long_enough(value));
create table held (e email, p positive, o over_domain, t tags, c checked);
insert into held values ('a@b', 1.5, 2, '{}', 'abc');
comment on domain email is 'mail';
comment on constraint has_at on domain email is 'an @ must be';
comment on constraint not_huge on domain positive is 'some are';
do $$ begin create role oracle_types; exception when duplicate_object or unique_violation then null; end $$;
alter domain tags owner to oracle_types;
revoke all on type email from public;
grant usage on domain email to oracle_types;
-- A domain over a row type whose function takes the domain.
create type inner_row as (a int, b text);
create function fits(inner_row) returns boolean language sql immutable as 'select ($1).a > 0';
create domain row_domain as inner_row check (fits(value));
create table held_rows (r row_domain);
insert into held_rows values (row(1, 'x'));
