//! A folder as a [`Storage`]: durable and atomic, with nothing but the file system.
//!
//! Not `object_store`'s own local store: that one keeps unfinished uploads beside their targets, under names that
//! only it leaves out of listings. Here they are in `.partial-<id>/` in the root, where anyone sees what they are.

use std::collections::BTreeSet;
use std::fmt::{self, Display};
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use futures_util::stream::{self, BoxStream, StreamExt};
use ksnapshot_core::{
    Error, ErrorKind, Key, ObjectInfo, ObjectWriter, PutMode, Result, Storage, Unfinished,
    async_trait,
};

use crate::partial::{self, FolderWriter, Partial};

/// Large enough that a system call is nothing, small enough to be nothing in memory.
const PIECE: u64 = 1024 * 1024;

/// A folder of this machine, or one that is mounted into it.
///
/// An object is written below `.partial-<id>/` in the root, flushed to the disk, and only then renamed to its name;
/// so an object that is there is whole and survives a power failure. The root is made by the first write; reading
/// or listing a root that is missing is [`ErrorKind::NotFound`]. Keys are paths below the root, letter by letter.
/// Symbolic links below the root are left out of listings. What a killed writer left behind is removed by
/// a later one after two days, or by `prune`.
#[derive(Debug, Clone)]
pub struct Folder {
    root: PathBuf,
}

impl Folder {
    /// The storage in `root`, which need not exist yet. A relative path is one of the current directory of now.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        let root = root.into();
        Self {
            root: std::path::absolute(&root).unwrap_or(root),
        }
    }

    fn path(&self, key: &Key) -> Result<PathBuf> {
        if partial::is_partial(key.as_str()) {
            return Err(Error::new(
                ErrorKind::Usage,
                format!("{}: reserved for objects in the making", self.object(key)),
            )
            .hint("Choose a name that does not start with .partial-"));
        }
        Ok(self.root.join(key.as_str()))
    }

    fn object(&self, key: &Key) -> String {
        self.root.join(key.as_str()).display().to_string()
    }
}

impl Display for Folder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.root.display().fmt(f)
    }
}

#[async_trait]
impl Storage for Folder {
    async fn put(&self, key: &Key, body: Bytes, mode: PutMode) -> Result<()> {
        let (root, path, place) = (self.root.clone(), self.path(key)?, self.object(key));
        blocking(move || {
            let (partial, mut file) =
                Partial::begin(&root).map_err(|error| explain(&error, &place))?;
            let written = io::Write::write_all(&mut file, &body).and_then(|()| file.sync_all());
            drop(file);
            written
                .and_then(|()| partial.publish(&path, mode))
                .map_err(|error| explain(&error, &place))
        })
        .await
    }

    async fn writer(&self, key: &Key, _expected: Option<u64>) -> Result<Box<dyn ObjectWriter>> {
        let (root, path, place) = (self.root.clone(), self.path(key)?, self.object(key));
        let begun = {
            let place = place.clone();
            blocking(move || {
                partial::sweep(&root);
                Partial::begin(&root).map_err(|error| explain(&error, &place))
            })
        };
        let (partial, file) = begun.await?;
        Ok(Box::new(FolderWriter::new(
            partial,
            file,
            path,
            key.clone(),
            place,
        )))
    }

