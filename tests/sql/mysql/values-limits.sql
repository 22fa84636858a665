-- Values that no text carries from one server to another: what loads it makes something near. For MySQL.

SET NAMES utf8mb4;

-- A decimal number inside JSON: of 1.10, written as 1.10 and read again, a double is left, which is written as 1.1. Bytes
-- become a text of base64; in 5.7 a negative zero, written as -0, becomes 0.
CREATE TABLE json_decimals (
    id INT NOT NULL PRIMARY KEY,
    j JSON
) ENGINE = InnoDB;
INSERT INTO json_decimals VALUES (1, CAST(1.10 AS JSON)),
    (2, JSON_ARRAY(CAST('12345678901234567890.1234567890' AS DECIMAL(40, 10)))), (3, '-0.0'), (4, JSON_OBJECT('b', x'00ff'));
