//! A value of the binary protocol as a literal of SQL, and as bytes for the row hash. Pure.
//!
//! The text protocol rounds FLOAT and converts texts on their way; the binary protocol carries the fields as they are
//! stored. Sessions read with `character_set_results = NULL`, so a text is its bytes in its column's own character set.
//!
//! # The canonical bytes of a row
//!
//! The row hash is XXH3-128 over its values in the order of the columns, each a tag and what follows from the tag, numbers
//! with the lowest byte first:
//!
//! | tag | value | bytes |
//! |---|---|---|
//! | 0 | NULL | |
//! | 1 | integer that fits 64 bits with a sign; ENUM and SET are their numbers | 8 |
//! | 2 | larger integer without a sign | 8 |
//! | 3 | FLOAT, its bits | 4 |
//! | 4 | DOUBLE, its bits | 8 |
//! | 5 | DATE, DATETIME, TIMESTAMP (UTC) | year 2, month, day, hour, minute, second, microsecond 4 |
//! | 6 | TIME | 1 if negative, days 4, hour, minute, second, microsecond 4 |
//! | 7 | anything else: its bytes, in the column's character set | length 8, then they |
//! | 8 | the same, longer than 64 KiB | length 8, then the 32 hex digits of their own XXH3-128 |

use super::quote;
use super::script::ColumnData;
use super::wire::Value;
use ksnapshot_core::RowHash;

/// Longer values enter the row hash by a hash of their own, so that they need not be copied.
const LONG: usize = 64 << 10;

/// How a column's values are written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Form {
    /// As it comes: DECIMAL, and the numbers of ENUM and SET.
    Plain,
    /// A FLOAT of so many digits, none of which is beyond that; the nearest float may be.
    Fixed(f64),
    /// A date without a time.
    Date,
    /// A time, with or without a date, and its digits after the point.
    Time(u8),
    /// A text in UTF-8.
    Utf8,
    /// A text in a character set that writes ASCII as we do.
    Ascii,
    /// Bytes, and texts that are best left alone.
    Bytes,
}

impl Form {
    pub(super) fn of(column: &ColumnData) -> Self {
        match column.data_type.as_str() {
            "decimal" | "enum" | "set" => Self::Plain,
            "float" => largest(&column.column_type).map_or(Self::Plain, Self::Fixed),
            "date" => Self::Date,
            "time" | "datetime" | "timestamp" => Self::Time(precision(&column.column_type)),
            // MariaDB sends these as ASCII. JSON is refused as bytes.
            "json" | "uuid" | "inet4" | "inet6" => Self::Utf8,
            _ => match column.charset.as_deref() {
                Some("utf8" | "utf8mb3" | "utf8mb4") => Self::Utf8,
                Some(charset) if ASCII.contains(&charset) => Self::Ascii,
                _ => Self::Bytes,
            },
        }
    }
}

/// Character sets that a text of ASCII reaches unchanged, as the servers' own conversions show. Not among them: sjis, which
/// makes a backslash wide, swe7, which has letters in its place, and UTF-16 and its like.
#[rustfmt::skip]
const ASCII: [&str; 32] = [
    "armscii8", "ascii", "big5", "cp1250", "cp1251", "cp1256", "cp1257", "cp850", "cp852", "cp866", "cp932", "dec8",
    "eucjpms", "euckr", "gb18030", "gb2312", "gbk", "geostd8", "greek", "hebrew", "hp8", "keybcs2", "koi8r", "koi8u",
    "latin1", "latin2", "latin5", "latin7", "macce", "macroman", "tis620", "ujis",
];

/// `6` of `datetime(6)`.
fn precision(column_type: &str) -> u8 {
    let digits = (column_type.split_once('(')).and_then(|(_, rest)| rest.split_once(')'));
    digits
        .and_then(|(digits, _)| digits.parse().ok())
        .unwrap_or(0)
        .min(6)
}

/// `999.99` of `float(5,2)`.
fn largest(column_type: &str) -> Option<f64> {
    let (_, rest) = column_type.split_once('(')?;
    let (digits, places) = rest.split_once(')')?.0.split_once(',')?;
    let (digits, places): (i32, i32) = (digits.trim().parse().ok()?, places.trim().parse().ok()?);
    // As the server reckons it.
    Some(10f64.powi(digits - places) - 1.0 / 10f64.powi(places))
}

