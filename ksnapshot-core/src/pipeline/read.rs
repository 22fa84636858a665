//! Finding snapshots and reading what is in them.

use std::io::{self, Read};
use std::ops::Range;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt, TryStreamExt, stream};
use tokio_util::io::{StreamReader, SyncIoBridge};

use crate::age::from_io;
use crate::compress::Zstd;
use crate::layout::{MANIFEST_SUFFIX, continues};
use crate::{
    Choice, Compressor, Decryptor, Error, ErrorKind, Formats, Frame, Index, Key, Manifest,
    ObjectEntry, Result, RowHash, Storage, choose,
};

/// Manifests fetched at once while listing: ten thousand from a store that takes 20 ms an answer take three seconds.
const FETCH: usize = 64;

/// A manifest's object that is there, and what its text says.
#[derive(Debug)]
pub struct Listed {
    /// The manifest's name.
    pub key: Key,
    /// The manifest, or why it can't be read.
    pub manifest: Result<Manifest>,
}

/// Every manifest of a storage, the oldest first.
///
/// Errors: [`ErrorKind::NoSuchSnapshot`] when the place does not exist. A manifest that can't be read is listed with its
/// error: it is somebody's snapshot.
pub async fn list(storage: &dyn Storage, id: Option<&str>) -> Result<Vec<Listed>> {
    let wanted = id.map(|id| format!("-{id}{MANIFEST_SUFFIX}"));
    let wanted = wanted.as_deref().unwrap_or(MANIFEST_SUFFIX);
    let keys: Vec<Key> = storage
        .list(None)
        .try_filter_map(async |object| {
            Ok(object.key.as_str().ends_with(wanted).then_some(object.key))
        })
        .try_collect()
        .await
        .map_err(|error| match error.kind() {
            ErrorKind::NotFound => error.with_kind(ErrorKind::NoSuchSnapshot),
            _ => error,
        })?;
    Ok(manifests(storage, keys).await)
}

/// The manifests of these names, the oldest first.
pub(super) async fn manifests(storage: &dyn Storage, keys: Vec<Key>) -> Vec<Listed> {
    let mut listed: Vec<Listed> = stream::iter(keys)
        .map(async |key| {
            let manifest = match fetch(storage, &key, None).await {
                Ok(json) => Manifest::parse(&json).map_err(|e| e.context(key.to_string())),
                Err(error) => Err(error),
            };
            Listed { key, manifest }
        })
        .buffer_unordered(FETCH)
        .collect()
        .await;
    listed.sort_by(|a, b| {
        let age = |l: &Listed| l.manifest.as_ref().map(|m| m.started).ok();
        age(a).cmp(&age(b)).then_with(|| a.key.cmp(&b.key))
    });
    listed
}

/// A finished snapshot that is being read.
#[derive(Debug, Clone)]
pub struct Snapshot {
    storage: Arc<dyn Storage>,
    formats: Formats,
    key: Key,
    /// What it says of itself.
    pub manifest: Arc<Manifest>,
}

impl Snapshot {
    /// Finds the snapshot that `choice` means. Its objects may be written in any of `formats`.
    ///
    /// Errors: [`ErrorKind::NoSuchSnapshot`], [`ErrorKind::Usage`] when several series fit; when a manifest can't be
    /// read its own error, because it may be the one that is meant.
    pub async fn find(
        storage: &Arc<dyn Storage>,
        formats: &Formats,
        choice: &Choice,
    ) -> Result<Self> {
        let mut listed = list(storage.as_ref(), choice.id.as_deref()).await?;
        if let Some(at) = listed.iter().position(|l| l.manifest.is_err()) {
            return Err(listed
                .swap_remove(at)
                .manifest
                .map(|_| ())
                .expect_err("just seen")
                .hint("Choose another snapshot by STORAGE#ID."));
        }
        let mut manifests = Vec::with_capacity(listed.len());
        let mut keys = Vec::with_capacity(listed.len());
        for found in listed {
            manifests.push(found.manifest?);
            keys.push(found.key);
        }
        let chosen = choose(&manifests, choice)?;
        let at = manifests
            .iter()
            .position(|m| std::ptr::eq(m, chosen))
            .unwrap_or_default();
        Ok(Self {
            storage: Arc::clone(storage),
            formats: formats.clone(),
            key: keys.swap_remove(at),
            manifest: Arc::new(manifests.swap_remove(at)),
        })
    }

