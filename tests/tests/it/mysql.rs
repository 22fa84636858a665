//! MySQL and MariaDB: values, chunks, and one moment by every rung.

#[path = "mysql/definitions.rs"]
mod definitions;
#[path = "mysql/moment.rs"]
mod moment;
#[path = "mysql/rows.rs"]
mod rows;

use std::fs;
use std::path::{Path, PathBuf};

use ksnapshot_tests::mysql::MySql;
use ksnapshot_tests::tools::{self, Run};
use ksnapshot_tests::{Ksnapshot, PASSWORD};
use serde_json::Value;
use tempfile::TempDir;

/// A dump into a folder of its own, and what its manifest says.
struct Dumped {
    folder: TempDir,
    manifest: Value,
    run: Run,
}

impl Dumped {
    /// Of `url`, complete, with problems or without.
    fn of(url: &str, args: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let run = dump(url, &folder.path().join("store"), args).run().unwrap();
        assert!(matches!(run.code(), Some(0 | 3)), "{run:?}");
        let manifest = files(folder.path())
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
    fn claim(&self) -> [&str; 2] {
        let consistency = &self.manifest["consistency"];
        [
            consistency["claim"].as_str().unwrap(),
            consistency["position"]["rung"].as_str().unwrap(),
        ]
    }

    /// Loads every data object by the stock client, in their order, as one after the other would by hand.
    fn load(&self, server: &MySql, db: &str) {
        let found = files(self.folder.path());
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
}

fn dump(url: &str, store: &Path, args: &[&str]) -> Ksnapshot {
    Ksnapshot::new(["dump", url, "--to", store.to_str().unwrap()])
        .args(args)
        .env("MYSQL_PWD", PASSWORD)
}

/// All files below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found
}
