-- A database of many kinds: about sixty tables and one or more of everything that this version dumps, with hostile
-- names. Loads into an empty database of PostgreSQL 15 to 18 as a superuser, with `psql -v ON_ERROR_STOP=1`.

SET client_encoding = 'UTF8';
SET client_min_messages = warning;

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'mixed_owner') THEN
        CREATE ROLE mixed_owner;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'mixed_reader') THEN
        CREATE ROLE mixed_reader;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'Mixed "Quoted" Role') THEN
        CREATE ROLE "Mixed ""Quoted"" Role";
    END IF;
END $$;

-- Schemas -----------------------------------------------------------------------------------------------------------

CREATE SCHEMA app;
CREATE SCHEMA other AUTHORIZATION mixed_owner;
CREATE SCHEMA "Hostile ""Schema""
line two; DROP SCHEMA app";
CREATE SCHEMA empty_schema;
COMMENT ON SCHEMA app IS 'The app''s own: with \ backslash and "quotes"';
GRANT USAGE ON SCHEMA app TO mixed_reader;
GRANT USAGE, CREATE ON SCHEMA other TO mixed_reader WITH GRANT OPTION;
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT CREATE ON SCHEMA public TO mixed_owner;

CREATE EXTENSION btree_gist WITH SCHEMA app;
CREATE EXTENSION hstore WITH SCHEMA public;
COMMENT ON EXTENSION hstore IS 'our own words about hstore';

-- Types -------------------------------------------------------------------------------------------------------------

CREATE COLLATION app.swedish (provider = icu, locale = 'sv-SE');
CREATE COLLATION app.nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE COLLATION app.plain_c (provider = libc, locale = 'C');
COMMENT ON COLLATION app.nocase IS 'upper is lower';

CREATE TYPE app.mood AS ENUM ('sad', 'it''s ok', 'happy \o/', 'Großartig');
ALTER TYPE app.mood ADD VALUE 'meh' BEFORE 'happy \o/';
CREATE TYPE app.no_labels AS ENUM ();
COMMENT ON TYPE app.mood IS 'how one feels';
CREATE TYPE app.point3 AS (x double precision, y double precision, "Z ""deep""" double precision, gone int, label text COLLATE app.swedish);
ALTER TYPE app.point3 DROP ATTRIBUTE gone;
COMMENT ON COLUMN app.point3.x IS 'the first';
CREATE TYPE app.nested AS (p app.point3, moods app.mood[]);
CREATE DOMAIN app.email AS text COLLATE "C" DEFAULT 'nobody@example.com' NOT NULL
    CONSTRAINT has_at CHECK (VALUE LIKE '%@%') CONSTRAINT "short ""enough""" CHECK (length(VALUE) < 200);
COMMENT ON CONSTRAINT has_at ON DOMAIN app.email IS 'an @ must be';
COMMENT ON DOMAIN app.email IS 'mail';
CREATE DOMAIN app.positive AS numeric(12, 2) CHECK (VALUE > 0);
ALTER DOMAIN app.positive ADD CONSTRAINT not_huge CHECK (VALUE < 1000000) NOT VALID;
CREATE DOMAIN app.tags AS text[] DEFAULT '{}';
CREATE FUNCTION app.float_diff(double precision, double precision) RETURNS double precision
    LANGUAGE sql IMMUTABLE STRICT AS 'SELECT $1 - $2';
CREATE TYPE app.floatrange AS RANGE (subtype = double precision, subtype_diff = app.float_diff, multirange_type_name = app.floats);
CREATE TYPE app.textrange AS RANGE (subtype = text, collation = "C");
ALTER TYPE app.textrange OWNER TO mixed_owner;
CREATE TYPE app.unfinished;
COMMENT ON TYPE app.unfinished IS 'only announced';
GRANT USAGE ON TYPE app.mood TO mixed_reader;
REVOKE USAGE ON TYPE app.email FROM PUBLIC;

CREATE TYPE app.casted;
CREATE FUNCTION app.casted_in(cstring) RETURNS app.casted LANGUAGE internal IMMUTABLE STRICT AS 'int4in';
CREATE FUNCTION app.casted_out(app.casted) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'int4out';
CREATE TYPE app.casted (INPUT = app.casted_in, OUTPUT = app.casted_out, LIKE = int4, CATEGORY = 'N', DEFAULT = '7');
CREATE FUNCTION app.casted_to_text(app.casted) RETURNS text LANGUAGE sql IMMUTABLE AS $$SELECT 'casted'::text$$;
CREATE CAST (app.casted AS text) WITH FUNCTION app.casted_to_text(app.casted) AS ASSIGNMENT;
CREATE CAST (app.casted AS int4) WITHOUT FUNCTION;
COMMENT ON CAST (app.casted AS text) IS 'said in words';

