//! What a dumper promises, kept.

use ksnapshot_core::conformance;
use ksnapshot_sqlite::Sqlite;
use rusqlite::Connection;

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_keeps_every_promise_of_an_engine() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.sqlite");
    let connection = Connection::open(&path).unwrap();
    connection.execute_batch(include_str!("shop.sql")).unwrap();
    drop(connection);
    let file = Sqlite::new(path);
    conformance::engine(&file, &file).await.unwrap();
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(left.len(), 1, "no scratch file is left: {left:?}");
}
