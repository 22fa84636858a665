//! What Elasticsearch and OpenSearch are promised, as tests that say for which server: `make test` keeps it to one of each
//! family, `make soak` to all five.

#[path = "elastic/kinds.rs"]
pub(crate) mod kinds;
#[path = "elastic/moment.rs"]
pub(crate) mod moment;

use std::fs;
use std::path::{Path, PathBuf};

use ksnapshot_tests::Ksnapshot;
use ksnapshot_tests::tools::{self, Run};
use serde_json::Value;
use tempfile::TempDir;

/// A dump of `url` into `folder`.
pub(crate) fn dump(url: &str, folder: &Path, args: &[&str]) -> Ksnapshot {
    Ksnapshot::new(["dump", url, "--to"]).arg(folder).args(args)
}

/// A restore of the newest snapshot of `folder` into `url`.
pub(crate) fn restore(folder: &Path, url: &str, args: &[&str]) -> Ksnapshot {
    Ksnapshot::new(["restore"])
        .arg(folder)
        .args(["--into", url])
        .args(args)
}

/// A finished dump into a folder of its own, and what its manifest says.
pub(crate) struct Dumped {
    pub(crate) folder: TempDir,
    pub(crate) manifest: Value,
    pub(crate) run: Run,
}

impl Dumped {
    /// Of `url`, complete, with problems or without.
    #[track_caller]
    pub(crate) fn of(url: &str, args: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let run = dump(url, folder.path(), args).run().unwrap();
        assert!(matches!(run.code(), Some(0 | 3)), "{run:?}");
        let manifest = fs::read(Self::file(folder.path(), ".manifest.json")).unwrap();
        Self {
            manifest: serde_json::from_slice(&manifest).unwrap(),
            folder,
            run,
        }
    }

    /// The one file whose name ends so.
    #[track_caller]
    pub(crate) fn file(folder: &Path, end: &str) -> PathBuf {
        let mut found: Vec<PathBuf> = tools::files(folder)
            .unwrap()
            .into_iter()
            .filter(|file| file.to_str().unwrap().ends_with(end))
            .collect();
        assert_eq!(found.len(), 1, "{end}: {found:?}");
        found.remove(0)
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn rows(&self) -> u64 {
        self.manifest["counts"]["rows"].as_u64().unwrap()
    }
}
