-- since: 15
-- covers: B.4 Constraint; B.6 4
create schema set_columns;
set search_path = set_columns;
create table above (tenant int, id int, primary key (tenant, id));
create table below (tenant int, id int, other int default 1,
    foreign key (tenant, id) references above on delete set null (id),
    foreign key (tenant, other) references above on delete set default (other));
insert into above values (1, 1);
insert into below values (1, 1, 1);
