-- since: 14
-- covers: B.4 Range; B.4 Array
create schema multiranges;
set search_path = multiranges;
create type ints as range (subtype = int4, multirange_type_name = many_ints);
create type plainrange as range (subtype = int4);
create type unlike as range (subtype = int4);
create table held (m many_ints, p plainmultirange, a many_ints[]);
insert into held values ('{[1,3),[5,7)}', '{}', array['{[1,2)}'::many_ints]);
create function first(many_ints) returns int language sql immutable as 'select lower($1)';
revoke all on type ints from public;