-- Functions ---------------------------------------------------------------------------------------------------------

CREATE FUNCTION app.add(a int, b int DEFAULT 1) RETURNS int LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 5
    AS $$ SELECT a + b $$;
CREATE FUNCTION app.add(a text, VARIADIC rest text[]) RETURNS text LANGUAGE sql STABLE
    AS $f$ SELECT a || array_to_string(rest, '$$') $f$;
CREATE FUNCTION app.atomic_add(a int, b int) RETURNS int LANGUAGE sql IMMUTABLE
    BEGIN ATOMIC SELECT app.add(a, b); SELECT app.add(a, app.add(b)); END;
CREATE FUNCTION app.series(n int, OUT i int, OUT sq bigint) RETURNS SETOF record
    LANGUAGE plpgsql STABLE ROWS 50 SET search_path = app, "Hostile ""Schema""
line two; DROP SCHEMA app", pg_temp SET work_mem = '8MB'
    AS $$ BEGIN RETURN QUERY SELECT g, (g * g)::bigint FROM generate_series(1, n) g; END $$;
CREATE FUNCTION app."Odd ""Name""()"(app.mood) RETURNS app.nested LANGUAGE sql SECURITY DEFINER LEAKPROOF
    AS $$ SELECT NULL::app.nested $$;
CREATE FUNCTION app.touch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- a comment with 'quotes', "double" ones and a \backslash
    RETURN NEW;
END $$;
CREATE PROCEDURE app.do_nothing(INOUT x int) LANGUAGE plpgsql AS $$ BEGIN x := x + 1; COMMIT; END $$;
CREATE FUNCTION app.on_ddl() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN RAISE DEBUG 'ddl'; END $$;
CREATE AGGREGATE app.total(int) (SFUNC = int4pl, STYPE = int, INITCOND = '0', PARALLEL = SAFE, COMBINEFUNC = int4pl);
CREATE AGGREGATE app.count_all(*) (SFUNC = int8inc, STYPE = bigint, INITCOND = '0');
COMMENT ON AGGREGATE app.total(int) IS 'a sum';
COMMENT ON FUNCTION app.add(int, int) IS 'plus';
COMMENT ON PROCEDURE app.do_nothing(int) IS 'less than plus';
ALTER FUNCTION app.add(int, int) OWNER TO mixed_owner;
REVOKE ALL ON FUNCTION app.add(int, int) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION app.add(int, int) TO mixed_reader;
GRANT EXECUTE ON PROCEDURE app.do_nothing(int) TO "Mixed ""Quoted"" Role";

CREATE FUNCTION app.point_eq(app.point3, app.point3) RETURNS boolean LANGUAGE sql IMMUTABLE
    AS 'SELECT ($1).x = ($2).x';
CREATE OPERATOR app.=== (FUNCTION = app.point_eq, LEFTARG = app.point3, RIGHTARG = app.point3, COMMUTATOR = OPERATOR(app.===));
COMMENT ON OPERATOR app.=== (app.point3, app.point3) IS 'about the same';

-- Tables ------------------------------------------------------------------------------------------------------------

CREATE TABLE app.customers (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text COLLATE app.swedish NOT NULL,
    mail app.email,
    feeling app.mood DEFAULT 'it''s ok',
    attributes public.hstore,
    created timestamptz NOT NULL DEFAULT now(),
    dropped int,
    name_upper text GENERATED ALWAYS AS (upper(name)) STORED,
    CONSTRAINT "name isn't empty" CHECK (name <> '')
);
ALTER TABLE app.customers DROP COLUMN dropped;
INSERT INTO app.customers (name, mail, feeling, attributes)
    SELECT 'customer ' || g, g || '@example.com', (ARRAY['sad', 'meh', 'Großartig'])[1 + g % 3]::app.mood,
           public.hstore('n', g::text)
    FROM generate_series(1, 500) g;
