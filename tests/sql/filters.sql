-- Two schemas whose objects need each other in every way that a filter has to see.

create schema sales;
create schema audit;
set search_path = sales;

create type sales.mood as enum ('good', 'bad');
create domain sales.price as numeric(12, 2) constraint not_negative check (value >= 0);
comment on constraint not_negative on domain sales.price is 'Never below';
create sequence sales.ticket;
create function sales.touch() returns trigger language plpgsql as $$ begin return new; end $$;

create table sales.customers (id serial primary key, name text not null unique);
create table sales.orders (
    id int generated always as identity primary key,
    customer int not null references sales.customers,
    ticket bigint not null default nextval('sales.ticket'),
    mood sales.mood not null default 'good',
    price sales.price
);
create index orders_mood on sales.orders (mood);
create statistics sales.orders_both (dependencies) on customer, mood from sales.orders;
create trigger orders_touch before update on sales.orders for each row execute function sales.touch();
create rule orders_quiet as on delete to sales.orders where old.id < 0 do instead nothing;
alter table sales.orders enable row level security;
create policy orders_all on sales.orders using (true);
comment on table sales.orders is 'What was bought';

create table audit.events (at date not null, what text, ticket bigint default nextval('sales.ticket'), primary key (at, what))
    partition by range (at);
create table audit.events_2025 partition of audit.events for values from ('2025-01-01') to ('2026-01-01');
create table audit.events_2026 partition of audit.events for values from ('2026-01-01') to ('2027-01-01');
create index on audit.events (what);
create table audit.base (id int not null check (id > 0), note text);
create table audit.child (extra text) inherits (audit.base);
create view audit.summary as select c.name, count(*) from sales.orders o join sales.customers c on c.id = o.customer group by 1;
create view audit.moods as select mood, count(*) from sales.orders group by 1;
create materialized view audit.totals as select mood, sum(price) from sales.orders group by 1;
create unique index on audit.totals (mood);
create function audit.names() returns setof text begin atomic select name from sales.customers; end;
create publication filtered for table sales.orders, sales.customers, audit.events;
alter default privileges in schema sales grant select on tables to public;
alter default privileges in schema audit grant select on tables to public;

insert into sales.customers (name) select 'customer ' || i from generate_series(1, 100) i;
insert into sales.orders (customer, mood, price)
    select 1 + i % 100, (array['good', 'bad'])[1 + i % 2]::sales.mood, i from generate_series(1, 1000) i;
insert into audit.events select date '2025-06-01' + i, 'event ' || i from generate_series(0, 400) i;
insert into audit.base select i, 'base' from generate_series(1, 10) i;
insert into audit.child select i, 'child', 'extra' from generate_series(11, 20) i;
refresh materialized view audit.totals;
select lo_from_bytea(4242, 'a large object');
