//! Values of the binary protocol, read where they lie in a row.

use std::io;

use mysql_common::constants::{ColumnFlags, ColumnType};
use mysql_common::packets::Column;

/// A value of a row, borrowed from the packet that holds it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::mysql) enum Value<'r> {
    Null,
    Int(i64),
    /// One above the range of `Int`.
    UInt(u64),
    Float(f32),
    Double(f64),
    /// Year, month, day, hour, minute, second, microseconds.
    Date(u16, u8, u8, u8, u8, u8, u32),
    /// Negative or not, days, hours, minutes, seconds, microseconds.
    Time(bool, u32, u8, u8, u8, u32),
    Bytes(&'r [u8]),
}

impl<'v> From<&'v mysql_async::Value> for Value<'v> {
    fn from(value: &'v mysql_async::Value) -> Self {
        use mysql_async::Value as Owned;
        match *value {
            Owned::NULL => Self::Null,
            Owned::Int(number) => Self::Int(number),
            Owned::UInt(number) => Self::from(number),
            Owned::Float(number) => Self::Float(number),
            Owned::Double(number) => Self::Double(number),
            Owned::Date(year, month, day, h, m, s, micros) => {
                Self::Date(year, month, day, h, m, s, micros)
            }
            Owned::Time(negative, days, h, m, s, micros) => {
                Self::Time(negative, days, h, m, s, micros)
            }
            Owned::Bytes(ref bytes) => Self::Bytes(bytes),
        }
    }
}

impl From<Value<'_>> for mysql_async::Value {
    fn from(value: Value<'_>) -> Self {
        match value {
            Value::Null => Self::NULL,
            Value::Int(number) => Self::Int(number),
            Value::UInt(number) => Self::UInt(number),
            Value::Float(number) => Self::Float(number),
            Value::Double(number) => Self::Double(number),
            Value::Date(year, month, day, h, m, s, micros) => {
                Self::Date(year, month, day, h, m, s, micros)
            }
            Value::Time(negative, days, h, m, s, micros) => {
                Self::Time(negative, days, h, m, s, micros)
            }
            Value::Bytes(bytes) => Self::Bytes(bytes.to_vec()),
        }
    }
}

impl From<u64> for Value<'_> {
    fn from(number: u64) -> Self {
        i64::try_from(number).map_or(Self::UInt(number), Self::Int)
    }
}

/// How a column's values lie in a row: integers in so many bits, with a sign or without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Int8,
    UInt8,
    Int16,
    UInt16,
    Int32,
    UInt32,
    Int64,
    UInt64,
    Float,
    Double,
    Date,
    Time,
    /// Always NULL.
    Null,
    /// Anything else: a length, and bytes.
    Bytes,
}

impl Kind {
    pub(super) fn of(column: &Column) -> Self {
        let unsigned = column.flags().contains(ColumnFlags::UNSIGNED_FLAG);
        let either = |signed, other| if unsigned { other } else { signed };
        match column.column_type() {
            ColumnType::MYSQL_TYPE_TINY => either(Self::Int8, Self::UInt8),
            ColumnType::MYSQL_TYPE_SHORT | ColumnType::MYSQL_TYPE_YEAR => {
                either(Self::Int16, Self::UInt16)
            }
            ColumnType::MYSQL_TYPE_LONG | ColumnType::MYSQL_TYPE_INT24 => {
                either(Self::Int32, Self::UInt32)
            }
            ColumnType::MYSQL_TYPE_LONGLONG => either(Self::Int64, Self::UInt64),
            ColumnType::MYSQL_TYPE_FLOAT => Self::Float,
            ColumnType::MYSQL_TYPE_DOUBLE => Self::Double,
            ColumnType::MYSQL_TYPE_TIMESTAMP
            | ColumnType::MYSQL_TYPE_DATE
            | ColumnType::MYSQL_TYPE_DATETIME => Self::Date,
            ColumnType::MYSQL_TYPE_TIME => Self::Time,
            ColumnType::MYSQL_TYPE_NULL => Self::Null,
            _ => Self::Bytes,
        }
    }
}

