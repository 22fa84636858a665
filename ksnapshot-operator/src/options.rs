//! What words of mysqldump and pg_dump mean to a dump here: `MYSQLDUMP_OPTIONS`, `PG_DUMP_OPTIONS` and the annotation
//! `dump-options`.
//!
//! The first ksnapshot handed such words on to these programs. Here each word is either what a dump does anyway, or stands
//! for an option of ours, or is refused with the reason: none is ignored that would have changed what is restored. Pure, and
//! the same function for who looks at an annotation and for who runs the Job.
//!
//! ```
//! use ksnapshot_operator::{job::Kind, options::map};
//!
//! let words = map(Kind::MySql, "--single-transaction --ignore-table=shop.logs --where='id > 7'");
//! assert_eq!(words.unwrap(), ["--exclude-table=shop.logs", "--where=id > 7"]);
//! let refused = map(Kind::MySql, "--quick --no-create-info").unwrap_err();
//! assert_eq!(refused.word, "--no-create-info");
//! ```

use std::fmt;

use ksnapshot_core::{Error, ErrorKind};

use crate::job::Kind;

mod mysqldump;
mod pg_dump;
mod read;
pub mod words;

pub(crate) use mysqldump::table;
use read::{Dialect, Read};

/// A word that means nothing here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The word, without its value, which may be a secret.
    pub word: String,
    /// Why.
    pub why: String,
    /// What to do instead.
    pub hint: String,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.word, self.why)
    }
}

impl std::error::Error for Refused {}

impl From<Refused> for Error {
    fn from(refused: Refused) -> Self {
        Self::new(ErrorKind::Usage, refused.to_string()).hint(refused.hint)
    }
}

/// Words of `ksnapshot dump` that do what `text`, words of mysqldump or pg_dump by the kind of the database, asks for.
///
/// Each is one word, `--option=value`. The text is divided as a shell does, see [`words`]; nothing in it is expanded.
pub fn map(kind: Kind, text: &str) -> Result<Vec<String>, Refused> {
    let refused = |why: &str, hint: &str| Refused {
        word: "the words".to_owned(),
        why: why.to_owned(),
        hint: hint.to_owned(),
    };
    let words = words::split(text).map_err(|open| {
        refused(
            open.why(),
            "Words are divided as in a shell; write a value with spaces as --where='id > 3'.",
        )
    })?;
    let Some(dialect) = dialect(kind) else {
        return match words.first() {
            None => Ok(Vec::new()),
            Some(_) => Err(refused(
                &format!("there are none for {}", kind.title()),
                "Leave them away; indices are chosen by the annotations tables and exclude-tables.",
            )),
        };
    };
    Read::new(&dialect).words(words)
}

/// The words that [`map`] takes, as they are written, in order, but for those that switch off what is off anyway. For
/// documentation.
pub fn taken(kind: Kind) -> Vec<String> {
    dialect(kind).map_or_else(Vec::new, |dialect| dialect.taken())
}

fn dialect(kind: Kind) -> Option<Dialect> {
    match kind {
        Kind::MySql | Kind::MariaDb => Some(mysqldump::DIALECT),
        Kind::PostgreSql => Some(pg_dump::DIALECT),
        Kind::Elasticsearch | Kind::OpenSearch => None,
    }
}

#[cfg(test)]
mod tests;
