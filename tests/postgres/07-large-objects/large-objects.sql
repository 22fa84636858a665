-- covers: B.4 Large object; B.6 7; B.6 8; B.6 2; B.6 23
do $$ begin create role oracle_large; exception when duplicate_object or unique_violation then null; end $$;
do $$ begin create role "oracle ""large"""; exception when duplicate_object or unique_violation then null; end $$;
select lo_from_bytea(4242, decode(repeat('00ff5c27', 100), 'hex'));
select lo_create(4243);
select lo_from_bytea(4244, convert_to(repeat('large ', 100000), 'UTF8'));
select lo_from_bytea(4000000000, 'beyond half');
-- A hole.
select lo_create(4245);
do $$ declare fd int := lo_open(4245, 131072); begin perform lo_lseek64(fd, 10000, 0); perform lowrite(fd, 'end'); perform lo_close(fd); end $$;
comment on large object 4242 is e'it''s \\ large\n';
alter large object 4243 owner to oracle_large;
grant select on large object 4242 to oracle_large, public;
grant all on large object 4243 to "oracle ""large""" with grant option;
revoke update on large object 4244 from postgres;
set role "oracle ""large""";
grant select on large object 4243 to pg_monitor;
reset role;
select lo_create(g) from generate_series(5000, 6100) g;
create table held (o oid);
insert into held values (4242), (4000000000);
