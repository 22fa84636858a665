-- What the planner knows: gathered, and then behind what rows are. Nobody gathers anew by himself.
create schema shop;
create table shop."it's $ksnapshot$" (
    id integer primary key,
    "na""me" text,
    tags text[],
    span int4range,
    price numeric
) with (autovacuum_enabled = false);
insert into shop."it's $ksnapshot$"
select n, 'it''s \ $ksnapshot$ ' || n % 7, array['a ' || n % 3, 'b,"' || n % 5], int4range(n, n + n % 10), n % 100 / 7.0
from generate_series(1, 2000) n;
create index on shop."it's $ksnapshot$" (lower("na""me"), price);
create index on shop."it's $ksnapshot$" (price) where price > 3;

create table shop.events (id integer, day date, kind text) partition by range (day);
create table shop.events_1 partition of shop.events for values from ('2026-01-01') to ('2026-07-01')
    with (autovacuum_enabled = false);
create table shop.events_2 partition of shop.events for values from ('2026-07-01') to ('2027-01-01')
    with (autovacuum_enabled = false);
insert into shop.events select n, date '2026-01-01' + n % 365, 'kind ' || n % 4 from generate_series(1, 3000) n;
create index on shop.events (kind);

create table shop.old (a integer) with (autovacuum_enabled = false);
create table shop.older (b integer) inherits (shop.old) with (autovacuum_enabled = false);
insert into shop.old select n % 9 from generate_series(1, 500) n;
insert into shop.older select n % 9, n % 4 from generate_series(1, 500) n;

create table shop.emptied (a integer) with (autovacuum_enabled = false);

create materialized view shop.prices with (autovacuum_enabled = false) as
select price, count(*) as times from shop."it's $ksnapshot$" group by price;
create index on shop.prices (times);

analyze shop."it's $ksnapshot$", shop.events, shop.old, shop.older, shop.emptied, shop.prices;
insert into shop."it's $ksnapshot$" select n, 'new', null, null, 1 from generate_series(2001, 9000) n;
insert into shop.events select n, '2026-03-01', 'new' from generate_series(1, 9000) n;

-- Of these nothing is known, or not all.
create table shop.fresh (a integer, b integer) with (autovacuum_enabled = false);
insert into shop.fresh select n % 10, n % 10 from generate_series(1, 1000) n;
