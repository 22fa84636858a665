-- Two schemas between which money moves: whatever moment a copy shows, the sum of all balances is the same, and both
-- schemas tell of the same moves. For MySQL 5.7 and MariaDB 10.5 and newer; loads as a user who may do everything.

DROP DATABASE IF EXISTS bank_a;
DROP DATABASE IF EXISTS bank_b;
CREATE DATABASE bank_a CHARACTER SET utf8mb4;
CREATE DATABASE bank_b CHARACTER SET utf8mb4;

CREATE TABLE bank_a.accounts (
    id INT UNSIGNED NOT NULL,
    balance DECIMAL(20, 2) NOT NULL,
    filler VARCHAR(200) NOT NULL,
    PRIMARY KEY (id)
) ENGINE = InnoDB;
CREATE TABLE bank_a.moves (
    mover INT UNSIGNED NOT NULL,
    n INT UNSIGNED NOT NULL,
    amount DECIMAL(20, 2) NOT NULL,
    PRIMARY KEY (mover, n)
) ENGINE = InnoDB;
CREATE TABLE bank_a.vaults LIKE bank_a.accounts;
CREATE TABLE bank_b.accounts LIKE bank_a.accounts;
CREATE TABLE bank_b.vaults LIKE bank_a.accounts;
CREATE TABLE bank_b.moves LIKE bank_a.moves;

-- 8,192 accounts of 100 in each of four tables.
INSERT INTO bank_a.accounts VALUES (0, 100, REPEAT('filler ', 20));
DELIMITER //
CREATE PROCEDURE bank_a.fill()
BEGIN
    DECLARE size INT UNSIGNED DEFAULT 1;
    WHILE size < 8192 DO
        INSERT INTO bank_a.accounts SELECT id + size, balance, filler FROM bank_a.accounts;
        SET size = size * 2;
    END WHILE;
    INSERT INTO bank_a.vaults SELECT * FROM bank_a.accounts;
    INSERT INTO bank_b.accounts SELECT * FROM bank_a.accounts;
    INSERT INTO bank_b.vaults SELECT * FROM bank_a.accounts;
END //

-- Moves money from one schema to the other, for good: who wants it to stop kills its session. Several may run at once,
-- each with a number of its own.
CREATE PROCEDURE bank_a.move_on(mover INT UNSIGNED)
    -- As who calls it: else the list of processes shows another user.
    SQL SECURITY INVOKER
BEGIN
    DECLARE n INT UNSIGNED DEFAULT 0;
    DECLARE amount DECIMAL(20, 2);
    DECLARE source, target, which INT UNSIGNED;
    SELECT COALESCE(MAX(m.n), 0) INTO n FROM bank_a.moves m WHERE m.mover = mover;
    WHILE TRUE DO
        SET n = n + 1;
        SET amount = FLOOR(RAND() * 1000) / 100 - 5;
        SET source = FLOOR(RAND() * 8192), target = FLOOR(RAND() * 8192), which = FLOOR(RAND() * 4);
        CALL bank_a.move_once(mover, n, amount, source, target, which);
    END WHILE;
END //

CREATE PROCEDURE bank_a.move_once(mover INT UNSIGNED, n INT UNSIGNED, amount DECIMAL(20, 2), source INT UNSIGNED,
    target INT UNSIGNED, which INT UNSIGNED)
    SQL SECURITY INVOKER
BEGIN
    -- A deadlock, a lock waited for in vain: nothing of this move stays, and the next one is made.
    DECLARE EXIT HANDLER FOR 1213, 1205, 1020 ROLLBACK;
    START TRANSACTION;
    INSERT INTO bank_a.moves VALUES (mover, n, amount);
    IF which IN (0, 1) THEN
        UPDATE bank_a.accounts SET balance = balance - amount WHERE id = source;
    ELSE
        UPDATE bank_a.vaults SET balance = balance - amount WHERE id = source;
    END IF;
    IF which IN (0, 2) THEN
        UPDATE bank_b.accounts SET balance = balance + amount WHERE id = target;
    ELSE
        UPDATE bank_b.vaults SET balance = balance + amount WHERE id = target;
    END IF;
    INSERT INTO bank_b.moves VALUES (mover, n, amount);
    COMMIT;
END //
DELIMITER ;

CALL bank_a.fill();
DROP PROCEDURE bank_a.fill;