    /// The name of one of its objects.
    pub fn object_key(&self, entry: &ObjectEntry) -> Result<Key> {
        self.key.sibling(&entry.name)
    }

    /// The name of the data object with this number, for errors.
    pub(super) fn key_of(&self, number: usize) -> String {
        self.manifest
            .data()
            .nth(number)
            .map_or_else(|| self.key.to_string(), |entry| entry.name.clone())
    }

    /// Whether every object is there, with the length that the manifest tells. Reads no data.
    pub async fn check_objects(&self) -> Result<()> {
        let folder = self
            .key
            .as_str()
            .rsplit_once('/')
            .map(|(f, _)| Key::parse(f))
            .transpose()?;
        let there: Vec<_> = self.storage.list(folder.as_ref()).try_collect().await?;
        for entry in &self.manifest.objects {
            let key = self.object_key(entry)?;
            match there.iter().find(|o| o.key == key) {
                None => return Err(missing(&key)),
                Some(found) if found.size != entry.bytes => {
                    return Err(Error::corrupt(format!(
                        "{key}: holds {} bytes where the manifest says {}",
                        found.size, entry.bytes
                    )));
                }
                Some(_) => {}
            }
        }
        Ok(())
    }

    /// The decryptor that this snapshot needs: none when it is not encrypted.
    ///
    /// Errors: [`ErrorKind::Identity`] when it is and there is none.
    pub fn decryptor<'a>(
        &self,
        given: Option<&'a Arc<dyn Decryptor>>,
    ) -> Result<Option<&'a Arc<dyn Decryptor>>> {
        match (&self.manifest.encryption, given) {
            (None, _) => Ok(None),
            (Some(sealed), Some(decryptor)) if decryptor.name() == sealed.scheme => {
                Ok(Some(decryptor))
            }
            (Some(sealed), Some(decryptor)) => Err(Error::new(
                ErrorKind::Identity,
                format!(
                    "snapshot {} is sealed by {}, the identity is for {}",
                    self.manifest.id,
                    sealed.scheme,
                    decryptor.name()
                ),
            )),
            (Some(sealed), None) => Err(Error::new(
                ErrorKind::Identity,
                format!(
                    "snapshot {} is encrypted, and no identity was given",
                    self.manifest.id
                ),
            )
            .hint(format!(
                "Pass --identity with the file that belongs to {}.",
                sealed.recipients.join(" or ")
            ))),
        }
    }

    /// Reads the index, whole and checked.
    pub async fn index(&self, decryptor: Option<&Arc<dyn Decryptor>>) -> Result<Index> {
        let decryptor = self.decryptor(decryptor)?.map(Arc::clone);
        let entry = self
            .manifest
            .index()
            .ok_or_else(|| Error::corrupt("manifest: names no index"))?;
        let key = self.object_key(entry)?;
        let sealed = fetch(self.storage.as_ref(), &key, None)
            .await
            .map_err(|e| absent(e, &key))?;
        if sha256(&sealed) != entry.sha256 {
            return Err(Error::corrupt(format!(
                "{key}: its SHA-256 is not the manifest's"
            )));
        }
        let id = self.manifest.id.clone();
        let parsed = tokio::task::spawn_blocking(move || {
            let sealed: Box<dyn Read + Send> = Box::new(io::Cursor::new(sealed));
            let opened = match &decryptor {
                Some(decryptor) => decryptor.open(sealed)?,
                None => sealed,
            };
            let mut json = Vec::new();
            let mut decoder = Zstd::new(3).decoder(opened)?;
            decoder
                .read_to_end(&mut json)
                .map_err(|e| from_io(e, "index: can't be read to its end"))?;
            let index = Index::parse(&json)?;
            if index.snapshot == id {
                Ok(index)
            } else {
                Err(Error::corrupt("index: belongs to another snapshot"))
            }
        });
        joined(parsed.await).map_err(|e| e.context(key.to_string()))
    }

    /// What wrote the frames.
    pub(super) fn compressor(&self) -> Result<Arc<dyn Compressor>> {
        let compression = &self.manifest.compression;
        self.formats.compressor(compression).map_err(|_| {
            Error::new(
                ErrorKind::NewerFormat,
                format!("compression {compression} is not known to this build"),
            )
            .hint("Use the program that wrote the snapshot, or a newer ksnapshot.")
        })
    }

    /// A reader of single frames.
    pub async fn frames(&self, decryptor: Option<&Arc<dyn Decryptor>>) -> Result<FrameReader> {
        let decryptor = self.decryptor(decryptor)?.map(Arc::clone);
        let compressor = self.compressor()?;
        let mut objects: Vec<Object> = Vec::new();
        let mut first: Option<(u32, &str)> = None;
        for (number, entry) in (0..).zip(self.manifest.data()) {
            let (stream, _) = *match &mut first {
                Some(first) if continues(first.1, &entry.name) => first,
                first => first.insert((number, &entry.name)),
            };
            let key = self.object_key(entry)?;
            let header = if entry.header == 0 {
                Bytes::new()
            } else {
                fetch(self.storage.as_ref(), &key, Some(0..entry.header))
                    .await
                    .map_err(|e| absent(e, &key))?
            };
            objects.push(Object {
                key,
                stream,
                header,
                bytes: entry.bytes,
            });
        }
        Ok(FrameReader {
            inner: Arc::new(Frames {
                storage: Arc::clone(&self.storage),
                decryptor,
                compressor,
                objects,
            }),
        })
    }

    /// Streams the stored bytes of one object.
    pub(crate) async fn stored(&self, entry: &ObjectEntry) -> Result<impl Read + Send + use<>> {
        let key = self.object_key(entry)?;
        blocking(&self.storage, &key)
            .await
            .map_err(|e| absent(e, &key))
    }
}

