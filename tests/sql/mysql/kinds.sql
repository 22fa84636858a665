-- One or more of every kind that a server of MySQL 5.7 to 9.7 or MariaDB 10.5 to 11.8 has, with hostile names, in the
-- schemas kinds_a and kinds_b and one with a hostile name. Loads into a server without them, as a user who may do
-- everything, with `mysql --binary-mode`. What a server doesn't have is in comments that it skips.
--
-- Some of it is broken on purpose: views of what isn't there, definers that don't exist.

SET NAMES utf8mb4;
SET time_zone = '+00:00';
SET sql_mode = '';

CREATE DATABASE kinds_a CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci /*M!100500 COMMENT 'it''s a "schema" \\ with a comment' */;
CREATE DATABASE kinds_b CHARACTER SET latin1 COLLATE latin1_german1_ci;
CREATE DATABASE `Kinds ``c" 'd';e` CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Users, roles, rights ------------------------------------------------------------------------------------------------

CREATE USER 'kinds_owner'@'%' IDENTIFIED BY 'owner''s';
CREATE USER 'kinds_reader'@'localhost' IDENTIFIED BY 'reader' PASSWORD EXPIRE NEVER;
CREATE USER 'kinds locked "`'@'10.0.0.0/255.0.0.0' IDENTIFIED BY 'x' REQUIRE SSL WITH MAX_QUERIES_PER_HOUR 10 ACCOUNT LOCK;
GRANT SELECT, INSERT, CREATE ROUTINE ON kinds_a.* TO 'kinds_owner'@'%' WITH GRANT OPTION;
GRANT PROCESS, RELOAD ON *.* TO 'kinds_owner'@'%';
GRANT SELECT ON `kinds\_b`.* TO 'kinds_reader'@'localhost';

USE kinds_a;

-- Tables --------------------------------------------------------------------------------------------------------------

CREATE TABLE options_compressed (
    id INT NOT NULL PRIMARY KEY,
    t TEXT COMMENT 'it''s "one"\nof two \\ lines; -- no end'
) ENGINE = InnoDB ROW_FORMAT = COMPRESSED KEY_BLOCK_SIZE = 8 STATS_PERSISTENT = 0 STATS_AUTO_RECALC = 1
    STATS_SAMPLE_PAGES = 12 AVG_ROW_LENGTH = 50 MAX_ROWS = 1000000 MIN_ROWS = 3 AUTO_INCREMENT = 1
    COMMENT = 'a comment with ''quotes'', \\ and\n;a second line -- and /* more */';
CREATE TABLE options_dynamic (id INT NOT NULL PRIMARY KEY) ENGINE = InnoDB ROW_FORMAT = DYNAMIC;
CREATE TABLE options_redundant (id INT NOT NULL PRIMARY KEY) ENGINE = InnoDB ROW_FORMAT = REDUNDANT;
CREATE TABLE options_compact (id INT NOT NULL PRIMARY KEY) ENGINE = InnoDB ROW_FORMAT = COMPACT
    DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
CREATE TABLE options_myisam (id INT NOT NULL PRIMARY KEY, v VARCHAR(10)) ENGINE = MyISAM CHECKSUM = 1 DELAY_KEY_WRITE = 1
    PACK_KEYS = 1 ROW_FORMAT = DYNAMIC CHARACTER SET latin1 COLLATE latin1_swedish_ci;
/*!50700 CREATE TABLE options_tablespace (id INT NOT NULL PRIMARY KEY) ENGINE = InnoDB TABLESPACE = innodb_system */;
/*M!100500 CREATE TABLE options_pages (id INT NOT NULL PRIMARY KEY) ENGINE = InnoDB PAGE_COMPRESSED = 1 PAGE_COMPRESSION_LEVEL = 5 */;
/*M!100500 CREATE TABLE options_aria (id INT NOT NULL PRIMARY KEY) ENGINE = Aria TRANSACTIONAL = 1 PAGE_CHECKSUM = 1 */;
INSERT INTO options_compressed VALUES (1, 'one');
INSERT INTO options_myisam VALUES (1, 'é');

