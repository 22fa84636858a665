-- covers: B.4 Collation; B.6 11
create schema collations;
set search_path = collations;
create collation plain_c (provider = libc, locale = 'C');
create collation mixed (provider = libc, lc_collate = 'C', lc_ctype = 'C.UTF-8');
create collation swedish (provider = icu, locale = 'sv-SE');
create collation nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
create collation copied from "C";
create collation "Odd ""Collation""" (provider = icu, locale = 'de-u-co-phonebk');
create table t (a text collate swedish, b text collate nocase, c text collate "C", d text collate "Odd ""Collation""" default ('x' collate mixed),
    check (a < '表' collate plain_c));
insert into t values ('ä', 'Ab', 'c', 'd');
create index t_a on t (a collate plain_c, b collate "C" text_pattern_ops);
create view v as select a collate "C" as a, max(b collate copied) as b from t group by 1;