    async fn read(
        &self,
        key: &Key,
        range: Option<Range<u64>>,
    ) -> Result<BoxStream<'static, Result<Bytes>>> {
        let (path, place) = (self.path(key)?, self.object(key));
        let opened = {
            let place = place.clone();
            blocking(move || {
                let (mut file, size) = open_file(&path).map_err(|error| explain(&error, &place))?;
                let range = range.unwrap_or(0..size);
                let start = range.start.min(size);
                file.seek(SeekFrom::Start(start))
                    .map_err(|error| explain(&error, &place))?;
                Ok((file, range.end.min(size).saturating_sub(start)))
            })
        };
        let (file, left) = opened.await?;
        Ok(stream::unfold(Some((file, left)), move |state| {
            let place = place.clone();
            async move {
                let (file, left) = state?;
                if left == 0 {
                    return None;
                }
                match blocking(move || read_piece(file, left, &place)).await {
                    Ok((piece, file)) => {
                        let left = left - piece.len() as u64;
                        Some((Ok(piece), Some((file, left))))
                    }
                    Err(error) => Some((Err(error), None)),
                }
            }
        })
        .boxed())
    }

    fn list(&self, prefix: Option<&Key>) -> BoxStream<'static, Result<ObjectInfo>> {
        let walk = Walk {
            root: self.root.clone(),
            begun: false,
            folders: Vec::new(),
            found: Vec::new(),
        };
        let start = prefix.map(|key| format!("{key}/")).unwrap_or_default();
        stream::unfold(Some((walk, start)), async |state| {
            let (mut walk, start) = state?;
            loop {
                if let Some(info) = walk.found.pop() {
                    return Some((Ok(info), Some((walk, start))));
                }
                let folder = if walk.begun {
                    walk.folders.pop()?
                } else {
                    start.clone()
                };
                match blocking(move || walk.step(folder)).await {
                    Ok(further) => walk = further,
                    Err(error) => return Some((Err(error), None)),
                }
            }
        })
        .boxed()
    }

    async fn delete(&self, keys: &[Key]) -> Result<()> {
        let paths: Vec<_> = keys
            .iter()
            .map(|key| Ok((self.path(key)?, self.object(key))))
            .collect::<Result<_>>()?;
        let root = self.root.clone();
        blocking(move || delete(&root, &paths)).await
    }

    async fn unfinished(&self) -> Result<Vec<Unfinished>> {
        let root = self.root.clone();
        blocking(move || {
            partial::unfinished(&root).map_err(|error| explain(&error, &root.display().to_string()))
        })
        .await
    }

    async fn abandon(&self, unfinished: &[Unfinished]) -> Result<()> {
        let (root, unfinished) = (self.root.clone(), unfinished.to_vec());
        blocking(move || {
            unfinished.iter().try_for_each(|left| {
                partial::abandon(&root, &left.id)
                    .map_err(|error| explain(&error, &root.join(&left.id).display().to_string()))
            })
        })
        .await
    }
}

/// A walk through the tree, one folder at a time, so that a large tree neither blocks nor fills memory.
struct Walk {
    root: PathBuf,
    begun: bool,
    /// Relative to the root, each with a slash at its end; the root itself is empty.
    folders: Vec<String>,
    found: Vec<ObjectInfo>,
}

impl Walk {
    fn step(mut self, folder: String) -> Result<Self> {
        let path = self.root.join(&folder);
        let place = || path.display().to_string();
        if !self.begun {
            self.begun = true;
            // The root decides whether the storage exists; a folder in it may well be missing.
            fs::read_dir(&self.root).map_err(|error| match error.kind() {
                io::ErrorKind::NotFound => Error::new(
                    ErrorKind::NotFound,
                    format!("{}: no such folder", self.root.display()),
                )
                .hint("Check the path; the first dump into it makes the folder."),
                _ => explain(&error, &self.root.display().to_string()),
            })?;
        }
        let entries = match fs::read_dir(&path) {
            Ok(entries) => entries,
            Err(error) if is_missing(&error) => return Ok(self),
            Err(error) => return Err(explain(&error, &place())),
        };
        for entry in entries {
            let entry = entry.map_err(|error| explain(&error, &place()))?;
            // A name that is no text can't be one of ours.
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            if folder.is_empty() && partial::is_partial(&name) {
                continue;
            }
            let meta = match entry.metadata() {
                Ok(meta) => meta,
                Err(error) if is_missing(&error) => continue,
                Err(error) => return Err(explain(&error, &entry.path().display().to_string())),
            };
            if meta.is_dir() {
                self.folders.push(format!("{folder}{name}/"));
            } else if let (true, Ok(key)) = (meta.is_file(), Key::parse(format!("{folder}{name}")))
            {
                self.found.push(ObjectInfo {
                    key,
                    size: meta.len(),
                    modified: partial::modified(&meta).ok(),
                });
            }
        }
        Ok(self)
    }
}

fn open_file(path: &Path) -> io::Result<(File, u64)> {
    let file = File::open(path)?;
    let meta = file.metadata()?;
    if meta.is_file() {
        Ok((file, meta.len()))
    } else {
        Err(io::ErrorKind::NotFound.into())
    }
}

fn read_piece(mut file: File, left: u64, place: &str) -> Result<(Bytes, File)> {
    let size = left.min(PIECE);
    let mut piece = Vec::with_capacity(size as usize);
    (&mut file)
        .take(size)
        .read_to_end(&mut piece)
        .map_err(|error| explain(&error, place))?;
    if (piece.len() as u64) < size {
        return Err(Error::corrupt(format!(
            "{place}: became shorter while it was read"
        )));
    }
    Ok((piece.into(), file))
}

