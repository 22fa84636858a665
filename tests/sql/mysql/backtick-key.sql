-- A foreign key with a backtick in its name. MariaDB's SHOW CREATE TABLE forgets to double it, so that its text isn't SQL:
-- a stock dump of this table is lost, with all that follows up to the next backtick. Loads into an empty database.

CREATE TABLE parent (id INT NOT NULL PRIMARY KEY) ENGINE = InnoDB;
CREATE TABLE child (
    id INT NOT NULL PRIMARY KEY, parent INT, `other``one` INT,
    KEY `a``key` (parent),
    CONSTRAINT `to ``parent` FOREIGN KEY (parent) REFERENCES parent (id),
    CONSTRAINT `again`` FOREIGN KEY (` FOREIGN KEY (`other``one`) REFERENCES parent (id) ON DELETE CASCADE
) ENGINE = InnoDB;
INSERT INTO parent VALUES (1);
INSERT INTO child VALUES (1, 1, NULL);
