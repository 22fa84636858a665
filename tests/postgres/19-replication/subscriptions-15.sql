-- since: 15
-- covers: B.4 Subscription; B.6 19
create subscription oracle_two_phase connection 'dbname=nowhere' publication p with (connect = false, two_phase = on, disable_on_error = on);
