-- since: 15
-- covers: B.4 Key; B.4 Index
create schema nulls_not_distinct;
set search_path = nulls_not_distinct;
create table t (a int, b int, unique nulls not distinct (a, b) include (b), unique nulls distinct (b));
create unique index t_i on t (b, a) nulls not distinct;
insert into t values (1, null), (2, 3);
