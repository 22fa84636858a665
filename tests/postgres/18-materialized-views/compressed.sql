-- since: 14
-- covers: B.4 Materialized view; B.6 18
create schema compressed;
set search_path = compressed;
create access method oracle_heap_m type table handler heap_tableam_handler;
create table t (id int, v text);
insert into t values (1, repeat('x', 5000));
create materialized view m using oracle_heap_m as select * from t;
alter materialized view m alter v set compression pglz;
alter materialized view m alter v set storage external;
refresh materialized view m;
create materialized view empty as select * from m with no data;
