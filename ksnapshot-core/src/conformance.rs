//! What every implementation of this crate's traits promises, as suites that run against any of them, ours and strangers'
//! alike: [`storage`], [`codec()`], [`scheme()`], [`dumper`], and [`engine()`] for a dumper with its restorer.
//!
//! ```
//! # use ksnapshot_core::{conformance, memory::MemoryStorage};
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! conformance::storage(&MemoryStorage::new()).await.unwrap();
//! # });
//! ```

mod codec;
mod engine;
mod failing;
mod scheme;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use bytes::{Bytes, BytesMut};
use futures_util::TryStreamExt;
use jiff::{SignedDuration, Timestamp};

pub use codec::codec;
pub use engine::{dumper, engine};
pub use scheme::{Keys, scheme};

use crate::{Error, ErrorKind, Key, PutMode, Result, Storage, Unfinished};

/// Larger than two parts of an upload, and not a multiple of anything.
const LARGE: usize = 17 * 1024 * 1024 + 12_345;

/// Runs the suite of storages. The storage must exist (a folder store may also be missing still); what the suite writes goes
/// to a folder of its own and is deleted at the end, also after a broken promise.
///
/// Errors name the first promise that was broken, or are what the storage itself answered.
pub async fn storage(storage: &dyn Storage) -> Result<()> {
    let room = Room::new(storage)?;
    let outcome = room.promises().await;
    let cleaned = room.clean().await;
    outcome.and(cleaned)
}

/// A folder of its own inside the storage under test.
struct Room<'a> {
    storage: &'a dyn Storage,
    folder: Key,
}

impl<'a> Room<'a> {
    fn new(storage: &'a dyn Storage) -> Result<Self> {
        let folder = Key::parse(format!("conformance-{:016x}", rand::random::<u64>()))?;
        Ok(Self { storage, folder })
    }

    async fn promises(&self) -> Result<()> {
        self.small_objects().await?;
        self.taken_keys().await?;
        self.ranges().await?;
        self.missing_objects().await?;
        self.keys_stay_literal().await?;
        self.large_objects().await?;
        self.nothing_before_the_end().await?;
        self.aborted_writers().await?;
        self.abandoned_writers().await?;
        self.two_writers_at_once().await?;
        self.folders().await?;
        self.deletion().await
    }

    async fn small_objects(&self) -> Result<()> {
        for (name, body) in [
            ("small", Bytes::from_static(b"some bytes")),
            ("empty", Bytes::new()),
        ] {
            let key = self.key(name)?;
            self.storage
                .put(&key, body.clone(), PutMode::Overwrite)
                .await?;
            ensure(
                self.read(&key, None).await? == body,
                "what was put is what is read",
            )?;
        }
        Ok(())
    }

    async fn taken_keys(&self) -> Result<()> {
        let key = self.key("taken")?;
        self.storage
            .put(&key, Bytes::from_static(b"first"), PutMode::Create)
            .await?;
        let expected: &[u8] = match self
            .storage
            .put(&key, Bytes::from_static(b"second"), PutMode::Create)
            .await
        {
            // Some servers ignore the condition. That is allowed, and why nothing may rest on it alone.
            Ok(()) => b"second",
            Err(error) if error.kind() == ErrorKind::AlreadyExists => b"first",
            Err(error) => return Err(error),
        };
        ensure(
            self.read(&key, None).await? == expected,
            "a refused put changes nothing",
        )?;
        self.storage
            .put(&key, Bytes::from_static(b"third"), PutMode::Overwrite)
            .await?;
        ensure(
            self.read(&key, None).await? == b"third"[..],
            "overwriting replaces the object",
        )
    }

    async fn ranges(&self) -> Result<()> {
        let key = self.key("ranges")?;
        let body = Bytes::from_static(b"0123456789");
        self.storage
            .put(&key, body.clone(), PutMode::Overwrite)
            .await?;
        let cases: [(Range<u64>, &[u8]); 7] = [
            (0..10, b"0123456789"),
            (0..1, b"0"),
            (3..7, b"3456"),
            (7..1000, b"789"),
            (10..11, b""),
            (1000..2000, b""),
            (4..4, b""),
        ];
        for (range, expected) in cases {
            let read = self.read(&key, Some(range.clone())).await?;
            ensure(
                read == expected,
                &format!(
                    "the range {range:?} of ten bytes is {} bytes",
                    expected.len()
                ),
            )?;
        }
        Ok(())
    }

    async fn missing_objects(&self) -> Result<()> {
        for range in [None, Some(0..5)] {
            let error = self.read(&self.key("missing")?, range).await.err();
            ensure(
                error.is_some_and(|error| error.kind() == ErrorKind::NotFound),
                "reading a missing object is NotFound",
            )?;
        }
        Ok(())
    }

