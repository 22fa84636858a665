-- covers: B.4 Aggregate; B.6 11
create schema aggregates;
set search_path = aggregates;
create aggregate plain(int) (sfunc = int4pl, stype = int);
create aggregate whole(int) (sfunc = int4pl, stype = int, sspace = 64, initcond = '0', combinefunc = int4pl, parallel = safe,
    msfunc = int4pl, minvfunc = int4mi, mstype = int, msspace = 32, minitcond = '5');
create aggregate any_rows(*) (sfunc = int8inc, stype = bigint, initcond = '0', parallel = restricted);
create aggregate serial(numeric) (sfunc = numeric_avg_accum, stype = internal, finalfunc = numeric_avg, combinefunc = numeric_avg_combine,
    serialfunc = numeric_avg_serialize, deserialfunc = numeric_avg_deserialize, finalfunc_modify = shareable);
create function fin(anyarray, anyelement) returns anyarray language sql immutable as 'select $1';
create function append(anyarray, anyelement) returns anyarray language sql immutable as 'select $1';
create aggregate poly(anyelement) (sfunc = append, stype = anyarray, initcond = '{}', finalfunc = fin, finalfunc_extra, finalfunc_modify = read_write);
create aggregate largest(int) (sfunc = int4larger, stype = int, sortop = >);
create function two_step(int, int, text) returns int language sql immutable as 'select $2';
create aggregate two("first ""one""" int, second text) (sfunc = two_step, stype = int);
create aggregate ordered(float8 order by anyelement) (sfunc = ordered_set_transition, stype = internal, finalfunc = percentile_disc_final, finalfunc_extra);
create aggregate hypothetical(variadic "any" order by variadic "any") (sfunc = ordered_set_transition_multi, stype = internal,
    finalfunc = rank_final, finalfunc_extra, hypothetical);
create function many_step(int, variadic int[]) returns int language sql immutable as 'select $1';
create aggregate many(variadic int[]) (sfunc = many_step, stype = int, initcond = '-1');
create aggregate "Odd ""Aggregate"""(int) (sfunc = int4pl, stype = int);
create function final(float8, float8) returns float8 language sql immutable as 'select $1';
create aggregate moving(float8) (sfunc = float8pl, stype = float8, msfunc = float8pl, minvfunc = float8mi, mstype = float8, mfinalfunc = final,
    mfinalfunc_extra, mfinalfunc_modify = shareable);
comment on aggregate any_rows(*) is 'of all';
comment on aggregate ordered(float8 order by anyelement) is 'in order';
comment on aggregate hypothetical(variadic "any" order by variadic "any") is 'if';
grant execute on function plain(int) to pg_monitor;
revoke execute on function any_rows() from public;
revoke execute on function ordered(float8, anyelement) from public;
revoke execute on function hypothetical("any") from public;
revoke execute on function many(int[]) from public;
create view v as select plain(a), any_rows(*), ordered(0.5) within group (order by a) from generate_series(1, 3) a;
create table wide (a int);
create function rows_step(bigint, wide) returns bigint language sql immutable as 'select $1 + 1';
create aggregate of_rows(wide) (sfunc = rows_step, stype = bigint, initcond = '0');
