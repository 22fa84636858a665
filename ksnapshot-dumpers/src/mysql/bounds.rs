//! Where to cut a table: bounds of its key, found on the server with little reading. What is found decides the sizes of
//! chunks and nothing else, so estimates will do.

use std::time::{Duration, Instant};

use ksnapshot_core::Result;
use mysql_async::{Value as Owned, from_row};

use super::chunk::{Bound, Chunk, Key, Piece, ranges};
use super::connect::Statements;
use super::error::classify;
use super::quote;
use super::script::{ColumnData, KeyData, TableData};
use super::value::{Form, literal};
use super::wire::{Value, Wire};

/// Bytes that one reader reads at once: readers end together, and the start of a query does not count.
const CHUNK: u64 = 48 << 20;

/// A table is cut below that only so that every reader has a few pieces, and never smaller than this.
const SMALLEST: u64 = 8 << 20;

/// Looking for bounds of one table ends after that time; what is left stays in one piece.
const TIME: Duration = Duration::from_secs(10);

/// Estimates asked for at once.
const FANOUT: i128 = 64;

/// Into how many pieces a table should fall. Pure.
fn wanted(bytes: u64, readers: usize) -> u64 {
    let some = (bytes / SMALLEST).min(4 * readers as u64);
    if readers == 1 {
        1
    } else {
        bytes.div_ceil(CHUNK).max(some).max(1)
    }
}

/// The chunks of a table, each with about how many bytes it has. The session reads texts as they are stored.
pub(super) async fn chunks(
    connection: &mut Wire,
    table: &TableData,
    readers: usize,
) -> Result<Vec<(Chunk, u64)>> {
    let pieces = wanted(table.bytes, readers);
    // One statement reads a table without transactions at one moment; several would not.
    if pieces < 2 || !table.transactional() {
        return Ok(vec![(Chunk::Whole, table.bytes)]);
    }
    let target = (table.rows / pieces).max(1);
    let row = (table.bytes / table.rows.max(1)).max(1);
    for key in &table.keys {
        let Some((columns, index)) = usable(connection, table, key).await? else {
            continue;
        };
        let names = |columns: &[&ColumnData]| columns.iter().map(|c| c.name.clone()).collect();
        let mut search = Search {
            connection: &mut *connection,
            table: quote::qualified(&table.database, &table.name),
            index: quote::name(&index),
            key: Key {
                index: index.clone(),
                columns: names(&columns),
                nullable: key.nullable,
            },
            target,
            until: Instant::now() + TIME,
        };
        let found = if integer(columns[0]) {
            let integers = columns.iter().take_while(|c| integer(c)).count();
            search.dive(integers, table.rows).await?
        } else {
            search.step(&columns, table.rows).await?
        };
        // Of the key that cuts, all columns say where there is a NULL.
        let whole = Key {
            index,
            columns: key
                .columns
                .iter()
                .map(|&c| table.columns[c].name.clone())
                .collect(),
            nullable: key.nullable,
        };
        let cut = ranges(&whole, &found, target);
        return Ok((cut.into_iter())
            .map(|(chunk, rows)| (chunk, rows * row))
            .collect());
    }
    if table.partitions.len() > 1 {
        let share = table.bytes / table.partitions.len() as u64;
        let cut = table.partitions.iter().cloned();
        return Ok(cut.map(|name| (Chunk::Partition(name), share)).collect());
    }
    Ok(vec![(Chunk::Whole, table.bytes)])
}

/// The leading columns of a key that compare with a literal as they sort, and the name of its index.
async fn usable<'t>(
    connection: &mut Wire,
    table: &'t TableData,
    key: &KeyData,
) -> Result<Option<(Vec<&'t ColumnData>, String)>> {
    let columns: Vec<&ColumnData> = (key.columns.iter())
        .map(|&c| &table.columns[c])
        .take_while(|c| comparable(c))
        .collect();
    if columns.is_empty() {
        return Ok(None);
    }
    let names: Vec<&str> = key
        .columns
        .iter()
        .map(|&c| table.columns[c].name.as_str())
        .collect();
    let sql = format!(
        "SELECT CAST(index_name AS BINARY), CAST(column_name AS BINARY) FROM information_schema.STATISTICS
         WHERE table_schema = {} AND table_name = {} AND non_unique = 0 AND sub_part IS NULL
         ORDER BY index_name = 'PRIMARY' DESC, index_name, seq_in_index",
        quote::literal(&table.database),
        quote::literal(&table.name),
    );
    let lines = connection.query(&sql).await.map_err(classify)?;
    let lines: Vec<(Vec<u8>, Option<Vec<u8>>)> = lines.into_iter().map(from_row).collect();
    let found = lines.chunk_by(|a, b| a.0 == b.0).find(|index| {
        let columns = index.iter().map(|(_, column)| column.as_deref());
        columns.eq(names.iter().map(|name| Some(name.as_bytes())))
    });
    let name = found.and_then(|index| String::from_utf8(index[0].0.clone()).ok());
    Ok(name.map(|name| (columns, name)))
}