COMMENT ON TABLE app.customers IS 'who buys; isn''t "everybody"';
COMMENT ON COLUMN app.customers.name IS E'line one\nline two';
COMMENT ON CONSTRAINT customers_pkey ON app.customers IS 'the key';
COMMENT ON CONSTRAINT "name isn't empty" ON app.customers IS 'not '''' indeed';

CREATE TABLE app.products (
    sku text PRIMARY KEY,
    price app.positive NOT NULL,
    spot app.point3,
    validity daterange,
    photo bytea,
    tags app.tags,
    UNIQUE NULLS NOT DISTINCT (price, validity)
) WITH (fillfactor = 70, autovacuum_enabled = false, toast.autovacuum_enabled = false);
INSERT INTO app.products
    SELECT 'sku-' || g, g + 0.5, ROW(g, g, g, 'p')::app.point3, daterange('2024-01-01', '2024-01-01'::date + g),
           decode(md5(g::text), 'hex'), ARRAY['a', g::text]
    FROM generate_series(1, 200) g;
ALTER TABLE app.products ALTER COLUMN photo SET STORAGE EXTERNAL;
ALTER TABLE app.products ALTER COLUMN price SET STATISTICS 500;
ALTER TABLE app.products ALTER COLUMN price SET (n_distinct = -0.5);
ALTER TABLE app.products ALTER COLUMN sku SET COMPRESSION pglz;

CREATE TABLE app.orders (
    id serial,
    customer bigint NOT NULL REFERENCES app.customers ON DELETE CASCADE,
    ordered date NOT NULL DEFAULT CURRENT_DATE,
    note varchar(200),
    total numeric,
    PRIMARY KEY (id) WITH (fillfactor = 90)
);
INSERT INTO app.orders (customer, ordered, note, total)
    SELECT 1 + g % 500, '2024-01-01'::date + g % 365, CASE WHEN g % 7 = 0 THEN E'tab\tand \\ and \n line' END, g * 1.25
    FROM generate_series(1, 3000) g;
ALTER TABLE app.orders REPLICA IDENTITY FULL;
ALTER TABLE app.orders ADD CONSTRAINT total_positive CHECK (total > 0) NOT VALID;

CREATE TABLE app.order_lines (
    order_id int,
    line int,
    sku text,
    quantity int DEFAULT 1,
    PRIMARY KEY (order_id, line) INCLUDE (quantity),
    CONSTRAINT order_exists FOREIGN KEY (order_id) REFERENCES app.orders DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT product_exists FOREIGN KEY (sku) REFERENCES app.products ON UPDATE CASCADE ON DELETE SET NULL (sku)
);
INSERT INTO app.order_lines
    SELECT 1 + g / 2, g % 2, 'sku-' || (1 + g % 200), g % 10 FROM generate_series(0, 5999) g;
ALTER TABLE app.order_lines CLUSTER ON order_lines_pkey;
COMMENT ON INDEX app.order_lines_pkey IS 'of a constraint';
COMMENT ON CONSTRAINT order_exists ON app.order_lines IS 'deferred';
ALTER TABLE app.order_lines ADD CONSTRAINT maybe FOREIGN KEY (line) REFERENCES app.orders NOT VALID;

CREATE TABLE app.bookings (
    room int,
    during tstzrange,
    CONSTRAINT no_overlap EXCLUDE USING gist (room WITH =, during WITH &&) WHERE (room > 0)
);
INSERT INTO app.bookings SELECT g, tstzrange('2024-01-01', '2024-01-02') FROM generate_series(1, 50) g;

CREATE TABLE app.employees (
    id int PRIMARY KEY,
    boss int REFERENCES app.employees,
    name text UNIQUE DEFERRABLE
);
INSERT INTO app.employees SELECT g, nullif(g / 2, 0), 'e' || g FROM generate_series(1, 100) g;

-- Two tables that refer to each other.
CREATE TABLE app.chicken (id int PRIMARY KEY, egg int);
CREATE TABLE app.egg (id int PRIMARY KEY, chicken int REFERENCES app.chicken);
INSERT INTO app.chicken VALUES (1, 1);
INSERT INTO app.egg VALUES (1, 1);
ALTER TABLE app.chicken ADD FOREIGN KEY (egg) REFERENCES app.egg;

CREATE TABLE app.no_columns ();
INSERT INTO app.no_columns DEFAULT VALUES;
INSERT INTO app.no_columns DEFAULT VALUES;
CREATE TABLE app.only_generated (g int GENERATED ALWAYS AS (1 + 1) STORED);
INSERT INTO app.only_generated DEFAULT VALUES;
CREATE UNLOGGED TABLE app.fast (id int GENERATED BY DEFAULT AS IDENTITY (START WITH 100 INCREMENT BY 10 CYCLE), v text);
INSERT INTO app.fast (v) SELECT 'v' || g FROM generate_series(1, 20) g;
CREATE TABLE app.of_point OF app.point3 (x WITH OPTIONS DEFAULT 1.5 NOT NULL, PRIMARY KEY (y));
INSERT INTO app.of_point VALUES (1, 2, 3, 'l');
CREATE TABLE app.casts (c app.casted, r app.floatrange, m app.floats, n app.nested, u text COLLATE app.nocase);
INSERT INTO app.casts VALUES ('1', '[1.5,2.5)', '{[1,2),[3,4)}', ROW(ROW(1, 2, 3, 'x'), ARRAY['sad']::app.mood[]), 'Aa');
CREATE INDEX casts_range ON app.casts USING gist (r);

CREATE TABLE "Hostile ""Schema""
line two; DROP SCHEMA app"."Table ""with
newline"";--" (
    "id'; DROP TABLE x" int PRIMARY KEY,
    "select" text DEFAULT E'\\''"',
    "naïve 表 🐘" text,
    "Upper" text,
    "a.b" text,
    "100%" int
);
INSERT INTO "Hostile ""Schema""
line two; DROP SCHEMA app"."Table ""with
newline"";--"
    SELECT g, E'\\.', E'\\N', '', NULL, g FROM generate_series(1, 30) g;
CREATE INDEX "Index
on ""it""" ON "Hostile ""Schema""
line two; DROP SCHEMA app"."Table ""with
newline"";--" ("Upper" DESC NULLS LAST, lower("naïve 表 🐘"));
COMMENT ON TABLE "Hostile ""Schema""
line two; DROP SCHEMA app"."Table ""with
newline"";--" IS E'; DROP TABLE app.customers; --\n\\';
COMMENT ON COLUMN "Hostile ""Schema""
line two; DROP SCHEMA app"."Table ""with
newline"";--"."naïve 表 🐘" IS '表';
CREATE TABLE "Hostile ""Schema""
line two; DROP SCHEMA app".customers (id int, "ID" int, "user" int, "table" int);
INSERT INTO "Hostile ""Schema""
line two; DROP SCHEMA app".customers VALUES (1, 2, 3, 4);

-- Inheritance: local and inherited columns, defaults and constraints.
CREATE TABLE app.vehicle (
    id int NOT NULL,
    wheels int DEFAULT 4,
    name text DEFAULT 'unnamed',
    doubled int GENERATED ALWAYS AS (id * 2) STORED,
    CONSTRAINT wheels_positive CHECK (wheels > 0),
    CONSTRAINT only_here CHECK (id > 0) NO INHERIT
);
CREATE TABLE app.car (doors int DEFAULT 5, CONSTRAINT doors_some CHECK (doors > 0)) INHERITS (app.vehicle);
CREATE TABLE app.bike (id int, gears int) INHERITS (app.vehicle);
ALTER TABLE app.bike ALTER COLUMN wheels SET DEFAULT 2;
ALTER TABLE app.bike ALTER COLUMN name DROP DEFAULT;
ALTER TABLE app.bike ALTER COLUMN wheels SET NOT NULL;
CREATE TABLE app.floating (depth numeric(5, 1));
CREATE TABLE app.amphibious () INHERITS (app.car, app.floating);
INSERT INTO app.vehicle (id) SELECT g FROM generate_series(1, 10) g;
INSERT INTO app.car (id, doors) SELECT g, 3 FROM generate_series(11, 20) g;
INSERT INTO app.bike (id, wheels, gears) SELECT g, 2, 21 FROM generate_series(21, 30) g;
INSERT INTO app.amphibious (id, depth) VALUES (31, 1.5);

-- Partitions: range with sub-partitions and a default, list, hash.
CREATE TABLE app.events (
    id bigint GENERATED BY DEFAULT AS IDENTITY,
    happened timestamptz NOT NULL,
    kind text NOT NULL DEFAULT 'none',
    payload jsonb,
    PRIMARY KEY (id, happened, kind)
) PARTITION BY RANGE (happened);
CREATE TABLE app.events_2023 PARTITION OF app.events FOR VALUES FROM ('2023-01-01 00:00+00') TO ('2024-01-01 00:00+00');
CREATE TABLE app.events_2024 PARTITION OF app.events FOR VALUES FROM ('2024-01-01 00:00+00') TO ('2025-01-01 00:00+00')
    PARTITION BY LIST (kind);
CREATE TABLE app.events_2024_ab PARTITION OF app.events_2024 FOR VALUES IN ('a', 'b''s');
CREATE TABLE app.events_2024_rest PARTITION OF app.events_2024 DEFAULT;
CREATE TABLE app.events_default (payload jsonb DEFAULT '{}', kind text NOT NULL DEFAULT 'other', happened timestamptz NOT NULL, id bigint NOT NULL);
ALTER TABLE app.events ATTACH PARTITION app.events_default DEFAULT;
CREATE INDEX events_kind ON app.events (kind);
CREATE INDEX events_only_parent ON ONLY app.events (payload);
CREATE INDEX events_2023_payload ON app.events_2023 USING gin (payload jsonb_path_ops) WHERE kind <> 'none';
INSERT INTO app.events (happened, kind, payload)
    SELECT '2023-06-01 00:00+00'::timestamptz + g * interval '1 day', (ARRAY['a', 'b''s', 'c'])[1 + g % 3],
           jsonb_build_object('n', g)
    FROM generate_series(1, 900) g;
COMMENT ON TABLE app.events_2023 IS 'a partition';
CREATE TABLE app.event_notes (event bigint, happened timestamptz, kind text, note text,
    FOREIGN KEY (event, happened, kind) REFERENCES app.events);
INSERT INTO app.event_notes SELECT id, happened, kind, 'n' FROM app.events LIMIT 40;

CREATE TABLE app.by_mood (m app.mood, n int) PARTITION BY HASH (m);
CREATE TABLE app.by_mood_0 PARTITION OF app.by_mood FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE app.by_mood_1 PARTITION OF app.by_mood FOR VALUES WITH (MODULUS 2, REMAINDER 1) WITH (fillfactor = 50);
INSERT INTO app.by_mood SELECT (ARRAY['sad', 'meh', 'Großartig'])[1 + g % 3]::app.mood, g FROM generate_series(1, 60) g;
CREATE TABLE app.by_expression (a int, b int CHECK (b > 0)) PARTITION BY LIST ((a % 3));
CREATE TABLE app.by_expression_0 PARTITION OF app.by_expression FOR VALUES IN (0, NULL);
CREATE TABLE app.by_expression_1 PARTITION OF app.by_expression (CONSTRAINT b_small CHECK (b < 1000)) FOR VALUES IN (1, 2);
INSERT INTO app.by_expression SELECT g, g FROM generate_series(1, 30) g;
ALTER TABLE app.by_expression ADD FOREIGN KEY (b) REFERENCES app.employees;

-- Sequences ---------------------------------------------------------------------------------------------------------

CREATE SEQUENCE app.lonely AS smallint INCREMENT -2 MINVALUE -100 MAXVALUE 100 START 50 CACHE 5 CYCLE;
SELECT setval('app.lonely', 10, false);
CREATE SEQUENCE app."Tied ""one""" OWNED BY app.products.sku;
CREATE SEQUENCE app.shared;
CREATE TABLE app.uses_shared (id bigint DEFAULT nextval('app.shared') PRIMARY KEY, v text);
INSERT INTO app.uses_shared (v) SELECT 'x' FROM generate_series(1, 25);
COMMENT ON SEQUENCE app.lonely IS 'counts down';
GRANT USAGE ON SEQUENCE app.lonely TO mixed_reader;
ALTER SEQUENCE app.lonely OWNER TO mixed_owner;

-- Loops -------------------------------------------------------------------------------------------------------------

-- A default and a check that call functions over the table's own row type.
CREATE TABLE app.looped (id int, v text);
CREATE FUNCTION app.looped_ok(app.looped) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT ($1).id > 0';
CREATE FUNCTION app.looped_default() RETURNS int LANGUAGE sql STABLE BEGIN ATOMIC SELECT count(*)::int FROM app.looped; END;
ALTER TABLE app.looped ADD CONSTRAINT ok CHECK (app.looped_ok(looped.*));
ALTER TABLE app.looped ALTER COLUMN id SET DEFAULT app.looped_default();
INSERT INTO app.looped VALUES (1, 'a'), (2, 'b');

-- A view that groups by a primary key, views over it, and a function whose body does the same.
CREATE VIEW app.customer_totals AS
    SELECT c.id, c.name, c.feeling, sum(o.total) AS total
    FROM app.customers c JOIN app.orders o ON o.customer = c.id GROUP BY c.id;
CREATE VIEW app.big_customers AS SELECT id, name FROM app.customer_totals WHERE total > 100;
CREATE FUNCTION app.grouped() RETURNS TABLE (id bigint, name text) LANGUAGE sql STABLE
    BEGIN ATOMIC SELECT c.id, c.name FROM app.customers c GROUP BY c.id; END;
CREATE VIEW app.through_function AS SELECT g.id FROM app.grouped() g;
CREATE MATERIALIZED VIEW app.grouped_mat AS SELECT c.id, c.name, 1 AS one FROM app.customers c GROUP BY c.id;
CREATE VIEW app.over_grouped_mat AS SELECT id FROM app.grouped_mat;
-- Two views that need each other by way of a function.
CREATE VIEW app.loop_a AS SELECT 1 AS one, 'x'::text COLLATE app.plain_c AS x;
CREATE FUNCTION app.loop_f() RETURNS SETOF app.loop_a LANGUAGE sql STABLE BEGIN ATOMIC SELECT * FROM app.loop_a; END;
CREATE OR REPLACE VIEW app.loop_a AS SELECT 1 AS one, 'x'::text COLLATE app.plain_c AS x WHERE EXISTS (SELECT FROM app.loop_f());

-- Views -------------------------------------------------------------------------------------------------------------

CREATE VIEW app.v1 WITH (security_barrier = true) AS SELECT * FROM app.customers WHERE id < 100;
CREATE VIEW app.v2 WITH (security_invoker = true) AS SELECT v1.name AS "The Name", v1.feeling FROM app.v1;
CREATE VIEW app.v3 AS SELECT * FROM app.v2 UNION ALL SELECT 'x', NULL::app.mood;
CREATE VIEW app.checked AS SELECT id, name, mail FROM app.customers WHERE name LIKE 'c%' WITH LOCAL CHECK OPTION;
CREATE VIEW app.checked_all WITH (security_barrier) AS SELECT * FROM app.checked WHERE id > 5 WITH CASCADED CHECK OPTION;
ALTER VIEW app.checked ALTER COLUMN mail SET DEFAULT 'view@example.com';
CREATE VIEW app.chain AS WITH RECURSIVE chain (id, depth) AS (
    SELECT id, 1 FROM app.employees WHERE boss IS NULL UNION ALL
    SELECT e.id, c.depth + 1 FROM app.employees e JOIN chain c ON c.id = e.boss) SELECT * FROM chain;
CREATE VIEW app.whole_row AS SELECT c AS customer, c.id FROM app.chicken c;
COMMENT ON VIEW app.v1 IS 'a view';
COMMENT ON COLUMN app.v1.name IS 'of a view';
ALTER VIEW app.v2 OWNER TO mixed_owner;
GRANT SELECT ON app.v1 TO mixed_owner;

CREATE MATERIALIZED VIEW app.mat1 AS SELECT customer, count(*) AS n FROM app.orders GROUP BY customer;
CREATE UNIQUE INDEX mat1_customer ON app.mat1 (customer);
CREATE MATERIALIZED VIEW app.a_mat2 WITH (fillfactor = 80) AS SELECT max(n) AS m FROM app.mat1;
CREATE MATERIALIZED VIEW app.mat_unfilled AS SELECT 1 AS one WITH NO DATA;
CREATE MATERIALIZED VIEW app.mat_by_view AS SELECT id FROM app.big_customers;
COMMENT ON MATERIALIZED VIEW app.mat1 IS 'counted';
ALTER MATERIALIZED VIEW app.a_mat2 OWNER TO mixed_owner;
GRANT SELECT ON app.mat1 TO mixed_owner;

-- Indexes and statistics --------------------------------------------------------------------------------------------

CREATE INDEX orders_recent ON app.orders (ordered DESC, (total * 2)) INCLUDE (note) WHERE total > 10;
ALTER INDEX app.orders_recent ALTER COLUMN 2 SET STATISTICS 300;
CREATE INDEX orders_hash ON app.orders USING hash (customer);
CREATE INDEX orders_brin ON app.orders USING brin (id) WITH (pages_per_range = 16);
CREATE UNIQUE INDEX orders_ident ON app.uses_shared (id) INCLUDE (v);
CREATE UNIQUE INDEX fast_v ON app.fast (v);
ALTER TABLE app.fast ALTER COLUMN v SET NOT NULL;
ALTER TABLE app.fast REPLICA IDENTITY USING INDEX fast_v;
CREATE INDEX customers_name_c ON app.customers (name COLLATE "C" text_pattern_ops);
COMMENT ON INDEX app.orders_recent IS 'partial';
CREATE STATISTICS app.orders_stat (ndistinct, dependencies) ON customer, ordered FROM app.orders;
CREATE STATISTICS other.orders_expr ON (total * 2), note FROM app.orders;
ALTER STATISTICS app.orders_stat SET STATISTICS 1000;
ALTER STATISTICS app.orders_stat OWNER TO mixed_owner;
COMMENT ON STATISTICS app.orders_stat IS 'of two';

-- Rules, triggers, policies -----------------------------------------------------------------------------------------

CREATE TABLE app.log (at timestamptz DEFAULT now(), what text);
INSERT INTO app.log (what) VALUES ('begin');
CREATE RULE log_it AS ON UPDATE TO app.egg DO ALSO INSERT INTO app.log (what) VALUES ('egg '';');
CREATE RULE "never ""ever""" AS ON DELETE TO app.egg DO INSTEAD NOTHING;
ALTER TABLE app.egg DISABLE RULE "never ""ever""";
CREATE RULE v1_insert AS ON INSERT TO app.v3 DO INSTEAD INSERT INTO app.log (what) VALUES (NEW."The Name");
COMMENT ON RULE log_it ON app.egg IS 'a rule';

CREATE TRIGGER touch_it BEFORE INSERT OR UPDATE OF name ON app.customers FOR EACH ROW WHEN (NEW.name IS NOT NULL)
    EXECUTE FUNCTION app.touch('an ''argument''', '2');
