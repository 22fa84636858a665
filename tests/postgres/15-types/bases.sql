-- covers: B.4 Base; B.4 Shell type; B.6 15; B.6 12
create schema bases;
set search_path = bases;
create type whole;
create function whole_in(cstring) returns whole language internal immutable strict as 'int4in';
create function whole_out(whole) returns cstring language internal immutable strict as 'int4out';
create function whole_recv(internal) returns whole language internal immutable strict as 'int4recv';
create function whole_send(whole) returns bytea language internal immutable strict as 'int4send';
create type whole (input = whole_in, output = whole_out, receive = whole_recv, send = whole_send, like = int4,
    category = 'N', preferred = false, default = '7', delimiter = ';');

create type words;
create function words_in(cstring, oid, int4) returns words language internal immutable strict as 'varcharin';
create function words_out(words) returns cstring language internal immutable strict as 'varcharout';
create function words_typmod_in(cstring[]) returns int language internal immutable strict as 'varchartypmodin';
create function words_typmod_out(int) returns cstring language internal immutable strict as 'varchartypmodout';
create function words_analyze(internal) returns bool language internal strict as 'array_typanalyze';
create type words (input = words_in, output = words_out, typmod_in = words_typmod_in, typmod_out = words_typmod_out,
    internallength = variable, alignment = int4, storage = extended, collatable = true, category = 'z',
    default = 'it''s', analyze = words_analyze);

create type pair;
create function pair_in(cstring) returns pair language internal immutable strict as 'point_in';
create function pair_out(pair) returns cstring language internal immutable strict as 'point_out';
create type pair (input = pair_in, output = pair_out, internallength = 16, alignment = double, element = float8);

create type small;
create function small_in(cstring) returns small language internal immutable strict as 'boolin';
create function small_out(small) returns cstring language internal immutable strict as 'boolout';
create type small (input = small_in, output = small_out, internallength = 1, passedbyvalue, alignment = char);

create type announced;
comment on type announced is 'not more than a name';
create type "Announced ""too""";
create table held (w whole default '1', ws whole[], t words(5), p pair, s small);
insert into held values ('2', '{1;2}', 'abcde', '(1.5,2)', 't');
comment on type whole is 'a number';
do $$ begin create role oracle_types; exception when duplicate_object or unique_violation then null; end $$;
alter type words owner to oracle_types;
grant usage on type whole to oracle_types;
revoke all on type whole from public;
revoke all on type pair from public;
