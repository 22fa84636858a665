//! A storage that forgets: for tests, examples and trying out a dumper.

use std::collections::BTreeMap;
use std::fmt::{self, Debug, Display};
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use futures_util::stream::{self, BoxStream, StreamExt};
use jiff::Timestamp;

use crate::{
    Error, ErrorKind, Key, ObjectInfo, ObjectWriter, PutMode, Result, Storage, Unfinished,
};

/// Reads come in pieces of this size, so that nobody gets used to an object arriving in one.
const PIECE: usize = 1024 * 1024;

/// Keeps objects in memory. Clones share them.
///
/// Behaves as a bucket does: nothing of a writer is visible before it is finished, [`PutMode::Create`] is enforced,
/// an empty storage lists nothing, and a writer that is dropped leaves an unfinished object.
#[derive(Clone, Default)]
pub struct MemoryStorage {
    shelf: Arc<Mutex<Shelf>>,
}

#[derive(Default)]
struct Shelf {
    objects: BTreeMap<Key, Stored>,
    unfinished: BTreeMap<String, Unfinished>,
    /// Writers so far.
    begun: u64,
}

struct Stored {
    bytes: Bytes,
    modified: Timestamp,
}

impl From<Bytes> for Stored {
    fn from(bytes: Bytes) -> Self {
        Self {
            bytes,
            modified: Timestamp::now(),
        }
    }
}

impl MemoryStorage {
    /// An empty storage.
    pub fn new() -> Self {
        Self::default()
    }

    /// The bytes of an object, if it is there.
    pub fn get(&self, key: &Key) -> Option<Bytes> {
        self.shelf()
            .objects
            .get(key)
            .map(|stored| stored.bytes.clone())
    }

    /// All keys, in order.
    pub fn keys(&self) -> Vec<Key> {
        self.shelf().objects.keys().cloned().collect()
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        // No code that holds the lock can leave a map half changed.
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Display for MemoryStorage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("memory")
    }
}

impl Debug for MemoryStorage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStorage")
            .field("objects", &self.shelf().objects.len())
            .finish()
    }
}

#[async_trait]
impl Storage for MemoryStorage {
    async fn put(&self, key: &Key, body: Bytes, mode: PutMode) -> Result<()> {
        let objects = &mut self.shelf().objects;
        if mode == PutMode::Create && objects.contains_key(key) {
            return Err(Error::new(
                ErrorKind::AlreadyExists,
                format!("memory/{key}: exists already"),
            ));
        }
        objects.insert(key.clone(), body.into());
        Ok(())
    }

    async fn writer(&self, key: &Key, _expected: Option<u64>) -> Result<Box<dyn ObjectWriter>> {
        let mut shelf = self.shelf();
        shelf.begun += 1;
        let begun = Unfinished {
            key: Some(key.clone()),
            touched: Timestamp::now(),
            id: shelf.begun.to_string(),
        };
        let id = begun.id.clone();
        shelf.unfinished.insert(id.clone(), begun);
        Ok(Box::new(Growing {
            storage: self.clone(),
            id,
            key: key.clone(),
            bytes: BytesMut::new(),
        }))
    }

    async fn read(
        &self,
        key: &Key,
        range: Option<Range<u64>>,
    ) -> Result<BoxStream<'static, Result<Bytes>>> {
        let mut bytes = self.get(key).ok_or_else(|| {
            Error::new(ErrorKind::NotFound, format!("memory/{key}: no such object"))
        })?;
        if let Some(range) = range {
            let cut = |at: u64| usize::try_from(at).map_or(bytes.len(), |at| at.min(bytes.len()));
            let (start, end) = (cut(range.start), cut(range.end));
            bytes = bytes.slice(start..end.max(start));
        }
        let pieces = std::iter::from_fn(move || {
            (!bytes.is_empty()).then(|| Ok(bytes.split_to(PIECE.min(bytes.len()))))
        });
        Ok(stream::iter(pieces).boxed())
    }

    fn list(&self, prefix: Option<&Key>) -> BoxStream<'static, Result<ObjectInfo>> {
        let folder = prefix.map(|key| format!("{key}/")).unwrap_or_default();
        let found: Vec<_> = self
            .shelf()
            .objects
            .iter()
            .filter(|(key, _)| key.as_str().starts_with(&folder))
            .map(|(key, stored)| {
                Ok(ObjectInfo {
                    key: key.clone(),
                    size: stored.bytes.len() as u64,
                    modified: Some(stored.modified),
                })
            })
            .collect();
        stream::iter(found).boxed()
    }

    async fn delete(&self, keys: &[Key]) -> Result<()> {
        let objects = &mut self.shelf().objects;
        for key in keys {
            objects.remove(key);
        }
        Ok(())
    }

    async fn unfinished(&self) -> Result<Vec<Unfinished>> {
        Ok(self.shelf().unfinished.values().cloned().collect())
    }

    async fn abandon(&self, unfinished: &[Unfinished]) -> Result<()> {
        let mut shelf = self.shelf();
        for given_up in unfinished {
            shelf.unfinished.remove(&given_up.id);
        }
        Ok(())
    }
}

struct Growing {
    storage: MemoryStorage,
    /// Among the unfinished ones.
    id: String,
    key: Key,
    bytes: BytesMut,
}

#[async_trait]
impl ObjectWriter for Growing {
    async fn write(&mut self, block: Bytes) -> Result<()> {
        self.bytes.extend_from_slice(&block);
        if let Some(begun) = self.storage.shelf().unfinished.get_mut(&self.id) {
            begun.touched = Timestamp::now();
        }
        Ok(())
    }

    async fn finish(self: Box<Self>) -> Result<ObjectInfo> {
        let mut shelf = self.storage.shelf();
        if shelf.unfinished.remove(&self.id).is_none() {
            return Err(Error::new(
                ErrorKind::Storage,
                format!("memory/{}: given up meanwhile", self.key),
            ));
        }
        let info = ObjectInfo {
            key: self.key.clone(),
            size: self.bytes.len() as u64,
            modified: None,
        };
        shelf.objects.insert(self.key, self.bytes.freeze().into());
        Ok(info)
    }

    async fn abort(self: Box<Self>) -> Result<()> {
        self.storage.shelf().unfinished.remove(&self.id);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn keeps_every_promise_of_a_storage() -> Result<()> {
        let storage = MemoryStorage::new();
        crate::conformance::storage(&storage).await?;
        assert!(storage.keys().is_empty(), "the suite cleans up");
        assert_eq!(storage.to_string(), "memory");
        Ok(())
    }
}
