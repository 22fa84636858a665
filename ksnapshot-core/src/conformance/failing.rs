//! A storage that fails.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::BoxStream;

use crate::memory::MemoryStorage;
use crate::{Error, ErrorKind, Key, ObjectInfo, ObjectWriter, PutMode, Result, Storage};

/// A storage in memory that refuses every write after the first ones.
#[derive(Debug)]
pub(super) struct Failing {
    inner: MemoryStorage,
    writes: Arc<AtomicUsize>,
}

impl Failing {
    /// Takes so many writes.
    pub(super) fn after(writes: usize) -> Self {
        Self {
            inner: MemoryStorage::new(),
            writes: Arc::new(AtomicUsize::new(writes)),
        }
    }
}

fn one_more(writes: &AtomicUsize) -> Result<()> {
    let taken = writes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1));
    taken.map(drop).map_err(|_| {
        Error::new(
            ErrorKind::Storage,
            "conformance: this storage fails on purpose",
        )
    })
}

impl fmt::Display for Failing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a storage that fails")
    }
}

#[async_trait]
impl Storage for Failing {
    async fn put(&self, key: &Key, body: Bytes, mode: PutMode) -> Result<()> {
        one_more(&self.writes)?;
        self.inner.put(key, body, mode).await
    }

    async fn writer(&self, key: &Key, expected: Option<u64>) -> Result<Box<dyn ObjectWriter>> {
        Ok(Box::new(FailingWriter {
            inner: self.inner.writer(key, expected).await?,
            writes: Arc::clone(&self.writes),
        }))
    }

    async fn read(
        &self,
        key: &Key,
        range: Option<Range<u64>>,
    ) -> Result<BoxStream<'static, Result<Bytes>>> {
        self.inner.read(key, range).await
    }

    fn list(&self, prefix: Option<&Key>) -> BoxStream<'static, Result<ObjectInfo>> {
        self.inner.list(prefix)
    }

    async fn delete(&self, keys: &[Key]) -> Result<()> {
        self.inner.delete(keys).await
    }
}

struct FailingWriter {
    inner: Box<dyn ObjectWriter>,
    writes: Arc<AtomicUsize>,
}

#[async_trait]
impl ObjectWriter for FailingWriter {
    async fn write(&mut self, block: Bytes) -> Result<()> {
        one_more(&self.writes)?;
        self.inner.write(block).await
    }

    async fn finish(self: Box<Self>) -> Result<ObjectInfo> {
        self.inner.finish().await
    }

    async fn abort(self: Box<Self>) -> Result<()> {
        self.inner.abort().await
    }
}
