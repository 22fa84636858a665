//! Rows as SQL literals: what is dumped, hashed, and read back to be compared.

use std::fmt::Write;

use ksnapshot_core::{DataStats, RowBlock, RowHash};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Result, Row};

/// A table, with the columns that can be written.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    pub(crate) name: String,
    columns: Vec<String>,
}

impl Table {
    pub(crate) fn read(connection: &Connection, name: &str) -> Result<Self> {
        // Generated columns are made anew.
        let sql = "SELECT name FROM pragma_table_xinfo(?1) WHERE hidden = 0 ORDER BY cid";
        let mut statement = connection.prepare(sql)?;
        let columns = statement.query_map([name], |row| row.get(0))?;
        Ok(Self {
            name: name.to_owned(),
            columns: columns.collect::<Result<_>>()?,
        })
    }

    fn column_list(&self) -> String {
        let quoted: Vec<String> = self.columns.iter().map(|c| quote(c)).collect();
        quoted.join(",")
    }

    /// Hands every row to `each`, as the text between the brackets of VALUES.
    fn each(
        &self,
        connection: &Connection,
        mut each: impl FnMut(&str) -> ksnapshot_core::Result<()>,
    ) -> ksnapshot_core::Result<Result<()>> {
        let sql = format!("SELECT {} FROM {}", self.column_list(), quote(&self.name));
        let mut text = String::new();
        let mut statement = match connection.prepare(&sql) {
            Ok(statement) => statement,
            Err(cause) => return Ok(Err(cause)),
        };
        let mut rows = match statement.query([]) {
            Ok(rows) => rows,
            Err(cause) => return Ok(Err(cause)),
        };
        loop {
            match rows.next() {
                Ok(None) => return Ok(Ok(())),
                Err(cause) => return Ok(Err(cause)),
                Ok(Some(row)) => {
                    text.clear();
                    if let Err(cause) = values(row, self.columns.len(), &mut text) {
                        return Ok(Err(cause));
                    }
                    each(&text)?;
                }
            }
        }
    }

    /// Hands all rows to `take`, as INSERT statements in blocks of about `size` bytes.
    pub(crate) fn blocks(
        &self,
        connection: &Connection,
        size: usize,
        mut take: impl FnMut(RowBlock) -> ksnapshot_core::Result<()>,
    ) -> ksnapshot_core::Result<Result<()>> {
        let head = format!(
            "INSERT INTO {}({}) VALUES(",
            quote(&self.name),
            self.column_list()
        );
        let mut open = empty();
        let read = self.each(connection, |values| {
            if !open.text.is_empty() && open.text.len() + head.len() + values.len() > size {
                take(std::mem::replace(&mut open, empty()))?;
            }
            open.text.extend_from_slice(head.as_bytes());
            open.text.extend_from_slice(values.as_bytes());
            open.text.extend_from_slice(b");\n");
            open.rows += 1;
            open.hash += RowHash::of(values.as_bytes());
            Ok(())
        })?;
        if read.is_ok() && open.rows > 0 {
            take(open)?;
        }
        Ok(read)
    }

    /// Counts and hashes all rows.
    pub(crate) fn measure(
        &self,
        connection: &Connection,
    ) -> ksnapshot_core::Result<Result<DataStats>> {
        let mut stats = DataStats::default();
        let read = self.each(connection, |values| {
            stats.rows += 1;
            stats.hash += RowHash::of(values.as_bytes());
            Ok(())
        })?;
        Ok(read.map(|()| stats))
    }
}

fn empty() -> RowBlock {
    RowBlock {
        text: Vec::new(),
        rows: 0,
        hash: RowHash::default(),
    }
}

/// An identifier.
pub(crate) fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn values(row: &Row<'_>, columns: usize, out: &mut String) -> Result<()> {
    for column in 0..columns {
        if column > 0 {
            out.push(',');
        }
        literal(row.get_ref(column)?, out);
    }
    Ok(())
}

fn literal(value: ValueRef<'_>, out: &mut String) {
    // Writing into a string can't fail.
    let _ = match value {
        ValueRef::Null => write!(out, "NULL"),
        ValueRef::Integer(number) => write!(out, "{number}"),
        ValueRef::Real(number) if number.is_infinite() => {
            write!(out, "{}9e999", if number < 0.0 { "-" } else { "" })
        }
        // The shortest text that reads back as the same number, always with a point or an exponent.
        ValueRef::Real(number) => write!(out, "{number:?}"),
        ValueRef::Text(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) if !text.contains('\0') => write!(out, "'{}'", text.replace('\'', "''")),
            // A literal ends at its first NUL, and bytes that are no text can't stand in a script.
            _ => write!(out, "CAST({} AS TEXT)", hex(bytes)),
        },
        ValueRef::Blob(bytes) => write!(out, "{}", hex(bytes)),
    };
}

fn hex(bytes: &[u8]) -> String {
    let digits: String = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
    format!("X'{digits}'")
}