pub(super) async fn blocking(
    storage: &Arc<dyn Storage>,
    key: &Key,
) -> Result<impl Read + Send + use<>> {
    let bytes = storage.read(key, None).await?;
    let reader = StreamReader::new(bytes.map_err(io::Error::other));
    Ok(io::BufReader::with_capacity(
        256 << 10,
        SyncIoBridge::new(reader),
    ))
}

/// Reads frames at any place of a snapshot's data. Cheap to clone.
#[derive(Debug, Clone)]
pub struct FrameReader {
    inner: Arc<Frames>,
}

#[derive(Debug)]
struct Frames {
    storage: Arc<dyn Storage>,
    decryptor: Option<Arc<dyn Decryptor>>,
    compressor: Arc<dyn Compressor>,
    objects: Vec<Object>,
}

#[derive(Debug)]
struct Object {
    key: Key,
    /// The number of the first object of the stream that it is a piece of.
    stream: u32,
    header: Bytes,
    bytes: u64,
}

impl FrameReader {
    /// Reads frames that follow one another in one object, by one request.
    pub async fn run(&self, frames: &[Frame]) -> Result<Vec<Vec<u8>>> {
        let (Some(first), Some(last)) = (frames.first(), frames.last()) else {
            return Ok(Vec::new());
        };
        let object = self.object(first)?;
        let opened = first.offset..last.offset + u64::from(last.length);
        if opened.end > object.bytes {
            return Err(Error::corrupt(format!(
                "{}: is shorter than the index says",
                object.key
            )));
        }
        let window = match &self.inner.decryptor {
            Some(decryptor) => decryptor.window(object.header.len() as u64, opened.clone()),
            None => opened.clone(),
        };
        let window = window.start..window.end.min(object.bytes);
        let bytes = fetch(
            self.inner.storage.as_ref(),
            &object.key,
            Some(window.clone()),
        )
        .await
        .map_err(|e| absent(e, &object.key))?;
        if bytes.len() as u64 != window.end - window.start {
            return Err(Error::corrupt(format!(
                "{}: is shorter than the manifest says",
                object.key
            )));
        }
        let plain: u64 = frames.iter().map(|frame| u64::from(frame.plain)).sum();
        // A run takes some milliseconds, and is decoded where it is wanted: allocators keep for each thread what it has freed, and
        // the pool has many threads. A single row of hundreds of megabytes is worth one of them.
        if plain <= RUN {
            return self.inner.decode(bytes, opened, frames);
        }
        let (inner, frames) = (Arc::clone(&self.inner), frames.to_vec());
        joined(tokio::task::spawn_blocking(move || inner.decode(bytes, opened, &frames)).await)
    }