/// Appends the literal of a value. It holds no line feed.
#[inline(always)]
pub(super) fn literal(value: Value<'_>, form: Form, out: &mut Vec<u8>) {
    match value {
        Value::Null => out.extend_from_slice(b"NULL"),
        Value::Int(number) => {
            if number < 0 {
                out.push(b'-');
            }
            integer(number.unsigned_abs(), out);
        }
        Value::UInt(number) => integer(number, out),
        // The server rounds the double back to the very float.
        Value::Float(number) => match form {
            Form::Fixed(most) => float(f64::from(number).clamp(-most, most), out),
            _ => float(f64::from(number), out),
        },
        Value::Double(number) => float(number, out),
        Value::Date(year, month, day, hour, minute, second, micros) => {
            out.push(b'\'');
            two(year / 100, out);
            two(year % 100, out);
            out.push(b'-');
            two((month).into(), out);
            out.push(b'-');
            two((day).into(), out);
            if let Form::Time(digits) = form {
                out.push(b' ');
                two((hour).into(), out);
                clock(minute, second, micros, digits, out);
            }
            out.push(b'\'');
        }
        Value::Time(negative, days, hours, minute, second, micros) => {
            out.push(b'\'');
            if negative {
                out.push(b'-');
            }
            let hours = u64::from(days) * 24 + u64::from(hours);
            if hours < 10 {
                out.push(b'0');
            }
            integer(hours, out);
            let digits = if let Form::Time(digits) = form {
                digits
            } else {
                6
            };
            clock(minute, second, micros, digits, out);
            out.push(b'\'');
        }
        Value::Bytes(bytes) => match form {
            Form::Plain => out.extend_from_slice(bytes),
            Form::Bytes => hex(bytes, out),
            Form::Utf8 | Form::Ascii if plain(bytes) => {
                out.push(b'\'');
                out.extend_from_slice(bytes);
                out.push(b'\'');
            }
            Form::Utf8 if std::str::from_utf8(bytes).is_ok() => quote::escape(bytes, out),
            Form::Ascii if bytes.is_ascii() => quote::escape(bytes, out),
            // Without an introducer the server takes the bytes as they are into whatever the column's character set is;
            // with one, it would refuse the whole statement for one byte that isn't right.
            Form::Utf8 | Form::Ascii => hex(bytes, out),
            Form::Fixed(_) | Form::Date | Form::Time(_) => quote::escape(bytes, out),
        },
    }
}

/// Appends the canonical bytes of a value.
#[inline(always)]
pub(super) fn canonical(value: Value<'_>, out: &mut Vec<u8>) {
    match value {
        Value::Null => out.push(0),
        Value::Int(number) => {
            out.push(1);
            out.extend_from_slice(&number.to_le_bytes());
        }
        Value::UInt(number) => {
            out.push(if i64::try_from(number).is_ok() { 1 } else { 2 });
            out.extend_from_slice(&number.to_le_bytes());
        }
        Value::Float(number) => {
            out.push(3);
            out.extend_from_slice(&number.to_le_bytes());
        }
        Value::Double(number) => {
            out.push(4);
            out.extend_from_slice(&number.to_le_bytes());
        }
        Value::Date(year, month, day, hour, minute, second, micros) => {
            let [low, high] = year.to_le_bytes();
            out.extend_from_slice(&[5, low, high, month, day, hour, minute, second]);
            out.extend_from_slice(&micros.to_le_bytes());
        }
        Value::Time(negative, days, hour, minute, second, micros) => {
            out.extend_from_slice(&[6, u8::from(negative)]);
            out.extend_from_slice(&days.to_le_bytes());
            out.extend_from_slice(&[hour, minute, second]);
            out.extend_from_slice(&micros.to_le_bytes());
        }
        Value::Bytes(bytes) => {
            out.push(if bytes.len() > LONG { 8 } else { 7 });
            out.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
            if bytes.len() > LONG {
                out.extend_from_slice(RowHash::of(bytes).to_string().as_bytes());
            } else {
                out.extend_from_slice(bytes);
            }
        }
    }
}

/// Nothing of it needs a look at its character set or an escape. Looks at every byte, which many at a time do.
fn plain(text: &[u8]) -> bool {
    let odd = |b: u8| !(0x20..0x80).contains(&b) | (b == b'\'') | (b == b'\\');
    !text.iter().fold(false, |any, &b| any | odd(b))
}

fn hex(bytes: &[u8], out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    // A bare 0x is refused, or is no text.
    if bytes.is_empty() {
        out.extend_from_slice(b"''");
        return;
    }
    out.reserve(2 + 2 * bytes.len());
    out.extend_from_slice(b"0x");
    out.extend(
        (bytes.iter()).flat_map(|b| [DIGITS[usize::from(b >> 4)], DIGITS[usize::from(b & 15)]]),
    );
}

