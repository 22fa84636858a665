-- One foreign key, as in PostgreSQL's; and what the optimizer knows, fresh.

alter table nation add foreign key (n_regionkey) references region (r_regionkey);
analyze table region, nation, supplier, customer, part, partsupp, orders, lineitem;
