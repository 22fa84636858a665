//! The rows of a query by the binary protocol, one at a time.

use mysql_async::{Result, Value as Owned};
use mysql_common::constants::Command;
use mysql_common::io::ParseBuf;
use mysql_common::packets::{ComStmtClose, ComStmtExecuteRequestBuilder, StmtPacket};
use mysql_common::proto::MySerialize;

use super::value::Kind;
use super::{Fields, Wire, unexpected};

/// The rows of a query that is under way. Before they have come to their end, the session is of no other use.
pub(in crate::mysql) struct Rows<'w> {
    wire: &'w mut Wire,
    statement: u32,
    kinds: Vec<Kind>,
}

impl Wire {
    /// The values of a query's first row; the others are let go.
    pub(in crate::mysql) async fn first_values(&mut self, sql: &str) -> Result<Option<Vec<Owned>>> {
        let mut rows = self.rows(sql).await?;
        let mut first = None;
        while let Some(row) = rows.next().await? {
            if first.is_none() {
                let mut values = Vec::new();
                row.each(&mut values)?;
                first = Some(values);
            }
        }
        rows.close().await?;
        Ok(first)
    }

    /// Begins to read the rows of a query.
    pub(in crate::mysql) async fn rows(&mut self, sql: &str) -> Result<Rows<'_>> {
        self.command(Command::COM_STMT_PREPARE, sql.as_bytes())
            .await?;
        let prepared: StmtPacket = ParseBuf(self.packet().await?).parse(())?;
        self.columns(prepared.num_params().into()).await?;
        self.columns(prepared.num_columns().into()).await?;
        let statement = prepared.statement_id();
        let mut execute = Vec::new();
        let (request, _) = ComStmtExecuteRequestBuilder::new(statement).build(&[]);
        request.serialize(&mut execute);
        self.input.restart();
        self.send(&execute).await?;
        let columns = match self.answer().await? {
            0 => return Err(unexpected("rows")),
            columns => self.columns(columns).await?,
        };
        Ok(Rows {
            kinds: columns.iter().map(Kind::of).collect(),
            wire: self,
            statement,
        })
    }
}

impl Rows<'_> {
    /// The next row; none at the end.
    #[inline]
    pub(in crate::mysql) async fn next(&mut self) -> Result<Option<Fields<'_>>> {
        let row = self.wire.row().await?;
        Ok(row.map(|row| Fields::new(row, &self.kinds)).transpose()?)
    }

    /// After the last row: frees what the server holds for the query.
    pub(in crate::mysql) async fn close(self) -> Result<()> {
        let mut close = Vec::new();
        ComStmtClose::new(self.statement).serialize(&mut close);
        self.wire.input.restart();
        // There is no answer to it.
        self.wire.send(&close).await
    }
}
