-- covers: B.4 Composite; B.6 15
create schema composites;
set search_path = composites;
create type point3 as (x float8, gone int, "Z ""deep""" numeric(8, 2), label varchar(20) collate "C", bits bit(3)[]);
alter type point3 drop attribute gone;
alter type point3 add attribute later timestamptz(3);
create type nested as (p point3, ps point3[]);
create type empty as ();
create table row_of (id int, t text collate "POSIX");
create type of_row as (r row_of, rs row_of[]);
create table held (p point3, n nested, e empty, o of_row);
insert into held values (row(1, 2.5, 'a "b" \ c, (d)', '{101,NULL}', '2024-01-01 00:00:00.1234+00'),
    row(row(null, null, '', null, null), array[row(1, 2, 'x', null, null)::point3]), row(), row(row(1, 'y'), null));
comment on type point3 is 'three';
comment on column point3.x is 'the first';
comment on column point3."Z ""deep""" is 'the ''last''';
do $$ begin create role oracle_types; exception when duplicate_object or unique_violation then null; end $$;
alter type point3 owner to oracle_types;
grant usage on type nested to oracle_types with grant option;
revoke usage on type nested from public;
