//! Rows with so many bytes that no line of COPY holds them: in text a `bytea` is twice as long, and no server makes a text of a
//! gigabyte. Their bytes are read in pieces and put together again by plain SQL, which psql understands, too:
//!
//! ```sql
//! CREATE TEMPORARY TABLE ksnapshot_piece (field integer, number integer, bytes bytea);
//! COPY pg_temp.ksnapshot_piece FROM stdin;
//! 2 0 \\x…
//! 2 1 \\x…
//! \.
//! INSERT INTO public.file (id, content) OVERRIDING SYSTEM VALUE VALUES (E'1', (SELECT string_agg(bytes, '' ORDER BY number) …));
//! DROP TABLE pg_temp.ksnapshot_piece;
//! ```
//!
//! Such a block holds one row. It is a function of the row alone, so that its hash is the row's.

use bytes::Bytes;
use futures_util::TryStreamExt;
use ksnapshot_core::{DataStats, Error, PartSink, Result, RowBlock, RowHash};
use sqlx::Row;
use sqlx::postgres::PgConnection;

use super::copy::{Pages, range};
use super::ddl::TableData;
use super::error::classify;
use super::query::{all, execute, one, run};

/// Bytes in columns of type `bytea` that are too many for a line, with as much left for the other columns.
const GIANT: u64 = 256 << 20;

/// Bytes of a piece. For each of them a server unpacks a compressed value from its start. The row hash is over pieces, so this
/// number belongs to the format.
const PIECE: u64 = 64 << 20;

/// Columns with more bytes than this are read in pieces, in such a row.
const SMALL: u64 = 64 << 10;

/// Pages of a TOAST table in which no such row has its place: the best compression leaves a 255th.
const TOO_FEW: u64 = 64;

const MAKE: &str =
    "CREATE TEMPORARY TABLE ksnapshot_piece (field integer, number integer, bytes bytea)";
const COPY: &str = "COPY pg_temp.ksnapshot_piece FROM stdin";
const DROP: &str = "DROP TABLE pg_temp.ksnapshot_piece";

/// Whether the table may have such rows: then they are looked for.
pub(super) fn possible_in(table: &TableData) -> bool {
    table.heap
        && !table.through_root
        && table.condition.is_none()
        && !table.bytea.is_empty()
        && table.toast_pages >= TOO_FEW
}

/// The condition that such a row fulfils.
pub(super) fn condition(table: &TableData) -> String {
    format!("({} > {GIANT})", counted(table).join(" + "))
}

/// The bytes of each column of type `bytea`, as expressions.
fn counted(table: &TableData) -> Vec<String> {
    (table.bytea.iter())
        .map(|&number| {
            let column = &table.columns[number];
            format!("coalesce(pg_catalog.octet_length({column}), 0)::int8")
        })
        .collect()
}

/// Where such rows are.
async fn places(
    connection: &mut PgConnection,
    table: &TableData,
    pages: Pages,
) -> Result<Vec<String>> {
    let mut conditions = range(pages);
    conditions.push(condition(table));
    let sql = format!(
        "SELECT ctid::text FROM ONLY {} WHERE {}",
        table.name,
        conditions.join(" AND ")
    );
    let rows = all(connection, &sql).await?;
    rows.iter()
        .map(|row| row.try_get(0).map_err(classify))
        .collect()
}

/// Writes those within `pages`, a block each.
pub(super) async fn rows_out(
    connection: &mut PgConnection,
    table: &TableData,
    pages: Pages,
    out: &mut PartSink,
) -> Result<()> {
    for place in places(connection, table, pages).await? {
        let text = block(connection, table, &place).await?;
        let hash = RowHash::of(&text);
        let block = RowBlock {
            text,
            rows: 1,
            hash,
        };
        out.rows(table.item, block).await?;
    }
    Ok(())
}

/// Counts and hashes all of them.
pub(super) async fn measured(
    connection: &mut PgConnection,
    table: &TableData,
) -> Result<DataStats> {
    let mut stats = DataStats::default();
    for place in places(connection, table, (0, None)).await? {
        let text = block(connection, table, &place).await?;
        stats += DataStats {
            rows: 1,
            hash: RowHash::of(&text),
        };
    }
    Ok(stats)
}

