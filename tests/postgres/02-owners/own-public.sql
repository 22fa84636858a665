-- database: CONNECTION LIMIT -1
-- covers: B.4 Schema; B.6 2; B.6 8
-- Another schema public than the one every database has.
drop schema public;
create schema public;
comment on schema public is 'our own';
grant all on schema public to public;