CREATE TABLE merged_1 (id INT NOT NULL, v VARCHAR(10), KEY (id)) ENGINE = MyISAM;
CREATE TABLE merged_2 LIKE merged_1;
CREATE TABLE merged (id INT NOT NULL, v VARCHAR(10), KEY (id)) ENGINE = MRG_MYISAM UNION = (merged_1, merged_2) INSERT_METHOD = LAST;
INSERT INTO merged_1 VALUES (1, 'a');
INSERT INTO merged_2 VALUES (2, 'b');
/*!50700 CREATE TABLE swallowed (id INT) ENGINE = BLACKHOLE */;

CREATE TABLE columns_all (
    id SERIAL,
    plain VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci NOT NULL DEFAULT 'it''s \\ "it"',
    other VARCHAR(20) CHARACTER SET latin1 COLLATE latin1_bin DEFAULT NULL COMMENT 'größer; als ''je''',
    raw VARBINARY(10) DEFAULT x'00ff27',
    bits BIT(9) DEFAULT b'101',
    made TIMESTAMP NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
    zero DATETIME(3) NOT NULL DEFAULT '0000-00-00 00:00:00',
    twice INT GENERATED ALWAYS AS (LENGTH(plain) * 2) VIRTUAL COMMENT 'generated',
    kept VARCHAR(50) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci GENERATED ALWAYS AS (CONCAT(plain, ' ü')) STORED /*!50700 NOT NULL */,
    mood ENUM('it''s', 'ü', 'a\\b', ',') NOT NULL DEFAULT 'ü',
    moods SET('x', 'y''z') DEFAULT 'x,y''z'
    /*!80013 , told VARCHAR(50) DEFAULT (CONCAT('a''', UPPER('b'))), uid BINARY(16) DEFAULT (UUID_TO_BIN('f47ac10b-58cc-4372-a567-0e02b2c3d479')) */
    /*!80023 , hidden INT DEFAULT 7 INVISIBLE */
    /*!80016 , checked INT CHECK (checked > 0), CONSTRAINT `soft ``check` CHECK (checked < 100) NOT ENFORCED */
    /*M!100500 , told VARCHAR(50) DEFAULT CONCAT('a''', UPPER('b')), hidden INT INVISIBLE DEFAULT 7 */
    /*M!100500 , checked INT CHECK (checked > 0), CONSTRAINT `hard ``check` CHECK (checked < 100 AND plain <> 'x''y') */
) ENGINE = InnoDB;
INSERT INTO columns_all (plain, other, made) VALUES ('a', 'é', '2024-01-01 00:00:00'), ('b', NULL, NULL);

CREATE TABLE indexed (
    id INT NOT NULL,
    n INT, m INT, t TEXT, v VARCHAR(100) NOT NULL, p POINT NOT NULL /*!80003 SRID 0 */,
    PRIMARY KEY (id),
    UNIQUE KEY `the ``unique" one` (n, m) COMMENT 'one, it''s',
    KEY prefixed (v(10), t(20)),
    KEY by_btree (m) USING BTREE,
    FULLTEXT KEY words (t, v),
    SPATIAL KEY by_place (p)
    /*!50700 , FULLTEXT KEY grams (v) WITH PARSER ngram */
    /*!80013 , KEY descending (n DESC, m ASC), KEY functional ((n + m), (LOWER(v)) DESC), KEY unseen (m) INVISIBLE */
    /*M!100800 , KEY descending (n DESC, m ASC) */
    /*M!100600 , KEY unseen (m) IGNORED */
) ENGINE = InnoDB;
INSERT INTO indexed (id, n, m, t, v, p) VALUES (1, 1, 1, 'some words', 'v1', ST_GeomFromText('POINT(1 1)')),
    (2, 1, 2, NULL, 'v2', ST_GeomFromText('POINT(2 1)'));
