-- Every storage class at its edges, names that need quotes, and enough rows for some blocks.
CREATE TABLE customers(id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, note);
CREATE TABLE "odd ""name"""("a b" INTEGER, "select" REAL, PRIMARY KEY ("a b")) WITHOUT ROWID;
CREATE TABLE orders(
  id INTEGER PRIMARY KEY, customer INTEGER REFERENCES customers, total REAL,
  doubled REAL GENERATED ALWAYS AS (total * 2) STORED);
CREATE TABLE edge(v);
CREATE INDEX orders_by_customer ON orders(customer) WHERE total > 0;
CREATE VIEW totals AS SELECT customer, sum(total) AS total FROM orders GROUP BY customer;
CREATE TRIGGER no_delete BEFORE DELETE ON orders BEGIN SELECT raise(ABORT, 'kept; for ever'); END;
INSERT INTO edge VALUES
  (NULL), (0), (-9223372036854775808), (9223372036854775807), (0.1), (-0.0), (1e308), (9e999), (-9e999), (5e-324),
  (''), ('it''s'), ('two
lines'), (CAST(X'6100FF' AS TEXT)), (X''), (X'00FF'), ('ünï☃'), (printf('%.*c', 100000, 'x'));
INSERT INTO "odd ""name""" VALUES (1, 2.5), (2, NULL);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
  INSERT INTO customers(name, note) SELECT 'customer ' || i, CASE i % 3 WHEN 0 THEN NULL WHEN 1 THEN i ELSE 'note ' || i END FROM n;
INSERT INTO orders(customer, total) SELECT id, id / 7.0 FROM customers;
