-- What roles with few rights meet: tables, sequences and large objects of others, row security, secrets of connections.
create table customer (id int primary key, name text);
insert into customer select n, 'c' || n from generate_series(1, 100) n;
create table order_item (id int generated always as identity, customer int references customer, amount numeric);
insert into order_item (customer, amount) select n, n * 1.5 from generate_series(1, 100) n;
create view big as select * from order_item where amount > 100;
create materialized view sums as select customer, sum(amount) from order_item group by customer;
create sequence tickets;
select nextval('tickets');
create schema audit;
create table audit.log (at timestamptz default '2026-01-01', what text);
insert into audit.log (what) values ('made');
create table audit.parts (a int, b text) partition by list (a);
create table audit.part_1 partition of audit.parts for values in (1);
create table audit.part_2 partition of audit.parts for values in (2);
insert into audit.parts values (1, 'x'), (2, 'y');
create schema hidden;
create table hidden.secret (n int);
insert into hidden.secret values (1);
create sequence hidden.numbers;
select nextval('hidden.numbers');
create table owned_rows (owner text, n int);
insert into owned_rows values ('a', 1), ('b', 2);
alter table owned_rows enable row level security;
create policy own on owned_rows using (owner = current_user);
-- For the owner, too.
create table forced_rows (n int);
insert into forced_rows values (1);
alter table forced_rows enable row level security, force row level security;
create table empty_table (n int);
select lo_from_bytea(7001, 'a secret'), lo_from_bytea(7002, 'another');
create foreign data wrapper least_wrapper;
create server least_server foreign data wrapper least_wrapper;
create user mapping for postgres server least_server options (password 'a secret');
create user mapping for public server least_server options (password 'another');
select format('create subscription %I connection ''dbname=nowhere password=secret'' publication p with (connect = false)', 'least_of_' || current_database()) \gexec
create function f() returns int language sql security definer as 'select 1';
revoke all on function f() from public;
create type mood as enum ('good', 'bad');
