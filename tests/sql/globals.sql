-- What all databases of a server share. Names that need quotes are among them.

create role boss superuser login password 'secret of the boss';
create role "Team ""A""" nologin noinherit createdb createrole connection limit 7;
create role "o'brien" login password 'x' valid until '2031-02-03 04:05:06+00' replication bypassrls;
create role "line
feed" login;
create role plain;
comment on role plain is 'it''s \ plain';
alter role "o'brien" set search_path = "Odd, One", public;
alter role "o'brien" set work_mem = '8MB';
alter role plain set "app.note" = 'a, "b"';
grant "Team ""A""" to "o'brien" with admin option;
grant pg_read_all_data to plain;
grant plain to "Team ""A""";
set session authorization "o'brien";
grant "Team ""A""" to "line
feed";
reset session authorization;
create tablespace fast owner boss location '';
alter tablespace fast set (random_page_cost = 1.5);
grant create on tablespace fast to plain;
comment on tablespace fast is 'Quick';
grant set on parameter log_min_messages to plain;
grant alter system on parameter work_mem to "o'brien" with grant option;
create table t as select 1 as n;
alter table t owner to "Team ""A""";
