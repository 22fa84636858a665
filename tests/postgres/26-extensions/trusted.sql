-- since: 13
-- covers: B.4 Extension
create schema trusted;
create extension ltree with schema trusted;
create table trusted.t (a trusted.ltree, b trusted.lquery[]);
insert into trusted.t values ('a.b', '{a.*}');
create index on trusted.t using gist (a trusted.gist_ltree_ops (siglen = 100));
