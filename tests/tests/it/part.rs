//! A PostgreSQL of which parts are dumped and restored: what tests of filters, of rows alone and of new names share.

use std::path::PathBuf;

use ksnapshot_tests::tools::{Key, Run};
use ksnapshot_tests::{Db, Ksnapshot, Postgres, Version, testbed};
use tempfile::TempDir;

/// Runs on each version that tests run on, with a source of its own that this script of `tests/sql` fills.
pub(crate) fn on_each(script: &str, check: impl Fn(&Source<'_>)) {
    for version in Version::ALL {
        let server = Postgres::shared(version).unwrap();
        let db = server.fresh_db("source").unwrap();
        db.psql_file(&testbed::sql(script)).unwrap();
        check(&Source {
            db,
            key: Key::generate().unwrap(),
            folder: tempfile::tempdir().unwrap(),
        });
    }
}

pub(crate) struct Source<'a> {
    pub(crate) db: Db<'a>,
    key: Key,
    folder: TempDir,
}

impl Source<'_> {
    /// The storage of that name.
    pub(crate) fn store(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Dumps into a store.
    pub(crate) fn dump(&self, store: &str, options: &[&str]) -> Run {
        let to = ["--recipient", self.key.recipient(), "--to"];
        Ksnapshot::new(["dump", &self.db.url()].iter().chain(&to))
            .arg(self.store(store))
            .args(options)
            .password()
            .run()
            .unwrap()
    }

    /// Runs a verb that reads the newest snapshot of a store.
    pub(crate) fn read(&self, verb: &str, store: &str, options: &[&str]) -> Run {
        Ksnapshot::new([verb, "--identity"])
            .arg(self.key.identity())
            .arg(self.store(store))
            .args(options)
            .password()
            .run()
            .unwrap()
    }

    pub(crate) fn restore(&self, store: &str, into: &Db<'_>, options: &[&str]) -> Run {
        self.read(
            "restore",
            store,
            &[&["--into", &into.url()], options].concat(),
        )
    }

    /// The text of a snapshot, as a file.
    pub(crate) fn text(&self, store: &str) -> PathBuf {
        let text = self.read("cat", store, &[]).success().unwrap().stdout;
        let file = self.folder.path().join("text.sql");
        std::fs::write(&file, text).unwrap();
        file
    }
}