    /// Reads one frame.
    pub async fn one(&self, frame: &Frame) -> Result<Vec<u8>> {
        let mut blocks = self.run(std::slice::from_ref(frame)).await?;
        Ok(blocks.pop().unwrap_or_default())
    }

    /// The first of the objects that hold the same stream as this one; the same one for most.
    pub(super) fn stream_of(&self, object: u32) -> u32 {
        let found = self.inner.objects.get(object as usize);
        found.map_or(object, |object| object.stream)
    }

    fn object(&self, frame: &Frame) -> Result<&Object> {
        self.inner
            .objects
            .get(frame.object as usize)
            .ok_or_else(|| {
                Error::corrupt("index: a frame lies in an object that the manifest does not name")
            })
    }
}

impl Frames {
    fn decode(&self, sealed: Bytes, range: Range<u64>, frames: &[Frame]) -> Result<Vec<Vec<u8>>> {
        let object = &self.objects[frames[0].object as usize];
        let name = |e: Error| e.context(object.key.to_string());
        let start = range.start;
        // What is not needed any more goes before more is made: of data that nothing makes small that is a third.
        let opened = match &self.decryptor {
            Some(decryptor) => {
                let opened = decryptor.open_window(&object.header, &sealed, range);
                drop(sealed);
                Bytes::from(opened.map_err(|e| name(changed_header(e)))?)
            }
            None => sealed,
        };
        frames
            .iter()
            .map(|frame| {
                let from = usize::try_from(frame.offset - start).unwrap_or(usize::MAX);
                let bytes = from
                    .checked_add(frame.length as usize)
                    .and_then(|to| opened.get(from..to));
                let bytes = bytes
                    .ok_or_else(|| Error::corrupt("index: frames do not follow one another"))?;
                decode_frame(self.compressor.as_ref(), frame, bytes)
            })
            .collect::<Result<_>>()
            .map_err(name)
    }
}

/// The index was opened by the same identity: where that opens no data, the data has changed.
pub(super) fn changed_header(error: Error) -> Error {
    match error.kind() {
        ErrorKind::Identity => {
            Error::corrupt("the identity that opens the index does not open it").source(error)
        }
        _ => error,
    }
}

/// The plain text of one frame, checked against the index.
pub(super) fn decode_frame(
    compressor: &dyn Compressor,
    frame: &Frame,
    bytes: &[u8],
) -> Result<Vec<u8>> {
    let plain = compressor.decompress(bytes, frame.plain as usize)?;
    if RowHash::of(&plain) == frame.check {
        Ok(plain)
    } else {
        Err(Error::corrupt(format!(
            "the frame at {} is not what was dumped",
            frame.offset
        )))
    }
}

/// Bytes of plain text that one request is to bring, unless one frame has more: rows may compress to a hundredth, so it
/// is not the stored bytes that fill the memory.
const RUN: u64 = 8 * super::BLOCK_SIZE as u64;