async fn block(connection: &mut PgConnection, table: &TableData, place: &str) -> Result<Vec<u8>> {
    let lengths = lengths(connection, table, place).await?;
    let all: u64 = lengths.iter().map(|(_, length)| length).sum();
    let mut text = Vec::with_capacity(usize::try_from(2 * all + all / 1000).unwrap_or_default());
    text.extend_from_slice(format!("{MAKE};\n{COPY};\n").as_bytes());
    for &(field, length) in &lengths {
        for number in 0..length.div_ceil(PIECE) {
            text.extend_from_slice(format!("{field}\t{number}\t").as_bytes());
            let piece = format!(
                "pg_catalog.substr({}, {}, {PIECE})",
                table.columns[field],
                number * PIECE + 1
            );
            line(connection, table, place, &[piece], &mut text).await?;
        }
    }
    let columns: Vec<String> = (table.columns.iter().enumerate())
        .map(|(number, column)| match in_pieces(&lengths, number) {
            true => "NULL".to_owned(),
            false => column.clone(),
        })
        .collect();
    let mut rest = Vec::new();
    line(connection, table, place, &columns, &mut rest).await?;
    let values: Vec<String> = (fields(&rest).into_iter().enumerate())
        .map(|(number, value)| match (in_pieces(&lengths, number), value) {
            (true, _) => format!(
                "(SELECT pg_catalog.string_agg(bytes, '' ORDER BY number) FROM pg_temp.ksnapshot_piece WHERE field = {number})"
            ),
            (false, None) => "NULL".to_owned(),
            (false, Some(value)) => literal(&value),
        })
        .collect();
    let tail = format!(
        "\\.\nINSERT INTO {} ({}) OVERRIDING SYSTEM VALUE VALUES ({});\n{DROP};\n\n",
        table.name,
        table.columns.join(", "),
        values.join(", ")
    );
    text.extend_from_slice(tail.as_bytes());
    Ok(text)
}

fn in_pieces(lengths: &[(usize, u64)], number: usize) -> bool {
    lengths.iter().any(|&(field, _)| field == number)
}

/// The columns that are read in pieces, and their bytes.
async fn lengths(
    connection: &mut PgConnection,
    table: &TableData,
    place: &str,
) -> Result<Vec<(usize, u64)>> {
    let sql = format!(
        "SELECT {} FROM ONLY {} WHERE ctid = '{place}'",
        counted(table).join(", "),
        table.name
    );
    let row = one(connection, &sql).await?;
    let mut lengths = Vec::new();
    for (position, &number) in table.bytea.iter().enumerate() {
        let length: i64 = row.try_get(position).map_err(classify)?;
        if length.unsigned_abs() > SMALL {
            lengths.push((number, length.unsigned_abs()));
        }
    }
    Ok(lengths)
}

/// One line of COPY, of these expressions of the row.
async fn line(
    connection: &mut PgConnection,
    table: &TableData,
    place: &str,
    expressions: &[String],
    into: &mut Vec<u8>,
) -> Result<()> {
    let sql = format!(
        "COPY (SELECT {} FROM ONLY {} WHERE ctid = '{place}') TO STDOUT",
        expressions.join(", "),
        table.name
    );
    let mut lines = connection
        .copy_out_raw(sql.as_str())
        .await
        .map_err(classify)?;
    while let Some(piece) = lines.try_next().await.map_err(classify)? {
        into.extend_from_slice(&piece);
    }
    Ok(())
}

/// The values of a line of COPY; none is NULL.
fn fields(line: &[u8]) -> Vec<Option<Vec<u8>>> {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.split(|&byte| byte == b'\t').map(unescaped).collect()
}

fn unescaped(field: &[u8]) -> Option<Vec<u8>> {
    if field == b"\\N" {
        return None;
    }
    let mut value = Vec::with_capacity(field.len());
    let mut bytes = field.iter();
    while let Some(&byte) = bytes.next() {
        value.push(match byte {
            b'\\' => match bytes.next() {
                Some(b'b') => 8,
                Some(b'f') => 12,
                Some(b'n') => b'\n',
                Some(b'r') => b'\r',
                Some(b't') => b'\t',
                Some(b'v') => 11,
                Some(&other) => other,
                None => b'\\',
            },
            byte => byte,
        });
    }
    Some(value)
}

