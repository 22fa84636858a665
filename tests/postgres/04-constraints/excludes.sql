-- covers: B.4 Constraint; B.6 4
create schema excludes;
set search_path = excludes;
create table t (room int4range, during tstzrange, name text,
    constraint "no ""overlap""" exclude using gist (room with &&, during with &&) where (name <> ''),
    constraint once exclude using btree (name collate "C" text_pattern_ops with =) include (during) deferrable initially deferred,
    exclude using hash (name with =) with (fillfactor = 60));
insert into t values ('[1,2)', '[2024-01-01,2024-01-02)', 'a');
comment on constraint "no ""overlap""" on t is 'exclusive';
create table late (a int);
alter table late add exclude (a with =);
alter table late cluster on late_a_excl;