CREATE TRIGGER "disabled ""one""" AFTER DELETE ON app.orders FOR EACH STATEMENT EXECUTE FUNCTION app.touch();
ALTER TABLE app.orders DISABLE TRIGGER "disabled ""one""";
CREATE TRIGGER always AFTER UPDATE ON app.orders REFERENCING OLD TABLE AS o NEW TABLE AS n FOR EACH STATEMENT
    EXECUTE FUNCTION app.touch();
ALTER TABLE app.orders ENABLE ALWAYS TRIGGER always;
CREATE CONSTRAINT TRIGGER late AFTER INSERT ON app.orders DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION app.touch();
CREATE TRIGGER on_events BEFORE INSERT ON app.events FOR EACH ROW EXECUTE FUNCTION app.touch();
ALTER TABLE app.events_2023 DISABLE TRIGGER on_events;
ALTER TABLE app.events_2024_ab ENABLE REPLICA TRIGGER on_events;
CREATE TRIGGER instead INSTEAD OF INSERT ON app.big_customers FOR EACH ROW EXECUTE FUNCTION app.touch();
COMMENT ON TRIGGER touch_it ON app.customers IS 'a trigger';

CREATE TABLE app.secrets (id int PRIMARY KEY, who name DEFAULT CURRENT_USER, body text);
INSERT INTO app.secrets SELECT g, 'mixed_owner', 'secret' FROM generate_series(1, 15) g;
ALTER TABLE app.secrets ENABLE ROW LEVEL SECURITY;
ALTER TABLE app.secrets FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON app.secrets USING (who = CURRENT_USER) WITH CHECK (body <> '');
CREATE POLICY "read ""all""" ON app.secrets AS RESTRICTIVE FOR SELECT TO mixed_reader, "Mixed ""Quoted"" Role" USING (id > 3);
CREATE POLICY ins ON app.secrets FOR INSERT WITH CHECK (true);
COMMENT ON POLICY own ON app.secrets IS 'a policy';
ALTER TABLE app.by_mood ENABLE ROW LEVEL SECURITY;

