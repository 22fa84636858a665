//! Any `object_store` as a [`Storage`].
//!
//! What that library leaves to its callers and a backup must have right: parts of equal size within the store's limit of
//! them, a bound on what is in flight, an abort after every failure, reads that survive a broken connection, and
//! deletion that may be repeated. Its churn stays in this file.

use std::fmt::{self, Debug, Display};
use std::num::NonZeroU16;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{self, BoxStream, StreamExt};
use jiff::Timestamp;
use ksnapshot_core::{
    Error, ErrorKind, Key, ObjectInfo, ObjectWriter, PutMode, Result, Storage, Unfinished,
    async_trait,
};
use object_store::path::Path;
use object_store::{
    Error as StoreError, GetOptions, GetRange, ObjectStore, PutMultipartOptions, PutOptions,
    PutPayload,
};

use crate::failure::{Deed, explain, is_beyond_the_end, is_not_implemented, silent, within};
use crate::unfinished::{Begun, Uploads};
use crate::upload::{DEFAULT_PARTS, PartRetry, Upload, part_size};

/// For a request that moves little: all of its repetitions together, and some slack for a busy server.
const SMALL: Duration = Duration::from_secs(120);

/// A read that brings nothing for this long is begun again where it stood.
const STALLED: Duration = Duration::from_secs(60);

/// So often in a row may a read break without having brought a single byte.
const READ_ATTEMPTS: u32 = 5;

/// A place in an `object_store`: every one of them is a [`Storage`] by this.
///
/// Writing needs nothing but the right to put, and to abort an upload of one's own: neither
/// [`Storage::put`] nor [`Storage::writer`] ever lists, reads or deletes. Clones share the client.
#[derive(Clone)]
pub struct Adapter {
    store: Arc<dyn ObjectStore>,
    name: String,
    /// Empty for the whole store.
    prefix: Path,
    max_parts: usize,
    /// Found to be unable of conditional writes; asking again would cost all the retries each time.
    ignores_conditions: Arc<AtomicBool>,
    /// How to see uploads that nobody finished, which the library has no call for.
    uploads: Option<Arc<Uploads>>,
}

impl Adapter {
    /// Everything under `prefix` in `store`. `name` is what errors and listings call the place; it must hold no
    /// secret. The store should repeat failed requests by itself, with a deadline.
    ///
    /// Fails with [`ErrorKind::Usage`] when the prefix has empty or relative segments.
    pub fn new(store: Arc<dyn ObjectStore>, name: impl Into<String>, prefix: &str) -> Result<Self> {
        let name = name.into();
        // Parsing takes the text as it is; `Path::from` would percent-encode it once more.
        let prefix = Path::parse(prefix)
            .map_err(|error| Error::new(ErrorKind::Usage, format!("{name}: {error}")))?;
        Ok(Self {
            store,
            name,
            prefix,
            max_parts: DEFAULT_PARTS,
            ignores_conditions: Arc::default(),
            uploads: None,
        })
    }

    /// With a way to see unfinished uploads. Without one there are none.
    pub(crate) fn with_uploads(self, uploads: Uploads) -> Self {
        Self {
            uploads: Some(Arc::new(uploads)),
            ..self
        }
    }

    /// For a store that takes another number of parts an object than 9,500.
    #[must_use]
    pub fn max_parts(mut self, parts: NonZeroU16) -> Self {
        self.max_parts = usize::from(parts.get());
        self
    }

    /// What all paths of this place begin with.
    fn root(&self) -> String {
        if self.prefix.is_root() {
            String::new()
        } else {
            format!("{}/", self.prefix)
        }
    }

    fn path(&self, key: &Key) -> Result<Path> {
        Path::parse(format!("{}{key}", self.root()))
            .map_err(|error| Error::new(ErrorKind::Usage, format!("{}: {error}", self.object(key))))
    }

    fn object(&self, key: &Key) -> String {
        format!("{}/{key}", self.name)
    }

    async fn put_once(
        &self,
        path: &Path,
        body: &Bytes,
        mode: object_store::PutMode,
    ) -> Result<(), StoreError> {
        let payload = PutPayload::from_bytes(body.clone());
        self.store
            .put_opts(path, payload, PutOptions::from(mode))
            .await
            .map(drop)
    }
}

impl Display for Adapter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl Debug for Adapter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The store below is left out: its own text may hold more than we want in a log.
        f.debug_tuple("Adapter").field(&self.name).finish()
    }
}

