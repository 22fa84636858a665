-- covers: B.4 Inheritance; B.6 20
create schema inheritances;
set search_path = inheritances;
create table parent (id int not null, wheels int default 4, name text default 'unnamed', tripled int generated always as (id * 3) stored,
    constraint wheels_positive check (wheels > 0), constraint only_here check (id > 0) no inherit);
create table child (doors int default 5, constraint doors_some check (doors > 0)) inherits (parent);
create table local_too (id int, wheels int, extra int) inherits (parent);
create table other_default () inherits (parent);
alter table other_default alter wheels set default 2, alter name drop default;
create table other (depth numeric(5, 1), name text default 'other');
create table both_of (name text default 'both') inherits (child, other);
create table late (name text, id int not null, tripled int generated always as (id * 3) stored, wheels int constraint wheels_positive check (wheels > 0));
alter table late inherit parent;
insert into parent (id) values (1);
insert into child (id) values (2);
insert into both_of (id, depth) values (3, 1.5);
insert into late (id, wheels) values (4, 1);
create table left_alone () inherits (parent);
alter table left_alone no inherit parent;
create schema "Z ""z""";
create table "Z ""z"".t" (a int);
create table "Z ""z""".t (a int);
create table from_there () inherits ("Z ""z""".t);
create table renamed (a int);
create table renamed_child () inherits (renamed);
alter table renamed rename a to b;
create table identity_parent (a int generated always as identity, b int);
create table identity_child () inherits (identity_parent);
