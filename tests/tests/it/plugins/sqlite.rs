//! The SQLite dumper of `examples/`: the whole command line with one more kind of database.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use ksnapshot_tests::binary;
use ksnapshot_tests::tools::{self, Key, Run};

/// `ksnapshot` that knows SQLite, built by `make examples`.
fn ksnapshot(args: &[&str], folder: &Path) -> Run {
    let program = binary().unwrap().with_file_name("ksnapshot-sqlite");
    assert!(
        program.is_file(),
        "no ksnapshot-sqlite: run `make examples`"
    );
    let mut command = std::process::Command::new(program);
    tools::clean(&mut command);
    tools::run(command.args(args).current_dir(folder)).unwrap()
}

fn bash(script: &str, folder: &Path) -> Run {
    let mut command = tools::bash(script, &[] as &[&OsStr]);
    tools::run(command.current_dir(folder)).unwrap()
}

#[test]
fn a_strangers_dumper_is_a_command_line_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let script =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../examples/sqlite/tests/shop.sql");
    std::fs::copy(script, folder.join("shop.sql")).unwrap();
    bash("sqlite3 shop.db <shop.sql", folder).success().unwrap();
    let key = Key::generate().unwrap();
    let identity = key.identity();
    let identity = identity.to_str().unwrap();
    let dump = [
        "dump",
        "sqlite://shop.db",
        "--to",
        "store",
        "--recipient",
        key.recipient(),
    ];
    ksnapshot(&dump, folder).success().unwrap();
    let list = ksnapshot(&["list", "store"], folder)
        .success()
        .unwrap()
        .text();
    assert!(list.contains("sqlite  local  shop"), "{list}");
    let drill = [
        "verify",
        "store",
        "--level",
        "restore",
        "--scratch",
        "sqlite://scratch.db",
        "--identity",
        identity,
    ];
    ksnapshot(&drill, folder).success().unwrap();

    // Its own restore, and the stock program with the text alone, make what `.dump` writes of the source; views and
    // triggers come in any order.
    let restore = [
        "restore",
        "store",
        "--into",
        "sqlite://copy.db",
        "--create",
        "--identity",
        identity,
    ];
    ksnapshot(&restore, folder).success().unwrap();
    let text = ksnapshot(&["cat", "store", "--identity", identity], folder);
    std::fs::write(folder.join("text.sql"), text.success().unwrap().stdout).unwrap();
    bash("sqlite3 -bail by-hand.db <text.sql", folder)
        .success()
        .unwrap();
    for copy in ["copy.db", "by-hand.db"] {
        let equal = format!("diff <(sqlite3 shop.db .dump | sort) <(sqlite3 {copy} .dump | sort)");
        bash(&equal, folder).success().unwrap();
    }

    // A restore never overwrites unasked, nor does it take another's snapshot; one table comes alone.
    let again = ksnapshot(&restore, folder).exits(1).unwrap();
    assert!(
        again.stderr.contains("holds customers already"),
        "{again:?}"
    );
    let table = [
        "restore",
        "store",
        "--into",
        "sqlite://one.db",
        "--create",
        "--table",
        "orders",
        "--identity",
        identity,
    ];
    ksnapshot(&table, folder).success().unwrap();
    let tables = bash("sqlite3 one.db .tables", folder).success().unwrap();
    assert_eq!(tables.text().trim(), "orders");
    let elsewhere = [
        "restore",
        "store",
        "--into",
        "mysql://root@localhost/x",
        "--identity",
        identity,
    ];
    let refused = ksnapshot(&elsewhere, folder).exits(2).unwrap();
    assert!(refused.stderr.contains("is of sqlite"), "{refused:?}");
    let options = ["dump", "sqlite://shop.db", "--to", "store", "--index", "a"];
    let refused = ksnapshot(&options, folder).exits(2).unwrap();
    assert!(
        refused.stderr.contains("sqlite: takes no --index"),
        "{refused:?}"
    );
}

#[test]
fn an_unknown_scheme_is_told_with_all_that_are_known() {
    let folder = tempfile::tempdir().unwrap();
    let run = ksnapshot(&["dump", "oracle://h/d", "--to", "x"], folder.path());
    let run = run.exits(2).unwrap();
    for form in [
        "postgres://",
        "mysql://",
        "elasticsearch://",
        "command -- PROGRAM",
        "sqlite:///path/to/file",
    ] {
        assert!(run.stderr.contains(form), "{run:?}");
    }
}
