-- since: 14
-- covers: B.4 Extended statistics; B.6 21
create table statistics_14 (a int, b text);
create statistics expressions (ndistinct, mcv) on (a * 2), lower(b), b from statistics_14;
create statistics one_expression on (a + 1) from statistics_14;
