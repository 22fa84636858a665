-- covers: B.4 Database; B.4 Setting value; B.6 10; B.6 8; B.6 23
do $$ begin create role oracle_database; exception when duplicate_object or unique_violation then null; end $$;
do $$ begin create role "oracle ""database"""; exception when duplicate_object or unique_violation then null; end $$;
create table t (a int);
insert into t values (1);
select format('comment on database %I is %L', current_database(), 'a ''database'' \ of ours') \gexec
select format('alter database %I connection limit 17', current_database()) \gexec
select format('alter database %I set search_path = "$user", public, %I', current_database(), 'Odd "Schema"') \gexec
select format('alter database %I set work_mem = %L', current_database(), '8MB') \gexec
select format('alter database %I set DateStyle = %L', current_database(), 'German, DMY') \gexec
select format('alter database %I set application_name = %L', current_database(), 'it''s \ "a"') \gexec
select format('alter database %I set temp_tablespaces = %L, %L', current_database(), 'pg_default', '') \gexec
select format('alter database %I set oracle.custom = %L', current_database(), 'x') \gexec
-- pg_dump tells of several roles in no certain order.
select format('alter role %I in database %I set search_path = a, %I', 'oracle "database"', current_database(), 'B "b"') \gexec
select format('alter role %I in database %I set statement_timeout = 1000', 'oracle "database"', current_database()) \gexec
select format('grant connect on database %I to oracle_database with grant option', current_database()) \gexec
select format('revoke temporary on database %I from public', current_database()) \gexec
select format('grant create, temporary on database %I to %I', current_database(), 'oracle "database"') \gexec
select format('alter database %I owner to oracle_database', current_database()) \gexec
