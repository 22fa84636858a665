//! What MySQL and MariaDB are promised, as tests that say for which server: `make test` keeps it to one of each family,
//! `make soak` to all six.

#[path = "mysql/kinds.rs"]
pub(crate) mod kinds;
#[path = "mysql/moment.rs"]
pub(crate) mod moment;
#[path = "mysql/stock.rs"]
pub(crate) mod stock;
#[path = "mysql/values.rs"]
pub(crate) mod values;

use std::fs;
use std::path::Path;

use ksnapshot_tests::mysql::MySql;
use ksnapshot_tests::tools::{self, Run};
use ksnapshot_tests::{Ksnapshot, PASSWORD};
use serde_json::Value;
use tempfile::TempDir;

/// A dump into a folder of its own, and what its manifest says.
pub(crate) struct Dumped {
    pub(crate) folder: TempDir,
    pub(crate) manifest: Value,
    pub(crate) run: Run,
}

impl Dumped {
    /// Of `url`, complete, with problems or without.
    pub(crate) fn of(url: &str, args: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let run = dump(url, &folder.path().join("store"), args).run().unwrap();
        assert!(matches!(run.code(), Some(0 | 3)), "{run:?}");
        let manifest = tools::files(folder.path())
            .unwrap()
            .into_iter()
            .find(|file| file.to_str().unwrap().ends_with(".manifest.json"))
            .unwrap();
        Self {
            manifest: serde_json::from_slice(&fs::read(manifest).unwrap()).unwrap(),
            folder,
            run,
        }
    }

    /// The claim, and the rung behind it.
    pub(crate) fn claim(&self) -> [&str; 2] {
        let consistency = &self.manifest["consistency"];
        [
            consistency["claim"].as_str().unwrap(),
            consistency["position"]["rung"].as_str().unwrap(),
        ]
    }

    /// Loads every data object by the stock client, in their order, as one after the other would by hand.
    pub(crate) fn load(&self, server: &MySql, db: &str) {
        let found = tools::files(self.folder.path()).unwrap();
        for object in self.manifest["objects"].as_array().unwrap() {
            let name = object["name"].as_str().unwrap();
            if name.contains(".index.") {
                continue;
            }
            let path = found.iter().find(|file| file.ends_with(name)).unwrap();
            let text = self.folder.path().join("text.sql");
            fs::write(&text, tools::open(path, None).unwrap()).unwrap();
            server.load(db, &text).unwrap();
        }
    }

    /// A run against the snapshot's folder.
    pub(crate) fn over(&self, verb: &str, args: &[&str]) -> Run {
        let store = self.folder.path().join("store");
        Ksnapshot::new([verb, store.to_str().unwrap()])
            .args(args)
            .env("MYSQL_PWD", PASSWORD)
            .run()
            .unwrap()
    }

    /// Its restore by us.
    pub(crate) fn restore(&self, into: &str, args: &[&str]) -> Run {
        self.over("restore", &[&["--into", into], args].concat())
    }
}

/// The lines that say what went wrong.
pub(crate) fn problems(run: &Run) -> Vec<&str> {
    (run.stderr.lines())
        .filter(|line| line.starts_with("problem: "))
        .collect()
}

pub(crate) fn dump(url: &str, store: &Path, args: &[&str]) -> Ksnapshot {
    Ksnapshot::new(["dump", url, "--to", store.to_str().unwrap()])
        .args(args)
        .env("MYSQL_PWD", PASSWORD)
}
