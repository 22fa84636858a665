-- database: ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'
-- covers: B.4 Database; B.6 10
create table t (a int, b text);
insert into t values (1, 'é'), (2, e'\xff\xfe no UTF-8'), (3, e'\x80');
create table "é" (a int);
comment on table t is 'ü';
