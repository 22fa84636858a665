-- database: CONNECTION LIMIT -1
-- covers: B.4 Schema; B.6 2
-- No schema public at all.
drop schema public;
create schema other;
create table other.t (a int);