/// The shortest text that reads back as the same double, with an exponent: without one it would be a DECIMAL.
fn float(number: f64, out: &mut Vec<u8>) {
    use std::io::Write;
    // Writing into a vector doesn't fail.
    let _ = write!(out, "{number:e}");
}

/// `:mm:ss.ffffff`
fn clock(minute: u8, second: u8, micros: u32, digits: u8, out: &mut Vec<u8>) {
    out.push(b':');
    two(minute.into(), out);
    out.push(b':');
    two(second.into(), out);
    if digits > 0 {
        out.push(b'.');
        let mut rest = micros;
        let mut place = 100_000;
        for _ in 0..digits {
            out.push(b'0' + u8::try_from(rest / place % 10).unwrap_or(0));
            rest %= place;
            place /= 10;
        }
    }
}

/// The last two digits of a number, in two digits.
fn two(number: u16, out: &mut Vec<u8>) {
    let at = usize::from(number % 100) * 2;
    out.extend_from_slice(&PAIRS[at..at + 2]);
}

/// `00`, `01`, … `99`.
const PAIRS: [u8; 200] = {
    let mut pairs = [b'0'; 200];
    let mut i = 0;
    while i < 100 {
        pairs[2 * i] = b'0' + (i / 10) as u8;
        pairs[2 * i + 1] = b'0' + (i % 10) as u8;
        i += 1;
    }
    pairs
};