fn integer(column: &ColumnData) -> bool {
    matches!(
        column.data_type.as_str(),
        "tinyint" | "smallint" | "mediumint" | "int" | "bigint"
    )
}

/// An ENUM compares as a text and sorts as a number, a year of one digit is another year, and a FLOAT equals no literal.
fn comparable(column: &ColumnData) -> bool {
    integer(column)
        || matches!(
            column.data_type.as_str(),
            "char"
                | "varchar"
                | "binary"
                | "varbinary"
                | "decimal"
                | "date"
                | "datetime"
                | "timestamp"
        )
}

struct Search<'c> {
    connection: &'c mut Wire,
    table: String,
    /// The index by which to read it.
    index: String,
    key: Key,
    /// About how many rows a chunk should have.
    target: u64,
    until: Instant,
}

/// Where all keys begin with `prefix`, those whose next column is from `low` to below `high`.
struct Interval {
    prefix: Vec<i128>,
    low: i128,
    high: i128,
    rows: u64,
    begins: Option<Bound>,
}

impl Search<'_> {
    /// Bounds of a key that begins with integers: a range is halved, and more, as long as the index says that there is much in
    /// it. Reads a few pages for every bound.
    async fn dive(&mut self, integers: usize, all: u64) -> Result<Vec<Piece>> {
        let mut done = Vec::new();
        let mut left = Vec::new();
        if let Some((low, high)) = self.extent(&[]).await? {
            left.push(Interval {
                prefix: Vec::new(),
                low,
                high: high + 1,
                // Asked about more than half of a table, a server says half.
                rows: all,
                begins: None,
            });
        }
        while let Some(interval) = left.pop() {
            let Interval {
                prefix,
                low,
                high,
                rows,
                begins,
            } = interval;
            let large = rows > self.target + self.target / 2;
            if !large || Instant::now() > self.until {
                done.push(Piece { from: begins, rows });
            } else if high - low > 1 {
                let pieces = i128::from(rows.div_ceil(self.target))
                    .clamp(2, FANOUT)
                    .min(high - low);
                let step = (high - low + pieces - 1) / pieces;
                let mut parts = Vec::new();
                let mut from = low;
                while from < high {
                    let to = (from + step).min(high);
                    parts.push(Interval {
                        rows: self.estimate(&prefix, from, to).await?,
                        begins: if from == low {
                            begins.clone()
                        } else {
                            Some(bound(&prefix, from))
                        },
                        prefix: prefix.clone(),
                        low: from,
                        high: to,
                    });
                    from = to;
                }
                left.extend(parts.into_iter().rev());
            } else {
                // All in one value: the key's next column may cut it.
                let mut longer = prefix;
                longer.push(low);
                let extent = if longer.len() < integers {
                    self.extent(&longer).await?
                } else {
                    None
                };
                match extent {
                    Some((low, high)) if high > low => left.push(Interval {
                        prefix: longer,
                        low,
                        high: high + 1,
                        rows,
                        begins,
                    }),
                    _ => done.push(Piece { from: begins, rows }),
                }
            }
        }
        Ok(done)
    }

    /// The lowest and the highest value of the column after `prefix`.
    async fn extent(&mut self, prefix: &[i128]) -> Result<Option<(i128, i128)>> {
        let column = quote::name(&self.key.columns[prefix.len()]);
        let sql = format!(
            "SELECT MIN({column}), MAX({column}) FROM {} FORCE INDEX ({}){}",
            self.table,
            self.index,
            self.filter(prefix, ""),
        );
        let found = self
            .connection
            .first_values(&sql)
            .await
            .map_err(classify)?
            .unwrap_or_default();
        let number = |value: Option<&Owned>| match value {
            Some(Owned::Int(number)) => Some(i128::from(*number)),
            Some(Owned::UInt(number)) => Some(i128::from(*number)),
            _ => None,
        };
        Ok(number(found.first()).zip(number(found.get(1))))
    }

    /// About how many rows, as the optimizer sees it.
    async fn estimate(&mut self, prefix: &[i128], low: i128, high: i128) -> Result<u64> {
        let column = quote::name(&self.key.columns[prefix.len()]);
        let range = format!("{column} >= {low} AND {column} < {high}");
        // Told to use an index whatever it costs, MySQL no longer estimates.
        let sql = format!(
            "EXPLAIN FORMAT=TRADITIONAL SELECT 1 FROM {} USE INDEX ({}){}",
            self.table,
            self.index,
            self.filter(prefix, &range),
        );
        let plan = self.connection.first(&sql).await.map_err(classify)?;
        Ok(plan
            .and_then(|plan| plan.get::<Option<u64>, _>("rows"))
            .flatten()
            .unwrap_or(0))
    }

    fn filter(&self, prefix: &[i128], last: &str) -> String {
        let equal = (self.key.columns.iter().zip(prefix))
            .map(|(column, value)| format!("{} = {value}", quote::name(column)));
        let all: Vec<String> = equal
            .chain((!last.is_empty()).then(|| last.to_owned()))
            .collect();
        if all.is_empty() {
            String::new()
        } else {
            format!(" WHERE {}", all.join(" AND "))
        }
    }

    /// Bounds of any key, by counting along its index.
    async fn step(&mut self, columns: &[&ColumnData], rows: u64) -> Result<Vec<Piece>> {
        let names: Vec<String> = columns.iter().map(|c| quote::name(&c.name)).collect();
        let names = names.join(", ");
        let mut pieces = vec![Piece {
            from: None,
            rows: self.target,
        }];
        let mut last: Option<Bound> = None;
        while Instant::now() < self.until {
            let from = Chunk::Range {
                key: self.key.clone(),
                from: last.clone(),
                to: None,
            };
            let filter = from
                .condition()
                .map(|c| format!(" WHERE {c}"))
                .unwrap_or_default();
            let sql = format!(
                "SELECT {names} FROM {} FORCE INDEX ({}){filter} ORDER BY {names} LIMIT 1 OFFSET {}",
                self.table, self.index, self.target,
            );
            let found = match self.connection.first_values(&sql).await {
                // A text that is none in its character set can't be written as a bound.
                Err(cause) if super::error::number(&cause) == Some(1300) => None,
                found => found.map_err(classify)?,
            };
            let found = found.and_then(|values| {
                let literals = values.iter().zip(columns).map(|(v, c)| compared(v, c));
                literals.collect::<Option<Bound>>()
            });
            // A bound that does not move comes of a key of which only some columns can be used.
            if found.is_none() || found == last {
                break;
            }
            pieces.push(Piece {
                from: found.clone(),
                rows: self.target,
            });
            last = found;
        }
        let counted = self.target * (pieces.len() as u64 - 1);
        if let Some(rest) = pieces.last_mut() {
            rest.rows = rows.saturating_sub(counted).max(1);
        }
        Ok(pieces)
    }
}

