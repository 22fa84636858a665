//! What a person or a program reads: results on stdout, everything else on stderr.

use std::io::{self, IsTerminal, Write};
use std::sync::Arc;

use ksnapshot_core::{Cx, Error, ErrorKind, Observer, Problem, Result};
use serde::Serialize;
use serde_json::json;

use crate::progress::{Bars, JsonLines, Lines};

/// Every error says what to do next.
pub(crate) const NO_ADVICE: &str = "Run it again with KSNAPSHOT_LOG=debug to see what led to it.";

/// How to print.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) json: bool,
}

impl Output {
    pub(crate) fn new(json: bool) -> Self {
        Self { json }
    }

    /// A context whose progress goes where it belongs.
    pub(crate) fn context(&self) -> Cx {
        let observer: Arc<dyn Observer> = if self.json {
            Arc::new(JsonLines::default())
        } else if io::stderr().is_terminal() {
            Arc::new(Bars::default())
        } else {
            Arc::new(Lines::default())
        };
        Cx::new(observer)
    }

    /// Prints a result for a person.
    pub(crate) fn text(&self, text: &str) -> Result<()> {
        to_stdout(text.as_bytes())
    }

    /// Prints a result for a program: one line.
    pub(crate) fn line(&self, value: &impl Serialize) -> Result<()> {
        let mut line = serde_json::to_vec(value).map_err(|cause| {
            Error::new(ErrorKind::Failed, "the result can't be written as JSON").source(cause)
        })?;
        line.push(b'\n');
        to_stdout(&line)
    }

    /// Prints something for a person beside the result.
    pub(crate) fn note(&self, text: &str) {
        if !self.json {
            to_stderr(text);
        }
    }

    /// Prints why the command failed.
    pub(crate) fn failed(&self, error: &Error) {
        if self.json {
            let _ = self.line(&json!({
                "message_type": "error",
                "code": error.kind().exit_code(),
                "message": format!("{error:#}"),
                "hint": error.advice().unwrap_or(NO_ADVICE),
            }));
        }
        to_stderr(&format!("error: {error:#}"));
        let hint = error.advice().unwrap_or(NO_ADVICE);
        to_stderr(&format!("hint: {hint}"));
    }
}

/// The exit code of a command that got through.
pub(crate) fn code(problems: &[Problem]) -> u8 {
    if problems.is_empty() { 0 } else { 3 }
}

/// A reader that has seen enough is no error.
pub(crate) fn to_stdout(bytes: &[u8]) -> Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Err(cause) if cause.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other.map_err(|cause| {
            Error::new(ErrorKind::Failed, "stdout: can't be written").source(cause)
        }),
    }
}

pub(crate) fn to_stderr(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Bytes as a person reads them.
pub(crate) fn bytes(count: u64) -> String {
    indicatif::BinaryBytes(count).to_string()
}

/// Numbers as a person reads them.
pub(crate) fn count(number: u64) -> String {
    indicatif::HumanCount(number).to_string()
}

/// `1 row`, `2 rows`.
pub(crate) fn plural(number: u64, word: &str) -> String {
    format!(
        "{} {word}{}",
        count(number),
        if number == 1 { "" } else { "s" }
    )
}

/// A table with a header, columns as wide as they must be.
pub(crate) fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |c: usize| {
        rows.iter()
            .filter_map(|r| r.get(c))
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let cells: Vec<String> = row
            .iter()
            .zip(&widths)
            .map(|(cell, &w)| format!("{cell:<w$}"))
            .collect();
        text.push_str(cells.join("  ").trim_end());
        text.push('\n');
    }
    text
}
