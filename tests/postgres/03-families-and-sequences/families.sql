-- covers: B.4 Operator family; B.6 3; B.6 13
create schema families;
set search_path = families;
create operator family crossing using btree;
alter operator family crossing using btree add
    operator 1 <(bigint, int), operator 2 <=(bigint, int), operator 3 =(bigint, int), operator 4 >=(bigint, int),
    operator 5 >(bigint, int), function 1 (bigint, int) btint84cmp(bigint, int),
    function 2 (bigint, bigint) btint8sortsupport(internal);
create operator family "Empty ""one""" using gist;
comment on operator family crossing using btree is 'across types';
