-- since: 17
-- covers: B.4 Collation
create schema builtin_collations;
create collation builtin_collations.c (provider = builtin, locale = 'C');
create collation builtin_collations.utf8 (provider = builtin, locale = 'C.UTF-8');
