//! Large objects, in pieces that can be written back in any order.

use futures_util::TryStreamExt;
use ksnapshot_core::{DataStats, PartSink, Result, RowBlock, RowHash};
use sqlx::Row;
use sqlx::postgres::{PgConnection, PgRow};

use super::ddl::LargeObjectData;
use super::error::classify;
use super::query::each;

/// Bytes of one piece: its statement is a little more than twice as long. The row hash is over statements, so this
/// number belongs to the format.
const PIECE: usize = 256 << 10;

/// Further pieces of one object that are asked for at once. Behind its end they are empty.
const FURTHER: usize = 16;

/// Reads the content of a batch; each piece counts as a row.
pub(super) async fn out(
    connection: &mut PgConnection,
    batch: &LargeObjectData,
    out: &mut PartSink,
) -> Result<()> {
    let mut block = Block::default();
    let mut reading = Reading::of(batch);
    while let Some(query) = reading.next() {
        // One row at a time, as the server makes them: no more than a piece is in memory.
        let mut rows = each(connection, &query);
        while let Some(row) = rows
            .try_next()
            .await
            .map_err(|e| classify(e).context(batch.title()))?
        {
            let Some(line) = reading.take(&row)? else {
                continue;
            };
            if block.rows > 0 && block.text.len() + line.len() > out.block_size() {
                std::mem::take(&mut block).send(batch.item, out).await?;
            }
            block.add(&line);
        }
    }
    if block.rows > 0 {
        block.send(batch.item, out).await
    } else {
        Ok(())
    }
}

/// Counts and hashes a batch as [`out`] does.
pub(super) async fn measure(
    connection: &mut PgConnection,
    batch: &LargeObjectData,
) -> Result<DataStats> {
    let mut stats = DataStats::default();
    let mut reading = Reading::of(batch);
    while let Some(query) = reading.next() {
        let mut rows = each(connection, &query);
        while let Some(row) = rows
            .try_next()
            .await
            .map_err(|e| classify(e).context(batch.title()))?
        {
            if let Some(line) = reading.take(&row)? {
                stats += DataStats {
                    rows: 1,
                    hash: RowHash::of(line.as_bytes()),
                };
            }
        }
    }
    Ok(stats)
}

/// How far a batch is read. Most large objects are one piece, and one query reads that of all of them; those that go on are
/// read one after the other.
#[derive(Debug)]
struct Reading<'b> {
    /// Nothing was asked for yet.
    first: Option<&'b [u32]>,
    /// Objects that may have more, each with the offset at which it begins.
    longer: Vec<(u32, usize)>,
}

impl<'b> Reading<'b> {
    fn of(batch: &'b LargeObjectData) -> Self {
        Self {
            first: Some(&batch.oids),
            longer: Vec::new(),
        }
    }

    /// What to ask next: rows of oid, offset and bytes as hex.
    fn next(&mut self) -> Option<String> {
        let read = |oid, offset| {
            format!("pg_catalog.encode(pg_catalog.lo_get({oid}, {offset}, {PIECE}), 'hex')")
        };
        if let Some(oids) = self.first.take() {
            let list: Vec<String> = oids.iter().map(ToString::to_string).collect();
            return Some(format!(
                "SELECT o::pg_catalog.int8, 0::pg_catalog.int8, {} FROM pg_catalog.unnest('{{{}}}'::pg_catalog.oid[]) AS o",
                read("o", "0"),
                list.join(",")
            ));
        }
        let (oid, from) = self.longer.pop()?;
        let last = from + (FURTHER - 1) * PIECE;
        Some(format!(
            "SELECT {oid}::pg_catalog.int8, p, {} FROM pg_catalog.generate_series({from}::pg_catalog.int8, {last}, {PIECE}) AS p",
            read(&oid.to_string(), "p")
        ))
    }

    /// The statement that writes a piece back; none behind the object's end.
    fn take(&mut self, row: &PgRow) -> Result<Option<String>> {
        let oid: i64 = row.try_get(0).map_err(classify)?;
        let offset: i64 = row.try_get(1).map_err(classify)?;
        let hex: &str = row.try_get(2).map_err(classify)?;
        let (oid, offset) = (
            u32::try_from(oid).unwrap_or(0),
            usize::try_from(offset).unwrap_or(0),
        );
        Ok(self.piece(oid, offset, hex))
    }

    fn piece(&mut self, oid: u32, offset: usize, hex: &str) -> Option<String> {
        // Of the pieces that were asked for together only the last one tells whether there is more.
        let is_last = offset == 0 || (offset / PIECE).is_multiple_of(FURTHER);
        if is_last && hex.len() == 2 * PIECE {
            self.longer.push((oid, offset + PIECE));
        }
        (!hex.is_empty()).then(|| format!("SELECT pg_catalog.lo_put({oid}, {offset}, '\\x{hex}');"))
    }
}

#[derive(Default)]
struct Block {
    text: String,
    rows: u64,
    hash: RowHash,
}

impl Block {
    fn add(&mut self, line: &str) {
        self.hash += RowHash::of(line.as_bytes());
        self.rows += 1;
        self.text.push_str(line);
        self.text.push('\n');
    }

    async fn send(mut self, item: u32, out: &mut PartSink) -> Result<()> {
        self.text.push('\n');
        out.rows(
            item,
            RowBlock {
                text: self.text.into_bytes(),
                rows: self.rows,
                hash: self.hash,
            },
        )
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads a batch of objects of these sizes as a server would answer; says how often it was asked.
    fn read(sizes: &[usize]) -> usize {
        let oids: Vec<u32> = (1..).take(sizes.len()).collect();
        let batch = LargeObjectData {
            item: 0,
            oids: oids.clone(),
            readable: true,
        };
        let mut reading = Reading::of(&batch);
        let mut found = vec![Vec::new(); sizes.len()];
        let mut asked = 0;
        loop {
            let longer = reading.longer.last().copied();
            let Some(_) = reading.next() else { break };
            let pieces: Vec<(u32, usize)> = match longer {
                _ if asked == 0 => oids.iter().map(|&oid| (oid, 0)).collect(),
                Some((oid, from)) => (0..FURTHER).map(|n| (oid, from + n * PIECE)).collect(),
                None => panic!("asks for nothing"),
            };
            asked += 1;
            for (oid, offset) in pieces {
                let number = oid as usize - 1;
                let bytes = sizes[number].saturating_sub(offset).min(PIECE);
                if reading.piece(oid, offset, &"0".repeat(2 * bytes)).is_some() {
                    found[number].push(offset);
                }
            }
        }
        for (size, found) in sizes.iter().zip(found) {
            let expected: Vec<usize> = (0..size.div_ceil(PIECE)).map(|n| n * PIECE).collect();
            assert_eq!(found, expected, "{size}");
        }
        asked
    }

    #[test]
    fn every_piece_is_read_once() {
        assert_eq!(read(&[0, 1, 5, PIECE - 1]), 1);
        assert_eq!(read(&[PIECE, 3, PIECE + 1]), 3);
        let run = PIECE * FURTHER;
        assert_eq!(read(&[run]), 2);
        assert_eq!(read(&[run + PIECE]), 3);
        assert_eq!(read(&[run + PIECE + 1, 2 * run + 7]), 5);
    }
}
