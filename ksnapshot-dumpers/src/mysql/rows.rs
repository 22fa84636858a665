//! Rows out of a table into blocks of INSERT, and their counting and hashing.

use std::io;

use ksnapshot_core::{
    DataStats, Error, ErrorKind, PartSink, Problem, ProblemKind, Result, RowBlock, RowHash,
};
use mysql_async::Conn;
use mysql_async::prelude::Queryable;

use super::chunk::Chunk;
use super::connect::run;
use super::error::{classify, number};
use super::quote;
use super::script::TableData;
use super::value::{Form, canonical, literal};
use super::version::{Flavour, Server};
use super::wire::{Sink, Value, Wire};

/// What a stock client sends and a stock server of the kind takes at once, unless they are told otherwise.
fn packet(server: Server) -> usize {
    let new = server.mysql(8, 0, 0) || server.flavour == Flavour::MariaDb;
    if new { 16 << 20 } else { 4 << 20 }
}

/// A row of so many bytes is not written to be cut off a block again.
const LONG: usize = 64 << 10;

/// The end of a block.
const END: &[u8] = b";\n";

/// The query for the rows of a chunk.
pub(super) fn select(table: &TableData, chunk: &Chunk) -> String {
    // A number is all that tells one empty label of an ENUM from another; labels of a SET may not be UTF-8.
    let columns: Vec<String> = (table.columns.iter())
        .map(|c| match c.data_type.as_str() {
            "enum" | "set" => format!("CAST({} AS UNSIGNED)", quote::name(&c.name)),
            _ => quote::name(&c.name),
        })
        .collect();
    let columns = if columns.is_empty() {
        "1".into()
    } else {
        columns.join(", ")
    };
    let mut query = format!(
        "SELECT /*!40001 SQL_NO_CACHE */ {columns} FROM {}",
        quote::qualified(&table.database, &table.name)
    );
    if let Some(partition) = chunk.partition() {
        query.push(' ');
        query.push_str(&partition);
    }
    if table.versioned {
        query.push_str(" FOR SYSTEM_TIME ALL");
    }
    if let Some(hint) = chunk.hint() {
        query.push(' ');
        query.push_str(&hint);
    }
    let asked = table.condition.as_ref().map(|c| format!("({c}\n)"));
    let conditions: Vec<String> = chunk.condition().into_iter().chain(asked).collect();
    if !conditions.is_empty() {
        query.push_str(" WHERE ");
        query.push_str(&conditions.join(" AND "));
    }
    query
}

/// What stands before the rows of every block.
fn insert(table: &TableData) -> String {
    let columns: Vec<String> = table.columns.iter().map(|c| quote::name(&c.name)).collect();
    format!(
        "INSERT INTO {} ({}) VALUES\n",
        quote::name(&table.name),
        columns.join(", ")
    )
}

/// Writes the rows of a chunk in blocks, each of which loads alone. The session is in the dump's transaction, and still is
/// when this succeeds.
pub(super) async fn dump(
    reader: &mut Wire,
    server: Server,
    table: &TableData,
    chunk: &Chunk,
    out: &mut PartSink,
) -> Result<()> {
    let forms: Vec<Form> = table.columns.iter().map(Form::of).collect();
    let query = select(table, chunk);
    let mut rows = reader.rows(&query).await.map_err(reading)?;
    let limit = out.block_size() - END.len();
    let mut block = Open::new(insert(table), forms);
    let mut long = Long {
        limit: packet(server),
        rows: 0,
        longest: 0,
    };
    while let Some(row) = rows.next().await.map_err(reading)? {
        // So that a long row is written into a buffer of its own, not copied there.
        if row.size() > LONG && block.rows > 0 && block.text.len() + row.size() > limit {
            out.rows(table.item, block.take()).await?;
        }
        let full = block.add(limit, |writer| row.each(writer));
        if let Some(full) = full.map_err(|cause| reading(cause.into()))? {
            out.rows(table.item, full).await?;
        }
        if block.rows == 1 && block.text.len() > limit {
            long.note(block.text.len());
            out.rows(table.item, block.take()).await?;
        }
    }
    if block.rows > 0 {
        out.rows(table.item, block.take()).await?;
    }
    rows.close().await.map_err(reading)?;
    in_transaction(reader)?;
    long.problem(table).into_iter().for_each(|p| out.problem(p));
    block
        .problem(table)
        .into_iter()
        .for_each(|p| out.problem(p));
    Ok(())
}

