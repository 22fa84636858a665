//! Rows as COPY text: out of a table into blocks, and a block back into a table.

use bytes::Bytes;
use futures_util::TryStreamExt;
use ksnapshot_core::{DataStats, Error, PartSink, Result, RowBlock, RowHash};
use sqlx::postgres::PgConnection;

use super::ddl::TableData;
use super::error::classify;
use super::giant;

/// A range of heap pages; without an end it reaches to the table's.
pub(super) type Pages = (u64, Option<u64>);

/// The statement that stands before the rows of every block.
pub(super) fn copy_in(table: &TableData) -> String {
    format!("COPY {}{} FROM stdin", table.name, column_list(table))
}

/// The conditions that a range of pages is.
pub(super) fn range(pages: Pages) -> Vec<String> {
    let from = (pages.0 > 0).then(|| format!("ctid >= '({},0)'::pg_catalog.tid", pages.0));
    let to = pages
        .1
        .map(|to| format!("ctid < '({to},0)'::pg_catalog.tid"));
    from.into_iter().chain(to).collect()
}

/// The statement that reads a whole table, or a range of its pages, but for rows that no line holds.
pub(super) fn copy_out(table: &TableData, pages: Pages) -> String {
    if table.through_root {
        let columns = table.columns.join(", ");
        return format!("COPY (SELECT {columns} FROM {}) TO STDOUT", table.name);
    }
    let mut range = range(pages);
    if giant::possible_in(table) {
        range.push(format!("NOT {}", giant::condition(table)));
    }
    if range.is_empty() && table.condition.is_none() {
        // Plain COPY reads a relation without its children.
        return format!("COPY {}{} TO STDOUT", table.name, column_list(table));
    }
    // A query needs ONLY for that, or the children's rows come twice.
    let condition = match &table.condition {
        Some(condition) => condition.clone(),
        None => format!("WHERE {}", range.join(" AND ")),
    };
    format!(
        "COPY (SELECT {} FROM ONLY {} {condition}) TO STDOUT",
        table.columns.join(", "),
        table.name
    )
}

fn column_list(table: &TableData) -> String {
    if table.columns.is_empty() {
        String::new()
    } else {
        format!(" ({})", table.columns.join(", "))
    }
}

const END_OF_ROWS: &[u8] = b"\\.\n\n";

/// Copies the rows that `query` reads into blocks for `item`, each of which begins with `head` and loads alone.
pub(super) async fn rows_out(
    connection: &mut PgConnection,
    query: &str,
    head: &str,
    item: u32,
    out: &mut PartSink,
) -> Result<()> {
    let mut rows = connection.copy_out_raw(query).await.map_err(classify)?;
    let limit = out.block_size() - END_OF_ROWS.len();
    let mut block = Open::new(head);
    while let Some(row) = rows.try_next().await.map_err(classify)? {
        if block.rows > 0 && block.text.len() + row.len() > limit {
            let full = std::mem::replace(&mut block, Open::new(head));
            full.send(item, out).await?;
        }
        block.add(&row, limit);
    }
    if block.rows > 0 {
        block.send(item, out).await
    } else {
        Ok(())
    }
}

struct Open {
    text: Vec<u8>,
    rows: u64,
    hash: RowHash,
}

impl Open {
    fn new(head: &str) -> Self {
        let mut text = Vec::new();
        text.extend_from_slice(head.as_bytes());
        text.extend_from_slice(b";\n");
        Self {
            text,
            rows: 0,
            hash: RowHash::default(),
        }
    }

    fn add(&mut self, row: &Bytes, limit: usize) {
        // The second row shows that it is no tiny table: from here on the block will most likely be full.
        if self.rows == 1 {
            self.text
                .reserve_exact((limit + END_OF_ROWS.len()).saturating_sub(self.text.len()));
        }
        self.text.extend_from_slice(row);
        self.hash += RowHash::of(row.strip_suffix(b"\n").unwrap_or(row));
        self.rows += 1;
    }

    async fn send(mut self, item: u32, out: &mut PartSink) -> Result<()> {
        self.text.extend_from_slice(END_OF_ROWS);
        out.rows(
            item,
            RowBlock {
                text: self.text,
                rows: self.rows,
                hash: self.hash,
            },
        )
        .await
    }
}

