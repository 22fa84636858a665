-- database: CONNECTION LIMIT -1
-- problem: t_invalid
-- covers: B.4 Index
-- A unique index that could not be built concurrently is not valid. pg_dump leaves it out, too, and says nothing.
create table t (a int);
insert into t values (1), (1);
\set ON_ERROR_STOP off
\set VERBOSITY terse
create unique index concurrently t_invalid on t (a);
create index t_valid on t (a);
