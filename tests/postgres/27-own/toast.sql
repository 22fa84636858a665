-- covers: B.6 own
create schema toast;
create table toast.big (id int, b bytea, t text);
alter table toast.big alter b set storage external;
insert into toast.big select g, decode(repeat(md5(g::text), 30000), 'hex'), repeat(e'tab\t\\', 100000) from generate_series(1, 5) g;
insert into toast.big values (6, '', ''), (7, null, null);