    async fn keys_stay_literal(&self) -> Result<()> {
        // Core percent-encodes hostile characters; a storage that encodes or decodes once more breaks the names.
        let names = [
            "a%2Fb",
            "100%25",
            "key=value",
            "a+b@c",
            "UPPER_lower.1-2",
            "deep/er/and%20deeper",
        ];
        let folder = self.key("literal")?;
        for name in names {
            let key = Key::parse(format!("{folder}/{name}"))?;
            self.storage
                .put(
                    &key,
                    Bytes::from_static(name.as_bytes()),
                    PutMode::Overwrite,
                )
                .await?;
            ensure(
                self.read(&key, None).await? == name.as_bytes(),
                "a key with % = + @ is read by its own name",
            )?;
        }
        let listed: Vec<_> = self.list(Some(&folder)).await?.into_keys().collect();
        let mut expected: Vec<_> = names
            .iter()
            .map(|name| format!("{folder}/{name}"))
            .collect();
        expected.sort();
        ensure(
            listed == expected,
            &format!("keys are listed as they were given: {expected:?}, not {listed:?}"),
        )
    }

    async fn large_objects(&self) -> Result<()> {
        // Blocks smaller than, as large as, and larger than a part; sizes around the borders of parts.
        let cases = [
            (0, 1),
            (1, 1),
            (8 << 20, 1 << 20),
            (16 << 20, 3 << 20),
            (LARGE, 70_001),
            (LARGE, LARGE),
        ];
        for (index, (size, block)) in cases.into_iter().enumerate() {
            let key = self.key(&format!("large-{index}"))?;
            let body = pattern(size);
            let mut writer = self.storage.writer(&key, Some(size as u64)).await?;
            writer.write(Bytes::new()).await?;
            for start in (0..size).step_by(block) {
                writer
                    .write(body.slice(start..size.min(start + block)))
                    .await?;
            }
            let info = writer.finish().await?;
            ensure(
                info.key == key && info.size == size as u64,
                "a finished writer reports key and size",
            )?;
            ensure(
                self.read(&key, None).await? == body,
                &format!("{size} bytes are read as they were written"),
            )?;
        }
        let key = self.key(&format!("large-{}", cases.len() - 1))?;
        let middle = self.read(&key, Some(8_388_600..8_388_700)).await?;
        ensure(
            middle == pattern(LARGE).slice(8_388_600..8_388_700),
            "a range may cross the border of parts",
        )
    }

    async fn nothing_before_the_end(&self) -> Result<()> {
        let key = self.key("unfinished/object")?;
        let mut writer = self.storage.writer(&key, None).await?;
        writer.write(pattern(LARGE)).await?;
        ensure(
            self.list(Some(&self.key("unfinished")?)).await?.is_empty(),
            "an unfinished object is not listed",
        )?;
        ensure(
            self.read(&key, None)
                .await
                .is_err_and(|error| error.kind() == ErrorKind::NotFound),
            "an unfinished object can't be read",
        )?;
        writer.finish().await?;
        ensure(
            self.read(&key, None).await?.len() == LARGE,
            "a finished object can",
        )
    }

    async fn aborted_writers(&self) -> Result<()> {
        let key = self.key("aborted/object")?;
        for size in [0, 10, LARGE] {
            let mut writer = self.storage.writer(&key, None).await?;
            writer.write(pattern(size)).await?;
            writer.abort().await?;
            ensure(
                self.list(Some(&self.key("aborted")?)).await?.is_empty(),
                "an aborted object is not listed",
            )?;
        }
        self.storage
            .put(&key, Bytes::from_static(b"old"), PutMode::Overwrite)
            .await?;
        let mut writer = self.storage.writer(&key, None).await?;
        writer.write(Bytes::from_static(b"new")).await?;
        writer.abort().await?;
        ensure(
            self.read(&key, None).await? == b"old"[..],
            "an aborted writer leaves the older object alone",
        )
    }

    async fn abandoned_writers(&self) -> Result<()> {
        let key = self.key("abandoned/object")?;
        let others: BTreeSet<String> = (self.storage.unfinished().await?.into_iter())
            .map(|unfinished| unfinished.id)
            .collect();
        let ours = async || -> Result<Vec<Unfinished>> {
            let mut all = self.storage.unfinished().await?;
            all.retain(|u| !others.contains(&u.id) && u.key.as_ref().is_none_or(|k| *k == key));
            Ok(all)
        };
        // Nothing is on its way yet: what is may still arrive after an upload was given up.
        let mut writer = self.storage.writer(&key, None).await?;
        writer.write(Bytes::from_static(b"a few bytes")).await?;
        let begun = ours().await?;
        // A store that keeps nothing of an object before its end has nothing to tell.
        if begun.is_empty() {
            return writer.abort().await;
        }
        let age = Timestamp::now().duration_since(begun[0].touched).abs();
        ensure(
            begun.len() == 1 && age < SignedDuration::from_hours(24),
            "an unfinished object is told once, with its time",
        )?;
        self.storage.abandon(&begun).await?;
        self.storage.abandon(&begun).await?;
        ensure(
            ours().await?.is_empty(),
            "what was given up is not told any more",
        )?;
        ensure(
            writer.finish().await.is_err()
                && self
                    .list(Some(&self.folder))
                    .await?
                    .keys()
                    .all(|k| k != key.as_str()),
            "what was given up can't be finished",
        )?;

        for finished in [true, false] {
            let writer = self.storage.writer(&key, None).await?;
            let begun = ours().await?;
            match finished {
                true => drop(writer.finish().await?),
                false => writer.abort().await?,
            }
            ensure(
                ours().await?.is_empty(),
                "what is finished or aborted is not unfinished",
            )?;
            self.storage.abandon(&begun).await?;
            ensure(
                self.read(&key, None).await?.is_empty(),
                "what is finished can't be given up",
            )?;
        }
        Ok(())
    }

