//! Questions to the server whose answers are text.

use ksnapshot_core::{Error, ErrorKind, Result};
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Row, Value};

use crate::mysql::error::classify;

/// Statements that one round trip asks.
const BATCH: usize = 32;

/// A row of an answer.
#[derive(Debug, Clone, Default)]
pub(super) struct Line(Vec<Option<Vec<u8>>>);

impl Line {
    fn new(row: Row) -> Self {
        Self(
            row.unwrap()
                .into_iter()
                .map(|value| match value {
                    Value::NULL => None,
                    Value::Bytes(bytes) => Some(bytes),
                    other => Some(other.as_sql(true).into_bytes()),
                })
                .collect(),
        )
    }

    /// A field as the server sent it; NULL is empty.
    pub(super) fn bytes(&self, at: usize) -> &[u8] {
        self.0
            .get(at)
            .and_then(Option::as_deref)
            .unwrap_or_default()
    }

    /// A field; NULL is empty.
    pub(super) fn text(&self, at: usize) -> String {
        String::from_utf8_lossy(self.bytes(at)).into_owned()
    }

    /// A field, or NULL.
    pub(super) fn maybe(&self, at: usize) -> Option<String> {
        self.0.get(at)?.as_ref()?;
        Some(self.text(at))
    }

    /// A number; NULL, and what is none, is 0.
    pub(super) fn number(&self, at: usize) -> u64 {
        self.text(at).parse().unwrap_or(0)
    }

    /// Whether the field is this word, in capitals or not.
    pub(super) fn is(&self, at: usize, word: &str) -> bool {
        self.bytes(at).eq_ignore_ascii_case(word.as_bytes())
    }
}

/// The rows that `sql` gives.
pub(super) async fn lines(connection: &mut Conn, sql: &str) -> Result<Vec<Line>> {
    let rows: Vec<Row> = connection.query(sql).await.map_err(classify)?;
    Ok(rows.into_iter().map(Line::new).collect())
}

/// What the server said to one of many statements.
pub(super) type Answer = std::result::Result<Vec<Line>, mysql_async::Error>;

/// Asks many things in few round trips. What the server refuses is an answer too; a lost connection is an error.
pub(super) async fn each(connection: &mut Conn, statements: &[String]) -> Result<Vec<Answer>> {
    let mut answers: Vec<Answer> = Vec::with_capacity(statements.len());
    while answers.len() < statements.len() {
        let todo = &statements[answers.len()..];
        let before = answers.len();
        let failed = batch(connection, &todo[..todo.len().min(BATCH)], &mut answers).await;
        match failed {
            Err(cause @ mysql_async::Error::Server(_)) => answers.push(Err(cause)),
            Err(cause) => return Err(classify(cause)),
            Ok(()) if answers.len() == before => {
                return Err(Error::new(ErrorKind::Failed, "the server gave no answer"));
            }
            Ok(()) => {}
        }
    }
    Ok(answers)
}

/// Asks until the first refusal, which is returned.
async fn batch(
    connection: &mut Conn,
    statements: &[String],
    answers: &mut Vec<Answer>,
) -> mysql_async::Result<()> {
    let mut result = connection.query_iter(statements.join(";\n")).await?;
    while !result.is_empty() {
        let mut rows = Vec::new();
        // An error here may be that of the next statement: the rows before it are whole.
        let done = result.for_each(|row| rows.push(Line::new(row))).await;
        answers.push(Ok(rows));
        done?;
    }
    Ok(())
}
