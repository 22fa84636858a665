//! An object in the making: hidden below the root of a [`Folder`](crate::Folder) until it is whole.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use ksnapshot_core::{
    Error, ErrorKind, Key, ORPHANED_AFTER, ObjectInfo, ObjectWriter, PutMode, Result, Unfinished,
    async_trait,
};
use tokio::task::JoinHandle;

use crate::folder::{blocking, explain};

const PREFIX: &str = ".partial-";

/// Gathered before a system call is worth its price.
const WRITE: usize = 1024 * 1024;

/// Whether the first segment of `path` is the folder of an object in the making.
pub(crate) fn is_partial(path: &str) -> bool {
    path.starts_with(PREFIX)
}

/// The folder `.partial-<id>/` with one file in it. Dropping it removes both.
pub(crate) struct Partial {
    root: PathBuf,
    folder: PathBuf,
}

impl Partial {
    /// Makes it, and the root if need be.
    pub(crate) fn begin(root: &Path) -> io::Result<(Self, File)> {
        make_folders(root)?;
        let folder = root.join(format!("{PREFIX}{:016x}", rand::random::<u64>()));
        fs::create_dir(&folder)?;
        let partial = Self {
            root: root.to_owned(),
            folder,
        };
        let file = File::create_new(partial.file())?;
        Ok((partial, file))
    }

    fn file(&self) -> PathBuf {
        self.folder.join("object")
    }

    /// Gives the file its name at `target`, at once and for good. Its content must have been flushed.
    pub(crate) fn publish(self, target: &Path, mode: PutMode) -> io::Result<()> {
        let parent = target.parent().unwrap_or(&self.root);
        let mut attempts = 0;
        loop {
            make_folders(parent)?;
            let renamed = match mode {
                PutMode::Overwrite => fs::rename(self.file(), target),
                PutMode::Create => rename_new(&self.file(), target),
            };
            match renamed {
                // Somebody who deleted the last object in there removed the folder that was just made.
                Err(error) if error.kind() == io::ErrorKind::NotFound && attempts < 10 => {
                    attempts += 1
                }
                Err(error) => return Err(error),
                Ok(()) => return sync_folder(parent),
            }
        }
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        // There is nobody to tell; a later writer sweeps what stays.
        let _ = fs::remove_file(self.file());
        let _ = fs::remove_dir(&self.folder);
    }
}

/// A rename replaces silently, a hard link does not; where there are none, a look has to do.
fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    match fs::hard_link(from, to) {
        Ok(()) => Ok(()),
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::AlreadyExists | io::ErrorKind::NotFound
            ) =>
        {
            Err(error)
        }
        Err(_) if to.try_exists()? => Err(io::ErrorKind::AlreadyExists.into()),
        Err(_) => fs::rename(from, to),
    }
}

/// Makes `folder` and what is missing above it, so that all of it survives a power failure.
fn make_folders(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let Some(parent) = folder.parent() else {
        return Err(io::ErrorKind::NotFound.into());
    };
    make_folders(parent)?;
    match fs::create_dir(folder) {
        Ok(()) => sync_folder(parent),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => Ok(()),
        // A file has the name.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            Err(io::ErrorKind::NotADirectory.into())
        }
        Err(error) => Err(error),
    }
}

/// Flushes the names in `folder` to the disk.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    match File::open(folder).and_then(|folder| folder.sync_all()) {
        // Some network file systems can't; they keep names by other means.
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported
            ) =>
        {
            Ok(())
        }
        // Gone again: nothing to keep.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        outcome => outcome,
    }
}

