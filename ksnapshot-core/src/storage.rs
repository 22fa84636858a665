//! Where objects rest: five verbs, and one adapter from any `object_store` in `ksnapshot-storage`.

use std::fmt::{self, Debug, Display};
use std::ops::Range;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::BoxStream;

use crate::{Error, ErrorKind, Result};

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

    /// Deletes objects. A missing one is success.
    async fn delete(&self, keys: &[Key]) -> Result<()>;
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
