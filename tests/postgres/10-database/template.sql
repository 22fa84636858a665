-- database: IS_TEMPLATE true CONNECTION LIMIT 5
-- covers: B.4 Database
create table t (a int);