-- Text search, foreign data, conversions ----------------------------------------------------------------------------

CREATE TEXT SEARCH DICTIONARY app.simple_dict (TEMPLATE = pg_catalog.simple, STOPWORDS = 'english', ACCEPT = false);
CREATE TEXT SEARCH CONFIGURATION app.search (COPY = pg_catalog.simple);
ALTER TEXT SEARCH CONFIGURATION app.search ALTER MAPPING FOR asciiword WITH app.simple_dict, pg_catalog.english_stem;
ALTER TEXT SEARCH CONFIGURATION app.search DROP MAPPING FOR url;
COMMENT ON TEXT SEARCH CONFIGURATION app.search IS 'how to look';
CREATE TEXT SEARCH TEMPLATE app.tmpl (LEXIZE = dsimple_lexize, INIT = dsimple_init);
CREATE TEXT SEARCH PARSER app.prs (START = prsd_start, GETTOKEN = prsd_nexttoken, END = prsd_end, LEXTYPES = prsd_lextype);
CREATE CONVERSION app.conv FOR 'UTF8' TO 'LATIN1' FROM utf8_to_iso8859_1;
CREATE TABLE app.documents (id int, body text, vector tsvector GENERATED ALWAYS AS (to_tsvector('app.search', body)) STORED);
INSERT INTO app.documents (id, body) SELECT g, 'the quick brown fox number ' || g FROM generate_series(1, 40) g;
CREATE INDEX documents_vector ON app.documents USING gin (vector);

