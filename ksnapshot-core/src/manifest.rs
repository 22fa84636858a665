//! What a finished snapshot says of itself, in the clear: no table names, no secrets. Written last, so that it is
//! the commit.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::storage::LONGEST_OBJECT;
use crate::{Error, ErrorKind, Result, Series};

/// The version of the manifest that this build writes and the newest one it reads.
pub const MANIFEST_VERSION: u32 = 1;

/// A finished snapshot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Version of this format.
    pub version: u32,
    /// Eight characters of `a-z0-9`, unique within the storage.
    pub id: String,
    /// The series it belongs to.
    pub series: Series,
    /// When the dump began (UTC).
    pub started: Timestamp,
    /// When its data was complete (UTC).
    pub finished: Timestamp,
    /// What wrote it.
    pub tool: String,
    /// What was dumped.
    pub source: SourceInfo,
    /// Whether all data is of one moment.
    pub consistency: Consistency,
    /// `zstd:3`, `gzip:6` or `none`.
    pub compression: String,
    /// How the objects are sealed; none when they are not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encryption: Option<Encryption>,
    /// The objects beside the manifest: the data in order, the pieces of a stream one after the other, and the index.
    pub objects: Vec<ObjectEntry>,
    /// How much of what.
    pub counts: Counts,
    /// Whether anything is missing.
    pub outcome: Outcome,
    /// SHA-256 of this manifest's own text with this field empty: a flipped bit in the clear is found, too.
    pub checksum: String,
}

impl Manifest {
    /// Reads a manifest. A newer one is refused by its version, before its content is looked at.
    pub fn parse(json: &[u8]) -> Result<Self> {
        #[derive(Deserialize)]
        struct Version {
            version: u32,
        }
        let bad = |e| Error::corrupt("manifest: not readable").source(e);
        let Version { version } = serde_json::from_slice(json).map_err(bad)?;
        if version > MANIFEST_VERSION {
            return Err(Error::new(
                ErrorKind::NewerFormat,
                format!("manifest: format {version} is newer than this build"),
            )
            .hint("Use a ksnapshot at least as new as the one that wrote the snapshot."));
        }
        let manifest: Self = serde_json::from_slice(json).map_err(bad)?;
        // The text itself counts, not only what it means: another spelling of a time is a changed bit, too.
        if manifest.checksum != manifest.digest() || manifest.text() != json {
            return Err(Error::corrupt(
                "manifest: its checksum does not fit its text",
            ));
        }
        if manifest.data().next().is_none() || manifest.index().is_none() {
            return Err(Error::corrupt("manifest: names no data or no index"));
        }
        // A file name is the only thing that may stand here: a path would lead a reader out of the folder.
        if manifest
            .objects
            .iter()
            .any(|o| o.name.contains('/') || o.name.starts_with('.'))
        {
            return Err(Error::corrupt(
                "manifest: an object's name is not a file name",
            ));
        }
        let sum = (manifest.objects.iter()).try_fold(0u64, |sum, o| sum.checked_add(o.bytes));
        let lies = |o: &ObjectEntry| o.header > o.bytes || o.bytes > LONGEST_OBJECT;
        if sum.is_none() || manifest.objects.iter().any(lies) {
            return Err(Error::corrupt("manifest: an object's size makes no sense"));
        }
        Ok(manifest)
    }

    /// The text that is stored, with its checksum.
    pub fn to_json(&self) -> Vec<u8> {
        Self {
            checksum: self.digest(),
            ..self.clone()
        }
        .text()
    }

    fn text(&self) -> Vec<u8> {
        let mut json = serde_json::to_vec_pretty(self).expect("a manifest has string keys only");
        json.push(b'\n');
        json
    }

    fn digest(&self) -> String {
        use sha2::{Digest, Sha256};
        crate::pipeline::hex(&Sha256::digest(
            Self {
                checksum: String::new(),
                ..self.clone()
            }
            .text(),
        ))
    }

    /// The data objects, in order.
    pub fn data(&self) -> impl Iterator<Item = &ObjectEntry> {
        self.objects.iter().filter(|o| o.role == ObjectRole::Data)
    }

    /// The index.
    pub fn index(&self) -> Option<&ObjectEntry> {
        self.objects.iter().find(|o| o.role == ObjectRole::Index)
    }

    /// Stored bytes of all objects.
    pub fn stored_bytes(&self) -> u64 {
        self.objects.iter().map(|o| o.bytes).sum()
    }
}

/// What was dumped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceInfo {
    /// The type: `postgresql`, …
    pub kind: String,
    /// The server's version, in its own words.
    pub server_version: String,
}

/// Whether all data is of one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Consistency {
    /// The claim: `one-snapshot` when every reader saw the same one.
    pub claim: String,
    /// Where the source stood, by name: `lsn`, `gtid`, `binlog`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub position: BTreeMap<String, String>,
}

/// How objects are sealed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Encryption {
    /// `age`.
    pub scheme: String,
    /// Public keys of those who can open them.
    pub recipients: Vec<String>,
}

/// What an object is to its snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ObjectRole {
    /// Text that restores.
    Data,
    /// What is where in the data.
    Index,
}

/// One object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ObjectEntry {
    /// What it is.
    pub role: ObjectRole,
    /// File name, beside the manifest.
    pub name: String,
    /// Stored bytes.
    pub bytes: u64,
    /// SHA-256 of the stored bytes, in hex, as `sha256sum` prints it.
    pub sha256: String,
    /// Bytes of the encryption's header, before the first sealed byte; 0 when not sealed.
    pub header: u64,
}

/// How much of what.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counts {
    /// Items in the index.
    pub items: u64,
    /// Frames in the index.
    pub frames: u64,
    /// Rows.
    pub rows: u64,
    /// Bytes of plain text.
    pub plain_bytes: u64,
    /// Problems by kind.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub problems: BTreeMap<String, u64>,
}

/// Whether anything is missing. A failed dump has no manifest, so no outcome either.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Everything is there.
    Complete,
    /// What is missing is listed in the index.
    CompleteWithProblems,
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Complete => "complete",
            Self::CompleteWithProblems => "complete with problems",
        })
    }
}
