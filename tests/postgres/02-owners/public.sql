-- covers: B.4 Schema; B.6 2; B.6 23; B.6 8
do $$ begin create role oracle_owner; exception when duplicate_object or unique_violation then null; end $$;
alter schema public owner to oracle_owner;
comment on schema public is null;
revoke all on schema public from public;
grant usage on schema public to oracle_owner with grant option;
grant create on schema public to pg_monitor;
create schema "Hostile ""Schema""; drop schema public; --" authorization oracle_owner;
comment on schema "Hostile ""Schema""; drop schema public; --" is e'\\ and ''\n';
create schema "with
newline";
create schema given authorization oracle_owner;
revoke create on schema given from oracle_owner;
create table public.t (a int);
create table "with
newline"."table
with one" ("column
with one" int);
