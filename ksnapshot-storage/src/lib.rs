//! Where bytes rest: folders, and buckets of S3 or whatever speaks like it. Knows no database.
//!
//! [`open`] turns the text that a person writes into a [`Storage`]:
//!
//! - a path, or `file:///path`, is a [`Folder`]: durable, atomic, without a server;
//! - `s3://bucket/prefix` is a bucket. Its query says how to get there: `endpoint` (where we talk), `region` (what
//!   requests are signed for), `style` (`path` or `virtual`), `ca` (certificates to trust besides the system's) and
//!   `max-parts` (how many parts of 8 to 32 MiB one object may have: 9,500 unless the store takes less).
//!
//! Credentials are never part of that text. They come from where Amazon's own tools take them: `AWS_ACCESS_KEY_ID`
//! and `AWS_SECRET_ACCESS_KEY`, a web identity, a profile of the shared credentials file, or the machine itself.
//!
//! A third party's `object_store` becomes a [`Storage`] through [`Adapter`].
//!
//! ```
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! use ksnapshot_core::{Key, PutMode};
//!
//! let folder = tempfile::tempdir()?;
//! let storage = ksnapshot_storage::open(&folder.path().display().to_string())?;
//! let key = Key::parse("2026/note.txt")?;
//! storage.put(&key, "a note".into(), PutMode::Create).await?;
//! assert!(folder.path().join("2026/note.txt").is_file());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # }).unwrap();
//! ```

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod adapter;
mod credentials;
mod failure;
mod folder;
mod partial;
mod place;
mod s3;
mod upload;

use std::sync::Arc;

use ksnapshot_core::{Result, Storage};

pub use adapter::Adapter;
pub use folder::Folder;
pub use upload::part_size;

use place::Place;

/// Looks up a variable of the environment.
pub type Env<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Opens the storage that `text` names, with the credentials of the process's environment.
///
/// Reads what the place needs of this machine (a credentials file, certificates), but neither makes a folder nor
/// talks to a server: the first write or listing does, and tells whether the place is good. Must be called inside a
/// Tokio runtime only as far as the storage is used there.
///
/// Fails with [`ErrorKind::Usage`](ksnapshot_core::ErrorKind::Usage) when the text makes no sense, and with
/// [`ErrorKind::Storage`](ksnapshot_core::ErrorKind::Storage) when credentials are missing or a file is unreadable.
pub fn open(text: &str) -> Result<Arc<dyn Storage>> {
    open_with(text, &|name| std::env::var(name).ok())
}

/// Like [`open`], with another environment than the process's own.
pub fn open_with(text: &str, env: Env<'_>) -> Result<Arc<dyn Storage>> {
    Ok(match Place::parse(text)? {
        Place::Folder(path) => Arc::new(Folder::new(path)),
        Place::S3(place) => Arc::new(s3::open(&place, env)?),
    })
}
