-- covers: B.4 Operator; B.6 13
create schema operators;
set search_path = operators;
create type num as (n int);
create function lt(num, num) returns boolean language sql immutable as 'select ($1).n < ($2).n';
create function gt(num, num) returns boolean language sql immutable as 'select ($1).n > ($2).n';
create function le(num, num) returns boolean language sql immutable as 'select ($1).n <= ($2).n';
create function ge(num, num) returns boolean language sql immutable as 'select ($1).n >= ($2).n';
create function eq(num, num) returns boolean language sql immutable as 'select ($1).n = ($2).n';
create function ne(num, num) returns boolean language sql immutable as 'select ($1).n <> ($2).n';
create function neg(num) returns num language sql immutable as 'select row(-($1).n)::operators.num';
create operator < (function = lt, leftarg = num, rightarg = num, commutator = operator(operators.>), negator = operator(operators.>=),
    restrict = scalarltsel, join = scalarltjoinsel);
create operator > (function = gt, leftarg = num, rightarg = num, commutator = operator(operators.<), negator = operator(operators.<=));
create operator <= (function = le, leftarg = num, rightarg = num, commutator = operator(operators.>=), negator = operator(operators.>));
create operator >= (function = ge, leftarg = num, rightarg = num, commutator = operator(operators.<=), negator = operator(operators.<));
create operator = (function = eq, leftarg = num, rightarg = num, commutator = operator(operators.=), negator = operator(operators.<>),
    restrict = eqsel, join = eqjoinsel, hashes, merges);
create operator <> (function = ne, leftarg = num, rightarg = num, commutator = operator(operators.<>), negator = operator(operators.=));
create operator - (function = neg, rightarg = num);
create operator ~~@~~ (function = eq, leftarg = num, rightarg = num);
comment on operator - (none, num) is 'turned';
comment on operator < (num, num) is 'less';
create function cmp(num, num) returns int language sql immutable as 'select case when ($1).n < ($2).n then -1 when ($1).n > ($2).n then 1 else 0 end';
create function hash(num) returns int language sql immutable as 'select ($1).n';
create operator class num_ops default for type num using btree as
    operator 1 <, operator 2 <=, operator 3 =, operator 4 >=, operator 5 >, function 1 cmp(num, num);
create operator class num_hash default for type num using hash as operator 1 =, function 1 hash(num);
create table t (a num, b num);
insert into t values (row(1), row(2)), (row(3), row(1));
create index t_a on t (a);
create index t_b on t using hash (b);
create view v as select a from t where a < b and - a operator(operators.<>) b order by b using >;
create table checked (a num check (a > row(0)::num), exclude using btree (a with =));
-- Shells of operators that nobody made.
create function at(num, text) returns boolean language sql immutable as 'select true';
create operator @@@ (function = at, leftarg = num, rightarg = text, commutator = operator(operators.@@@));
