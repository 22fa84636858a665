//! `cat`: snapshots, tables of them, and objects of anybody, as plain text.

use std::ffi::OsStr;

use ksnapshot_tests::tools::{self, Key};
use ksnapshot_tests::{Ksnapshot, Minio, Postgres, Version};

fn cat(object: impl AsRef<OsStr>, key: &Key) -> Ksnapshot {
    Ksnapshot::new(["cat", "--identity"])
        .arg(key.identity())
        .arg(object)
}

#[test]
fn objects_that_others_made() {
    let folder = tempfile::tempdir().unwrap();
    let key = Key::generate().unwrap();
    let stranger = Key::generate().unwrap();
    let text = "-- anybody's dump\nselect 'Ünïcode';\n".repeat(40_000);
    std::fs::write(folder.path().join("plain.sql"), &text).unwrap();
    let make = |name: &str, pipe: &str| {
        let script = format!("cd \"$1\"; < plain.sql {pipe} > {name}");
        tools::run(&mut tools::bash(&script, &[folder.path().as_os_str()]))
            .unwrap()
            .success()
            .unwrap();
        folder.path().join(name)
    };
    let two = format!("age -r {} -r {}", stranger.recipient(), key.recipient());
    let objects = [
        make("a.sql.age", &format!("age -r {}", key.recipient())),
        make("b.sql.gz.age", &format!("gzip -9 | {two}")),
        make("c.sql.zst.age", &format!("zstd -19 --long=27 -q | {two}")),
        make("d.sql.gz", "gzip -1"),
        make("e.sql.zst", "zstd -q"),
        make("f.out", "cat"),
    ];
    for object in &objects {
        let run = cat(object, &key).run().unwrap().success().unwrap();
        assert!(run.stdout == text.as_bytes(), "{}", object.display());
    }
    let minio = Minio::shared().unwrap();
    minio.bucket("foreign").unwrap();
    minio
        .put("foreign", "deep/b.sql.gz.age", &objects[1])
        .unwrap();
    let url = minio.url("foreign", "deep/b.sql.gz.age");
    let run = cat(url, &key)
        .credentials(minio)
        .run()
        .unwrap()
        .success()
        .unwrap();
    assert!(run.stdout == text.as_bytes());
}

#[test]
fn a_snapshot_and_one_table_of_it() {
    let db = Postgres::shared_tpch(Version::V15).unwrap().db("tpch");
    let folder = tempfile::tempdir().unwrap();
    let key = Key::generate().unwrap();
    Ksnapshot::new(["dump", &db.url(), "--recipient", key.recipient(), "--to"])
        .arg(folder.path())
        .password()
        .run()
        .unwrap()
        .success()
        .unwrap();
    let whole = cat(folder.path(), &key).run().unwrap().success().unwrap();
    let by_hand = tools::bash(
        "age -d -i \"$2\" \"$1\"/*/*/*/*/*.sql.zst.age | zstd -d",
        &[folder.path().as_os_str(), key.identity().as_os_str()],
    );
    let by_hand = tools::run(&mut { by_hand }).unwrap().success().unwrap();
    assert!(
        whole.stdout == by_hand.stdout,
        "the whole is the object's own text"
    );

    let table = cat(folder.path(), &key)
        .args(["--table", "SUPPLIER"])
        .run()
        .unwrap()
        .success()
        .unwrap();
    let copy = db.server.fresh_db("one_table").unwrap();
    let file = folder.path().join("supplier.sql");
    std::fs::write(&file, &table.stdout).unwrap();
    copy.psql_file(&file).unwrap();
    let rows = "select count(*), sum(hashtext(supplier::text)) from supplier";
    assert_eq!(copy.psql(rows).unwrap(), db.psql(rows).unwrap());
    let tables = "select count(*) from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace";
    assert_eq!(copy.psql(tables).unwrap().trim(), "1");
}
