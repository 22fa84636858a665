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
//!
//! What one object does not take goes on in the next one: `….002.sql.zst.age`, `…-<content>.002.jsonl.zst.age`.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::{Key, Result, Series};

mod stem;

pub use stem::Stem;

/// The suffix that makes an object a snapshot's manifest.
pub(crate) const MANIFEST_SUFFIX: &str = ".manifest.json";

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
        Self::in_name(name).map_or_else(Self::default, |(form, _)| form)
    }

    /// The form that a file name tells, and where: the last one, since names of databases may hold anything.
    fn in_name(name: &str) -> Option<(Self, usize)> {
        let at = |form: Self| Some((form, name.rfind(form.suffix())?));
        [Self::Sql, Self::JsonLines, Self::Output]
            .into_iter()
            .filter_map(at)
            .max_by_key(|(_, at)| *at)
    }

    fn suffix(self) -> &'static str {
        match self {
            Self::Sql => ".sql",
            Self::JsonLines => ".jsonl",
            Self::Output => ".out",
        }
    }
}

/// Whether the data object `name` goes on with the stream that `first` begins: the same name, but for its number.
pub fn continues(first: &str, name: &str) -> bool {
    let Some((_, at)) = Form::in_name(first) else {
        return false;
    };
    let (stem, suffixes) = first.split_at(at);
    name.strip_prefix(stem)
        .and_then(|rest| rest.strip_suffix(suffixes)?.strip_prefix('.'))
        .is_some_and(|number| number.len() >= 3 && number.bytes().all(|b| b.is_ascii_digit()))
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
    /// or what stands for one of several; of JSON lines it is the type of content. `piece` counts from 1 the objects that
    /// hold it.
    pub fn data(&self, part: &str, piece: u32, codec: &str, seal: &str) -> Result<Key> {
        let part = encode(part);
        let number = match piece {
            1 => String::new(),
            piece => format!(".{piece:03}"),
        };
        let suffixes = format!("{number}{}{codec}{seal}", self.form.suffix());
        match self.form {
            Form::Sql => self.key(&part, &suffixes),
            Form::JsonLines => self.key("", &format!("-{part}{suffixes}")),
            Form::Output => self.key("", &suffixes),
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
            names
                .data("shop", 1, ".zst", ".age")
                .expect("a key")
                .as_str(),
            "2026/11/21/postgresql/dump-db.example.org-shop-20261121235958-ab12cd34.sql.zst.age"
        );
        assert_eq!(
            names
                .data("shop", 2, ".zst", ".age")
                .expect("a key")
                .file_name(),
            "dump-db.example.org-shop-20261121235958-ab12cd34.002.sql.zst.age"
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
            lines
                .data("mapping", 1, ".gz", "")
                .expect("a key")
                .file_name(),
            "dump-search-20261121235958-ab12cd34-mapping.jsonl.gz"
        );
        assert_eq!(
            lines
                .data("data", 1000, ".zst", "")
                .expect("a key")
                .file_name(),
            "dump-search-20261121235958-ab12cd34-data.1000.jsonl.zst"
        );
        assert_eq!(
            lines.manifest().expect("a key").file_name(),
            "dump-search-20261121235958-ab12cd34.manifest.json"
        );
        let output = Names::new(&series("a.jsonl", ""), Form::Output, time, "ab12cd34");
        let data = output.data("", 1, ".zst", ".age").expect("a key");
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
        fn pieces_are_known_by_their_names(
            lines: bool,
            database in "[a-z.]{0,3}(\\.sql|\\.jsonl|\\.002)?",
            other in "[a-z.]{0,3}(\\.sql|\\.jsonl)?",
            piece in 2u32..2000,
            seal in "(\\.age)?",
        ) {
            let form = if lines { Form::JsonLines } else { Form::Sql };
            let names = Names::new(&series("n", &database), form, Timestamp::UNIX_EPOCH, "ab12cd34");
            let name = |part: &str, piece| {
                let key = names.data(part, piece, ".zst", &seal).expect("a key");
                key.file_name().to_owned()
            };
            let first = name(&database, 1);
            prop_assert_eq!(Form::of(&first), form);
            prop_assert!(continues(&first, &name(&database, piece)));
            prop_assert!(!continues(&first, &first));
            prop_assert!(!continues(&name(&database, piece), &first));
            prop_assert_eq!(continues(&name(&other, 1), &name(&database, piece)), other == database);
        }

        #[test]
        fn any_name_gives_a_valid_key_of_the_same_depth(name: String, database: String) {
            let key = Names::new(&series(&name, &database), Form::Sql, Timestamp::UNIX_EPOCH, &new_id()).manifest().expect("valid");
            prop_assert_eq!(key.as_str().split('/').count(), 5);
            prop_assert!(key.as_str().is_ascii());
        }
    }
}
