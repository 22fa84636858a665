-- since: 14
-- covers: B.4 Subscription; B.6 19
create subscription oracle_binary connection 'dbname=nowhere' publication p with (connect = false, binary = true, streaming = on);