/// Divides a block into its COPY statement and its rows.
///
/// Errors: corruption, when it is not a block that [`rows_out`] made.
pub(super) fn parse_block(block: &Bytes) -> Result<(&str, &[u8])> {
    let bad = || Error::corrupt("a block of rows does not begin with COPY, or does not end");
    // Names may hold anything, also line feeds and semicolons, but then they are quoted.
    let mut quoted = false;
    let end = block.iter().position(|&byte| {
        quoted ^= byte == b'"';
        byte == b';' && !quoted
    });
    let end = end.ok_or_else(bad)?;
    let head = std::str::from_utf8(&block[..end]).map_err(|_| bad())?;
    let rows = block[end..]
        .strip_prefix(b";\n")
        .and_then(|r| r.strip_suffix(END_OF_ROWS))
        .ok_or_else(bad)?;
    if head.starts_with("COPY ") && head.ends_with(" FROM stdin") {
        Ok((head, rows))
    } else {
        Err(bad())
    }
}

/// Loads blocks of one table by one statement, which is `renamed`: all of their rows or none.
pub(super) async fn rows_in(
    connection: &mut PgConnection,
    blocks: &[Bytes],
    renamed: impl Fn(&str) -> String,
) -> Result<u64> {
    let parsed = blocks.iter().map(parse_block).collect::<Result<Vec<_>>>()?;
    let Some(&(head, _)) = parsed.first() else {
        return Ok(0);
    };
    if parsed.iter().any(|(other, _)| *other != head) {
        return Err(Error::corrupt("blocks of one table begin differently"));
    }
    let mut copy = connection
        .copy_in_raw(&renamed(head))
        .await
        .map_err(classify)?;
    for (_, rows) in parsed {
        copy.send(rows).await.map_err(classify)?;
    }
    copy.finish().await.map_err(classify)
}

/// Counts and hashes the rows that `query` reads.
pub(super) async fn rows_measured(connection: &mut PgConnection, query: &str) -> Result<DataStats> {
    let mut rows = connection.copy_out_raw(query).await.map_err(classify)?;
    let mut stats = DataStats::default();
    while let Some(row) = rows.try_next().await.map_err(classify)? {
        stats += DataStats {
            rows: 1,
            hash: RowHash::of(row.strip_suffix(b"\n").unwrap_or(&row)),
        };
    }
    Ok(stats)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_divided_at_its_own_semicolon() {
        let head = copy_in(&TableData::plain(
            "public.\"a;\n FROM stdin;\n\"",
            &["\"x\"\";\"", "b"],
        ));
        let block = Bytes::from(format!("{head};\n1\t2\n\\.\n\n"));
        let (found, rows) = parse_block(&block).expect("a block");
        assert_eq!((found, rows), (head.as_str(), &b"1\t2\n"[..]));
        for cut in [
            "",
            "COPY a FROM stdin",
            "COPY a FROM stdin;\n1\n",
            "DROP TABLE a;\n\\.\n\n",
        ] {
            assert!(
                parse_block(&Bytes::copy_from_slice(cut.as_bytes())).is_err(),
                "{cut}"
            );
        }
    }

    #[test]
    fn ranges_are_half_open() {
        assert_eq!(
            copy_out(&TableData::plain("t", &["a"]), (0, None)),
            "COPY t (a) TO STDOUT"
        );
        assert_eq!(
            copy_out(&TableData::plain("t", &[]), (0, None)),
            "COPY t TO STDOUT"
        );
        let two = TableData::plain("t", &["a", "b"]);
        let range = |pages| {
            let text = copy_out(&two, pages);
            let text = text
                .strip_prefix("COPY (SELECT a, b FROM ONLY t WHERE ")
                .expect("a query")
                .to_owned();
            text.strip_suffix(") TO STDOUT")
                .expect("a query")
                .replace("::pg_catalog.tid", "")
        };
        assert_eq!(range((0, Some(5))), "ctid < '(5,0)'");
        assert_eq!(range((5, Some(9))), "ctid >= '(5,0)' AND ctid < '(9,0)'");
        assert_eq!(range((9, None)), "ctid >= '(9,0)'");
    }
}
