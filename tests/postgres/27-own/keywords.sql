-- covers: B.6 own
-- Names that are words of SQL.
create schema "user";
set search_path = "user";
create table "table" ("select" int primary key, "column" text collate "C", "order" int references "table", "end" int default 1, "between" int, "values" int,
    "json_table" int, "xmltable" int, "merge_action" int, "system_user" int, "int" int, "interval" int, "row" int, "coalesce" int, "setof" int);
insert into "table" values (1, 'x', 1);
create view "view" as select "select", "end", "between", "values", "row", "interval", "coalesce" from "table";
create function "function"("in" int, "out" int, "default" int default 1) returns int language sql as 'select 1';
create type "type" as ("like" int, "ilike" int);
create sequence "sequence";
create index "index" on "table" ("order", ("end" + "between"));
create domain "domain" as int constraint "check" check (value > 0);
create trigger "trigger" before update on "table" for each row execute function suppress_redundant_updates_trigger();
create table pg_like (a int);
create aggregate "all"(int) (sfunc = int4pl, stype = int);
create operator family "any" using btree;
create text search dictionary "both" (template = simple);
