//! Where objects rest: five verbs, two more for what was never finished, and one adapter from any `object_store` in
//! `ksnapshot-storage`.

use std::fmt::{self, Debug, Display};
use std::ops::Range;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::BoxStream;
use jiff::Timestamp;

use crate::{Error, ErrorKind, Result};

/// What belongs to no snapshot and was not written to for so long was left by a dump that was killed: no dump lasts longer
/// without a word, unless somebody says so.
pub const ORPHANED_AFTER: Duration = Duration::from_secs(48 * 3600);

/// More bytes than any store keeps in one object. Who says more lies; with less, whoever adds up some of them needs no care.
pub(crate) const LONGEST_OBJECT: u64 = 1 << 60;

/// The name of an object: segments joined by `/`, relative to the storage's prefix, never empty, without `.`
/// and `..` segments.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(String);

impl Key {
    /// Takes a key as it is.
    pub fn parse(text: impl Into<String>) -> Result<Self> {
        let text = text.into();
        let bad =
            |s: &str| s.is_empty() || s == "." || s == ".." || s.chars().any(char::is_control);
        if text.split('/').any(bad) {
            return Err(Error::new(
                ErrorKind::Usage,
                format!("key {text:?}: not a valid object name"),
            ));
        }
        Ok(Self(text))
    }

    /// The text of the key.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The last segment.
    pub fn file_name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }

    /// All before the last segment; none at the root.
    pub fn folder(&self) -> Option<Self> {
        self.0
            .rsplit_once('/')
            .map(|(folder, _)| Self(folder.to_owned()))
    }

    /// The object `name` beside this one.
    pub fn sibling(&self, name: &str) -> Result<Self> {
        match self.0.rsplit_once('/') {
            Some((folder, _)) => Self::parse(format!("{folder}/{name}")),
            None => Self::parse(name),
        }
    }
}

impl Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a listing or a finished upload says of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectInfo {
    /// Its name.
    pub key: Key,
    /// Its bytes.
    pub size: u64,
    /// When it was last written, by the store's clock, where that is told: every listing should, a finished upload need not.
    /// Some stores mean the time at which its upload began.
    pub modified: Option<Timestamp>,
}

/// An object that was begun and neither finished nor given up: of a writer that is at work, or of one that was killed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfinished {
    /// What it was to become, where the store can tell.
    pub key: Option<Key>,
    /// The last sign of its writer that the store knows of: when it last wrote, or else when it began.
    pub touched: Timestamp,
    /// The store's own name for it.
    pub id: String,
}

/// What [`Storage::put`] does with a key that is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PutMode {
    /// Fails with [`ErrorKind::AlreadyExists`], where the store can tell.
    Create,
    /// Replaces the object.
    Overwrite,
}

/// Keeps objects. `Display` names the place without a secret.
///
/// Errors: [`ErrorKind::NotFound`] for a missing object, [`ErrorKind::Storage`] when the store can't be reached or
/// refuses. Transient failures are retried inside; what comes out is final. Dropping a call cancels it.
#[async_trait]
pub trait Storage: Send + Sync + Debug + Display {
    /// Writes a small object. Atomic: nobody sees a part of it.
    async fn put(&self, key: &Key, body: Bytes, mode: PutMode) -> Result<()>;

    /// Begins a large object. Nothing is visible before [`ObjectWriter::finish`]. `expected` only sizes the parts
    /// of the upload. Making the first one also proves, as far as the store allows, that it can be written to.
    async fn writer(&self, key: &Key, expected: Option<u64>) -> Result<Box<dyn ObjectWriter>>;

    /// Reads an object, or the bytes `range` of it. A range that reaches beyond the end is cut.
    async fn read(
        &self,
        key: &Key,
        range: Option<Range<u64>>,
    ) -> Result<BoxStream<'static, Result<Bytes>>>;

    /// All objects whose key starts with the folder `prefix` (all of them without one), in no promised order.
    /// A place that does not exist is [`ErrorKind::NotFound`].
    fn list(&self, prefix: Option<&Key>) -> BoxStream<'static, Result<ObjectInfo>>;

    /// Deletes objects. A missing one is success. On an error, any of the others may be gone and any may be there.
    async fn delete(&self, keys: &[Key]) -> Result<()>;

    /// All objects that are in the making, whoever makes them, in no promised order. A finished or aborted one is not among
    /// them. A store that keeps nothing of an object before its end has none, and that is what this says unless told otherwise.
    async fn unfinished(&self) -> Result<Vec<Unfinished>> {
        Ok(Vec::new())
    }

    /// Gives up what [`Storage::unfinished`] told of: what was sent is removed, and a writer that still lives can't finish it any
    /// more. One that is gone is success; an object that was finished meanwhile stays.
    async fn abandon(&self, _unfinished: &[Unfinished]) -> Result<()> {
        Ok(())
    }
}

/// A large object in the making. Dropping it without a word leaves the clean-up to the store: call
/// [`ObjectWriter::abort`].
#[async_trait]
pub trait ObjectWriter: Send {
    /// The most bytes that the object may have; none for a storage without a limit. The pipeline goes on in another
    /// object, and never sends more.
    fn limit(&self) -> Option<u64> {
        None
    }

    /// Appends `block`; waits while enough is under way.
    async fn write(&mut self, block: Bytes) -> Result<()>;

    /// Makes the object visible, whole. On an error it is not, unless the answer itself was lost, and what was sent is
    /// removed as far as the store allows.
    async fn finish(self: Box<Self>) -> Result<ObjectInfo>;

    /// Gives up; what was sent is removed.
    async fn abort(self: Box<Self>) -> Result<()>;
}