/// A literal of ASCII alone, also of bytes that are no text in any encoding.
fn literal(value: &[u8]) -> String {
    let mut literal = "E'".to_owned();
    for &byte in value {
        match byte {
            b'\'' => literal.push_str("''"),
            b'\\' => literal.push_str("\\\\"),
            b' '..=b'~' => literal.push(char::from(byte)),
            _ => literal.push_str(&format!("\\x{byte:02x}")),
        }
    }
    literal.push('\'');
    literal
}

/// Whether a block is one that [`rows_out`] made.
pub(super) fn is_one(block: &Bytes) -> bool {
    block.starts_with(MAKE.as_bytes())
}

/// Loads a block, all of it or nothing; in a transaction of the caller's, if there is one.
///
/// Errors: corruption, when it is not a block that [`rows_out`] made.
pub(super) async fn row_in(
    connection: &mut PgConnection,
    block: &Bytes,
    in_transaction: bool,
    renamed: impl Fn(&str) -> String,
) -> Result<u64> {
    let (rows, insert) = parts(block)?;
    let insert = renamed(&insert);
    let (begin, end) = match in_transaction {
        true => ("", ""),
        false => ("BEGIN; ", "; COMMIT"),
    };
    run(connection, &format!("{begin}{MAKE}")).await?;
    let mut copy = connection.copy_in_raw(COPY).await.map_err(classify)?;
    for some in rows.chunks(1 << 20) {
        copy.send(some).await.map_err(classify)?;
    }
    copy.finish().await.map_err(classify)?;
    let done = execute(connection, &insert).await.map_err(classify)?;
    run(connection, &format!("{DROP}{end}")).await?;
    Ok(done.rows_affected())
}

/// The lines for COPY, and the INSERT.
fn parts(block: &Bytes) -> Result<(&[u8], String)> {
    let bad = || Error::corrupt("a block of pieces of a row does not begin or end as one");
    let rest = block
        .strip_prefix(format!("{MAKE};\n{COPY};\n").as_bytes())
        .and_then(|rest| rest.strip_suffix(format!(";\n{DROP};\n\n").as_bytes()))
        .ok_or_else(bad)?;
    // From the start: pieces are digits, while the names after them may hold anything.
    let mut end = 0;
    for line in rest.split_inclusive(|&byte| byte == b'\n') {
        if line == b"\\.\n" {
            let insert = std::str::from_utf8(&rest[end + line.len()..]).map_err(|_| bad())?;
            return match insert.starts_with("INSERT INTO ") {
                true => Ok((&rest[..end], insert.to_owned())),
                false => Err(bad()),
            };
        }
        end += line.len();
    }
    Err(bad())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_taken_apart() {
        let line = b"1\t\\N\ta\\tb\\\\c\\n'\xff\t\n";
        let expected = [Some(&b"1"[..]), None, Some(b"a\tb\\c\n'\xff"), Some(b"")];
        let found = fields(line);
        assert_eq!(
            found.iter().map(Option::as_deref).collect::<Vec<_>>(),
            expected
        );
        assert_eq!(literal(b"a\tb\\c\n'\xff"), "E'a\\x09b\\\\c\\x0a''\\xff'");
    }

    #[test]
    fn a_block_is_taken_apart() {
        let insert = "INSERT INTO \"a\n\\.\n\" VALUES (1)";
        let head = format!("{MAKE};\n{COPY};\n");
        let block = |lines: &str, end: &str| {
            Bytes::from(format!("{head}{lines}\\.\n{insert};\n{end};\n\n"))
        };
        for lines in ["1\t0\t\\\\x00\n1\t1\t\\\\x01\n", ""] {
            let whole = block(lines, DROP);
            let (rows, found) = parts(&whole).expect("a block");
            assert_eq!((rows, found.as_str()), (lines.as_bytes(), insert));
        }
        assert!(parts(&block("", "DROP TABLE a")).is_err());
        for cut in [
            String::new(),
            head,
            format!("{MAKE};\n{COPY};\n\\.\nDELETE FROM a;\n{DROP};\n\n"),
        ] {
            assert!(parts(&Bytes::from(cut)).is_err());
        }
    }
}