CREATE FOREIGN DATA WRAPPER dummy OPTIONS (debug 'true');
CREATE SERVER "far ""away""" TYPE 'x' VERSION '1' FOREIGN DATA WRAPPER dummy OPTIONS (host 'it''s', port '1');
CREATE USER MAPPING FOR PUBLIC SERVER "far ""away""" OPTIONS (password 'p''w');
CREATE USER MAPPING FOR mixed_owner SERVER "far ""away""";
CREATE FOREIGN TABLE app.far (id int OPTIONS (column_name 'ID') NOT NULL, v text DEFAULT 'x' COLLATE "C")
    SERVER "far ""away""" OPTIONS ("table" 't');
COMMENT ON SERVER "far ""away""" IS 'far';
COMMENT ON FOREIGN TABLE app.far IS 'there';
GRANT USAGE ON FOREIGN SERVER "far ""away""" TO mixed_reader;
GRANT USAGE ON FOREIGN DATA WRAPPER dummy TO mixed_reader;

-- Grants ------------------------------------------------------------------------------------------------------------

ALTER TABLE app.log OWNER TO mixed_owner;
GRANT SELECT, INSERT ON app.customers TO mixed_reader;
GRANT UPDATE (name, mail), REFERENCES (id) ON app.customers TO "Mixed ""Quoted"" Role";
GRANT SELECT (id) ON app.secrets TO PUBLIC;
GRANT SELECT (body) ON app.secrets TO mixed_reader WITH GRANT OPTION;
GRANT ALL ON app.products TO mixed_reader WITH GRANT OPTION;
GRANT SELECT ON app.v1 TO PUBLIC;
REVOKE DELETE ON app.log FROM mixed_owner;
SET SESSION AUTHORIZATION mixed_reader;
GRANT SELECT ON app.products TO "Mixed ""Quoted"" Role";
RESET SESSION AUTHORIZATION;
ALTER DEFAULT PRIVILEGES FOR ROLE mixed_owner REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE mixed_owner IN SCHEMA app GRANT SELECT ON TABLES TO mixed_reader;
ALTER DEFAULT PRIVILEGES FOR ROLE mixed_owner GRANT USAGE ON SEQUENCES TO mixed_reader WITH GRANT OPTION;

