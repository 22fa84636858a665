//! Every fault of docs/faults.md: what the user is told, by which exit code, and what is left behind.
//!
//! Each test is turned red by a patch in `tests/mutants`; `make mutants` proves it.

#[path = "faults/arguments.rs"]
mod arguments;
#[path = "faults/bucket.rs"]
mod bucket;
#[path = "faults/cancel.rs"]
mod cancel;
#[path = "faults/changes.rs"]
mod changes;
#[path = "faults/clouds.rs"]
mod clouds;
#[path = "faults/documented.rs"]
mod documented;
#[path = "faults/elastic.rs"]
mod elastic;
#[path = "faults/formats.rs"]
mod formats;
#[path = "faults/identity.rs"]
mod identity;
#[path = "faults/locks.rs"]
mod locks;
#[path = "faults/lost.rs"]
mod lost;
#[path = "faults/mysql.rs"]
mod mysql;
#[path = "faults/place.rs"]
mod place;
#[path = "faults/prune.rs"]
mod prune;
#[path = "faults/requests.rs"]
mod requests;
#[path = "faults/resume.rs"]
mod resume;
#[path = "faults/rights.rs"]
mod rights;
#[path = "faults/rollover.rs"]
mod rollover;
#[path = "faults/secrets.rs"]
mod secrets;
#[path = "faults/signals.rs"]
mod signals;
#[path = "faults/source.rs"]
mod source;
#[path = "faults/stored.rs"]
mod stored;
#[path = "faults/target.rs"]
mod target;
#[path = "faults/versions.rs"]
mod versions;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use ksnapshot_tests::tools::{Key, Run};
use ksnapshot_tests::{Db, Ksnapshot, Postgres, Version, testbed};
use tempfile::TempDir;

/// About 3 MB: some blocks of rows, and one of most things.
const SHOP: &str = "
    create schema shop;
    create table shop.customers (id int primary key, name text not null);
    insert into shop.customers select n, 'customer ' || n from generate_series(1, 500) n;
    create table shop.orders (id bigserial primary key, customer int not null references shop.customers, note text);
    insert into shop.orders (customer, note)
        select 1 + n % 500, md5(n::text) || md5((-n)::text) || md5((n + 0.5)::text) from generate_series(1, 25000) n;
    create index on shop.orders (customer);
    create function shop.twice(n int) returns int immutable language sql return 2 * n;
    create view shop.latest as select * from shop.orders order by id desc limit 10;
    select lo_from_bytea(0, 'a large object');
";

/// 20 MB that no codec makes small: with `--compression none`, three parts of an upload.
const HEAP: &str = "
    create table heap as select n, (select string_agg(md5(n || '.' || i), '') from generate_series(1, 31) i) as t
        from generate_series(1, 20000) n;
    alter table heap add primary key (n);
";

/// A database that tests only read.
fn shop() -> Db<'static> {
    static NAME: OnceLock<String> = OnceLock::new();
    filled(&NAME, "faults_shop", SHOP)
}

/// One like it, for a test that counts its sessions.
fn own_shop() -> Db<'static> {
    let db = server().fresh_db("faults_own").unwrap();
    db.psql(SHOP).unwrap();
    db
}

/// The larger one.
fn heap() -> Db<'static> {
    static NAME: OnceLock<String> = OnceLock::new();
    filled(&NAME, "faults_heap", HEAP)
}

fn filled(name: &'static OnceLock<String>, stem: &str, sql: &str) -> Db<'static> {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _guard = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let name = name.get_or_init(|| {
        let db = server().fresh_db(stem).unwrap();
        db.psql(sql).unwrap();
        db.name
    });
    server().db(name)
}

fn server() -> &'static Postgres {
    Postgres::shared(Version::V15).unwrap()
}

/// An empty database for a restore.
fn empty() -> Db<'static> {
    server().fresh_db("faults_target").unwrap()
}

/// One key pair for all.
fn key() -> &'static Key {
    static KEY: OnceLock<Key> = OnceLock::new();
    KEY.get_or_init(|| Key::generate().unwrap())
}

