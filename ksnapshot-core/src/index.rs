//! What is where in a snapshot. Written after the data and before the manifest; sealed when the data is, since it
//! names tables.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::catalog::CatalogModel;
use crate::storage::LONGEST_OBJECT;
use crate::{Error, ErrorKind, Result, RowHash};

/// The version of the index that this build writes and the newest one it reads.
pub const INDEX_VERSION: u32 = 1;

/// What is where.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Index {
    /// Version of this format.
    pub version: u32,
    /// Id of the snapshot it belongs to.
    pub snapshot: String,
    /// The typed model of the definitions.
    pub catalog: CatalogModel,
    /// Everything with a place of its own, in the order of restoring; an item's id is its position.
    pub items: Vec<Item>,
    /// The frames, in the order of the stream.
    pub frames: Vec<Frame>,
    /// Everything that is not as it should be.
    pub problems: Vec<Problem>,
}

impl Index {
    /// Reads an index. A newer one is refused by its version, before its content is looked at.
    pub fn parse(json: &[u8]) -> Result<Self> {
        #[derive(Deserialize)]
        struct Version {
            version: u32,
        }
        let bad = |e| Error::corrupt("index: not readable").source(e);
        let Version { version } = serde_json::from_slice(json).map_err(bad)?;
        if version > INDEX_VERSION {
            return Err(Error::new(
                ErrorKind::NewerFormat,
                format!("index: format {version} is newer than this build"),
            )
            .hint("Use a ksnapshot at least as new as the one that wrote the snapshot."));
        }
        let mut index: Self = serde_json::from_slice(json).map_err(bad)?;
        index.items.shrink_to_fit();
        index.check()?;
        Ok(index)
    }

    /// An index that parses may still contradict itself; positions are checked once, here.
    fn check(&self) -> Result<()> {
        let broken = |what: String| Err(Error::corrupt(format!("index: {what}")));
        for (position, item) in self.items.iter().enumerate() {
            if item.id as usize != position {
                return broken(format!("item {position} has the id {}", item.id));
            }
            if let Some(place) = item.place {
                let Some(frame) = self.frames.get(place.frame as usize) else {
                    return broken(format!(
                        "item {position} lies in a frame that does not exist"
                    ));
                };
                if place
                    .offset
                    .checked_add(place.length)
                    .is_none_or(|end| end > frame.plain)
                {
                    return broken(format!("item {position} reaches beyond its frame"));
                }
            }
            if item.depends.iter().any(|&d| d as usize >= self.items.len()) {
                return broken(format!(
                    "item {position} depends on an item that does not exist"
                ));
            }
        }
        if self
            .frames
            .iter()
            .any(|f| f.item.is_some_and(|i| i as usize >= self.items.len()))
        {
            return broken("a frame belongs to an item that does not exist".into());
        }
        let end = |f: &Frame| f.offset.checked_add(u64::from(f.length));
        if (self.frames.iter()).any(|f| end(f).is_none_or(|end| end > LONGEST_OBJECT)) {
            return broken("a frame lies beyond the end of any object".into());
        }
        let rows = (self.frames.iter()).try_fold(0u64, |sum, f| sum.checked_add(f.rows));
        if rows.is_none() {
            return broken("has more rows than can be counted".into());
        }
        Ok(())
    }

    /// What a person should know of the snapshot's size: rows and bytes of plain text.
    pub fn totals(&self) -> (u64, u64) {
        (
            self.frames.iter().map(|f| f.rows).sum(),
            self.frames.iter().map(|f| u64::from(f.plain)).sum(),
        )
    }

    /// The items that have data, with the frames that hold it.
    pub fn data_frames(&self) -> BTreeMap<u32, Vec<u32>> {
        let mut frames: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        for (number, frame) in self.frames.iter().enumerate() {
            if let Some(item) = frame.item {
                frames
                    .entry(item)
                    .or_default()
                    .push(u32::try_from(number).unwrap_or(u32::MAX));
            }
        }
        frames
    }
}