/*!80017 CREATE TABLE indexed_many (id INT PRIMARY KEY, j JSON, KEY many ((CAST(j->'$.tags' AS UNSIGNED ARRAY)))) */;
/*!80017 INSERT INTO indexed_many VALUES (1, '{"tags": [1, 2, 3]}') */;
CREATE TABLE indexed_memory (id INT NOT NULL, KEY USING HASH (id)) ENGINE = MEMORY;

-- Partitions ----------------------------------------------------------------------------------------------------------

CREATE TABLE parts_range (id INT NOT NULL, d DATE NOT NULL, v VARCHAR(10), PRIMARY KEY (id, d)) ENGINE = InnoDB
    PARTITION BY RANGE (TO_DAYS(d)) (
        PARTITION p2023 VALUES LESS THAN (TO_DAYS('2024-01-01')) COMMENT = 'it''s old' MAX_ROWS = 10,
        PARTITION p2024 VALUES LESS THAN (TO_DAYS('2025-01-01')),
        PARTITION `p max` VALUES LESS THAN MAXVALUE);
INSERT INTO parts_range VALUES (1, '2023-05-05', 'a'), (2, '2024-05-05', 'b'), (3, '2030-01-01', 'c');
CREATE TABLE parts_list (region VARCHAR(10) NOT NULL, n INT NOT NULL) ENGINE = InnoDB
    PARTITION BY LIST COLUMNS (region) (
        PARTITION north VALUES IN ('n', 'ü', 'it''s'),
        PARTITION south VALUES IN ('s', ''));
INSERT INTO parts_list VALUES ('n', 1), ('ü', 2), ('s', 3), ('', 4);
CREATE TABLE parts_hash (id INT NOT NULL PRIMARY KEY) ENGINE = InnoDB PARTITION BY LINEAR HASH (id) PARTITIONS 4;
CREATE TABLE parts_key (id VARCHAR(10) NOT NULL PRIMARY KEY) ENGINE = InnoDB PARTITION BY KEY () PARTITIONS 3;
INSERT INTO parts_hash VALUES (1), (2), (3), (4), (5);
INSERT INTO parts_key VALUES ('a'), ('b'), ('c');
CREATE TABLE parts_sub (id INT NOT NULL, d DATE NOT NULL) ENGINE = InnoDB
    PARTITION BY RANGE COLUMNS (d) SUBPARTITION BY HASH (id) (
        PARTITION p0 VALUES LESS THAN ('2020-01-01') (SUBPARTITION s0, SUBPARTITION s1 COMMENT = 'named'),
        PARTITION p1 VALUES LESS THAN (MAXVALUE) (SUBPARTITION s2, SUBPARTITION `s ``3`));
INSERT INTO parts_sub VALUES (1, '2019-01-01'), (2, '2019-01-02'), (3, '2021-01-01');

-- Foreign keys --------------------------------------------------------------------------------------------------------

-- Whose order by name isn't the order to make them in; each refers to the other.
SET foreign_key_checks = 0;
CREATE TABLE aa_child (
    id INT NOT NULL PRIMARY KEY, parent INT, other INT, self INT,
    CONSTRAINT `to "parent';` FOREIGN KEY (parent) REFERENCES zz_parent_later (id) ON DELETE CASCADE ON UPDATE SET NULL,
    CONSTRAINT to_self FOREIGN KEY (self) REFERENCES aa_child (id) ON DELETE SET NULL
) ENGINE = InnoDB;
CREATE TABLE zz_parent_later (
    id INT NOT NULL PRIMARY KEY, child INT, far_a INT, far_b INT,
    KEY by_child (child),
    CONSTRAINT to_child FOREIGN KEY (child) REFERENCES aa_child (id) ON UPDATE CASCADE,
    CONSTRAINT to_far FOREIGN KEY (far_a, far_b) REFERENCES kinds_b.far (a, b) ON DELETE NO ACTION
) ENGINE = InnoDB;
CREATE TABLE kinds_b.far (
    a INT NOT NULL, b INT NOT NULL, back INT, PRIMARY KEY (a, b),
    CONSTRAINT back_again FOREIGN KEY (back) REFERENCES kinds_a.zz_parent_later (id)
) ENGINE = InnoDB;
INSERT INTO kinds_b.far VALUES (1, 1, 1), (1, 2, NULL);
INSERT INTO zz_parent_later VALUES (1, 10, 1, 2), (2, NULL, NULL, NULL);
INSERT INTO aa_child VALUES (10, 1, 5, 10), (11, 2, NULL, 10);
SET foreign_key_checks = 1;