/// Where the values of a row go.
///
/// Handing them over one by one, each where its kind is known, keeps them in registers: as an iterator they would pass through
/// memory, in small pieces that come back in large ones, which took a third of the work on a row.
pub(in crate::mysql) trait Sink {
    /// Takes the value of the next column.
    fn value(&mut self, value: Value<'_>);
}

/// The values of one row, where they arrived.
#[derive(Debug, Clone, Copy)]
pub(in crate::mysql) struct Fields<'r> {
    kinds: &'r [Kind],
    nulls: &'r [u8],
    rest: Rest<'r>,
}

impl<'r> Fields<'r> {
    /// The first byte says that it is a row.
    pub(super) fn new(row: &'r [u8], kinds: &'r [Kind]) -> io::Result<Self> {
        // The protocol leaves two bits free.
        let nulls = (kinds.len() + 2).div_ceil(8);
        let row = row.get(1..).and_then(|row| row.split_at_checked(nulls));
        let (nulls, rest) = row.ok_or_else(torn)?;
        Ok(Self {
            kinds,
            nulls,
            rest: Rest(rest),
        })
    }

    /// About how many bytes of text they are, if those are many.
    pub(in crate::mysql) fn size(&self) -> usize {
        self.rest.0.len()
    }

    /// Hands over all values, in the order of the columns.
    ///
    /// Errors: the row has not the form of its columns. Some values may have been handed over.
    #[inline(always)]
    pub(in crate::mysql) fn each(mut self, sink: &mut impl Sink) -> io::Result<()> {
        for (i, kind) in self.kinds.iter().enumerate() {
            let bit = i + 2;
            if self.nulls[bit / 8] >> (bit % 8) & 1 == 1 {
                sink.value(Value::Null);
            } else {
                self.rest.value(*kind, sink).ok_or_else(torn)?;
            }
        }
        Ok(())
    }
}

/// What is not read yet of a row.
#[derive(Debug, Clone, Copy)]
struct Rest<'r>(&'r [u8]);

impl<'r> Rest<'r> {
    #[inline(always)]
    fn value(&mut self, kind: Kind, sink: &mut impl Sink) -> Option<()> {
        match kind {
            Kind::Null => sink.value(Value::Null),
            Kind::Float => sink.value(Value::Float(f32::from_le_bytes(self.take()?))),
            Kind::Double => sink.value(Value::Double(f64::from_le_bytes(self.take()?))),
            Kind::Date => sink.value(self.date()?),
            Kind::Time => sink.value(self.time()?),
            Kind::Bytes => sink.value(Value::Bytes(self.bytes()?)),
            Kind::UInt64 => sink.value(Value::from(u64::from_le_bytes(self.take()?))),
            _ => sink.value(Value::Int(self.integer(kind)?)),
        }
        Some(())
    }

    /// One that is never above the range of those with a sign.
    #[inline(always)]
    fn integer(&mut self, kind: Kind) -> Option<i64> {
        Some(match kind {
            Kind::Int8 => i8::from_le_bytes(self.take()?).into(),
            Kind::UInt8 => u8::from_le_bytes(self.take()?).into(),
            Kind::Int16 => i16::from_le_bytes(self.take()?).into(),
            Kind::UInt16 => u16::from_le_bytes(self.take()?).into(),
            Kind::Int32 => i32::from_le_bytes(self.take()?).into(),
            Kind::UInt32 => u32::from_le_bytes(self.take()?).into(),
            _ => i64::from_le_bytes(self.take()?),
        })
    }

