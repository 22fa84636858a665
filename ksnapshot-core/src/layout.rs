//! Names of objects. Pure.
//!
//! ```text
//! YYYY/MM/DD/<type>/dump-<name>-<db>-<YYYYMMDDHHMMSS>-<id>.sql.zst.age     data
//!                   …same stem….index.zst.age                              what is where
//!                   …same stem….manifest.json                              last: the commit
//! ```
//!
//! Where the text is JSON lines there is an object for each type of content, and no database in the names:
//!
//! ```text
//! YYYY/MM/DD/<type>/dump-<name>-<YYYYMMDDHHMMSS>-<id>-<content>.jsonl.zst.age
//! ```
//!
//! The output of a program has no database either:
//!
//! ```text
//! YYYY/MM/DD/command/dump-<name>-<YYYYMMDDHHMMSS>-<id>.out.zst.age
//! ```

use jiff::Timestamp;
use jiff::tz::TimeZone;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::{Key, Result, Series};

mod stem;

pub use stem::Stem;

/// The suffix that makes an object a snapshot's manifest.
pub const MANIFEST_SUFFIX: &str = ".manifest.json";

/// Everything but letters, digits and `. _ -` is hostile to some store, shell or URL.
const HOSTILE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'.').remove(b'_').remove(b'-');

/// What the text of a snapshot's data objects is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Form {
    /// SQL: each data object is a script of its own, definitions and rows.
    #[default]
    Sql,
    /// JSON lines: definitions and documents are in objects of their own.
    JsonLines,
    /// What a program has written, whatever it means.
    Output,
}

impl Form {
    /// That of a data object with this file name.
    pub fn of(name: &str) -> Self {
        // What is before the last dash is the user's own.
        let tail = name.rsplit('-').next().unwrap_or(name);
        let has = |suffix: &str| tail.split('.').skip(1).any(|part| part == suffix);
        if has("jsonl") {
            Self::JsonLines
        } else if has("out") {
            Self::Output
        } else {
            Self::Sql
        }
    }
}

/// The names of one snapshot's objects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    folder: String,
    name: String,
    database: String,
    /// Time and id.
    tail: String,
    form: Form,
}

impl Names {
    /// Names for the snapshot `id` of `series`, taken at `time` (UTC).
    pub fn new(series: &Series, form: Form, time: Timestamp, id: &str) -> Self {
        let utc = time.to_zoned(TimeZone::UTC);
        Self {
            folder: format!("{}/{}", utc.strftime("%Y/%m/%d"), encode(&series.kind)),
            name: encode(&series.name),
            database: encode(&series.database),
            tail: format!("{}-{id}", utc.strftime("%Y%m%d%H%M%S")),
            form,
        }
    }

    /// The data of `part`, as written by a codec and an encryptor with these suffixes. Of SQL, `part` is the series' database
    /// or what stands for one of several; of JSON lines it is the type of content.
    pub fn data(&self, part: &str, codec: &str, seal: &str) -> Result<Key> {
        let part = encode(part);
        match self.form {
            Form::Sql => self.key(&part, &format!(".sql{codec}{seal}")),
            Form::JsonLines => self.key("", &format!("-{part}.jsonl{codec}{seal}")),
            Form::Output => self.key("", &format!(".out{codec}{seal}")),
        }
    }

    /// The index; its codec is always zstd.
    pub fn index(&self, seal: &str) -> Result<Key> {
        self.key(&self.database, &format!(".index.zst{seal}"))
    }

    /// The manifest.
    pub fn manifest(&self) -> Result<Key> {
        self.key(&self.database, MANIFEST_SUFFIX)
    }

    fn key(&self, database: &str, suffix: &str) -> Result<Key> {
        let database = match self.form {
            Form::Sql => format!("-{database}"),
            Form::JsonLines | Form::Output => String::new(),
        };
        Key::parse(format!(
            "{}/dump-{}{database}-{}{suffix}",
            self.folder, self.name, self.tail
        ))
    }
}

fn encode(text: &str) -> String {
    utf8_percent_encode(text, HOSTILE).to_string()
}

/// A new snapshot's id: eight characters of `a-z0-9`.
pub fn new_id() -> String {
    use rand::seq::IndexedRandom;
    const ALPHABET: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789";
    let mut random = rand::rng();
    (0..8)
        .map(|_| {
            char::from(
                *ALPHABET
                    .choose(&mut random)
                    .expect("the alphabet is not empty"),
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn series(name: &str, database: &str) -> Series {
        Series {
            name: name.into(),
            kind: "postgresql".into(),
            database: database.into(),
        }
    }

    #[test]
    fn names_are_those_of_the_format() {
        let time: Timestamp = "2026-11-21T23:59:58.7+00:00".parse().expect("a time");
        let names = Names::new(
            &series("db.example.org", "shop"),
            Form::Sql,
            time,
            "ab12cd34",
        );
        assert_eq!(
            names.data("shop", ".zst", ".age").expect("a key").as_str(),
            "2026/11/21/postgresql/dump-db.example.org-shop-20261121235958-ab12cd34.sql.zst.age"
        );
        assert_eq!(
            names.index("").expect("a key").file_name(),
            "dump-db.example.org-shop-20261121235958-ab12cd34.index.zst"
        );
        assert_eq!(
            names.manifest().expect("a key").file_name(),
            "dump-db.example.org-shop-20261121235958-ab12cd34.manifest.json"
        );
        let lines = Names::new(
            &series("search", "logs-*"),
            Form::JsonLines,
            time,
            "ab12cd34",
        );
        assert_eq!(
            lines.data("mapping", ".gz", "").expect("a key").file_name(),
            "dump-search-20261121235958-ab12cd34-mapping.jsonl.gz"
        );
        assert_eq!(
            lines.manifest().expect("a key").file_name(),
            "dump-search-20261121235958-ab12cd34.manifest.json"
        );
        let output = Names::new(&series("a.jsonl", ""), Form::Output, time, "ab12cd34");
        let data = output.data("", ".zst", ".age").expect("a key");
        assert_eq!(
            data.file_name(),
            "dump-a.jsonl-20261121235958-ab12cd34.out.zst.age"
        );
        assert_eq!(Form::of(data.file_name()), Form::Output);
        let hostile = Names::new(&series("a/../b", "ü\n%"), Form::Sql, time, "ab12cd34");
        assert!(
            hostile
                .manifest()
                .expect("a key")
                .file_name()
                .starts_with("dump-a%2F..%2Fb-%C3%BC%0A%25-2026")
        );
    }

    proptest! {
        #[test]
        fn any_name_gives_a_valid_key_of_the_same_depth(name: String, database: String) {
            let key = Names::new(&series(&name, &database), Form::Sql, Timestamp::UNIX_EPOCH, &new_id()).manifest().expect("valid");
            prop_assert_eq!(key.as_str().split('/').count(), 5);
            prop_assert!(key.as_str().is_ascii());
        }
    }
}