fn delete(root: &Path, paths: &[(PathBuf, String)]) -> Result<()> {
    let mut emptied = BTreeSet::new();
    let mut outcome = Ok(());
    for (path, place) in paths {
        match fs::remove_file(path) {
            Ok(()) => {
                emptied.extend(path.parent().map(Path::to_owned));
            }
            Err(error) if is_missing(&error) => {}
            // The others are still tried.
            Err(error) => outcome = outcome.and(Err(explain(&error, place))),
        }
    }
    for folder in emptied {
        // A caller deletes the manifest first and its data next: the order must hold across a power failure.
        if let Err(error) = partial::sync_folder(&folder) {
            outcome = outcome.and(Err(explain(&error, &folder.display().to_string())));
        }
        // Folders of days without a snapshot would pile up. Only empty ones can be removed.
        for folder in folder
            .ancestors()
            .take_while(|folder| *folder != root && folder.starts_with(root))
        {
            if fs::remove_dir(folder).is_err() {
                break;
            }
        }
    }
    outcome
}

/// Runs `work` where it may block.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(outcome) => outcome,
        Err(error) => {
            Err(Error::new(ErrorKind::Failed, "folder: the work was dropped").source(error))
        }
    }
}

/// What a refusal of the file system means for `place`, and what to do about it.
pub(crate) fn explain(error: &io::Error, place: &str) -> Error {
    let new = |kind, what: &str| Error::new(kind, format!("{place}: {what}"));
    match error.kind() {
        io::ErrorKind::NotFound => new(ErrorKind::NotFound, "no such object")
            .hint("List the storage to see what is there."),
        io::ErrorKind::AlreadyExists => {
            new(ErrorKind::AlreadyExists, "exists already").hint("Nothing was changed.")
        }
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            new(ErrorKind::Storage, &format!("the disk is full: {error}")).hint(
                "Free some space or choose another place; nothing of this object was left behind.",
            )
        }
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => new(
            ErrorKind::Storage,
            &error.to_string(),
        )
        .hint("Let the user that runs ksnapshot read and write the folder, or choose another one."),
        io::ErrorKind::NotADirectory => new(ErrorKind::Storage, &error.to_string())
            .hint("A storage is a folder; a file is in the way."),
        _ => new(ErrorKind::Storage, &error.to_string()).hint("Look at the disk; then try again."),
    }
}

