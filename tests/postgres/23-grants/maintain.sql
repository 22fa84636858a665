-- since: 17
-- covers: B.4 Rights
do $$ begin create role oracle_a; exception when duplicate_object or unique_violation then null; end $$;
create table maintained (a int);
grant maintain on maintained to oracle_a;
create table unmaintained (a int);
revoke maintain on unmaintained from postgres;
