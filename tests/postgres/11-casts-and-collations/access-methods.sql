-- covers: B.4 Access method; B.6 11; B.6 20
create schema access_methods;
set search_path = access_methods;
create access method oracle_heap type table handler heap_tableam_handler;
create access method "Oracle ""Gist""" type index handler gisthandler;
create operator class box_ops default for type box using "Oracle ""Gist""" as
    operator 3 &&, function 1 gist_box_consistent(internal, box, smallint, oid, internal), function 2 gist_box_union(internal, internal),
    function 5 gist_box_penalty(internal, internal, internal), function 6 gist_box_picksplit(internal, internal), function 7 gist_box_same(box, box, internal);
create table t (a int, b box) using oracle_heap;
insert into t values (1, '(0,0),(1,1)');
create index t_b on t using "Oracle ""Gist""" (b);
create materialized view m using oracle_heap as select a from t;
create table plain (a int) using heap;
set default_table_access_method = oracle_heap;
create table by_default (a text);
create table parts (a int) partition by list (a);
create table part partition of parts for values in (1);
insert into parts values (1);