fn is_missing(error: &io::Error) -> bool {
    // Below a file there is nothing, too.
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

#[cfg(test)]
mod tests {
    use futures_util::TryStreamExt;

    use super::*;

    fn key(text: &str) -> Key {
        Key::parse(text).unwrap()
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[tokio::test]
    async fn keeps_every_promise_of_a_storage() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("made/by/the first write");
        ksnapshot_core::conformance::storage(&Folder::new(&root))
            .await
            .unwrap();
        assert_eq!(
            names(&root),
            [""; 0],
            "nothing is left, not even empty folders"
        );
    }

    #[tokio::test]
    async fn a_missing_root_is_not_found_until_the_first_write() {
        let folder = tempfile::tempdir().unwrap();
        let storage = Folder::new(folder.path().join("none"));
        for prefix in [None, Some(&key("a"))] {
            let error = storage
                .list(prefix)
                .try_collect::<Vec<_>>()
                .await
                .unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NotFound, "{error:?}");
        }
        assert_eq!(
            storage.read(&key("a"), None).await.err().unwrap().kind(),
            ErrorKind::NotFound
        );
        storage.delete(&[key("a/b")]).await.unwrap();
        assert!(
            names(folder.path()).is_empty(),
            "none of that makes the folder"
        );
        storage
            .put(&key("a/b"), Bytes::new(), PutMode::Create)
            .await
            .unwrap();
        assert_eq!(
            storage
                .list(None)
                .try_collect::<Vec<_>>()
                .await
                .unwrap()
                .len(),
            1
        );
        let error = storage.read(&key("a"), None).await.err().unwrap();
        assert_eq!(error.kind(), ErrorKind::NotFound, "a folder is no object");
    }

    #[tokio::test]
    async fn what_is_in_the_making_is_apart_and_vanishes() {
        let folder = tempfile::tempdir().unwrap();
        let storage = Folder::new(folder.path());
        let mut writer = storage.writer(&key("2026/a%2Fb"), None).await.unwrap();
        writer.write(Bytes::from(vec![7; 3 << 20])).await.unwrap();
        assert!(
            names(folder.path())
                .iter()
                .all(|name| name.starts_with(".partial-"))
        );
        assert!(
            storage
                .list(None)
                .try_collect::<Vec<_>>()
                .await
                .unwrap()
                .is_empty()
        );
        writer.finish().await.unwrap();
        assert_eq!(names(folder.path()), ["2026"]);
        assert_eq!(
            names(&folder.path().join("2026")),
            ["a%2Fb"],
            "the key is the name, letter by letter"
        );

        storage
            .writer(&key("x"), None)
            .await
            .unwrap()
            .abort()
            .await
            .unwrap();
        let mut dropped = storage.writer(&key("y"), None).await.unwrap();
        dropped.write(Bytes::from(vec![7; 3 << 20])).await.unwrap();
        drop(dropped);
        assert_eq!(names(folder.path()), ["2026"]);

        let error = storage
            .put(&key(".partial-x/y"), Bytes::new(), PutMode::Create)
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage);
    }

    #[tokio::test]
    async fn only_old_remains_of_others_are_swept() {
        let folder = tempfile::tempdir().unwrap();
        let (old, new) = (
            folder.path().join(".partial-old"),
            folder.path().join(".partial-new"),
        );
        for partial in [&old, &new] {
            fs::create_dir(partial).unwrap();
            fs::write(partial.join("object"), "half").unwrap();
        }
        let long_ago = std::time::SystemTime::now() - std::time::Duration::from_secs(49 * 3600);
        for path in [old.join("object"), old.clone()] {
            File::open(path).unwrap().set_modified(long_ago).unwrap();
        }
        Folder::new(folder.path())
            .writer(&key("x"), None)
            .await
            .unwrap()
            .abort()
            .await
            .unwrap();
        assert_eq!(names(folder.path()), [".partial-new"]);
    }

    #[tokio::test]
    async fn a_file_in_the_way_is_a_storage_error() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("file"), "x").unwrap();
        let inside = Folder::new(folder.path().join("file"));
        let error = inside
            .put(&key("a"), Bytes::new(), PutMode::Overwrite)
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Storage, "{error:?}");
        assert_eq!(
            inside
                .list(None)
                .try_collect::<Vec<_>>()
                .await
                .unwrap_err()
                .kind(),
            ErrorKind::Storage
        );
        let storage = Folder::new(folder.path());
        let error = storage
            .put(&key("file/a"), Bytes::new(), PutMode::Overwrite)
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Storage, "{error:?}");
        assert_eq!(names(folder.path()), ["file"]);
    }

    #[tokio::test]
    async fn a_full_disk_is_named_and_leaves_nothing() {
        // The device that is always full stands in for the file in the making.
        let folder = tempfile::tempdir().unwrap();
        let (partial, _) = Partial::begin(folder.path()).unwrap();
        let Ok(full) = File::options().write(true).open("/dev/full") else {
            return;
        };
        let place = "place".to_owned();
        let mut writer = Box::new(FolderWriter::new(
            partial,
            full,
            folder.path().join("x"),
            key("x"),
            place,
        ));
        let mut outcome = writer.write(Bytes::from(vec![0; 2 << 20])).await;
        if outcome.is_ok() {
            outcome = writer.finish().await.map(drop);
        }
        let error = outcome.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Storage);
        assert!(error.to_string().contains("the disk is full"), "{error}");
        assert!(error.advice().unwrap().contains("Free some space"));
        assert!(names(folder.path()).is_empty());
    }

    #[test]
    fn refusals_become_kinds_with_advice() {
        for (cause, message, hint) in [
            (
                io::ErrorKind::PermissionDenied,
                "permission denied",
                "read and write",
            ),
            (
                io::ErrorKind::ReadOnlyFilesystem,
                "read-only",
                "another one",
            ),
            (
                io::ErrorKind::StorageFull,
                "the disk is full",
                "Free some space",
            ),
        ] {
            let error = explain(&cause.into(), "p");
            assert_eq!(error.kind(), ErrorKind::Storage);
            assert!(error.to_string().contains(message), "{error}");
            assert!(error.advice().unwrap().contains(hint));
        }
    }
}