/// Fails when the last answer was not given from within a transaction: somebody or something ended it, and what would be
/// read from now on is of another moment.
pub(super) fn in_transaction(reader: &Wire) -> Result<()> {
    if reader.in_transaction() {
        return Ok(());
    }
    Err(
        Error::new(ErrorKind::Server, "a reader's transaction has ended")
            .hint("Look into the server's log for who ended it, and run the dump again."),
    )
}

/// Reads a table back, and counts and hashes it as a dump does. The session is in UTC.
pub(super) async fn measure(connection: &mut Conn, table: &TableData) -> Result<DataStats> {
    run(
        connection,
        "SET @ksnapshot_results = @@character_set_results, character_set_results = NULL",
    )
    .await?;
    let statement = connection
        .prep(select(table, &Chunk::Whole))
        .await
        .map_err(reading)?;
    let mut stats = DataStats::default();
    let mut bytes = Vec::new();
    let mut rows = connection
        .exec_iter(&statement, ())
        .await
        .map_err(reading)?;
    while let Some(row) = rows.next().await.map_err(reading)? {
        bytes.clear();
        for i in 0..table.columns.len().min(row.len()) {
            let value = row.as_ref(i).map_or(Value::Null, Value::from);
            canonical(value, &mut bytes);
        }
        stats += DataStats {
            rows: 1,
            hash: RowHash::of(&bytes),
        };
    }
    drop(rows);
    connection.close(statement).await.map_err(reading)?;
    run(connection, "SET character_set_results = @ksnapshot_results").await?;
    Ok(stats)
}

/// A block that grows.
struct Open {
    head: String,
    forms: Vec<Form>,
    text: Vec<u8>,
    rows: u64,
    hash: RowHash,
    /// The canonical bytes of one row at a time.
    canonical: Vec<u8>,
    /// Values that their character set doesn't know.
    broken: u64,
}

impl Open {
    fn new(head: String, forms: Vec<Form>) -> Self {
        Self {
            text: head.clone().into_bytes(),
            head,
            forms,
            rows: 0,
            hash: RowHash::default(),
            canonical: Vec::new(),
            broken: 0,
        }
    }

    /// Adds the row that `write` writes. Does it not fit, the block without it comes back, and the row begins the next one.
    fn add(
        &mut self,
        limit: usize,
        write: impl FnOnce(&mut Writer<'_>) -> io::Result<()>,
    ) -> io::Result<Option<RowBlock>> {
        // The second row shows that it is no tiny table: from here on the block will most likely be full.
        if self.rows == 1 {
            (self.text).reserve_exact((limit + END.len()).saturating_sub(self.text.len()));
        }
        let at = self.text.len();
        if self.rows > 0 {
            self.text.extend_from_slice(b",\n");
        }
        self.canonical.clear();
        self.text.push(b'(');
        write(&mut Writer {
            forms: self.forms.iter(),
            first: true,
            text: &mut self.text,
            canonical: &mut self.canonical,
            broken: &mut self.broken,
        })?;
        self.text.push(b')');
        let mut full = None;
        if self.rows > 0 && self.text.len() > limit {
            let row = self.text.split_off(at);
            full = Some(self.take());
            // Without the comma and the line feed before it.
            self.text.extend_from_slice(&row[2..]);
        }
        self.rows += 1;
        self.hash += RowHash::of(&self.canonical);
        Ok(full)
    }

    /// What there is so far, and an empty block instead.
    fn take(&mut self) -> RowBlock {
        let mut text = std::mem::replace(&mut self.text, self.head.clone().into_bytes());
        text.extend_from_slice(END);
        RowBlock {
            text,
            rows: std::mem::take(&mut self.rows),
            hash: std::mem::take(&mut self.hash),
        }
    }

    fn problem(&self, table: &TableData) -> Option<Problem> {
        (self.broken > 0).then(|| Problem {
            kind: ProblemKind::Invalid,
            object: title(table),
            message: format!("{} values hold bytes that are not valid UTF-8", self.broken),
            hint: Some(
                "They are in the snapshot as they are, but servers alter or cut such values when they are loaded."
                    .into(),
            ),
        })
    }
}

/// Writes the values of one row.
struct Writer<'b> {
    forms: std::slice::Iter<'b, Form>,
    first: bool,
    text: &'b mut Vec<u8>,
    canonical: &'b mut Vec<u8>,
    broken: &'b mut u64,
}

impl Sink for Writer<'_> {
    #[inline(always)]
    fn value(&mut self, value: Value<'_>) {
        // A table without columns is read by a column that is not its own.
        let Some(&form) = self.forms.next() else {
            return;
        };
        if !self.first {
            self.text.push(b',');
        }
        self.first = false;
        let from = self.text.len();
        literal(value, form, self.text);
        // UTF-8 that is none is written in hex.
        if form == Form::Utf8 && self.text[from] == b'0' {
            *self.broken += 1;
        }
        canonical(value, self.canonical);
    }
}