    async fn two_writers_at_once(&self) -> Result<()> {
        let (left, right) = (self.key("twins/left")?, self.key("twins/right")?);
        let mut a = self.storage.writer(&left, None).await?;
        let mut b = self.storage.writer(&right, None).await?;
        a.write(Bytes::from_static(b"left")).await?;
        b.write(Bytes::from_static(b"right")).await?;
        b.finish().await?;
        a.finish().await?;
        ensure(
            self.read(&left, None).await? == b"left"[..],
            "two writers don't mix",
        )?;
        ensure(
            self.read(&right, None).await? == b"right"[..],
            "two writers don't mix",
        )
    }

    async fn folders(&self) -> Result<()> {
        for name in [
            "folders/a/1",
            "folders/a/b/2",
            "folders/ab/3",
            "folders/a.x",
        ] {
            self.storage
                .put(
                    &self.key(name)?,
                    Bytes::from_static(b"12345"),
                    PutMode::Overwrite,
                )
                .await?;
        }
        let listed = self.list(Some(&self.key("folders/a")?)).await?;
        let expected = [
            self.key("folders/a/1")?.to_string(),
            self.key("folders/a/b/2")?.to_string(),
        ];
        ensure(
            listed.keys().eq(expected.iter()),
            "a prefix is a folder: a/ holds no ab/ and no a.x",
        )?;
        ensure(
            listed.values().all(|&size| size == 5),
            "a listing tells sizes",
        )?;
        ensure(
            self.list(Some(&self.key("folders/none")?))
                .await?
                .is_empty(),
            "a missing folder holds nothing",
        )?;
        ensure(
            self.list(Some(&self.key("folders/a/1")?)).await?.is_empty(),
            "an object is not a folder that holds itself",
        )
    }

    async fn deletion(&self) -> Result<()> {
        let (there, other) = (self.key("deleted/there")?, self.key("deleted/other")?);
        for key in [&there, &other] {
            self.storage
                .put(key, Bytes::from_static(b"bytes"), PutMode::Overwrite)
                .await?;
        }
        self.storage.delete(&[]).await?;
        self.storage
            .delete(&[there.clone(), self.key("deleted/missing")?])
            .await?;
        self.storage.delete(std::slice::from_ref(&there)).await?;
        let left: Vec<_> = self
            .list(Some(&self.key("deleted")?))
            .await?
            .into_keys()
            .collect();
        ensure(
            left == [other.to_string()],
            "deleting removes what was named and nothing else",
        )
    }

    async fn clean(&self) -> Result<()> {
        let keys: Result<Vec<_>> = self
            .list(Some(&self.folder))
            .await?
            .into_keys()
            .map(Key::parse)
            .collect();
        self.storage.delete(&keys?).await?;
        ensure(
            self.list(Some(&self.folder)).await?.is_empty(),
            "everything can be deleted",
        )
    }

    fn key(&self, name: &str) -> Result<Key> {
        Key::parse(format!("{}/{name}", self.folder))
    }

    async fn read(&self, key: &Key, range: Option<Range<u64>>) -> Result<Bytes> {
        let mut pieces = self.storage.read(key, range).await?;
        let mut whole = BytesMut::new();
        while let Some(piece) = pieces.try_next().await? {
            whole.extend_from_slice(&piece);
        }
        Ok(whole.freeze())
    }

    async fn list(&self, prefix: Option<&Key>) -> Result<BTreeMap<String, u64>> {
        let mut found = BTreeMap::new();
        let mut listing = self.storage.list(prefix);
        while let Some(info) = listing.try_next().await? {
            let age = info.modified.map(|at| Timestamp::now().duration_since(at));
            ensure(
                age.is_none_or(|age| age.abs() < SignedDuration::from_hours(24)),
                "a listing tells when an object was written, or nothing",
            )?;
            let twice = found.insert(info.key.to_string(), info.size).is_some();
            ensure(!twice, "a listing names an object once")?;
        }
        Ok(found)
    }
}

/// Bytes in which a swapped, lost or repeated piece shows.
fn pattern(size: usize) -> Bytes {
    let mut state = 0x9e37_79b9_u32;
    let mut bytes = BytesMut::with_capacity(size + 4);
    while bytes.len() < size {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        bytes.extend_from_slice(&state.to_be_bytes());
    }
    bytes.truncate(size);
    bytes.freeze()
}

fn ensure(kept: bool, promise: &str) -> Result<()> {
    if kept {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Failed,
        format!("conformance: broken promise: {promise}"),
    ))
}
