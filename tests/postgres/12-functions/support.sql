-- since: 12
-- covers: B.4 Function; B.6 12
create schema support;
set search_path = support;
create function sup(internal) returns internal language internal immutable strict as 'generate_series_int4_support';
create function series(int, int) returns setof int language internal immutable strict rows 1000 support sup as 'generate_series_int4';
