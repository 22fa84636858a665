-- since: 17
-- database: LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' LOCALE 'C'
-- covers: B.4 Database; B.6 10
create table t (a text primary key);
insert into t values ('ä'), ('A');