/// When an item is restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// Before the data: types, tables, functions, views.
    PreData,
    /// The data, in any order.
    Data,
    /// After the data: indexes, constraints, triggers, refreshes, and what must see them.
    PostData,
}

/// Which side of an object an item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Aspect {
    /// The object itself.
    Definition,
    /// Who owns it.
    Owner,
    /// Who may do what.
    Acl,
    /// Its comment.
    Comment,
    /// Its security label.
    SecurityLabel,
    /// Its rows, or a sequence's value.
    Data,
    /// Text that belongs to the file and not to an object: session settings.
    Setting,
}

/// One thing with a place of its own: a definition, a grant, a table's rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// Position among the items.
    pub id: u32,
    /// When it is restored.
    pub stage: Stage,
    /// Which side of the object it is.
    pub aspect: Aspect,
    /// The kind of object, in the words of the database: `table`, `foreign key`, `materialized view`.
    pub kind: String,
    /// The schema, where the object has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<String>,
    /// Its name within the schema; functions carry their arguments.
    pub name: String,
    /// For what belongs to a table (its constraints, indexes, owned sequences, grants, rows, and the table itself):
    /// the id of the table's definition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table: Option<u32>,
    /// The role that owns the object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Items that must be restored before this one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub depends: Vec<u32>,
    /// Where its text is; none for rows, whose frames name their item.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// For rows: how many, and their hash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<DataStats>,
}

impl Item {
    /// The object as a person would name it: `table public.orders`.
    pub fn title(&self) -> String {
        match &self.schema {
            Some(schema) => format!("{} {schema}.{}", self.kind, self.name),
            None => format!("{} {}", self.kind, self.name),
        }
    }
}

/// Where a text is: in which frame, and where in the frame's plain text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Number of the frame.
    pub frame: u32,
    /// First byte in the frame's plain text.
    pub offset: u32,
    /// Bytes.
    pub length: u32,
}

/// How many rows, and their hash.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataStats {
    /// Number of rows.
    pub rows: u64,
    /// Sum of the rows' hashes.
    pub hash: RowHash,
}

impl std::ops::AddAssign for DataStats {
    fn add_assign(&mut self, other: Self) {
        self.rows += other.rows;
        self.hash += other.hash;
    }
}

/// One frame: a piece of the stream that can be decompressed alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frame {
    /// Which of the manifest's data objects it lies in; pieces of a stream count each.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub object: u32,
    /// First byte in the object's opened (decrypted) stream.
    pub offset: u64,
    /// Bytes in the opened stream.
    pub length: u32,
    /// Bytes when decompressed.
    pub plain: u32,
    /// The part of the snapshot: the stage.
    pub stage: Stage,
    /// The item whose rows it holds; none for definitions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<u32>,
    /// Rows in it.
    #[serde(default)]
    pub rows: u64,
    /// Sum of the rows' hashes.
    #[serde(default)]
    pub hash: RowHash,
    /// XXH3-128 of the whole plain text: what comes out of the frame is checked against it.
    pub check: RowHash,
}

fn is_zero(n: &u32) -> bool {
    *n == 0
}

/// What kind of thing is not as it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ProblemKind {
    /// It could not be read for lack of a right.
    Unreadable,
    /// This version does not dump this kind of object.
    Unsupported,
    /// The target refused it.
    Refused,
    /// It was left out because something it needs is missing.
    Skipped,
    /// What was read back is not what was dumped.
    Different,
    /// Its definition is broken on the source.
    Invalid,
}

impl ProblemKind {
    /// As in the manifest's counts.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable",
            Self::Unsupported => "unsupported",
            Self::Refused => "refused",
            Self::Skipped => "skipped",
            Self::Different => "different",
            Self::Invalid => "invalid",
        }
    }
}

/// Something that is not as it should be: what, why, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Problem {
    /// What kind of problem.
    pub kind: ProblemKind,
    /// The object, as a person would name it: `table public.orders`.
    pub object: String,
    /// The cause.
    pub message: String,
    /// What to do about it, a full sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}
