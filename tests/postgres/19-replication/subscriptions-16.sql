-- since: 16
-- covers: B.4 Subscription; B.6 19
create subscription oracle_origin connection 'dbname=nowhere' publication p with (connect = false, origin = none, streaming = parallel,
    password_required = false, run_as_owner = true);
create subscription oracle_streaming_off connection 'dbname=nowhere' publication p with (connect = false, streaming = off);