-- Hostile names -------------------------------------------------------------------------------------------------------

CREATE TABLE `select` (`from` INT PRIMARY KEY, `where` INT, `order by` INT, KEY `group` (`where`)) ENGINE = InnoDB;
CREATE TABLE `back``tick ``` (`a``b` INT PRIMARY KEY, ```` INT) ENGINE = InnoDB;
CREATE TABLE `quote' "double" \ slash` (`it's` INT PRIMARY KEY, `"` INT, `\\` INT, `%s` INT) ENGINE = InnoDB;
CREATE TABLE `semi;colon -- dash /* star` (`;` INT PRIMARY KEY, `-- x` INT, `/*` INT, `#` INT) ENGINE = InnoDB;
CREATE TABLE `line
feed` (`a
b` INT PRIMARY KEY COMMENT 'two
lines') ENGINE = InnoDB;
CREATE TABLE `Größe 表 ü` (`Ä` INT PRIMARY KEY, `表` INT) ENGINE = InnoDB;
CREATE TABLE `UPPER` (`ID` INT PRIMARY KEY) ENGINE = InnoDB;
CREATE TABLE `upper` (`id` INT PRIMARY KEY) ENGINE = InnoDB;
CREATE TABLE `dots.and/slash` (id INT PRIMARY KEY) ENGINE = InnoDB;
CREATE TABLE `-dash` (id INT PRIMARY KEY) ENGINE = InnoDB;
CREATE TABLE `per%cent_under` (id INT PRIMARY KEY) ENGINE = InnoDB;
CREATE TABLE `123` (`456` INT PRIMARY KEY) ENGINE = InnoDB;
CREATE TABLE `$dollar $$` (id INT PRIMARY KEY) ENGINE = InnoDB;
CREATE TABLE `a name of exactly sixty-four characters, which is the longest on` (id INT PRIMARY KEY) ENGINE = InnoDB;
INSERT INTO `select` VALUES (1, 2, 3);
INSERT INTO `back``tick ``` VALUES (1, 2);
INSERT INTO `quote' "double" \ slash` VALUES (1, 2, 3, 4);
INSERT INTO `semi;colon -- dash /* star` VALUES (1, 2, 3, 4);
INSERT INTO `line
feed` VALUES (1);
INSERT INTO `Größe 表 ü` VALUES (1, 2);
INSERT INTO `UPPER` VALUES (1);
INSERT INTO `upper` VALUES (2);
INSERT INTO `dots.and/slash` VALUES (1);
INSERT INTO `-dash` VALUES (1);
INSERT INTO `per%cent_under` VALUES (1);
INSERT INTO `123` VALUES (1);
INSERT INTO `$dollar $$` VALUES (1);
CREATE TABLE `Kinds ``c" 'd';e`.`x``y";'z` (id INT PRIMARY KEY) ENGINE = InnoDB;
INSERT INTO `Kinds ``c" 'd';e`.`x``y";'z` VALUES (1);

-- Sequences -----------------------------------------------------------------------------------------------------------

/*M!100500 CREATE SEQUENCE numbers START WITH 100 INCREMENT BY 5 MINVALUE 10 MAXVALUE 200 CACHE 3 CYCLE */;
/*M!100500 CREATE SEQUENCE downwards START WITH -1 INCREMENT BY -1 NOCACHE */;
/*M!100500 CREATE SEQUENCE `back``tick's` */;
/*M!110500 CREATE SEQUENCE small AS TINYINT UNSIGNED START WITH 250 */;
/*M!100500 CREATE TABLE numbered (id INT NOT NULL DEFAULT NEXTVAL(numbers), v INT, PRIMARY KEY (id)) ENGINE = InnoDB */;
/*M!100500 INSERT INTO numbered (v) VALUES (1), (2) */;
/*M!100500 DO NEXTVAL(downwards) */;

-- System versions -----------------------------------------------------------------------------------------------------

/*M!100500 SET @@timestamp = 1700000000 */;
/*M!100500 CREATE TABLE versioned (id INT PRIMARY KEY, v VARCHAR(10), u INT WITHOUT SYSTEM VERSIONING) ENGINE = InnoDB WITH SYSTEM VERSIONING */;
/*M!100500 CREATE TABLE versioned_columns (
    id INT PRIMARY KEY, v VARCHAR(10),
    since TIMESTAMP(6) GENERATED ALWAYS AS ROW START INVISIBLE, until TIMESTAMP(6) GENERATED ALWAYS AS ROW END INVISIBLE,
    PERIOD FOR SYSTEM_TIME (since, until)
) ENGINE = InnoDB WITH SYSTEM VERSIONING */;
/*M!100500 CREATE TABLE versioned_parts (id INT PRIMARY KEY, v VARCHAR(10)) ENGINE = InnoDB WITH SYSTEM VERSIONING
    PARTITION BY SYSTEM_TIME (PARTITION old HISTORY, PARTITION cur CURRENT) */;
/*M!100500 INSERT INTO versioned VALUES (1, 'first', 1), (2, 'gone', 2) */;
/*M!100500 INSERT INTO versioned_columns VALUES (1, 'first'), (2, 'gone') */;
/*M!100500 INSERT INTO versioned_parts VALUES (1, 'first'), (2, 'gone') */;
/*M!100500 SET @@timestamp = 1700000100.25 */;
/*M!100500 UPDATE versioned SET v = 'second', u = 9 WHERE id = 1 */;
/*M!100500 UPDATE versioned_columns SET v = 'second' WHERE id = 1 */;
/*M!100500 UPDATE versioned_parts SET v = 'second' WHERE id = 1 */;
/*M!100500 SET @@timestamp = 1700000200.125 */;
/*M!100500 DELETE FROM versioned WHERE id = 2 */;
/*M!100500 DELETE FROM versioned_columns WHERE id = 2 */;
/*M!100500 DELETE FROM versioned_parts WHERE id = 2 */;
/*M!100500 SET @@timestamp = DEFAULT */;
/*M!100500 CREATE TABLE periods (
    id INT NOT NULL, a DATE NOT NULL, b DATE NOT NULL, PERIOD FOR valid (a, b), UNIQUE KEY (id, valid WITHOUT OVERLAPS)
) ENGINE = InnoDB */;
/*M!100500 INSERT INTO periods VALUES (1, '2020-01-01', '2021-01-01'), (1, '2021-01-01', '2022-01-01') */;

-- A key that the server makes -----------------------------------------------------------------------------------------

/*!80030 SET sql_generate_invisible_primary_key = ON */;
/*!80030 CREATE TABLE keyless (v VARCHAR(10)) ENGINE = InnoDB */;
/*!80030 SET sql_generate_invisible_primary_key = OFF */;
/*!80030 INSERT INTO keyless VALUES ('a'), ('a'), (NULL) */;

-- Routines ------------------------------------------------------------------------------------------------------------

DELIMITER //

CREATE FUNCTION doubled(n INT) RETURNS INT DETERMINISTIC NO SQL COMMENT 'it''s; twice'
    RETURN n * 2 //
CREATE FUNCTION words(t VARCHAR(100) CHARACTER SET latin1) RETURNS VARCHAR(200) CHARSET utf8mb4 COLLATE utf8mb4_bin
    READS SQL DATA SQL SECURITY INVOKER
BEGIN
    DECLARE found INT DEFAULT 0; -- a comment; with 'quotes' and "more"
    SELECT COUNT(*) INTO found FROM merged_1;
    IF found > 0 THEN RETURN CONCAT(t, ' ü 表 ', ';', '//', '$$', found); END IF;
    RETURN '\\ it''s';
END //
CREATE FUNCTION mood_of(n INT) RETURNS ENUM('a', 'b') DETERMINISTIC RETURN n //
CREATE DEFINER = 'kinds_owner'@'%' PROCEDURE kinds_b.far_away(IN a INT, OUT b INT, INOUT c VARCHAR(10))
    MODIFIES SQL DATA
    SET b = kinds_a.doubled(a), c = CONCAT(c, c) //
CREATE DEFINER = 'nobody'@'nowhere' PROCEDURE orphaned() SELECT 1 //
CREATE PROCEDURE `hostile ``proc' ";`(`in ``x` INT)
    COMMENT 'two
lines'
BEGIN
    label: LOOP
        LEAVE label;
    END LOOP;
    SELECT `in ``x` AS `a``b`, 'DELIMITER ;', "double";
END //

SET sql_mode = 'ANSI_QUOTES,PIPES_AS_CONCAT,NO_BACKSLASH_ESCAPES' //
CREATE FUNCTION "ansi func"(a VARCHAR(10)) RETURNS VARCHAR(30) CHARSET utf8mb4 DETERMINISTIC
    RETURN a || ' \ ' || 'x' //
SET sql_mode = 'STRICT_TRANS_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO' //
CREATE PROCEDURE strict_one() SELECT '2024-01-01' + INTERVAL 1 DAY, "a" //
SET sql_mode = '' //

-- Text in the character set of the client that wrote it: these bytes of UTF-8 are four letters of latin1.
SET NAMES latin1 //
CREATE FUNCTION in_latin1() RETURNS VARCHAR(20) CHARSET utf8mb4 DETERMINISTIC RETURN 'café ü' //
SET NAMES utf8mb4 //

/*M!100500 CREATE AGGREGATE FUNCTION product(x DOUBLE) RETURNS DOUBLE
BEGIN
    DECLARE p DOUBLE DEFAULT 1;
    DECLARE CONTINUE HANDLER FOR NOT FOUND RETURN p;
    LOOP
        FETCH GROUP NEXT ROW;
        SET p = p * x;
    END LOOP;
END */ //

-- Packages ------------------------------------------------------------------------------------------------------------

/*M!100500 SET sql_mode = 'ORACLE' */ //
/*M!100500 CREATE PACKAGE "a pack" COMMENT 'it''s' AS
    FUNCTION next_one(n INT) RETURN INT;
    PROCEDURE say(t VARCHAR2(10));
END */ //
/*M!100500 CREATE PACKAGE BODY "a pack" AS
    secret INT := 42;
    FUNCTION next_one(n INT) RETURN INT AS BEGIN RETURN n + 1 + secret; END;
    PROCEDURE say(t VARCHAR2(10)) AS BEGIN SELECT t || 'x'; END;
BEGIN
    secret := 1;
END */ //
/*M!100500 CREATE PACKAGE lonely AS PROCEDURE p; END */ //
/*M!100500 CREATE PROCEDURE in_oracle(a INT, b OUT INT) AS c INT; BEGIN c := a; b := c; END */ //
/*M!100500 SET sql_mode = '' */ //

-- Triggers ------------------------------------------------------------------------------------------------------------

CREATE TABLE watched (id INT NOT NULL PRIMARY KEY, v VARCHAR(50), `a``b` INT) ENGINE = InnoDB //
CREATE TABLE seen (n INT NOT NULL AUTO_INCREMENT PRIMARY KEY, what VARCHAR(50), at INT) ENGINE = InnoDB //
CREATE TRIGGER z_first BEFORE INSERT ON watched FOR EACH ROW SET NEW.v = CONCAT(NEW.v, '1') //
CREATE TRIGGER a_second BEFORE INSERT ON watched FOR EACH ROW FOLLOWS z_first SET NEW.v = CONCAT(NEW.v, '2') //
CREATE TRIGGER m_zeroth BEFORE INSERT ON watched FOR EACH ROW PRECEDES z_first SET NEW.v = CONCAT(NEW.v, '0') //
SET sql_mode = 'ANSI_QUOTES' //
CREATE TRIGGER "the ""last"" one`" AFTER INSERT ON watched FOR EACH ROW
BEGIN
    -- comment; 'quote'
    INSERT INTO "seen" ("what") VALUES (NEW."v");
END //
SET sql_mode = 'STRICT_ALL_TABLES' //
CREATE TRIGGER strict_update AFTER UPDATE ON watched FOR EACH ROW
    INSERT INTO seen (what, at) VALUES ('ü 表; "x"', NEW.`a``b`) //
SET sql_mode = '' //
CREATE DEFINER = 'nobody'@'nowhere' TRIGGER orphaned_delete BEFORE DELETE ON watched FOR EACH ROW SET @gone = OLD.id //
INSERT INTO watched VALUES (1, 'x', 1), (2, 'y', 2) //
UPDATE watched SET v = 'z' WHERE id = 2 //

-- Events --------------------------------------------------------------------------------------------------------------

CREATE EVENT daily ON SCHEDULE EVERY 1 DAY STARTS '2035-01-01 03:00:00' ENDS '2037-01-01 00:00:00' ON COMPLETION PRESERVE
    COMMENT 'it''s daily' DO INSERT INTO kinds_a.seen (what) VALUES ('daily; ü') //
CREATE EVENT `once ``only;"` ON SCHEDULE AT '2036-05-05 05:05:05' DO
BEGIN
    DECLARE n INT; -- 'x';
    SET n = 1;
END //
CREATE EVENT asleep ON SCHEDULE EVERY '1:30' HOUR_MINUTE STARTS '2035-01-01 00:00:00' DISABLE DO SELECT 1 //
CREATE EVENT elsewhere ON SCHEDULE EVERY 1 WEEK STARTS '2035-01-01 00:00:00' DISABLE ON SLAVE DO SELECT 1 //
SET time_zone = '+05:30', sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES' //
CREATE EVENT kinds_b.in_its_zone ON SCHEDULE EVERY 1 YEAR STARTS '2035-06-01 12:00:00' DO INSERT INTO "kinds_a"."seen" ("what") VALUES ('\') //
SET time_zone = '+00:00', sql_mode = '' //
CREATE DEFINER = 'nobody'@'nowhere' EVENT orphaned_event ON SCHEDULE EVERY 1 DAY STARTS '2035-01-01 00:00:00' DISABLE DO SELECT 1 //

DELIMITER ;

-- Views ---------------------------------------------------------------------------------------------------------------

-- Names in the opposite order of what they stand on; over functions, and over schemas in both directions.
CREATE VIEW v9 AS SELECT id, plain, doubled(id) AS twice_id FROM columns_all;
CREATE VIEW v5 AS SELECT a.id, b.twice_id FROM v9 a JOIN v9 b ON a.id = b.id;
CREATE VIEW kinds_b.v3 AS SELECT id, twice_id + 1 AS more FROM kinds_a.v5;
CREATE VIEW v1 AS SELECT x.id, words('z') AS w FROM kinds_b.v3 x WHERE x.id IN (SELECT id FROM v9);
CREATE ALGORITHM = MERGE SQL SECURITY INVOKER VIEW v_checked AS SELECT id, v FROM merged_1 WHERE id > 0 WITH LOCAL CHECK OPTION;
CREATE ALGORITHM = UNDEFINED VIEW v_cascaded AS SELECT * FROM v_checked WHERE id < 1000 WITH CASCADED CHECK OPTION;
CREATE ALGORITHM = TEMPTABLE DEFINER = 'kinds_owner'@'%' VIEW v_temptable (n, `max ``m`) AS SELECT n, MAX(m) FROM indexed GROUP BY n;
CREATE VIEW `v ``quote' ";` (`a``b`, `c"d`, `e'f`) AS SELECT 'it''s', "q;q", 'back\\slash' UNION ALL SELECT 'ü', '表', '-- /*';
CREATE VIEW v_hostile AS SELECT `a``b` AS `x``y` FROM `back``tick ```;
SET NAMES latin1;
CREATE VIEW v_latin1 AS SELECT 'café' AS `ü`;
SET NAMES utf8mb4;
SET sql_mode = 'ANSI_QUOTES,PIPES_AS_CONCAT';
CREATE VIEW v_ansi AS SELECT 'a' || 'b' AS "a ""b", "plain" FROM "columns_all";
SET sql_mode = '';
/*!80013 CREATE VIEW v_json AS SELECT j.x FROM JSON_TABLE('[1,2]', '$[*]' COLUMNS (x INT PATH '$')) AS j */;
/*!80013 CREATE VIEW v_recursive AS WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < 5) SELECT * FROM r */;
/*M!100600 CREATE VIEW v_json AS SELECT j.x FROM JSON_TABLE('[1,2]', '$[*]' COLUMNS (x INT PATH '$')) AS j */;
/*M!100500 CREATE VIEW v_sequence AS SELECT minimum_value FROM numbers */;
/*M!100500 CREATE VIEW v_history AS SELECT id, v FROM versioned FOR SYSTEM_TIME ALL */;

-- Broken: of a table that's gone, of a function that's gone, of a definer who never was.
CREATE TABLE soon_gone (id INT, v INT);
CREATE FUNCTION soon_gone_too() RETURNS INT DETERMINISTIC RETURN 1;
CREATE VIEW v_invalid AS SELECT id, v FROM soon_gone;
CREATE VIEW v_on_invalid AS SELECT id FROM v_invalid;
CREATE VIEW v_invalid_function AS SELECT soon_gone_too() AS x;
DROP TABLE soon_gone;
DROP FUNCTION soon_gone_too;
CREATE DEFINER = 'nobody'@'nowhere' VIEW v_orphaned AS SELECT id FROM columns_all;

-- Rights of roles, columns and routines -------------------------------------------------------------------------------

GRANT SELECT (id, plain), UPDATE (plain) ON kinds_a.columns_all TO 'kinds_reader'@'localhost';
GRANT EXECUTE ON FUNCTION kinds_a.doubled TO 'kinds_reader'@'localhost' WITH GRANT OPTION;
GRANT ALTER ROUTINE ON PROCEDURE kinds_b.far_away TO 'kinds_reader'@'localhost';
/*!80000 CREATE ROLE kinds_role, 'kinds role two'@'localhost' */;
/*!80000 GRANT SELECT ON kinds_a.* TO kinds_role */;
/*!80000 GRANT kinds_role TO 'kinds role two'@'localhost', 'kinds_reader'@'localhost' */;
/*!80000 GRANT 'kinds role two'@'localhost' TO 'kinds_owner'@'%' WITH ADMIN OPTION */;
/*!80000 ALTER USER 'kinds_reader'@'localhost' DEFAULT ROLE kinds_role */;
/*!80000 GRANT BACKUP_ADMIN ON *.* TO 'kinds_owner'@'%' */;
/*M!100500 CREATE ROLE kinds_role */;
/*M!100500 CREATE ROLE kinds_role_two WITH ADMIN kinds_role */;
/*M!100500 GRANT SELECT ON kinds_a.* TO kinds_role */;
/*M!100500 GRANT kinds_role TO 'kinds_reader'@'localhost' WITH ADMIN OPTION */;
/*M!100500 SET DEFAULT ROLE kinds_role FOR 'kinds_reader'@'localhost' */;
