//! Large objects, in pieces that can be written back in any order.

use ksnapshot_core::{DataStats, PartSink, Result, RowBlock, RowHash};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Row};

use super::ddl::LargeObjectData;
use super::error::classify;

/// Bytes of one piece: its statement is a little more than twice as long. The row hash is over statements, so this
/// number belongs to the format.
const PIECE: usize = 256 << 10;

/// Reads the content of a batch; each piece counts as a row.
pub(super) async fn out(
    connection: &mut PgConnection,
    batch: &LargeObjectData,
    out: &mut PartSink,
) -> Result<()> {
    let mut block = Block::default();
    for &oid in &batch.oids {
        let mut offset = 0;
        loop {
            let (line, bytes) = piece(connection, oid, offset).await?;
            if let Some(line) = line {
                if block.rows > 0 && block.text.len() + line.len() > out.block_size() {
                    std::mem::take(&mut block).send(batch.item, out).await?;
                }
                block.add(&line);
            }
            if bytes < PIECE {
                break;
            }
            offset += bytes;
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
    for &oid in &batch.oids {
        let mut offset = 0;
        loop {
            let (line, bytes) = piece(connection, oid, offset).await?;
            if let Some(line) = line {
                stats += DataStats {
                    rows: 1,
                    hash: RowHash::of(line.as_bytes()),
                };
            }
            if bytes < PIECE {
                break;
            }
            offset += bytes;
        }
    }
    Ok(stats)
}

/// The statement that writes one piece back, and how many bytes were read.
async fn piece(
    connection: &mut PgConnection,
    oid: u32,
    offset: usize,
) -> Result<(Option<String>, usize)> {
    let query =
        format!("SELECT pg_catalog.encode(pg_catalog.lo_get({oid}, {offset}, {PIECE}), 'hex')");
    let row = sqlx::raw_sql(AssertSqlSafe(query))
        .fetch_one(connection)
        .await
        .map_err(|e| classify(e).context(format!("large object {oid}")))?;
    let hex: String = row.try_get(0).map_err(classify)?;
    let line = (!hex.is_empty())
        .then(|| format!("SELECT pg_catalog.lo_put({oid}, {offset}, '\\x{hex}');"));
    Ok((line, hex.len() / 2))
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