    #[inline(always)]
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*taken)
    }

    /// What is zero at the end is left away.
    #[inline(always)]
    fn date(&mut self) -> Option<Value<'r>> {
        let [length] = self.take()?;
        let ([y, z, month, day], [h, m, s], micros) = match length {
            0 => ([0; 4], [0; 3], [0; 4]),
            4 => (self.take()?, [0; 3], [0; 4]),
            7 => (self.take()?, self.take()?, [0; 4]),
            11 => (self.take()?, self.take()?, self.take()?),
            _ => return None,
        };
        let (year, micros) = (u16::from_le_bytes([y, z]), u32::from_le_bytes(micros));
        Some(Value::Date(year, month, day, h, m, s, micros))
    }

    #[inline(always)]
    fn time(&mut self) -> Option<Value<'r>> {
        let [length] = self.take()?;
        let ([negative], days, [h, m, s], micros) = match length {
            0 => ([0], [0; 4], [0; 3], [0; 4]),
            8 => (self.take()?, self.take()?, self.take()?, [0; 4]),
            12 => (self.take()?, self.take()?, self.take()?, self.take()?),
            _ => return None,
        };
        let (days, micros) = (u32::from_le_bytes(days), u32::from_le_bytes(micros));
        Some(Value::Time(negative == 1, days, h, m, s, micros))
    }

    #[inline(always)]
    fn bytes(&mut self) -> Option<&'r [u8]> {
        let [first] = self.take()?;
        let length = match first {
            0..=0xfa => usize::from(first),
            0xfc => usize::from(u16::from_le_bytes(self.take()?)),
            0xfd => {
                let [a, b, c] = self.take()?;
                usize::try_from(u32::from_le_bytes([a, b, c, 0])).ok()?
            }
            0xfe => usize::try_from(u64::from_le_bytes(self.take()?)).ok()?,
            _ => return None,
        };
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }
}

impl Sink for Vec<mysql_async::Value> {
    fn value(&mut self, value: Value<'_>) {
        self.push(value.into());
    }
}

