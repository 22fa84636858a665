-- since: 17
-- covers: B.4 Domain; B.4 Comment
create schema named_not_null;
set search_path = named_not_null;
create domain a as int constraint "must ""be""" not null;
create domain b as int constraint b_not_null not null;
create domain c as int;
alter domain c add constraint later not null;
comment on constraint "must ""be""" on domain a is 'never null';
comment on constraint b_not_null on domain b is 'its usual name';
