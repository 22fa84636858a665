//! Where bytes rest: folders, and buckets of S3 or whatever speaks like it, of Google and of Azure. Knows no database.
//!
//! [`open`] turns the text that a person writes into a [`Storage`]:
//!
//! - a path, or `file:///path`, is a [`Folder`]: durable, atomic, without a server;
//! - `s3://bucket/prefix` is a bucket. Its query says how to get there: `endpoint` (where we talk), `region` (what
//!   requests are signed for), `style` (`path` or `virtual`), `checksum` (`sha256` or `none`), `ca` (certificates to
//!   trust besides the system's) and `max-parts` (how many parts of 8 to 32 MiB one object may have: 9,500 unless the
//!   store takes less);
//! - `gs://bucket/prefix` is one of Google Cloud Storage (feature `gcs`), with `endpoint` and `ca`;
//! - `az://container/prefix?account=NAME` is a container of Azure (feature `azure`), with `endpoint` and `ca`.
//!
//! Credentials are never part of that text. They come from where the clouds' own tools take them: for S3
//! `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, a web identity, a profile of the shared credentials file, or the
//! machine itself. `docs/storage.md` has all of them.
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
#[cfg(feature = "azure")]
mod azure;
mod client;
mod cloud;
mod credentials;
mod failure;
mod folder;
#[cfg(feature = "gcs")]
mod gcs;
mod partial;
mod patience;
mod place;
mod profile;
mod s3;
mod unfinished;
mod upload;

use std::sync::Arc;

use ksnapshot_core::registry::Store;
#[cfg(not(all(feature = "gcs", feature = "azure")))]
use ksnapshot_core::{Error, ErrorKind};
use ksnapshot_core::{Registry, Result, Storage};

pub use adapter::Adapter;
pub use folder::Folder;

use cloud::Cloud;
use place::{BucketPlace, Place};

/// Makes folders and buckets known.
pub fn register(registry: &mut Registry) {
    registry.add_store(Arc::new(Places));
}

/// All places of this crate.
#[derive(Debug)]
struct Places;

impl Store for Places {
    fn schemes(&self) -> &'static [&'static str] {
        &["", "file", "s3", "gs", "az"]
    }

    fn form(&self) -> &'static str {
        "a folder, file:///folder, s3://bucket/prefix, gs://bucket/prefix or az://container/prefix"
    }

    fn open(&self, place: &str) -> Result<Arc<dyn Storage>> {
        open(place)
    }
}

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
        Place::Bucket(place) => Arc::new(open_bucket(&place, env)?),
    })
}

fn open_bucket(place: &BucketPlace, env: Env<'_>) -> Result<Adapter> {
    match place.cloud {
        Cloud::S3 => s3::open(place, env),
        #[cfg(feature = "gcs")]
        Cloud::Gcs => gcs::open(place, env),
        #[cfg(feature = "azure")]
        Cloud::Azure => azure::open(place, env),
        #[cfg(not(all(feature = "gcs", feature = "azure")))]
        cloud => Err(Error::new(
            ErrorKind::Usage,
            format!("storage {}://: not part of this build", cloud.scheme()),
        )
        .hint("Build ksnapshot-cli with the features gcs and azure, which are on by default.")),
    }
}

#[cfg(all(test, not(any(feature = "gcs", feature = "azure"))))]
mod tests {
    use super::*;

    #[test]
    fn a_build_without_a_cloud_says_so() {
        for text in ["gs://bucket/p", "az://container/p?account=a"] {
            let error = open_with(text, &|_| None).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Usage);
            assert!(error.to_string().contains("not part of this build"));
            assert!(error.advice().unwrap().contains("features"), "{error:?}");
        }
    }
}