#[async_trait]
impl Storage for Adapter {
    async fn put(&self, key: &Key, body: Bytes, mode: PutMode) -> Result<()> {
        let (path, place) = (self.path(key)?, self.object(key));
        let outcome = within(SMALL, &place, async {
            if mode == PutMode::Create && !self.ignores_conditions.load(Ordering::Relaxed) {
                match self
                    .put_once(&path, &body, object_store::PutMode::Create)
                    .await
                {
                    Err(error) if is_not_implemented(&error) => {
                        self.ignores_conditions.store(true, Ordering::Relaxed)
                    }
                    outcome => return outcome,
                }
            }
            self.put_once(&path, &body, object_store::PutMode::Overwrite)
                .await
        });
        outcome
            .await?
            .map_err(|error| explain(&error, Deed::Write, &place))
    }

    async fn writer(&self, key: &Key, expected: Option<u64>) -> Result<Box<dyn ObjectWriter>> {
        let (path, place) = (self.path(key)?, self.object(key));
        let options = PutMultipartOptions::default().with_retry_policy(Arc::new(PartRetry));
        let begun = within(SMALL, &place, self.store.put_multipart_opts(&path, options)).await?;
        let upload = begun.map_err(|error| explain(&error, Deed::Write, &place))?;
        Ok(Box::new(Upload::new(
            upload,
            key.clone(),
            place,
            part_size(expected),
            self.max_parts,
        )))
    }

    async fn read(
        &self,
        key: &Key,
        range: Option<Range<u64>>,
    ) -> Result<BoxStream<'static, Result<Bytes>>> {
        let mut reading = Reading {
            store: Arc::clone(&self.store),
            path: self.path(key)?,
            place: self.object(key),
            left: range.unwrap_or(0..u64::MAX),
            whole: false,
            etag: None,
            pieces: None,
            attempts: 0,
        };
        reading.whole = reading.left == (0..u64::MAX);
        // Begun here, so that a missing object is an error of this call and not of the first piece.
        reading.begin().await?;
        Ok(stream::unfold(Some(reading), async |reading| {
            let mut reading = reading?;
            match reading.next().await {
                Ok(Some(piece)) => Some((Ok(piece), Some(reading))),
                Ok(None) => None,
                Err(error) => Some((Err(error), None)),
            }
        })
        .boxed())
    }

    fn list(&self, prefix: Option<&Key>) -> BoxStream<'static, Result<ObjectInfo>> {
        let folder = match prefix.map(|key| self.path(key)).transpose() {
            Ok(folder) => folder.unwrap_or_else(|| self.prefix.clone()),
            Err(error) => return stream::iter([Err(error)]).boxed(),
        };
        let (root, name) = (self.root(), self.name.clone());
        let found = self
            .store
            .list(Some(&folder).filter(|folder| !folder.is_root()));
        stream::unfold(Some(found), move |found| {
            let (root, name) = (root.clone(), name.clone());
            async move {
                let mut found = found?;
                let item = match within(SMALL, &name, found.next()).await {
                    Ok(None) => return None,
                    Ok(Some(Ok(meta))) => {
                        let text = meta.location.as_ref();
                        Key::parse(text.strip_prefix(&root).unwrap_or(text)).map(|key| ObjectInfo {
                            key,
                            size: meta.size,
                            modified: Timestamp::from_second(meta.last_modified.timestamp()).ok(),
                        })
                    }
                    Ok(Some(Err(error))) => Err(explain(&error, Deed::List, &name)),
                    Err(error) => Err(error),
                };
                let rest = item.is_ok().then_some(found);
                Some((item, rest))
            }
        })
        .boxed()
    }

    async fn delete(&self, keys: &[Key]) -> Result<()> {
        let paths: Vec<_> = keys
            .iter()
            .map(|key| self.path(key))
            .collect::<Result<_>>()?;
        let mut deleted = self
            .store
            .delete_stream(stream::iter(paths.into_iter().map(Ok)).boxed());
        let mut outcome = Ok(());
        while let Some(one) = within(SMALL, &self.name, deleted.next()).await? {
            match one {
                Ok(_) => {}
                // A missing object is a deleted one. A missing bucket is not.
                Err(error @ StoreError::NotFound { .. })
                    if explain(&error, Deed::Read, "").kind() == ErrorKind::NotFound => {}
                // The others are still tried.
                Err(error) => outcome = outcome.and(Err(explain(&error, Deed::Delete, &self.name))),
            }
        }
        outcome
    }

    async fn unfinished(&self) -> Result<Vec<Unfinished>> {
        let Some(uploads) = &self.uploads else {
            return Ok(Vec::new());
        };
        let root = self.root();
        let ours = |upload: Begun| {
            let key = Key::parse(upload.key.strip_prefix(&root)?).ok()?;
            Some(Unfinished {
                key: Some(key),
                touched: upload.initiated,
                id: upload.upload_id,
            })
        };
        Ok(uploads
            .list(&self.name)
            .await?
            .into_iter()
            .filter_map(ours)
            .collect())
    }

    async fn abandon(&self, unfinished: &[Unfinished]) -> Result<()> {
        let Some(uploads) = &self.uploads else {
            return Ok(());
        };
        let mut given_up = Vec::with_capacity(unfinished.len());
        for left in unfinished {
            if let Some(key) = &left.key {
                given_up.push((self.path(key)?, left.id.as_str(), self.object(key)));
            }
        }
        uploads.abort(&given_up).await
    }
}

