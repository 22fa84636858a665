-- since: 16
-- covers: B.4 Collation
create schema collation_rules;
create collation collation_rules.rules (provider = icu, locale = 'und', rules = '&a < g');
create table collation_rules.t (a text collate collation_rules.rules);
