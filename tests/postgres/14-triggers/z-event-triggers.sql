-- covers: B.4 Event trigger; B.6 14; B.6 own
create schema event_triggers;
set search_path = event_triggers;
create table log (at timestamptz, what text);
create function ev() returns event_trigger language plpgsql as 'begin end';
create function dropper() returns event_trigger language plpgsql as $$
begin
    execute 'drop table if exists event_triggers.victim';
    raise exception 'no data definition here';
end
$$;
create table victim (a int);
insert into victim values (1);
create event trigger oracle_start on ddl_command_start when tag in ('CREATE TABLE', 'DROP TABLE', 'CREATE FUNCTION') execute function ev();
create event trigger oracle_drop on sql_drop execute function ev();
create event trigger oracle_rewrite on table_rewrite execute function ev();
create event trigger "oracle ""off""" on ddl_command_end execute function ev();
alter event trigger "oracle ""off""" disable;
create event trigger oracle_replica on ddl_command_end execute function ev();
alter event trigger oracle_replica enable replica;
create event trigger oracle_always on ddl_command_end when tag in ('CREATE INDEX') execute function ev();
alter event trigger oracle_always enable always;
comment on event trigger oracle_start is 'an event trigger';
-- The last statement: nothing can be made any more.
create event trigger z_oracle_dropper on ddl_command_end when tag in ('CREATE TABLE', 'COMMENT', 'GRANT', 'ALTER TABLE', 'CREATE INDEX', 'REFRESH MATERIALIZED VIEW') execute function dropper();
