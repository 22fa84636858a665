-- since: 18
-- covers: B.4 Default rights
do $$ begin create role oracle_grantor; exception when duplicate_object or unique_violation then null; end $$;
do $$ begin create role oracle_grantee; exception when duplicate_object or unique_violation then null; end $$;
alter default privileges for role oracle_grantor grant select on large objects to oracle_grantee;
alter default privileges for role oracle_grantee revoke update on large objects from oracle_grantee;
