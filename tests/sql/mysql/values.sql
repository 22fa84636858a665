-- The value matrix: every type with its extremes, NULL and empty, and what others were seen to lose. Loads into an empty
-- database of MySQL 5.7 to 9.7 and MariaDB 10.5 to 11.8, with `mysql --binary-mode`. What a server doesn't have is in
-- comments that it skips: /*!80000 for MySQL alone, /*M! for MariaDB alone.
--
-- What no text can carry from one server to another is in values-limits.sql.

SET NAMES utf8mb4;
SET time_zone = '+00:00';
-- Zero dates, days that no month has, zero as a number of AUTO_INCREMENT, and values of ENUM that are none.
SET sql_mode = 'NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES';
SET foreign_key_checks = 0;

-- Numbers -----------------------------------------------------------------------------------------------------------

CREATE TABLE ints (
    id INT NOT NULL PRIMARY KEY,
    t TINYINT, tu TINYINT UNSIGNED, s SMALLINT, su SMALLINT UNSIGNED, m MEDIUMINT, mu MEDIUMINT UNSIGNED,
    i INT, iu INT UNSIGNED, b BIGINT, bu BIGINT UNSIGNED, z INT(8) UNSIGNED ZEROFILL, bz BIGINT ZEROFILL, l BOOL
) ENGINE = InnoDB;
INSERT INTO ints VALUES
    (1, -128, 0, -32768, 0, -8388608, 0, -2147483648, 0, -9223372036854775808, 0, 0, 0, FALSE),
    (2, 127, 255, 32767, 65535, 8388607, 16777215, 2147483647, 4294967295, 9223372036854775807, 18446744073709551615,
        4294967295, 18446744073709551615, TRUE),
    (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
    (4, -1, 1, -1, 1, -1, 1, -1, 1, -1, 9223372036854775808, 42, 42, 2),
    (5, 0, 128, 0, 32768, 0, 8388608, 0, 2147483648, 0, 9223372036854775807, 1, 1, -1);

CREATE TABLE sixteen (id INT NOT NULL PRIMARY KEY) ENGINE = InnoDB;
INSERT INTO sixteen VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9), (10), (11), (12), (13), (14), (15);

CREATE TABLE auto_zero (
    id INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    what VARCHAR(20) NOT NULL
) ENGINE = InnoDB AUTO_INCREMENT = 1000;
INSERT INTO auto_zero VALUES (0, 'zero'), (-5, 'negative'), (7, 'seven'), (2147483000, 'large');

CREATE TABLE auto_gap (
    id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    what VARCHAR(20)
) ENGINE = InnoDB AUTO_INCREMENT = 9000000000;
INSERT INTO auto_gap VALUES (1, 'far below the next number');

-- The number that counts is neither the first column nor the first key.
CREATE TABLE auto_second (
    branch INT NOT NULL,
    n INT NOT NULL AUTO_INCREMENT,
    PRIMARY KEY (branch, n),
    KEY by_number (n)
) ENGINE = InnoDB;
INSERT INTO auto_second VALUES (1, 0), (1, 1), (2, 1);

CREATE TABLE decimals (
    id INT NOT NULL PRIMARY KEY,
    widest DECIMAL(65, 30), whole DECIMAL(65, 0), part DECIMAL(30, 30), plain DECIMAL, unsigned_one DECIMAL(10, 2) UNSIGNED,
    filled DECIMAL(12, 3) UNSIGNED ZEROFILL
) ENGINE = InnoDB;
INSERT INTO decimals VALUES
    (1, 99999999999999999999999999999999999.999999999999999999999999999999,
        99999999999999999999999999999999999999999999999999999999999999999, 0.999999999999999999999999999999,
        9999999999, 99999999.99, 999999999.999),
    (2, -99999999999999999999999999999999999.999999999999999999999999999999,
        -99999999999999999999999999999999999999999999999999999999999999999, -0.999999999999999999999999999999,
        -9999999999, 0, 0),
    (3, 0.000000000000000000000000000001, 1, 0.000000000000000000000000000001, 0, 0.01, 0.001),
    (4, NULL, NULL, NULL, NULL, NULL, NULL),
    (5, 12345678901234567890.123456789012345678901234567890, -1, 0, -0, 1, 1);

-- FLOAT as text has six digits: what has more is lost by who reads it as text.
CREATE TABLE floats (
    id INT NOT NULL PRIMARY KEY,
    f FLOAT, fu FLOAT UNSIGNED, f2 FLOAT(9, 4), f24 FLOAT(24), d DOUBLE, du DOUBLE UNSIGNED, d2 DOUBLE(20, 6), f53 FLOAT(53)
) ENGINE = InnoDB;
INSERT INTO floats VALUES
    (1, 0.010516252368688583, 0.010516252368688583, 12345.6789, 0.1, 0.1, 0.1, 12345678.123456, 0.1),
    (2, 3.4028234663852886e38, 3.4028234663852886e38, 99999.9999, 16777217, 1.7976931348623157e308, 1.7976931348623157e308,
        99999999999999.999999, 9007199254740993),
    (3, -3.4028234663852886e38, 0, -99999.9999, -16777216, -1.7976931348623157e308, 0, -99999999999999.999999,
        -9007199254740992),
    (4, 1.1754943508222875e-38, 1.1754943508222875e-38, 0.0001, 1.1754943508222875e-38, 2.2250738585072014e-308,
        2.2250738585072014e-308, 0.000001, 2.2250738585072014e-308),
    (5, 1.401298464324817e-45, 1.401298464324817e-45, 0, 1.401298464324817e-45, 5e-324, 5e-324, 0, 5e-324),
    (6, -0e0, 0, -0e0, -0e0, -0e0, 0, -0e0, -0e0),
    (7, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
    (8, 0.333333333333333333, 123456789, 0.3333, 8388609.5, 0.1e0 + 0.2e0, 1e22, 1.1, 1e23),
    (9, 1e10, 1e-10, 1, 999999.94, 123456789012345680, 0.30000000000000004, 100, 4.35),
    (10, 2.7182817459106445, 1.17549421e-38, 3.1416, 1234567.9, 2.718281828459045, 9.5367431640625e-7, 3.141593,
        3.141592653589793);

-- Of every exponent.
CREATE TABLE floats_many (
    id INT NOT NULL PRIMARY KEY,
    f FLOAT, f2 FLOAT(20, 3), d DOUBLE
) ENGINE = InnoDB;
INSERT INTO floats_many
    SELECT n, (1 + RAND(n)) * POW(2, n % 253 - 126), (RAND(n) - 0.5) * POW(10, n % 17), (RAND(n) - 0.5) * POW(2, n % 2044 - 1020)
    FROM (SELECT a.id * 256 + b.id * 16 + c.id AS n FROM sixteen a, sixteen b, sixteen c WHERE a.id < 10) AS numbers;

/*M!100500 CREATE TABLE decimals_finer (
    id INT NOT NULL PRIMARY KEY,
    finest DECIMAL(65, 38), part DECIMAL(38, 38)
) ENGINE = InnoDB */;
/*M!100500 INSERT INTO decimals_finer VALUES
    (1, 999999999999999999999999999.99999999999999999999999999999999999999, 0.99999999999999999999999999999999999999),
    (2, -0.00000000000000000000000000000000000001, -0.00000000000000000000000000000000000001), (3, NULL, NULL) */;