/// Groups frames into runs that one request reads: neighbours, of about [`RUN`] bytes together. Pure.
pub(super) fn runs(frames: &[Frame], wanted: impl IntoIterator<Item = u32>) -> Vec<Vec<Frame>> {
    let mut runs: Vec<Vec<Frame>> = Vec::new();
    let mut plain = 0;
    for frame in wanted
        .into_iter()
        .filter_map(|number| frames.get(number as usize))
    {
        let follows = |last: &Frame| {
            last.object == frame.object && last.offset + u64::from(last.length) == frame.offset
        };
        plain += u64::from(frame.plain);
        match runs.last_mut() {
            Some(run) if plain <= RUN && run.last().is_some_and(follows) => run.push(frame.clone()),
            _ => {
                plain = u64::from(frame.plain);
                runs.push(vec![frame.clone()]);
            }
        }
    }
    runs
}

async fn fetch(storage: &dyn Storage, key: &Key, range: Option<Range<u64>>) -> Result<Bytes> {
    let size = range.as_ref().map_or(0, |r| r.end.saturating_sub(r.start));
    let mut stream = storage.read(key, range).await?;
    let Some(first) = stream.try_next().await? else {
        return Ok(Bytes::new());
    };
    let Some(second) = stream.try_next().await? else {
        return Ok(first);
    };
    let mut whole = BytesMut::with_capacity(usize::try_from(size).unwrap_or(0));
    whole.extend_from_slice(&first);
    whole.extend_from_slice(&second);
    while let Some(more) = stream.try_next().await? {
        whole.extend_from_slice(&more);
    }
    Ok(whole.freeze())
}

/// An object that a manifest names and that is not there is corruption, not a wrong question.
fn absent(error: Error, key: &Key) -> Error {
    if error.kind() == ErrorKind::NotFound {
        missing(key).source(error)
    } else {
        error
    }
}

fn missing(key: &Key) -> Error {
    Error::corrupt(format!("{key}: named by the manifest, and not there"))
}

pub(super) fn sha256(bytes: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    super::hex(&Sha256::digest(bytes))
}

/// The result of a blocking task; one that was stopped is an error like any other.
pub(super) fn joined<T>(task: std::result::Result<Result<T>, tokio::task::JoinError>) -> Result<T> {
    task.unwrap_or_else(|cause| Err(Error::new(ErrorKind::Failed, "a task stopped").source(cause)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Stage;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn runs_hold_every_wanted_frame_once_and_are_bounded(
            sizes in proptest::collection::vec((1u32..9_000_000, 1u32..3_000_000, 0u32..2), 0..60),
            skip in 1usize..5,
        ) {
            let mut offset = 0;
            let frames: Vec<Frame> = sizes.iter().map(|&(plain, length, object)| {
                offset += u64::from(length);
                Frame {
                    object,
                    offset: offset - u64::from(length),
                    length,
                    plain,
                    stage: Stage::Data,
                    item: None,
                    rows: 0,
                    hash: RowHash::default(),
                    check: RowHash::default(),
                }
            }).collect();
            let wanted: Vec<u32> = (0..frames.len() as u32).filter(|n| *n as usize % skip != 1).collect();
            let runs = runs(&frames, wanted.iter().copied());
            let found: Vec<&Frame> = runs.iter().flatten().collect();
            prop_assert_eq!(found, wanted.iter().map(|&n| &frames[n as usize]).collect::<Vec<_>>());
            for run in &runs {
                prop_assert!(run.len() == 1 || run.iter().map(|f| u64::from(f.plain)).sum::<u64>() <= RUN);
                for pair in run.windows(2) {
                    prop_assert_eq!(pair[0].object, pair[1].object);
                    prop_assert_eq!(pair[0].offset + u64::from(pair[0].length), pair[1].offset);
                }
            }
        }
    }
}
