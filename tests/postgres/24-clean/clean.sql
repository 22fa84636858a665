-- covers: B.6 24
-- Something of every kind, to be dropped and made again.
\ir ../01-default-privileges/default-rights.sql
\ir ../02-owners/owners.sql
\ir ../03-families-and-sequences/sequences.sql
\ir ../04-constraints/foreign-keys.sql
\ir ../07-large-objects/large-objects.sql
\ir ../08-comments/comments.sql
\ir ../11-casts-and-collations/casts.sql
\ir ../12-functions/loops.sql
\ir ../13-operator-classes/operators.sql
\ir ../14-triggers/triggers.sql
\ir ../15-types/bases.sql
\ir ../15-types/domains.sql
\ir ../15-types/ranges.sql
\ir ../16-text-search/text-search.sql
\ir ../18-materialized-views/chains.sql
\ir ../20-tables/inheritance.sql
\ir ../22-views/loops.sql
