-- since: 18
-- covers: B.4 Publication; B.6 19
create table generated_columns (a int primary key, b int generated always as (a * 2) stored);
create publication stored for table generated_columns with (publish_generated_columns = stored);
create publication none for table generated_columns with (publish_generated_columns = none);
create publication listed for table generated_columns (a, b);
