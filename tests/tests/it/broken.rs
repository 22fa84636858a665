//! Databases of PostgreSQL in which something is broken already: it has a name, and the rest comes back.

use ksnapshot_tests::{Ksnapshot, Postgres, Version};

/// Neither we nor `pg_dump` leave a search path to a restore: hostile functions would be called through it.
/// Since 17 servers themselves build such an index without one, and so not at all.
#[test]
fn what_needs_a_search_path_is_named() {
    let server = Postgres::shared(Version::V15).unwrap();
    let db = server.fresh_db("search_path").unwrap();
    db.psql(
        "create function inner_one(int) returns int immutable language sql as 'select $1 + 1';
         create function outer_one(int) returns int immutable language plpgsql as 'begin return inner_one($1); end';
         create table t (n int); insert into t values (1), (2);
         create index fine on t (n); create index lost on t (outer_one(n));
         create materialized view empty_one as select outer_one(n) from t;
         create view fine_view as select outer_one(n) from t",
    )
    .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let dump = Ksnapshot::new(["dump", &db.url(), "--to"]).arg(&store);
    dump.password().run().unwrap().success().unwrap();
    let target = server.fresh_db("search_path").unwrap();
    let restore = Ksnapshot::new(["restore", "--into", &target.url()]).arg(&store);
    let run = restore.password().run().unwrap().exits(3).unwrap();
    let mut problems = run.problems();
    problems.sort_unstable();
    let lost = [
        (
            "index public.lost",
            "function inner_one(integer) does not exist",
        ),
        (
            "materialized view data public.empty_one",
            "function inner_one",
        ),
    ];
    assert_eq!(problems.len(), lost.len(), "{run:?}");
    for ((object, message), (expected, says)) in problems.into_iter().zip(lost) {
        assert!(object == expected && message.starts_with(says), "{run:?}");
    }
    assert_eq!(target.psql("select count(*) from fine_view").unwrap(), "2");
    assert_eq!(
        target
            .psql("select count(*) from pg_indexes where tablename = 't'")
            .unwrap(),
        "1"
    );
    for db in [target, db] {
        db.drop().unwrap();
    }
}

/// What a DROP DATABASE that was interrupted leaves.
#[test]
fn an_invalid_database_is_told_as_one() {
    let server = Postgres::shared(Version::V18).unwrap();
    let db = server.fresh_db("invalid").unwrap();
    let invalid = format!(
        "update pg_database set datconnlimit = -2 where datname = '{}'",
        db.name
    );
    server.psql("postgres", &invalid).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let dump = Ksnapshot::new(["dump", &db.url(), "--to"]).arg(&store);
    let run = dump.password().run().unwrap().exits(13).unwrap();
    assert!(run.stderr.contains("invalid database"), "{run:?}");
    assert!(!store.exists() || std::fs::read_dir(&store).unwrap().next().is_none());
    db.drop().unwrap();
}