-- Large objects -----------------------------------------------------------------------------------------------------

SELECT lo_from_bytea(4242, decode(repeat('00ff5c27', 100), 'hex'));
SELECT lo_from_bytea(4243, '');
SELECT lo_from_bytea(4244, convert_to(repeat('large ', 100000), 'UTF8'));
COMMENT ON LARGE OBJECT 4242 IS 'it''s large';
ALTER LARGE OBJECT 4243 OWNER TO mixed_owner;
GRANT SELECT ON LARGE OBJECT 4242 TO mixed_reader;

-- Publications and event triggers -----------------------------------------------------------------------------------

CREATE PUBLICATION some_tables FOR TABLE app.customers (id, name), app.orders WHERE (id > 10) WITH (publish = 'insert, truncate');
CREATE PUBLICATION "All ""of it""" FOR ALL TABLES WITH (publish_via_partition_root);
CREATE PUBLICATION of_schema FOR TABLES IN SCHEMA other;
COMMENT ON PUBLICATION some_tables IS 'some';
CREATE EVENT TRIGGER mixed_ddl ON ddl_command_end WHEN TAG IN ('CREATE TABLE', 'DROP TABLE') EXECUTE FUNCTION app.on_ddl();
ALTER EVENT TRIGGER mixed_ddl DISABLE;
COMMENT ON EVENT TRIGGER mixed_ddl IS 'an event trigger';

