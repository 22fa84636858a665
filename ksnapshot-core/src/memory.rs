//! A storage that forgets: for tests, examples and trying out a dumper.

use std::collections::BTreeMap;
use std::fmt::{self, Debug, Display};
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use futures_util::stream::{self, BoxStream, StreamExt};

use crate::{Error, ErrorKind, Key, ObjectInfo, ObjectWriter, PutMode, Result, Storage};

/// Reads come in pieces of this size, so that nobody gets used to an object arriving in one.
const PIECE: usize = 1024 * 1024;

/// Keeps objects in memory. Clones share them.
///
/// Behaves as a bucket does: nothing of a writer is visible before it is finished, [`PutMode::Create`] is enforced,
/// an empty storage lists nothing.
#[derive(Clone, Default)]
pub struct MemoryStorage {
    objects: Arc<Mutex<BTreeMap<Key, Bytes>>>,
}

impl MemoryStorage {
    /// An empty storage.
    pub fn new() -> Self {
        Self::default()
    }

    /// The bytes of an object, if it is there.
    pub fn get(&self, key: &Key) -> Option<Bytes> {
        self.objects().get(key).cloned()
    }

    /// All keys, in order.
    pub fn keys(&self) -> Vec<Key> {
        self.objects().keys().cloned().collect()
    }

    fn objects(&self) -> MutexGuard<'_, BTreeMap<Key, Bytes>> {
        // No code that holds the lock can leave the map half changed.
        self.objects.lock().unwrap_or_else(PoisonError::into_inner)
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
            .field("objects", &self.objects().len())
            .finish()
    }
}

#[async_trait]
impl Storage for MemoryStorage {
    async fn put(&self, key: &Key, body: Bytes, mode: PutMode) -> Result<()> {
        let mut objects = self.objects();
        if mode == PutMode::Create && objects.contains_key(key) {
            return Err(Error::new(
                ErrorKind::AlreadyExists,
                format!("memory/{key}: exists already"),
            ));
        }
        objects.insert(key.clone(), body);
        Ok(())
    }

    async fn writer(&self, key: &Key, _expected: Option<u64>) -> Result<Box<dyn ObjectWriter>> {
        Ok(Box::new(Growing {
            storage: self.clone(),
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
            .objects()
            .iter()
            .filter(|(key, _)| key.as_str().starts_with(&folder))
            .map(|(key, bytes)| {
                Ok(ObjectInfo {
                    key: key.clone(),
                    size: bytes.len() as u64,
                })
            })
            .collect();
        stream::iter(found).boxed()
    }

    async fn delete(&self, keys: &[Key]) -> Result<()> {
        let mut objects = self.objects();
        for key in keys {
            objects.remove(key);
        }
        Ok(())
    }
}

struct Growing {
    storage: MemoryStorage,
    key: Key,
    bytes: BytesMut,
}

#[async_trait]
impl ObjectWriter for Growing {
    async fn write(&mut self, block: Bytes) -> Result<()> {
        self.bytes.extend_from_slice(&block);
        Ok(())
    }

    async fn finish(self: Box<Self>) -> Result<ObjectInfo> {
        let info = ObjectInfo {
            key: self.key.clone(),
            size: self.bytes.len() as u64,
        };
        self.storage.objects().insert(self.key, self.bytes.freeze());
        Ok(info)
    }

    async fn abort(self: Box<Self>) -> Result<()> {
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