fn torn() -> io::Error {
    io::Error::other("a row does not have the form of its columns")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use mysql_common::io::ParseBuf;
    use mysql_common::proto::{Binary, MySerialize};
    use mysql_common::row::{Row, RowDeserializer};
    use mysql_common::value::ServerSide;
    use proptest::prelude::*;

    use super::*;
    use crate::mysql::value::canonical;

    /// Every type that a column of an answer can have.
    #[rustfmt::skip]
    const TYPES: [ColumnType; 22] = {
        use ColumnType::*;
        [
            MYSQL_TYPE_TINY, MYSQL_TYPE_SHORT, MYSQL_TYPE_YEAR, MYSQL_TYPE_LONG, MYSQL_TYPE_INT24, MYSQL_TYPE_LONGLONG,
            MYSQL_TYPE_FLOAT, MYSQL_TYPE_DOUBLE, MYSQL_TYPE_TIMESTAMP, MYSQL_TYPE_DATE, MYSQL_TYPE_DATETIME,
            MYSQL_TYPE_TIME, MYSQL_TYPE_NULL, MYSQL_TYPE_NEWDECIMAL, MYSQL_TYPE_VAR_STRING, MYSQL_TYPE_STRING,
            MYSQL_TYPE_BLOB, MYSQL_TYPE_LONG_BLOB, MYSQL_TYPE_BIT, MYSQL_TYPE_JSON, MYSQL_TYPE_GEOMETRY, MYSQL_TYPE_ENUM,
        ]
    };

    fn columns() -> impl Strategy<Value = Vec<Column>> {
        let column =
            (prop::sample::select(&TYPES[..]), any::<bool>()).prop_map(|(kind, unsigned)| {
                let flags = if unsigned {
                    ColumnFlags::UNSIGNED_FLAG
                } else {
                    ColumnFlags::empty()
                };
                Column::new(kind).with_flags(flags)
            });
        prop::collection::vec(column, 1..20)
    }

    fn kinds(columns: &[Column]) -> Vec<Kind> {
        columns.iter().map(Kind::of).collect()
    }

    /// As we read it. Canonical bytes tell a NaN, too.
    fn ours(row: &[u8], kinds: &[Kind]) -> io::Result<Vec<Vec<u8>>> {
        let mut values: Vec<mysql_async::Value> = Vec::new();
        Fields::new(row, kinds)?.each(&mut values)?;
        Ok(values.iter().map(bytes).collect())
    }

    /// As the driver's library does.
    fn theirs(row: &[u8], columns: &[Column]) -> io::Result<Vec<Vec<u8>>> {
        let columns: Arc<[Column]> = columns.into();
        let row: RowDeserializer<ServerSide, Binary> = ParseBuf(row).parse(columns)?;
        Ok(Row::from(row).unwrap().iter().map(bytes).collect())
    }

    fn bytes(value: &mysql_async::Value) -> Vec<u8> {
        let mut bytes = Vec::new();
        canonical(value.into(), &mut bytes);
        bytes
    }

    /// A value, and the type of a column in which it lies as the library writes it.
    fn value() -> impl Strategy<Value = (mysql_async::Value, ColumnType)> {
        use mysql_async::Value as Owned;
        prop_oneof![
            Just((Owned::NULL, ColumnType::MYSQL_TYPE_LONGLONG)),
            any::<i64>().prop_map(|n| (Owned::Int(n), ColumnType::MYSQL_TYPE_LONGLONG)),
            any::<f32>().prop_map(|n| (Owned::Float(n), ColumnType::MYSQL_TYPE_FLOAT)),
            any::<f64>().prop_map(|n| (Owned::Double(n), ColumnType::MYSQL_TYPE_DOUBLE)),
            any::<(u16, u8, u8, u8, u8, u8, u32)>().prop_map(|(y, m, d, h, i, s, u)| (
                Owned::Date(y, m, d, h, i, s, u),
                ColumnType::MYSQL_TYPE_DATETIME
            )),
            any::<(u16, u8, u8)>().prop_map(|(y, m, d)| (
                Owned::Date(y, m, d, 0, 0, 0, 0),
                ColumnType::MYSQL_TYPE_DATE
            )),
            any::<(bool, u32, u8, u8, u8, u32)>().prop_map(|(n, d, h, i, s, u)| (
                // There is no negative zero.
                Owned::Time(n, d | 1, h, i, s, u),
                ColumnType::MYSQL_TYPE_TIME
            )),
            (
                any::<Vec<u8>>(),
                prop::sample::select(vec![1usize, 300, 1000])
            )
                .prop_map(|(text, times)| (
                    Owned::Bytes(text.repeat(times)),
                    ColumnType::MYSQL_TYPE_BLOB
                )),
        ]
    }

    proptest! {
        #[test]
        fn what_the_library_writes_comes_back(row in prop::collection::vec(value(), 1..20)) {
            let mut written = vec![0; 1 + (row.len() + 2).div_ceil(8)];
            for (i, (value, _)) in row.iter().enumerate() {
                if *value == mysql_async::Value::NULL {
                    written[1 + (i + 2) / 8] |= 1 << ((i + 2) % 8);
                }
                value.serialize(&mut written);
            }
            let columns: Vec<Column> = row.iter().map(|(_, kind)| Column::new(*kind)).collect();
            let values: Vec<Vec<u8>> = row.iter().map(|(value, _)| bytes(value)).collect();
            prop_assert_eq!(ours(&written, &kinds(&columns)).expect("a row"), values);
            // Cut anywhere it is none.
            for end in 0..written.len().min(200) {
                prop_assert!(ours(&written[..end], &kinds(&columns)).is_err());
            }
        }

        #[test]
        fn any_bytes_are_what_the_library_sees_in_them(row: Vec<u8>, columns in columns()) {
            if let Ok(found) = ours(&row, &kinds(&columns)) {
                prop_assert_eq!(found, theirs(&row, &columns).expect("a row"));
            }
        }
    }

    #[test]
    fn a_length_beyond_the_row_is_an_error() {
        let blob = [Kind::Bytes];
        for length in [
            &[5][..],
            &[0xfc, 255, 255],
            &[0xfe, 255, 255, 255, 255, 255, 255, 255, 255],
            &[0xff],
        ] {
            let row = [&[0, 0], length, b"four"].concat();
            assert!(ours(&row, &blob).is_err(), "{length:?}");
        }
    }
}
