-- since: 14
-- covers: B.6 9
create schema infinities;
set search_path = infinities;
create table t (n numeric, m int4multirange, ns nummultirange);
insert into t values ('Infinity', '{[1,2),[5,)}', '{}'), ('-Infinity', null, '{(,1.5],[2,2]}');
