-- since: 18
-- covers: B.6 4; B.6 8; B.4 Constraint; B.4 Table; B.4 Comment
create schema named_not_null;
set search_path = named_not_null;
create table t (a int constraint "must ""be""" not null, b int not null, c int constraint t_c_not_null not null,
    d int, e int constraint here not null no inherit, f int not null no inherit);
alter table t add constraint d_given not null d not valid;
insert into t values (1, 1, 1, 1, 1, 1);
create table child (g int constraint own not null) inherits (t);
alter table child add constraint e_too not null e;
create table grand (constraint again not null a) inherits (child);
create table several () inherits (child, t);
comment on constraint "must ""be""" on t is 'named';
comment on constraint t_b_not_null on t is 'its usual name';
comment on constraint d_given on t is 'not valid';
comment on constraint e_too on child is 'of a child';
-- Not valid above, valid below; and the other way round is not possible.
create table above (a int);
insert into above values (null);
create table below () inherits (above);
insert into below values (1);
alter table above add constraint above_a not null a not valid;
alter table below validate constraint above_a;
create table parts (a int, b int) partition by list (a);
create table part_1 partition of parts for values in (1);
create table part_2 partition of parts (constraint part_b not null b) for values in (2);
alter table parts add constraint parts_b not null b not valid;
create table keyed (a int primary key, b int constraint key_b not null);
create table keyed_child () inherits (keyed);
alter table keyed drop constraint keyed_pkey;
