//! A connection of our own, for reading rows: they are decoded where they arrive, without an allocation for a row or a value.
//!
//! Everything but the readers of a dump talks through the driver. That one makes a vector of each row and of each of its
//! texts, which was a quarter of a dump's work. The packets' own forms come from the driver's library, and the errors are the
//! driver's, so that they mean the same whoever met them.

mod login;
mod packets;
mod rows;
mod stream;
mod tls;
mod value;

use std::sync::Arc;

use mysql_async::{Error, Result, Row};
use mysql_common::constants::{CapabilityFlags, Command, StatusFlags};
use mysql_common::io::ParseBuf;
use mysql_common::packets::{
    Column, CommonOkPacket, ErrPacket, OkPacket, OkPacketDeserializer, OldEofPacket,
    ResultSetTerminator,
};
use mysql_common::proto::{MyDeserialize, Text};
use mysql_common::row::RowDeserializer;
use mysql_common::value::ServerSide;
use tokio::io::AsyncWriteExt;

use packets::Input;
use stream::Stream;

pub(super) use value::{Fields, Sink, Value};

/// A session with a server. Whoever lets go of it in the middle of an answer has to drop it.
pub(super) struct Wire {
    stream: Box<dyn Stream>,
    input: Input,
    /// What is being sent.
    output: Vec<u8>,
    /// What both sides agreed on.
    capabilities: CapabilityFlags,
    id: u32,
    /// What the last answer said of the session; none if that was an error.
    status: Option<StatusFlags>,
}

impl Wire {
    /// The session, as the server numbers it.
    pub(super) fn id(&self) -> u32 {
        self.id
    }

    /// The last answer was given from within a transaction.
    pub(super) fn in_transaction(&self) -> bool {
        let status = self.status.unwrap_or(StatusFlags::empty());
        status.contains(StatusFlags::SERVER_STATUS_IN_TRANS)
    }

    pub(super) async fn ping(&mut self) -> Result<()> {
        self.command(Command::COM_PING, &[]).await?;
        self.done().await
    }

    /// Ends the session.
    pub(super) async fn quit(mut self) -> Result<()> {
        self.command(Command::COM_QUIT, &[]).await?;
        Ok(self.stream.shutdown().await?)
    }

    /// Runs a statement, and gives the rows of its answer. They are held in memory.
    pub(super) async fn query(&mut self, sql: &str) -> Result<Vec<Row>> {
        self.command(Command::COM_QUERY, sql.as_bytes()).await?;
        let mut rows = Vec::new();
        let columns = match self.answer().await? {
            0 => return Ok(rows),
            columns => Arc::<[Column]>::from(self.columns(columns).await?),
        };
        while let Some(row) = self.row().await? {
            let row =
                ParseBuf(row).parse::<RowDeserializer<ServerSide, Text>>(Arc::clone(&columns))?;
            rows.push(row.into());
        }
        Ok(rows)
    }

    async fn command(&mut self, command: Command, body: &[u8]) -> Result<()> {
        let mut payload = Vec::with_capacity(1 + body.len());
        payload.push(command as u8);
        payload.extend_from_slice(body);
        self.input.restart();
        self.send(&payload).await
    }

    async fn send(&mut self, payload: &[u8]) -> Result<()> {
        self.output.clear();
        self.input.pack(payload, &mut self.output);
        self.stream.write_all(&self.output).await?;
        Ok(self.stream.flush().await?)
    }

    /// The next payload. Errors: what the server says in place of it, too.
    async fn packet(&mut self) -> Result<&[u8]> {
        let packet = self.input.packet(&mut self.stream).await?;
        if packet.first() == Some(&0xff) {
            self.status = None;
            return Err(refusal(packet, self.capabilities));
        }
        Ok(packet)
    }

    /// An answer that has no rows.
    async fn done(&mut self) -> Result<()> {
        match self.answer().await? {
            0 => Ok(()),
            _ => Err(unexpected("rows")),
        }
    }

    /// How many columns the rows have that follow; 0 if none do.
    async fn answer(&mut self) -> Result<usize> {
        let capabilities = self.capabilities;
        let packet = self.packet().await?;
        match packet.first() {
            Some(0) => {
                let ok = parsed::<CommonOkPacket>(packet, capabilities)?;
                self.status = Some(ok.status_flags());
                Ok(0)
            }
            // It wants a file of ours.
            None | Some(0xfb) => Err(unexpected("an answer")),
            Some(_) => {
                let columns = ParseBuf(packet).checked_eat_lenenc_int();
                // No server has more columns than that in a table.
                let columns = columns.and_then(|n| u16::try_from(n).ok());
                columns
                    .map(usize::from)
                    .ok_or_else(|| unexpected("an answer"))
            }
        }
    }

    async fn columns(&mut self, number: usize) -> Result<Vec<Column>> {
        let mut columns = Vec::new();
        for _ in 0..number {
            columns.push(ParseBuf(self.packet().await?).parse(())?);
        }
        if number > 0 && !self.without_eof() {
            self.packet().await?;
        }
        Ok(columns)
    }

    /// The next packet of an answer's rows; none at its end.
    #[inline]
    async fn row(&mut self) -> Result<Option<&[u8]>> {
        let (capabilities, without_eof) = (self.capabilities, self.without_eof());
        let packet = self.input.packet(&mut self.stream).await?;
        match packet.first() {
            // A row in text may begin so, too, but then with a text of 16 MiB.
            Some(0xfe) if packet.len() < 0xff_ff_ff => {
                let ok = if without_eof {
                    parsed::<ResultSetTerminator>(packet, capabilities)?
                } else {
                    parsed::<OldEofPacket>(packet, capabilities)?
                };
                self.status = Some(ok.status_flags());
                Ok(None)
            }
            Some(0xff) => {
                self.status = None;
                Err(refusal(packet, capabilities))
            }
            None => Err(unexpected("a row")),
            Some(_) => Ok(Some(packet)),
        }
    }

    /// A packet less at the end of columns and of rows.
    fn without_eof(&self) -> bool {
        self.capabilities
            .contains(CapabilityFlags::CLIENT_DEPRECATE_EOF)
    }
}

fn parsed<'p, T>(packet: &'p [u8], capabilities: CapabilityFlags) -> Result<OkPacket<'p>>
where
    OkPacketDeserializer<'p, T>: MyDeserialize<'p, Ctx = CapabilityFlags> + Into<OkPacket<'p>>,
{
    let ok = ParseBuf(packet).parse::<OkPacketDeserializer<'p, T>>(capabilities)?;
    Ok(ok.into())
}

/// What the server says in place of an answer.
fn refusal(packet: &[u8], capabilities: CapabilityFlags) -> Error {
    match ParseBuf(packet).parse::<ErrPacket<'_>>(capabilities) {
        Ok(ErrPacket::Error(error)) => error.into(),
        Ok(ErrPacket::Progress(_)) => unexpected("an answer"),
        Err(cause) => cause.into(),
    }
}

fn unexpected(what: &str) -> Error {
    Error::Other(format!("{what} was expected, and something else came").into())
}
