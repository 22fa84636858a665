-- covers: B.4 Operator class; B.4 Operator family; B.6 13
create schema classes;
set search_path = classes;
create operator family fam using btree;
create operator class "Odd ""Class""" for type int using btree family fam as
    operator 1 <, operator 2 <=, operator 3 =, operator 4 >=, operator 5 >, function 1 btint4cmp(int, int), function 2 btint4sortsupport(internal);
alter operator family fam using btree add operator 1 <(int, bigint), operator 3 =(int, bigint), function 1 (int, bigint) btint48cmp(int, bigint);
create operator class other for type bigint using btree family fam as operator 3 =, function 1 btint8cmp(bigint, bigint);
create operator class points for type point using gist as
    operator 1 <<, operator 15 <->(point, point) for order by pg_catalog.float_ops,
    function 1 gist_point_consistent(internal, point, smallint, oid, internal), function 2 gist_box_union(internal, internal),
    function 3 gist_point_compress(internal), function 5 gist_box_penalty(internal, internal, internal),
    function 6 gist_box_picksplit(internal, internal), function 7 gist_box_same(box, box, internal),
    function 8 (point, point) gist_point_distance(internal, point, smallint, oid, internal), storage box;
create table t (a int, p point);
insert into t values (1, '(1,2)');
create index t_a on t (a "Odd ""Class""");
create index t_p on t using gist (p points);
create index t_two on t (a "Odd ""Class""" desc nulls last, (a + 1) "Odd ""Class""");
create operator class empty for type int using btree as storage int;
comment on operator class "Odd ""Class""" using btree is 'odd';
create table parts (a int) partition by range (a "Odd ""Class""");
create table part partition of parts for values from (1) to (2);
