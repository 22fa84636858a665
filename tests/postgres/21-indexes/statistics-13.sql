-- since: 13
-- covers: B.4 Extended statistics
create table statistics_13 (a int, b int);
create statistics targeted on a, b from statistics_13;
alter statistics targeted set statistics 500;
create statistics none on a, b from statistics_13;
alter statistics none set statistics 0;