fn integer(mut number: u64, out: &mut Vec<u8>) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    while number >= 10 {
        let pair = usize::try_from(number % 100).unwrap_or(0) * 2;
        at -= 2;
        digits[at..at + 2].copy_from_slice(&PAIRS[pair..pair + 2]);
        number /= 100;
    }
    // What is left is one digit, or nothing of a number whose last pair began with it.
    if number > 0 || at == digits.len() {
        at -= 1;
        digits[at] = PAIRS[usize::try_from(number).unwrap_or(0) * 2 + 1];
    }
    out.extend_from_slice(&digits[at..]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(value: Value<'_>, form: Form) -> String {
        let mut out = Vec::new();
        literal(value, form, &mut out);
        String::from_utf8(out).expect("UTF-8")
    }

    fn column(data_type: &str, column_type: &str, charset: Option<&str>) -> ColumnData {
        ColumnData {
            name: "c".into(),
            data_type: data_type.into(),
            column_type: column_type.into(),
            charset: charset.map(Into::into),
        }
    }

    fn bytes(value: &[u8]) -> Value<'_> {
        Value::Bytes(value)
    }

    #[test]
    fn forms_follow_types() {
        for (data_type, column_type, charset, form) in [
            ("decimal", "decimal(65,30)", None, Form::Plain),
            ("enum", "enum('a')", Some("utf8mb4"), Form::Plain),
            ("float", "float", None, Form::Plain),
            ("float", "float(5,2) unsigned", None, Form::Fixed(999.99)),
            ("date", "date", None, Form::Date),
            ("datetime", "datetime", None, Form::Time(0)),
            ("timestamp", "timestamp(3)", None, Form::Time(3)),
            ("time", "time(6) /* mariadb-5.3 */", None, Form::Time(6)),
            ("varchar", "varchar(10)", Some("utf8mb3"), Form::Utf8),
            ("char", "char(10)", Some("gbk"), Form::Ascii),
            ("text", "text", Some("sjis"), Form::Bytes),
            ("text", "text", Some("ucs2"), Form::Bytes),
            ("blob", "blob", None, Form::Bytes),
            ("bit", "bit(64)", None, Form::Bytes),
            ("vector", "vector(3)", None, Form::Bytes),
            ("point", "point", None, Form::Bytes),
            ("json", "json", None, Form::Utf8),
            ("inet6", "inet6", None, Form::Utf8),
        ] {
            assert_eq!(
                Form::of(&column(data_type, column_type, charset)),
                form,
                "{column_type}"
            );
        }
    }

    #[test]
    fn literals_are_what_the_server_reads() {
        use Form::*;
        for (value, form, text) in [
            (Value::Null, Bytes, "NULL"),
            (Value::Int(i64::MIN), Plain, "-9223372036854775808"),
            (Value::UInt(u64::MAX), Plain, "18446744073709551615"),
            (Value::Int(0), Plain, "0"),
            (Value::Int(-100), Plain, "-100"),
            (Value::Float(0.1), Plain, "1.0000000149011612e-1"),
            (Value::Float(f32::MAX), Plain, "3.4028234663852886e38"),
            (Value::Float(1000.0), Fixed(999.99), "9.9999e2"),
            (Value::Double(0.1), Plain, "1e-1"),
            (Value::Double(-0.0), Plain, "-0e0"),
            (Value::Double(5e-324), Plain, "5e-324"),
            (bytes(b"-0.10"), Plain, "-0.10"),
            (Value::Date(0, 0, 0, 0, 0, 0, 0), Date, "'0000-00-00'"),
            (Value::Date(2024, 0, 5, 0, 0, 0, 0), Date, "'2024-00-05'"),
            (
                Value::Date(0, 0, 0, 0, 0, 0, 0),
                Time(0),
                "'0000-00-00 00:00:00'",
            ),
            (
                Value::Date(9999, 12, 31, 23, 59, 59, 1),
                Time(6),
                "'9999-12-31 23:59:59.000001'",
            ),
            (
                Value::Date(1, 2, 3, 4, 5, 6, 120_000),
                Time(2),
                "'0001-02-03 04:05:06.12'",
            ),
            (
                Value::Time(true, 34, 22, 59, 59, 999_999),
                Time(6),
                "'-838:59:59.999999'",
            ),
            (Value::Time(false, 0, 0, 0, 0, 0), Time(0), "'00:00:00'"),
            (bytes(b""), Bytes, "''"),
            (bytes(b"\0\xff"), Bytes, "0x00FF"),
            (bytes(b""), Utf8, "''"),
            (bytes("it's\n\\ü".as_bytes()), Utf8, "'it\\'s\\n\\\\ü'"),
            (bytes(b"tab\t"), Ascii, "'tab\t'"),
            (bytes(b"\xe4\\"), Ascii, "0xE45C"),
            (bytes(b"\xed\xa0\x80"), Utf8, "0xEDA080"),
        ] {
            assert_eq!(written(value, form), text);
        }
    }

    proptest! {
        #[test]
        fn integers_are_written_as_anybody_does(number: u64, shift in 0u32..64) {
            let number = number >> shift;
            let mut out = Vec::new();
            integer(number, &mut out);
            prop_assert_eq!(String::from_utf8(out).expect("digits"), number.to_string());
        }

        #[test]
        fn floats_come_back_bit_for_bit(bits: u64, half: u32) {
            let (double, single) = (f64::from_bits(bits), f32::from_bits(half));
            prop_assume!(double.is_finite() && single.is_finite());
            let back: f64 = written(Value::Double(double), Form::Plain).parse().expect("a number");
            prop_assert_eq!(back.to_bits(), bits);
            let back: f64 = written(Value::Float(single), Form::Plain).parse().expect("a number");
            #[expect(clippy::cast_possible_truncation)]
            let back = back as f32;
            prop_assert_eq!(back.to_bits(), half);
        }

        #[test]
        fn no_literal_holds_a_line_feed_or_ends_early(text: Vec<u8>) {
            for form in [Form::Utf8, Form::Ascii, Form::Bytes] {
                let mut out = Vec::new();
                literal(Value::Bytes(&text), form, &mut out);
                prop_assert!(!out.contains(&b'\n'));
                let inner = out.strip_prefix(b"'").and_then(|rest| rest.strip_suffix(b"'"));
                if let Some(inner) = inner {
                    let mut escaped = false;
                    for &b in inner {
                        prop_assert!(escaped || b != b'\'');
                        escaped = !escaped && b == b'\\';
                    }
                    prop_assert!(!escaped);
                } else {
                    prop_assert!(out.starts_with(b"0x"));
                }
            }
        }

        #[test]
        fn canonical_bytes_tell_rows_apart(a: Vec<Vec<u8>>, b: Vec<Vec<u8>>) {
            prop_assume!(a != b);
            let all = |row: &[Vec<u8>]| {
                let mut out = Vec::new();
                row.iter().for_each(|v| canonical(Value::Bytes(v), &mut out));
                out
            };
            prop_assert_ne!(all(&a), all(&b));
        }
    }

    #[test]
    fn one_number_has_one_canonical_form() {
        let of = |value: Value<'_>| {
            let mut out = Vec::new();
            canonical(value, &mut out);
            out
        };
        assert_eq!(of(Value::Int(7)), of(Value::UInt(7)));
        assert_ne!(of(Value::Int(-1)), of(Value::UInt(u64::MAX)));
        assert_ne!(of(Value::Null), of(bytes(b"")));
        let long = vec![1; LONG + 1];
        assert_eq!(of(bytes(&long)).len(), 1 + 8 + 32);
        assert_eq!(of(bytes(&long[1..])).len(), 1 + 8 + LONG);
    }
}