/// A folder for a test, in which `store` is the storage: not made yet.
struct Place {
    folder: TempDir,
}

impl Place {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn store(&self) -> PathBuf {
        self.folder.path().join("store")
    }

    /// With a snapshot of [`shop`] in it, sealed for [`key`].
    fn with_snapshot() -> Self {
        Self::of(&shop())
    }

    /// The same of another database.
    fn of(db: &Db<'_>) -> Self {
        let place = Self::new();
        let run = dump(&db.url(), place.store()).run().unwrap();
        run.success().unwrap();
        place
    }

    /// All that is in the storage, as relative paths, folders and hidden things included; sorted.
    fn entries(&self) -> Vec<String> {
        let mut found = Vec::new();
        walk(&self.store(), &self.store(), &mut found);
        found.sort();
        found
    }

    /// The one file with this ending.
    fn object(&self, suffix: &str) -> PathBuf {
        let mut found = self.entries();
        found.retain(|name| name.ends_with(suffix));
        assert_eq!(found.len(), 1, "{suffix}: {found:?}");
        self.store().join(&found[0])
    }
}

fn walk(root: &Path, folder: &Path, found: &mut Vec<String>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for path in entries.map(|entry| entry.unwrap().path()) {
        found.push(path.strip_prefix(root).unwrap().display().to_string());
        walk(root, &path, found);
    }
}

/// `dump URL --to PLACE`, sealed for [`key`], with the servers' password.
fn dump(url: &str, to: impl AsRef<std::ffi::OsStr>) -> Ksnapshot {
    Ksnapshot::new(["dump", url, "--recipient", key().recipient(), "--to"])
        .arg(to)
        .password()
}

/// A verb that reads a snapshot, with the identity of [`key`] and the servers' password.
fn read(verb: &str, from: impl AsRef<std::ffi::OsStr>) -> Ksnapshot {
    Ksnapshot::new([verb])
        .arg(from)
        .arg("--identity")
        .arg(key().identity())
        .password()
}

/// `restore PLACE --into URL`.
fn restore(from: impl AsRef<std::ffi::OsStr>, into: &str) -> Ksnapshot {
    read("restore", from).args(["--into", into])
}

/// The run failed as it has to: by this exit code, with one error that says all of this, with a hint, with no result.
#[track_caller]
fn fails(run: Run, code: i32, says: &[&str]) -> Run {
    assert_eq!(run.code(), Some(code), "{run:?}");
    explains(&run, says);
    assert_eq!(run.text(), "", "a failure has no result: {run:?}");
    run
}

/// One error, which says all of this, and one hint.
#[track_caller]
fn explains(run: &Run, says: &[&str]) {
    let (before, error) = run
        .stderr
        .split_once("error: ")
        .unwrap_or_else(|| panic!("no error: {run:?}"));
    assert!(before.is_empty() || before.ends_with('\n'), "{run:?}");
    let hints = error
        .lines()
        .filter(|line| line.starts_with("hint: "))
        .count();
    assert_eq!(hints, 1, "{run:?}");
    for word in says {
        assert!(error.contains(word), "no {word:?}: {run:?}");
    }
    assert!(!run.stderr.contains("panicked"), "{run:?}");
}

/// Within five seconds, no session of ours is left in the database.
#[track_caller]
fn no_session_in(db: &Db<'_>) {
    let sql = format!(
        "select pid, state, wait_event, query from pg_stat_activity \
         where application_name = 'ksnapshot' and datname = '{}'",
        db.name
    );
    let mut left = String::new();
    let gone = testbed::until(Duration::from_secs(5), "the end of our sessions", || {
        left = db.server.psql("postgres", &sql)?;
        Ok(left.is_empty().then_some(()))
    });
    assert!(gone.is_ok(), "sessions are left:\n{left}");
}

/// A whole snapshot is there: every row decodes to what was dumped.
#[track_caller]
fn is_whole(from: impl AsRef<std::ffi::OsStr>, with: impl FnOnce(Ksnapshot) -> Ksnapshot) {
    with(read("verify", from).args(["--level", "decode"]))
        .run()
        .unwrap()
        .success()
        .unwrap();
}