/// A read that goes on where it stood when a connection breaks.
///
/// The library repeats a broken read too, but only within the minute that all of its repetitions may take, and the
/// restore of a large object lasts longer.
struct Reading {
    store: Arc<dyn ObjectStore>,
    path: Path,
    place: String,
    /// What is still to come; the end is known for sure after the first answer.
    left: Range<u64>,
    /// Nothing but the whole object was asked for.
    whole: bool,
    /// Of the first answer: the pieces must all be of one version of the object.
    etag: Option<String>,
    pieces: Option<BoxStream<'static, Result<Bytes, StoreError>>>,
    attempts: u32,
}

impl Reading {
    async fn begin(&mut self) -> Result<()> {
        if self.left.is_empty() {
            return Ok(());
        }
        let range =
            (!self.whole || self.left.start > 0).then(|| GetRange::Bounded(self.left.clone()));
        let options = GetOptions {
            range,
            if_match: self.etag.clone(),
            ..GetOptions::default()
        };
        match within(SMALL, &self.place, self.store.get_opts(&self.path, options)).await? {
            Ok(found) => {
                self.left = found.range.clone();
                self.etag.clone_from(&found.meta.e_tag);
                self.pieces = Some(found.into_stream());
                Ok(())
            }
            Err(error) if is_beyond_the_end(&error) && self.etag.is_none() => {
                self.left = 0..0;
                Ok(())
            }
            Err(error) => Err(explain(&error, Deed::Read, &self.place)),
        }
    }

    async fn next(&mut self) -> Result<Option<Bytes>> {
        while !self.left.is_empty() {
            let Some(pieces) = &mut self.pieces else {
                self.begin().await?;
                continue;
            };
            let broken = match tokio::time::timeout(STALLED, pieces.next()).await {
                Ok(Some(Ok(piece))) if piece.is_empty() => continue,
                Ok(Some(Ok(piece))) => {
                    self.attempts = 0;
                    self.left.start += piece.len() as u64;
                    return Ok(Some(piece));
                }
                Ok(Some(Err(error))) => explain(&error, Deed::Read, &self.place),
                Ok(None) => Error::new(
                    ErrorKind::Storage,
                    format!("{}: the store sent too little", self.place),
                )
                .hint("Look at the server and at whatever stands between; then try again."),
                Err(_) => silent(STALLED, &self.place),
            };
            self.pieces = None;
            self.attempts += 1;
            if self.attempts >= READ_ATTEMPTS {
                return Err(broken);
            }
            tracing::debug!(place = %self.place, at = self.left.start, error = %broken, "reading again");
            tokio::time::sleep(Duration::from_millis(100 << (2 * self.attempts))).await;
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use object_store::ObjectStoreExt;
    use object_store::memory::InMemory;

    use super::*;

    #[tokio::test]
    async fn any_object_store_is_a_storage() {
        for prefix in ["", "a/b%2Fc"] {
            let storage = Adapter::new(Arc::new(InMemory::new()), "memory", prefix).unwrap();
            ksnapshot_core::conformance::storage(&storage)
                .await
                .unwrap();
        }
    }

    #[tokio::test]
    async fn keys_are_literal_below_the_prefix() {
        let store = Arc::new(InMemory::new());
        let storage = Adapter::new(Arc::<InMemory>::clone(&store), "memory", "p%2Fq").unwrap();
        storage
            .put(
                &Key::parse("a%2Fb").unwrap(),
                Bytes::new(),
                PutMode::Overwrite,
            )
            .await
            .unwrap();
        assert!(
            store
                .head(&Path::parse("p%2Fq/a%2Fb").unwrap())
                .await
                .is_ok()
        );
        assert!(Adapter::new(store, "memory", "a//b").is_err());
    }
}
