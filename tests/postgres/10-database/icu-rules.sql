-- since: 16
-- database: LOCALE_PROVIDER icu ICU_LOCALE 'en-US' ICU_RULES '&a < g' LOCALE 'C.UTF-8'
-- covers: B.4 Database
create table t (a text primary key);
insert into t values ('g'), ('b'), ('a');