-- Plain tables with rows of every sort, to make up the number -------------------------------------------------------

CREATE TABLE public.t_values (
    i2 smallint, i4 int, i8 bigint, f4 real, f8 double precision, n numeric, b boolean, t text, c char(5), v varchar,
    by bytea, d date, ts timestamp, tz timestamptz, tm time, ttz timetz, iv interval, u uuid, j json, jb jsonb, x xml,
    bits bit(4), vb bit varying, inet inet, mac macaddr, money money, arr int[], arr2 text[][], r int4range, mr int4multirange,
    p point, poly polygon, tsv tsvector, tsq tsquery, o oid, rc regclass
);
INSERT INTO public.t_values (i2, i4, i8, f4, f8, n, b, t, c, v, by, d, ts, tz, tm, ttz, iv, u, j, jb, x, bits, vb, inet, mac,
                             money, arr, arr2, r, mr, p, poly, tsv, tsq, o, rc)
VALUES (-32768, -2147483648, -9223372036854775808, 'NaN', '-Infinity', 'NaN', true, E'\b\f\n\r\t\v\\ é', 'x', '', '\x00ff',
        'infinity', '-infinity', '2024-02-29 12:34:56.789+02', '24:00', '12:00+05:30', '1 year -2 days 03:04:05.6',
        'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '{"a" : 1}', '{"a": [1, null]}', '<a/>', '1010', '1', '::1/64',
        '08:00:2b:01:02:03', '-1.23', '{1,NULL,3}', '{{"a,b","c\"d"},{"",NULL}}', '[1,5)', '{[1,2),[5,)}', '(1.5,2)',
        '((0,0),(1,1),(1,0))', 'a:1A b:2', 'a & !b', 4294967295, 'app.orders');
INSERT INTO public.t_values DEFAULT VALUES;
DO $$
BEGIN
    FOR i IN 1..18 LOOP
        EXECUTE format('CREATE TABLE public.plain_%s (id int PRIMARY KEY, v text, w numeric DEFAULT %s)', i, i);
        EXECUTE format('INSERT INTO public.plain_%s SELECT g, repeat(''x'', g %% 50), g / 3.0 FROM generate_series(1, %s) g', i, i * 20);
    END LOOP;
END $$;

REFRESH MATERIALIZED VIEW app.mat1;
REFRESH MATERIALIZED VIEW app.a_mat2;
