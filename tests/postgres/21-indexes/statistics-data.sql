-- covers: B.4 Statistics data; B.6 25
create table statistics_data (a int primary key, b text);
insert into statistics_data select g, g % 7 from generate_series(1, 1000) g;
analyze statistics_data;
