-- covers: B.4 Subscription; B.6 19
create subscription oracle_plain connection 'dbname=nowhere' publication p with (connect = false);
create subscription "Oracle ""Odd""" connection e'dbname=no\\\\where password=it\\''s user=''x y''' publication "P ""p""", q, "R"
    with (connect = false, slot_name = 'a_slot', synchronous_commit = 'remote_apply');
create subscription oracle_no_slot connection 'dbname=nowhere' publication p with (connect = false, slot_name = none);
do $$ begin create role oracle_subscriber superuser; exception when duplicate_object or unique_violation then null; end $$;
alter subscription oracle_no_slot owner to oracle_subscriber;
comment on subscription oracle_plain is 'plain';
