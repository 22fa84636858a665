-- since: 17
-- covers: B.4 Subscription; B.6 19
create subscription oracle_failover connection 'dbname=nowhere' publication p with (connect = false, failover = true, two_phase = on);