/// Every [`Partial`] below `root`, of writers at work and of killed ones: by its folder's name, and touched when anything in it was.
pub(crate) fn unfinished(root: &Path) -> io::Result<Vec<Unfinished>> {
    let entries = match fs::read_dir(root) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry?;
        let Some(id) = entry
            .file_name()
            .into_string()
            .ok()
            .filter(|n| is_partial(n))
        else {
            continue;
        };
        match touched(&entry.path()) {
            Ok(Some(touched)) => found.push(Unfinished {
                key: None,
                touched,
                id,
            }),
            Ok(None) => {}
            // Finished or given up while we looked.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

/// When a folder, or what is in it, was last written; none for what is no folder.
fn touched(folder: &Path) -> io::Result<Option<Timestamp>> {
    let meta = fs::symlink_metadata(folder)?;
    if !meta.is_dir() {
        return Ok(None);
    }
    let mut newest = modified(&meta)?;
    for entry in fs::read_dir(folder)? {
        newest = newest.max(modified(&entry?.metadata()?)?);
    }
    Ok(Some(newest))
}

pub(crate) fn modified(meta: &fs::Metadata) -> io::Result<Timestamp> {
    Timestamp::try_from(meta.modified()?).map_err(io::Error::other)
}

/// Removes what [`unfinished`] has named so. A missing one is success.
pub(crate) fn abandon(root: &Path, id: &str) -> io::Result<()> {
    // Never a way out of the root, whoever made it up.
    if !is_partial(id) || id.contains('/') {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    match fs::remove_dir_all(root.join(id)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

/// Removes what killed writers left. Best effort: a failure here must not fail a backup.
pub(crate) fn sweep(root: &Path) {
    let wait = SignedDuration::try_from(ORPHANED_AFTER).unwrap_or(SignedDuration::MAX);
    for left in unfinished(root).unwrap_or_default() {
        if Timestamp::now().duration_since(left.touched) > wait {
            let removed = abandon(root, &left.id);
            tracing::info!(
                folder = left.id,
                ?removed,
                "swept what a killed writer left"
            );
        }
    }
}

/// Writes an object to a [`Partial`]: one batch of blocks on its way to the disk, one being gathered.
pub(crate) struct FolderWriter {
    /// Before `partial`, so that the file is closed before it is removed.
    file: Hand,
    partial: Partial,
    target: PathBuf,
    key: Key,
    place: String,
    batch: Vec<Bytes>,
    gathered: usize,
    size: u64,
}

/// The file is here, or with the thread that writes to it, or was lost with an error.
enum Hand {
    Here(File),
    Away(JoinHandle<io::Result<File>>),
    Lost,
}

impl FolderWriter {
    pub(crate) fn new(
        partial: Partial,
        file: File,
        target: PathBuf,
        key: Key,
        place: String,
    ) -> Self {
        Self {
            file: Hand::Here(file),
            partial,
            target,
            key,
            place,
            batch: Vec::new(),
            gathered: 0,
            size: 0,
        }
    }

    /// Waits for the batch under way and takes the file back.
    async fn file(&mut self) -> Result<File> {
        if let Hand::Away(task) = &mut self.file {
            // Awaited in place: a dropped call leaves the file where it can be found.
            self.file = match task.await {
                Ok(Ok(file)) => Hand::Here(file),
                Ok(Err(error)) => {
                    self.file = Hand::Lost;
                    return Err(explain(&error, &self.place));
                }
                Err(_) => Hand::Lost,
            };
        }
        match std::mem::replace(&mut self.file, Hand::Lost) {
            Hand::Here(file) => Ok(file),
            Hand::Away(_) | Hand::Lost => Err(Error::new(
                ErrorKind::Failed,
                format!("{}: writing failed before", self.place),
            )),
        }
    }

    async fn send(&mut self) -> Result<()> {
        let mut file = self.file().await?;
        let batch = std::mem::take(&mut self.batch);
        self.gathered = 0;
        self.file = Hand::Away(tokio::task::spawn_blocking(move || {
            batch.iter().try_for_each(|block| file.write_all(block))?;
            Ok(file)
        }));
        Ok(())
    }
}

#[async_trait]
impl ObjectWriter for FolderWriter {
    async fn write(&mut self, block: Bytes) -> Result<()> {
        self.size += block.len() as u64;
        self.gathered += block.len();
        self.batch.push(block);
        if self.gathered >= WRITE {
            self.send().await
        } else {
            Ok(())
        }
    }

    async fn finish(mut self: Box<Self>) -> Result<ObjectInfo> {
        self.send().await?;
        let file = self.file().await?;
        let Self {
            partial,
            target,
            key,
            place,
            size,
            ..
        } = *self;
        blocking(move || {
            let flushed = file.sync_all();
            drop(file);
            flushed
                .and_then(|()| partial.publish(&target, PutMode::Overwrite))
                .map_err(|error| explain(&error, &place))
        })
        .await?;
        Ok(ObjectInfo {
            key,
            size,
            modified: None,
        })
    }

    async fn abort(mut self: Box<Self>) -> Result<()> {
        // The thread is let finish: it would write to a file that is already gone.
        let _ = self.file().await;
        let partial = self.partial;
        blocking(move || {
            drop(partial);
            Ok(())
        })
        .await
    }
}