CREATE TABLE bits (
    id INT NOT NULL PRIMARY KEY,
    b1 BIT(1), b7 BIT(7), b8 BIT(8), b9 BIT(9), b31 BIT(31), b32 BIT(32), b33 BIT(33), b63 BIT(63), b64 BIT(64)
) ENGINE = InnoDB;
INSERT INTO bits VALUES
    (1, b'0', b'0', b'0', b'0', b'0', b'0', b'0', b'0', b'0'),
    (2, b'1', b'1111111', b'11111111', b'111111111', 0x7fffffff, 0xffffffff, 0x1ffffffff, 0x7fffffffffffffff,
        0xffffffffffffffff),
    (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
    (4, b'1', 0x27, 0x27, 0x5c, 0x5c27, 0x0a0d1a00, 0x0a0d1a00, 0x5c5c5c5c27272727, 0x8000000000000000);

-- Bytes -------------------------------------------------------------------------------------------------------------

CREATE TABLE bytes (
    id INT NOT NULL PRIMARY KEY,
    b BINARY(4), b255 BINARY(255), v VARBINARY(300), ti TINYBLOB, bl BLOB, me MEDIUMBLOB, lo LONGBLOB
) ENGINE = InnoDB;
INSERT INTO bytes VALUES
    (1, '', '', '', '', '', '', ''),
    (2, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
    (3, x'00', x'00', x'00', x'00', x'00', x'00', x'00'),
    (4, 'a', 'a ', 'a ', 'a ', 'a ', 'a ', 'a '),
    (5, x'61000000', x'6100', x'6100', x'6100', x'6100', x'6100', x'6100'),
    (6, x'ffffffff', REPEAT(x'ff', 255), REPEAT(x'fe', 300), REPEAT(x'27', 255), REPEAT(x'5c', 65535),
        REPEAT(x'1a0a0d00', 20000), REPEAT(x'c3', 1000)),
    (7, x'275c0a00', x'22', x'5c27', x'5c5c', x'0d0a', x'1a', x'25'),
    (8, 'NULL', 'NULL', 'NULL', 'NULL', '0x', '\\N', '''');
INSERT INTO bytes VALUES (9, x'c3a4', NULL,
    x'000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff',
    NULL, NULL, NULL, NULL);

-- A row of 3 MB: as hexadecimal digits it's larger than the packet of 4 MB that MySQL 5.7 takes.
CREATE TABLE big_row (
    id INT NOT NULL PRIMARY KEY,
    data LONGBLOB NOT NULL,
    words LONGTEXT CHARACTER SET utf8mb4
) ENGINE = InnoDB;
INSERT INTO big_row
    SELECT 1, REPEAT(CONCAT(v, x'275c0a00'), 12000), NULL FROM bytes WHERE id = 9
    UNION ALL SELECT 2, '', REPEAT('Größe ''\\ 表 😀\n', 30000) FROM bytes WHERE id = 9;

-- Text --------------------------------------------------------------------------------------------------------------

CREATE TABLE texts (
    id INT NOT NULL PRIMARY KEY,
    c CHAR(10), c255 CHAR(255), v VARCHAR(200), ti TINYTEXT, te TEXT, me MEDIUMTEXT, lo LONGTEXT
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4;
INSERT INTO texts VALUES
    (1, '', '', '', '', '', '', ''),
    (2, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
    (3, 'ends  ', 'ends  ', 'ends  ', 'ends  ', 'ends  ', 'ends  ', '  '),
    (4, 'äöü€', '表能ソ', '😀 and 👩‍👩‍👧', 'é', 'ﷺ', _utf8mb4 x'f48fbfbf', REPEAT('長', 70000)),
    (5, '\\', '''', '"', '`', '\n\r\t\0', '\Z', '\\''"\b'),
    (6, '%', '_', '\\%', '\\_', '--', '/* */', '#'),
    (7, 'NULL', '\\N', ';', 'x'';--', '/*!40000 drop */', '$$', _utf8mb4 x'00'),
    (8, '1e5', '0x41', '-0', ' 1', '2024-01-01', 'true', CONCAT('line', CHAR(10), 'two', CHAR(13, 10), 'three'));

-- One column an old character set; characters whose second byte is a backslash where there are any.
CREATE TABLE charsets (
    id INT NOT NULL PRIMARY KEY,
    c_ascii VARCHAR(20) CHARACTER SET ascii, c_latin1 VARCHAR(20) CHARACTER SET latin1,
    c_latin2 VARCHAR(20) CHARACTER SET latin2, c_latin5 VARCHAR(20) CHARACTER SET latin5,
    c_latin7 VARCHAR(20) CHARACTER SET latin7, c_cp1250 VARCHAR(20) CHARACTER SET cp1250,
    c_cp1251 VARCHAR(20) CHARACTER SET cp1251, c_cp1256 VARCHAR(20) CHARACTER SET cp1256,
    c_cp850 VARCHAR(20) CHARACTER SET cp850, c_cp866 VARCHAR(20) CHARACTER SET cp866,
    c_koi8r VARCHAR(20) CHARACTER SET koi8r, c_koi8u VARCHAR(20) CHARACTER SET koi8u,
    c_greek VARCHAR(20) CHARACTER SET greek, c_hebrew VARCHAR(20) CHARACTER SET hebrew,
    c_tis620 VARCHAR(20) CHARACTER SET tis620, c_swe7 VARCHAR(20) CHARACTER SET swe7,
    c_dec8 VARCHAR(20) CHARACTER SET dec8, c_hp8 VARCHAR(20) CHARACTER SET hp8,
    c_macroman VARCHAR(20) CHARACTER SET macroman,
    c_big5 VARCHAR(20) CHARACTER SET big5, c_gbk VARCHAR(20) CHARACTER SET gbk,
    c_gb2312 VARCHAR(20) CHARACTER SET gb2312, c_sjis VARCHAR(20) CHARACTER SET sjis,
    c_cp932 VARCHAR(20) CHARACTER SET cp932, c_ujis VARCHAR(20) CHARACTER SET ujis,
    c_eucjpms VARCHAR(20) CHARACTER SET eucjpms, c_euckr VARCHAR(20) CHARACTER SET euckr,
    c_utf8mb3 VARCHAR(20) CHARACTER SET utf8, c_utf8mb4 VARCHAR(20) CHARACTER SET utf8mb4,
    c_ucs2 VARCHAR(20) CHARACTER SET ucs2, c_utf16 VARCHAR(20) CHARACTER SET utf16,
    c_utf16le VARCHAR(20) CHARACTER SET utf16le, c_utf32 VARCHAR(20) CHARACTER SET utf32,
    c_binary VARCHAR(20) CHARACTER SET binary,
    t_gbk TEXT CHARACTER SET gbk, t_sjis TEXT CHARACTER SET sjis, t_utf16 TEXT CHARACTER SET utf16, f_ucs2 CHAR(5) CHARACTER SET ucs2
) ENGINE = InnoDB;
INSERT INTO charsets VALUES
    (1, '~\\''', 'é€ß', 'łŐ', 'ğİ', 'ļĮ', 'Žł', 'Жы', 'غ', '░é', 'Жы', 'Жы', 'ґЖ', 'Ωώ', 'שלום', 'ก', 'ÅÄÖ', 'Œß', 'Šß', 'Ω√',
        '功許蓋', '縗誠乗', '中文', '表ソ能', '表①', '表ソ', '表①', '한글', '表é', '表😀', '表é', '表😀', '表😀', '表😀', '表😀',
        '縗誠''\\', '表ソ''\\', '表😀''\\', '表'),
    (2, '', '', '', '', '', '', '', '', '', '', '', '', '', '', '', '', '', '', '', '', '', '', '', '', '', '', '', '', '',
        '', '', '', '', '', '', '', '', ''),
    (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
        NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
-- As bytes: all that latin1 calls letters or leaves open; a trail byte that is a backslash, before a quote.
INSERT INTO charsets (id, c_latin1, c_gbk, c_big5, c_sjis, c_cp932, t_gbk, t_sjis, c_utf16, c_ucs2, c_binary) VALUES
    (4, _latin1 x'8081828d8f909dadff', _gbk x'bf5c27', _big5 x'a55c27', _sjis x'955c27', _cp932 x'815f5c', _gbk x'815c815c27',
        _sjis x'835c835c22', _utf16 x'005c0027', _ucs2 x'0027005c', x'bf5c27'),
    (5, _latin1 x'005c27', _gbk x'005c27', _big5 x'005c27', _sjis x'005c27', _cp932 x'7e', _gbk x'0a', _sjis x'b1b2',
        _utf16 x'd83dde00', _ucs2 x'20ac', x'00'),
    (6, _latin1 x'c3a9', _gbk x'b0a1', _big5 x'f9d5', _sjis x'8140', _cp932 x'fa54', NULL, NULL, _utf16 x'0000', _ucs2 x'd7ff',
        x'ffff');
-- Every byte in every character set of one byte, whether it is a letter there or not.
CREATE TABLE every_byte (
    id INT NOT NULL PRIMARY KEY,
    armscii8 VARCHAR(128) CHARACTER SET armscii8, cp1250 VARCHAR(128) CHARACTER SET cp1250,
    cp1251 VARCHAR(128) CHARACTER SET cp1251, cp1256 VARCHAR(128) CHARACTER SET cp1256,
    cp1257 VARCHAR(128) CHARACTER SET cp1257, cp850 VARCHAR(128) CHARACTER SET cp850,
    cp852 VARCHAR(128) CHARACTER SET cp852, cp866 VARCHAR(128) CHARACTER SET cp866, dec8 VARCHAR(128) CHARACTER SET dec8,
    geostd8 VARCHAR(128) CHARACTER SET geostd8, greek VARCHAR(128) CHARACTER SET greek,
    hebrew VARCHAR(128) CHARACTER SET hebrew, hp8 VARCHAR(128) CHARACTER SET hp8,
    keybcs2 VARCHAR(128) CHARACTER SET keybcs2, koi8r VARCHAR(128) CHARACTER SET koi8r,
    koi8u VARCHAR(128) CHARACTER SET koi8u, latin1 VARCHAR(128) CHARACTER SET latin1,
    latin2 VARCHAR(128) CHARACTER SET latin2, latin5 VARCHAR(128) CHARACTER SET latin5,
    latin7 VARCHAR(128) CHARACTER SET latin7, macce VARCHAR(128) CHARACTER SET macce,
    macroman VARCHAR(128) CHARACTER SET macroman, swe7 VARCHAR(128) CHARACTER SET swe7,
    tis620 VARCHAR(128) CHARACTER SET tis620
) ENGINE = InnoDB;
SET @low = x'000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f';
SET @high = x'808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff';
INSERT INTO every_byte VALUES (1,
    @low, @low, @low, @low, @low, @low, @low, @low, @low, @low, @low, @low, @low, @low, @low, @low, @low, @low, @low,
    @low, @low, @low, @low, @low), (2,
    @high, @high, @high, @high, @high, @high, @high, @high, @high, @high, @high, @high, @high, @high, @high, @high, @high,
    @high, @high, @high, @high, @high, @high, @high);

/*!50700 CREATE TABLE charset_gb18030 (
    id INT NOT NULL PRIMARY KEY,
    c VARCHAR(20) CHARACTER SET gb18030
) ENGINE = InnoDB */;
/*!50700 INSERT INTO charset_gb18030 VALUES (1, '表😀ſ'), (2, ''), (3, NULL), (4, _gb18030 x'815c27') */;

-- Bytes that aren't ASCII in a column that claims to be: every server but 9.7, which cuts them off, takes and keeps them.
CREATE TABLE broken_ascii (id INT NOT NULL PRIMARY KEY, v VARCHAR(20) CHARACTER SET ascii, t TEXT CHARACTER SET ascii) ENGINE = InnoDB;
INSERT INTO broken_ascii VALUES (1, _binary x'61ff62', _binary x'e4f6fc'), (2, _binary x'8127', NULL), (3, _binary x'c3a9', _binary x'5cff27');

-- Labels that aren't UTF-8, and the ones that aren't there: index 0 is what a wrong value became.
CREATE TABLE labels (
    id INT NOT NULL PRIMARY KEY,
    e_latin1 ENUM('é', 'ü', 'it''s', 'a,b', 'back\\slash') CHARACTER SET latin1,
    s_latin1 SET('ä', 'ö', 'ß', 'q''q') CHARACTER SET latin1,
    e_sjis ENUM('表', 'ソ', '能') CHARACTER SET sjis,
    e_gbk ENUM('縗', '誠', '乗') CHARACTER SET gbk,
    s_gbk SET('縗', '誠', '乗') CHARACTER SET gbk,
    e_utf16 ENUM('表', '😀') CHARACTER SET utf16,
    e_utf8 ENUM('表', '😀') CHARACTER SET utf8mb4,
    e_empty ENUM('', 'full') NOT NULL,
    e_digits ENUM('2', '1', '0') NOT NULL
) ENGINE = InnoDB;
INSERT INTO labels VALUES
    (1, 'é', 'ä', '表', '縗', '縗', '表', '表', '', '2'),
    (2, 'ü', 'ä,ö,ß', 'ソ', '誠', '縗,誠,乗', '😀', '😀', 'full', '1'),
    (3, 'it''s', 'q''q', '能', '乗', '乗', '表', '表', 1, '0'),
    (4, 'a,b', '', NULL, NULL, '', NULL, NULL, 2, 3),
    (5, 'back\\slash', NULL, NULL, NULL, NULL, NULL, NULL, '', 1),
    (6, 'wrong', 'wrong', 'wrong', 'wrong', 'wrong', 'wrong', 'wrong', 'wrong', 'wrong');

CREATE TABLE set_of_64 (
    id INT NOT NULL PRIMARY KEY,
    s SET('0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '10', '11', '12', '13', '14', '15', '16', '17', '18', '19', '20',
        '21', '22', '23', '24', '25', '26', '27', '28', '29', '30', '31', '32', '33', '34', '35', '36', '37', '38', '39', '40',
        '41', '42', '43', '44', '45', '46', '47', '48', '49', '50', '51', '52', '53', '54', '55', '56', '57', '58', '59', '60',
        '61', '62', '63')
) ENGINE = InnoDB;
INSERT INTO set_of_64 VALUES (1, 0), (2, 18446744073709551615), (3, 9223372036854775808), (4, 1), (5, NULL);

-- Its numbers need two bytes.
CREATE TABLE enum_of_300 (
    id INT NOT NULL PRIMARY KEY,
    e ENUM(
        '1', '2', '3', '4', '5', '6', '7', '8', '9', '10', '11', '12', '13', '14', '15', '16', '17', '18', '19', '20',
        '21', '22', '23', '24', '25', '26', '27', '28', '29', '30', '31', '32', '33', '34', '35', '36', '37', '38', '39',
        '40', '41', '42', '43', '44', '45', '46', '47', '48', '49', '50', '51', '52', '53', '54', '55', '56', '57', '58',
        '59', '60', '61', '62', '63', '64', '65', '66', '67', '68', '69', '70', '71', '72', '73', '74', '75', '76', '77',
        '78', '79', '80', '81', '82', '83', '84', '85', '86', '87', '88', '89', '90', '91', '92', '93', '94', '95', '96',
        '97', '98', '99', '100', '101', '102', '103', '104', '105', '106', '107', '108', '109', '110', '111', '112',
        '113', '114', '115', '116', '117', '118', '119', '120', '121', '122', '123', '124', '125', '126', '127', '128',
        '129', '130', '131', '132', '133', '134', '135', '136', '137', '138', '139', '140', '141', '142', '143', '144',
        '145', '146', '147', '148', '149', '150', '151', '152', '153', '154', '155', '156', '157', '158', '159', '160',
        '161', '162', '163', '164', '165', '166', '167', '168', '169', '170', '171', '172', '173', '174', '175', '176',
        '177', '178', '179', '180', '181', '182', '183', '184', '185', '186', '187', '188', '189', '190', '191', '192',
        '193', '194', '195', '196', '197', '198', '199', '200', '201', '202', '203', '204', '205', '206', '207', '208',
        '209', '210', '211', '212', '213', '214', '215', '216', '217', '218', '219', '220', '221', '222', '223', '224',
        '225', '226', '227', '228', '229', '230', '231', '232', '233', '234', '235', '236', '237', '238', '239', '240',
        '241', '242', '243', '244', '245', '246', '247', '248', '249', '250', '251', '252', '253', '254', '255', '256',
        '257', '258', '259', '260', '261', '262', '263', '264', '265', '266', '267', '268', '269', '270', '271', '272',
        '273', '274', '275', '276', '277', '278', '279', '280', '281', '282', '283', '284', '285', '286', '287', '288',
        '289', '290', '291', '292', '293', '294', '295', '296', '297', '298', '299', '300')
) ENGINE = InnoDB;
INSERT INTO enum_of_300 VALUES (1, '1'), (2, '255'), (3, '256'), (4, '300'), (5, NULL), (6, 'wrong');

-- Times -------------------------------------------------------------------------------------------------------------

CREATE TABLE times (
    id INT NOT NULL PRIMARY KEY,
    d DATE, dt DATETIME, dt3 DATETIME(3), dt6 DATETIME(6), ts TIMESTAMP NULL, ts6 TIMESTAMP(6) NULL, t TIME, t1 TIME(1),
    t6 TIME(6), y YEAR
) ENGINE = InnoDB;
INSERT INTO times VALUES
    (1, '0000-00-00', '0000-00-00 00:00:00', '0000-00-00 00:00:00', '0000-00-00 00:00:00', '0000-00-00 00:00:00',
        '0000-00-00 00:00:00', '00:00:00', '00:00:00', '00:00:00', 0),
    (2, '2024-00-00', '2024-00-00 00:00:00', '2024-00-00 12:00:00', '2024-00-00 00:00:00.000001', '1970-01-01 00:00:01',
        '1970-01-01 00:00:01.000000', '-838:59:59', '-838:59:59', '-838:59:59', 1901),
    (3, '2024-02-00', '2024-02-00 00:00:00', '2024-02-00 00:00:00', '2024-02-00 00:00:00', '2038-01-19 03:14:07',
        '2038-01-19 03:14:07.999999', '838:59:59', '838:59:59', '838:59:59', 2155),
    (4, '1000-01-01', '1000-01-01 00:00:00', '1000-01-01 00:00:00.001', '1000-01-01 00:00:00.000001', '2024-03-31 01:30:00',
        '2024-10-27 01:30:00.123456', '-00:00:01', '-00:00:00.1', '-00:00:00.000001', 1970),
    (5, '9999-12-31', '9999-12-31 23:59:59', '9999-12-31 23:59:59.999', '9999-12-31 23:59:59.999999', '2000-02-29 23:59:59',
        '2000-02-29 23:59:59.999999', '23:59:59', '23:59:59.9', '23:59:59.999999', 2024),
    (6, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
    (7, '0001-01-01', '0001-01-01 00:00:00', '0000-01-01 00:00:00', '0000-00-01 00:00:00', '1999-12-31 23:59:59',
        '1999-12-31 23:59:59.000009', '100:00:00', '100:00:00.5', '-100:00:00.000001', '0000'),
    (8, '2023-02-31', '2023-02-31 10:00:00', '2023-04-31 10:00:00.5', '2023-02-29 10:00:00.5', NULL, NULL, '00:59:59', '1:2:3',
        '837:59:59.999999', 70);
/*M!100500 INSERT INTO times (id, t1, t6) VALUES (9, '838:59:59.9', '838:59:59.999999'), (10, '-838:59:59.9', '-838:59:59.999999') */;
/*M!110500 INSERT INTO times (id, ts, ts6) VALUES (11, '2106-02-07 06:28:15', '2106-02-07 06:28:15.999999') */;

-- What's made now when nothing is said must not be made now.
CREATE TABLE stamps (
    id INT NOT NULL PRIMARY KEY,
    made TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    changed DATETIME(6) NULL DEFAULT NULL ON UPDATE CURRENT_TIMESTAMP(6),
    both_of_it TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3)
) ENGINE = InnoDB;
INSERT INTO stamps VALUES (1, '2001-02-03 04:05:06', NULL, '2001-02-03 04:05:06.789'),
    (2, '0000-00-00 00:00:00', '2001-02-03 04:05:06.000001', '0000-00-00 00:00:00');

-- Structured --------------------------------------------------------------------------------------------------------

CREATE TABLE jsons (
    id INT NOT NULL PRIMARY KEY,
    j JSON
) ENGINE = InnoDB;
INSERT INTO jsons VALUES
    (1, NULL), (2, 'null'), (3, 'true'), (4, '0'), (6, '1.0'), (7, '18446744073709551615'),
    (8, '-9223372036854775808'), (9, '1e300'), (10, '0.1'), (11, '""'), (12, '"ä表😀"'), (13, '"\\\\ \\" \\n \\u0000 \\u001f"'),
    (14, '[]'), (15, '{}'), (16, '{"": 1, "a": {"b": [1, 2, {"c": null}]}}'), (17, '{"bb": 1, "a": 2, "ccc": 3, "a b": 4}'),
    (18, '[1, "1", 1.5, true, null, [], {}]'), (19, '"it''s"'), (20, '"\\ud83d\\ude00"'), (21, '2.225073858507201e-308'),
    (22, '12345678901234567890123'), (23, ' {"b" :  1,\n\t"a": 2, "a": 3} ');
-- 5.7 writes it as -0, which is read as 0.
/*!80000 INSERT INTO jsons VALUES (5, '-0.0') */;
/*M!100500 INSERT INTO jsons VALUES (5, '-0.0') */;
-- Dates and times inside JSON have types of their own in MySQL, and a text all the same.
INSERT INTO jsons VALUES (30, JSON_OBJECT('d', CAST('2024-01-02' AS DATE), 't', CAST('-10:11:12.5' AS TIME(6)),
    'dt', CAST('2024-01-02 03:04:05.6' AS DATETIME(6))));

CREATE TABLE shapes (
    id INT NOT NULL PRIMARY KEY,
    g GEOMETRY, p POINT, l LINESTRING, po POLYGON, mp MULTIPOINT, ml MULTILINESTRING, mpo MULTIPOLYGON, gc GEOMETRYCOLLECTION
) ENGINE = InnoDB;
INSERT INTO shapes VALUES
    (1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
    (2, ST_GeomFromText('POINT(1 2)'), ST_GeomFromText('POINT(-0.1 1e300)'), ST_GeomFromText('LINESTRING(0 0, 1 1, 2 0)'),
        ST_GeomFromText('POLYGON((0 0, 10 0, 10 10, 0 10, 0 0), (2 2, 2 4, 4 4, 4 2, 2 2))'),
        ST_GeomFromText('MULTIPOINT(0 0, 1 1)'), ST_GeomFromText('MULTILINESTRING((0 0, 1 1), (2 2, 3 3))'),
        ST_GeomFromText('MULTIPOLYGON(((0 0, 1 0, 1 1, 0 0)), ((5 5, 6 5, 6 6, 5 5)))'),
        ST_GeomFromText('GEOMETRYCOLLECTION(POINT(1 1), LINESTRING(0 0, 1 1))')),
    (3, ST_GeomFromText('POINT(10 50)', 4326), ST_GeomFromText('POINT(10 50)', 3857),
        ST_GeomFromText('LINESTRING(10 20, 30 40)', 4326), ST_GeomFromText('POLYGON((0 0, 10 0, 10 10, 0 10, 0 0))', 4326),
        ST_GeomFromText('MULTIPOINT(1 2, 3 4)', 4326), NULL, NULL,
        ST_GeomFromText('GEOMETRYCOLLECTION(POINT(10 20))', 4326));
/*!50700 INSERT INTO shapes (id, g, gc) VALUES (4, ST_GeomFromText('GEOMETRYCOLLECTION()'), ST_GeomFromText('GEOMETRYCOLLECTION()')) */;
/*M!100500 INSERT INTO shapes (id, g, gc) VALUES (4, ST_GeomFromText('GEOMETRYCOLLECTION EMPTY'), ST_GeomFromText('GEOMETRYCOLLECTION EMPTY')) */;

CREATE TABLE places (
    id INT NOT NULL PRIMARY KEY,
    p POINT /*M!100500 REF_SYSTEM_ID=4326 */ NOT NULL /*!80003 SRID 4326 */,
    SPATIAL KEY by_place (p)
) ENGINE = InnoDB;
INSERT INTO places VALUES (1, ST_GeomFromText('POINT(50.1 8.6)', 4326)), (2, ST_GeomFromText('POINT(-90 180)', 4326));

/*!90000 CREATE TABLE vectors (
    id INT NOT NULL PRIMARY KEY,
    v VECTOR(3), w VECTOR
) ENGINE = InnoDB */;
/*!90000 INSERT INTO vectors VALUES (1, TO_VECTOR('[0.010516252368688583, -1, 3.4e38]'), TO_VECTOR('[1,2,3,4]')), (2, NULL, NULL),
    (3, x'000000800000803f01000000', NULL) */;
/*M!110700 CREATE TABLE vectors (
    id INT NOT NULL PRIMARY KEY,
    v VECTOR(3) NOT NULL, w VECTOR(1),
    VECTOR INDEX (v) DISTANCE = cosine
) ENGINE = InnoDB */;
/*M!110700 INSERT INTO vectors VALUES (1, VEC_FromText('[0.010516252368688583, -1, 3.4e38]'), VEC_FromText('[1]')),
    (2, VEC_FromText('[1, 2, 3]'), NULL), (3, x'000000800000803f01000000', NULL) */;

/*M!100500 CREATE TABLE addresses (
    id INT NOT NULL PRIMARY KEY,
    i6 INET6
) ENGINE = InnoDB */;
/*M!100500 INSERT INTO addresses VALUES (1, '::'), (2, '2001:db8::ff00:42:8329'), (3, NULL), (4, '::ffff:192.0.2.128'),
    (5, 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff') */;
/*M!101000 CREATE TABLE identifiers (
    id UUID NOT NULL PRIMARY KEY,
    i4 INET4, u UUID
) ENGINE = InnoDB */;
/*M!101000 INSERT INTO identifiers VALUES ('123e4567-e89b-12d3-a456-426655440000', '192.0.2.1', NULL),
    ('00000000-0000-0000-0000-000000000000', '0.0.0.0', 'ffffffff-ffff-ffff-ffff-ffffffffffff'),
    ('f47ac10b-58cc-4372-a567-0e02b2c3d479', NULL, 'f47ac10b-58cc-1372-8567-0e02b2c3d479') */;

-- Columns -----------------------------------------------------------------------------------------------------------

-- Values of generated columns can't be inserted; what hides from `*` must not be left out.
CREATE TABLE columns_of_kinds (
    id INT NOT NULL PRIMARY KEY,
    a INT NOT NULL,
    doubled INT GENERATED ALWAYS AS (a * 2) VIRTUAL,
    b VARCHAR(20) CHARACTER SET latin1,
    upper_b VARCHAR(20) CHARACTER SET latin1 GENERATED ALWAYS AS (UPPER(b)) STORED,
    /*!80023 hidden INT INVISIBLE DEFAULT 5, */ /*M!100500 hidden INT INVISIBLE DEFAULT 5, */
    /*!80013 told VARCHAR(40) DEFAULT (CONCAT('a', 1 + 1)), */ /*M!100500 told VARCHAR(40) DEFAULT CONCAT('a', 1 + 1), */
    `default` INT DEFAULT 3, `select` INT, `back``tick` INT, `quote'"` INT, `semi;colon` INT, `Größe 表` INT, `sp ace` INT,
    `DEFAULT_GENERATED` INT DEFAULT 7,
    KEY by_doubled (doubled)
) ENGINE = InnoDB;
INSERT INTO columns_of_kinds (id, a, b, `select`, `back``tick`, `quote'"`, `semi;colon`, `Größe 表`, `sp ace`) VALUES
    (1, 21, 'é', 1, 2, 3, 4, 5, 6), (2, -1, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
/*!80023 UPDATE columns_of_kinds SET hidden = 42 WHERE id = 2 */;
/*M!100500 UPDATE columns_of_kinds SET hidden = 42 WHERE id = 2 */;
/*M!100500 CREATE TABLE compressed_columns (
    id INT NOT NULL PRIMARY KEY,
    t TEXT COMPRESSED, v VARBINARY(1000) COMPRESSED
) ENGINE = InnoDB */;
/*M!100500 INSERT INTO compressed_columns VALUES (1, REPEAT('a', 5000), REPEAT(x'00', 900)), (2, '', ''), (3, NULL, NULL) */;

-- Whose expressions make the server warn of rows: of what it reads as a number, and of what it has no room for.
CREATE TABLE generated_with_warnings (
    id INT NOT NULL PRIMARY KEY,
    b VARCHAR(20),
    number BIGINT UNSIGNED GENERATED ALWAYS AS (CAST(b AS UNSIGNED)) STORED,
    small TINYINT GENERATED ALWAYS AS (CAST(b AS SIGNED)) STORED,
    `short` VARCHAR(2) GENERATED ALWAYS AS (b) STORED,
    day DATE GENERATED ALWAYS AS (STR_TO_DATE(b, '%Y-%m-%d')) VIRTUAL,
    part INT GENERATED ALWAYS AS (10 / LENGTH(b)) STORED,
    KEY by_day (day)
    /*!80013 , KEY by_number ((CAST(b AS SIGNED))) */
) ENGINE = InnoDB;
INSERT IGNORE INTO generated_with_warnings (id, b) VALUES (1, '12abc'), (2, ''), (3, 'x'), (4, NULL), (5, '123456'), (6, '-5'),
    (7, '2024-13-45');

-- Only what nobody generated by name.
CREATE TABLE only_generated (
    id INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    one INT GENERATED ALWAYS AS (1) VIRTUAL
) ENGINE = InnoDB;
INSERT INTO only_generated (id) VALUES (1), (2), (3);

-- Keys --------------------------------------------------------------------------------------------------------------

CREATE TABLE key_none (n INT, what VARCHAR(20)) ENGINE = InnoDB;
INSERT INTO key_none VALUES (1, 'twice'), (1, 'twice'), (NULL, NULL), (NULL, NULL), (2, '');
CREATE TABLE key_big (k BIGINT UNSIGNED NOT NULL PRIMARY KEY) ENGINE = InnoDB;
INSERT INTO key_big VALUES (0), (1), (9223372036854775807), (9223372036854775808), (18446744073709551615);
CREATE TABLE key_negative (k BIGINT NOT NULL PRIMARY KEY, v INT) ENGINE = InnoDB;
INSERT INTO key_negative VALUES (-9223372036854775808, 1), (-1, 2), (0, 3), (9223372036854775807, 4);
CREATE TABLE key_text (k VARCHAR(50) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci NOT NULL PRIMARY KEY) ENGINE = InnoDB;
INSERT INTO key_text VALUES (''), ('a'), ('B'), ('c''c'), ('ä x'), ('表'), ('\\'), ('zz%');
CREATE TABLE key_binary (k VARBINARY(20) NOT NULL PRIMARY KEY) ENGINE = InnoDB;
INSERT INTO key_binary VALUES (''), (x'00'), (x'0000'), (x'27'), (x'5c'), (x'ff'), (x'ffff');
CREATE TABLE key_latin1 (k CHAR(5) CHARACTER SET latin1 NOT NULL PRIMARY KEY) ENGINE = InnoDB;
INSERT INTO key_latin1 VALUES (''), ('é'), ('z'), (_latin1 x'ff'), (_latin1 x'80');
CREATE TABLE key_composite (
    a INT NOT NULL, b VARCHAR(10) NOT NULL, c DATE NOT NULL, v INT, PRIMARY KEY (a, b, c)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4;
INSERT INTO key_composite VALUES (1, 'a', '0000-00-00', 1), (1, 'a', '2024-01-01', 2), (1, 'b', '2024-01-01', 3), (2, '', '2024-01-01', 4);
CREATE TABLE key_decimal (k DECIMAL(65, 30) NOT NULL PRIMARY KEY) ENGINE = InnoDB;
INSERT INTO key_decimal VALUES (-1.000000000000000000000000000001), (0), (99999999999999999999999999999999999);
CREATE TABLE key_float (k FLOAT NOT NULL PRIMARY KEY) ENGINE = InnoDB;
INSERT INTO key_float VALUES (0.010516252368688583), (-0.1), (16777216), (3.4e38);
CREATE TABLE key_time (k DATETIME(6) NOT NULL PRIMARY KEY) ENGINE = InnoDB;
INSERT INTO key_time VALUES ('0000-00-00 00:00:00'), ('2024-00-00 00:00:00'), ('2024-01-01 00:00:00.000001'), ('9999-12-31 23:59:59.999999');
CREATE TABLE key_stamp (k TIMESTAMP(6) NOT NULL DEFAULT '2001-01-01 00:00:00' PRIMARY KEY) ENGINE = InnoDB;
INSERT INTO key_stamp VALUES ('0000-00-00 00:00:00'), ('1970-01-01 00:00:01'), ('2024-03-31 02:30:00.5');
CREATE TABLE key_enum (k ENUM('z', 'a', 'm') NOT NULL PRIMARY KEY, v INT) ENGINE = InnoDB;
INSERT INTO key_enum VALUES ('z', 1), ('a', 2), ('m', 3), ('wrong', 0);
CREATE TABLE key_bit (k BIT(64) NOT NULL PRIMARY KEY) ENGINE = InnoDB;
INSERT INTO key_bit VALUES (b'0'), (b'1'), (0xffffffffffffffff);
CREATE TABLE key_unique_null (k INT, v INT NOT NULL, UNIQUE KEY (k)) ENGINE = InnoDB;
INSERT INTO key_unique_null VALUES (NULL, 1), (NULL, 1), (NULL, 2), (0, 3), (5, 4);
CREATE TABLE key_unique (k INT NOT NULL, v INT, UNIQUE KEY (k)) ENGINE = InnoDB;
INSERT INTO key_unique VALUES (0, 0), (1, 1), (2, NULL);
CREATE TABLE key_prefix (k TEXT NOT NULL, v INT, PRIMARY KEY (k(5))) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4;
INSERT INTO key_prefix VALUES ('abcdefgh', 1), ('abcdxyz', 2), ('', 3);
CREATE TABLE empty_table (id INT NOT NULL PRIMARY KEY, v TEXT) ENGINE = InnoDB;

-- Engines -----------------------------------------------------------------------------------------------------------

CREATE TABLE engine_myisam (id INT NOT NULL PRIMARY KEY, v VARCHAR(20), KEY (v)) ENGINE = MyISAM DEFAULT CHARACTER SET latin1;
INSERT INTO engine_myisam VALUES (1, 'é'), (2, NULL), (3, '');
CREATE TABLE engine_memory (id INT NOT NULL PRIMARY KEY, v VARCHAR(20)) ENGINE = MEMORY DEFAULT CHARACTER SET utf8mb4;
INSERT INTO engine_memory VALUES (1, 'gone after a restart');
CREATE TABLE engine_csv (id INT NOT NULL, v VARCHAR(20) NOT NULL) ENGINE = CSV DEFAULT CHARACTER SET utf8mb4;
INSERT INTO engine_csv VALUES (1, 'a "b", c\nd'), (2, '');
/*!50700 CREATE TABLE engine_archive (id INT NOT NULL, v VARCHAR(20)) ENGINE = ARCHIVE DEFAULT CHARACTER SET utf8mb4 */;
/*!50700 INSERT INTO engine_archive VALUES (1, 'a'), (2, NULL) */;
/*M!100500 CREATE TABLE engine_aria (id INT NOT NULL PRIMARY KEY, v VARCHAR(20)) ENGINE = Aria DEFAULT CHARACTER SET utf8mb4 */;
/*M!100500 INSERT INTO engine_aria VALUES (1, 'é'), (2, NULL) */;
