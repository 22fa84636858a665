-- since: 15
-- database: LOCALE_PROVIDER icu ICU_LOCALE 'sv-SE' LOCALE 'C.UTF-8'
-- covers: B.4 Database; B.6 10
create table t (a text primary key);
insert into t values ('ä'), ('z'), ('a');