/// Rows whose text is longer than a client sends at once.
struct Long {
    limit: usize,
    rows: u64,
    longest: usize,
}

impl Long {
    fn note(&mut self, length: usize) {
        if length > self.limit {
            self.rows += 1;
            self.longest = self.longest.max(length);
        }
    }

    fn problem(&self, table: &TableData) -> Option<Problem> {
        (self.rows > 0).then(|| Problem {
            kind: ProblemKind::Refused,
            object: title(table),
            message: format!(
                "{} of its rows are longer as a statement than the default max_allowed_packet, the longest has {} MiB",
                self.rows,
                self.longest.div_ceil(1 << 20),
            ),
            hint: Some(
                "They are in the snapshot; raise max_allowed_packet of server and client above that to load them.".into(),
            ),
        })
    }
}

/// As a person would name it.
pub(super) fn title(table: &TableData) -> String {
    format!("table {}.{}", table.database, table.name)
}

/// An error of one table; whose, is told by the part's name.
fn reading(cause: mysql_async::Error) -> Error {
    match number(&cause) {
        // The snapshot is older than the table as it is now.
        Some(1412) => Error::new(
            ErrorKind::Failed,
            "its definition was changed during the dump",
        )
        .hint("Run the dump again, and keep ALTER, TRUNCATE and the like away from it."),
        _ => classify(cause),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mysql::chunk::Key;
    use crate::mysql::script::ColumnData;

    fn table() -> TableData {
        let column = |name: &str, data_type: &str| ColumnData {
            name: name.into(),
            data_type: data_type.into(),
            column_type: data_type.into(),
            charset: None,
        };
        TableData {
            item: 0,
            database: "d".into(),
            name: "t`".into(),
            columns: vec![column("id", "int"), column("e", "enum")],
            keys: Vec::new(),
            partitions: Vec::new(),
            engine: "INNODB".into(),
            versioned: false,
            condition: None,
            bytes: 0,
            rows: 0,
            readable: true,
        }
    }

    #[test]
    fn queries_name_columns_partitions_and_conditions() {
        let mut table = table();
        let whole = "SELECT /*!40001 SQL_NO_CACHE */ `id`, CAST(`e` AS UNSIGNED) FROM `d`.`t```";
        assert_eq!(select(&table, &Chunk::Whole), whole);
        table.versioned = true;
        assert_eq!(
            select(&table, &Chunk::Partition("p".into())),
            format!("{whole} PARTITION (`p`) FOR SYSTEM_TIME ALL"),
        );
        table.versioned = false;
        table.condition = Some("a OR b -- c".into());
        let range = Chunk::Range {
            key: Key {
                index: "PRIMARY".into(),
                columns: vec!["id".into()],
                nullable: false,
            },
            from: Some(vec!["5".into()]),
            to: None,
        };
        assert_eq!(
            select(&table, &range),
            format!("{whole} FORCE INDEX (`PRIMARY`) WHERE (`id` >= 5) AND (a OR b -- c\n)"),
        );
        assert_eq!(insert(&table), "INSERT INTO `t``` (`id`, `e`) VALUES\n");
    }

    #[test]
    fn blocks_are_cut_between_rows() {
        let head = "INSERT INTO `t` (`a`, `b`) VALUES\n";
        let mut block = Open::new(head.into(), vec![Form::Plain, Form::Utf8]);
        let mut blocks = Vec::new();
        for i in 0..5 {
            let full = block.add(head.len() + 18, |writer| {
                writer.value(Value::Int(i));
                writer.value(Value::Bytes(b"x"));
                Ok(())
            });
            blocks.extend(full.expect("a row"));
        }
        blocks.push(block.take());
        let texts: Vec<String> = (blocks.iter())
            .map(|b| String::from_utf8(b.text.clone()).expect("UTF-8"))
            .collect();
        assert_eq!(
            texts,
            [
                format!("{head}(0,'x'),\n(1,'x');\n"),
                format!("{head}(2,'x'),\n(3,'x');\n"),
                format!("{head}(4,'x');\n"),
            ]
        );
        assert_eq!(blocks.iter().map(|b| b.rows).collect::<Vec<_>>(), [2, 2, 1]);
        let sum: RowHash = blocks.iter().map(|b| b.hash).sum();
        assert_ne!(sum, RowHash::default());
    }
}