fn bound(prefix: &[i128], last: i128) -> Bound {
    prefix
        .iter()
        .chain([&last])
        .map(ToString::to_string)
        .collect()
}

/// A value as a literal to compare its own column with: in the column's character set, or its index would be of no use, and
/// bytes would compare as bytes.
fn compared(value: &Owned, column: &ColumnData) -> Option<String> {
    let mut text = Vec::new();
    if *value == Owned::NULL {
        return None;
    }
    literal(Value::from(value), Form::of(column), &mut text);
    let text = String::from_utf8(text).ok()?;
    Some(match column.charset.as_deref() {
        Some(charset) if text.starts_with("0x") || charset.starts_with("utf8") => {
            format!("_{charset} {text}")
        }
        _ => text,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_fall_into_pieces_that_keep_readers_busy() {
        for (bytes, readers, pieces) in [
            (0, 2, 1),
            (8 << 20, 2, 1),
            (16 << 20, 2, 2),
            (100 << 20, 2, 8),
            (1 << 30, 2, 22),
            (1 << 30, 1, 1),
            (100 << 20, 16, 12),
        ] {
            assert_eq!(wanted(bytes, readers), pieces, "{bytes} {readers}");
        }
    }

    #[test]
    fn bounds_are_of_the_columns_character_set() {
        let column = |data_type: &str, charset: Option<&str>| ColumnData {
            name: "k".into(),
            data_type: data_type.into(),
            column_type: data_type.into(),
            charset: charset.map(Into::into),
        };
        let bytes = |text: &[u8]| Owned::Bytes(text.to_vec());
        for (value, column, text) in [
            (bytes(b"a"), column("varchar", Some("latin1")), Some("'a'")),
            (
                bytes(b"\xe4"),
                column("varchar", Some("latin1")),
                Some("_latin1 0xE4"),
            ),
            (
                bytes(b"\x00a"),
                column("varchar", Some("ucs2")),
                Some("_ucs2 0x0061"),
            ),
            (
                bytes("ü".as_bytes()),
                column("char", Some("utf8mb3")),
                Some("_utf8mb3 'ü'"),
            ),
            (bytes(b"\xff"), column("binary", None), Some("0xFF")),
            (Owned::NULL, column("binary", None), None),
        ] {
            assert_eq!(compared(&value, &column).as_deref(), text);
        }
    }
}
