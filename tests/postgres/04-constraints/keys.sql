-- covers: B.4 Key; B.6 4
create schema keys;
set search_path = keys;
create table plain (a int primary key, b int unique, c int, unique (b, c));
create table named (a int, b text, constraint "The ""Key""" primary key (b, a) with (fillfactor = 70));
create table carrying (a int, b int, c text, primary key (a) include (b), unique (b) include (c, a) with (fillfactor = 80));
create table late (a int primary key deferrable, b int unique deferrable initially deferred);
create table clustered (a int primary key, b int);
alter table clustered cluster on clustered_pkey;
create table identified (a int not null, b int not null, constraint identified_b unique (b));
alter table identified replica identity using index identified_b;
create table by_index (a int not null, b int not null);
create unique index by_index_a on by_index (a);
create unique index by_index_b on by_index (b);
alter table by_index add constraint by_index_key primary key using index by_index_a,
    add constraint by_index_unique unique using index by_index_b deferrable;
insert into plain values (1, 2, 3), (2, 3, null);
comment on constraint plain_pkey on plain is 'a key';
comment on constraint "The ""Key""" on named is 'a ''named'' one';
comment on index plain_b_key is 'an index';
