-- covers: B.4 Cast
create schema binary_casts;
set search_path = binary_casts;
create type w;
create function w_in(cstring) returns w language internal immutable strict as 'int4in';
create function w_out(w) returns cstring language internal immutable strict as 'int4out';
create type w (input = w_in, output = w_out, like = int4);
create cast (w as int4) without function as implicit;
create cast (int4 as w) without function;
create view v as select 5::w + 1 as n;
