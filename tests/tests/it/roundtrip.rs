//! The promise: what is dumped comes back equal, by stock tools and by us, from a folder and from S3.

use std::fs;
use std::path::Path;
use std::process::Command;

use ksnapshot_tests::tools::{self, Key};
use ksnapshot_tests::{Db, Ksnapshot, Minio, Postgres, Version, compare, copies, testbed};
use serde_json::Value;

#[test]
fn tpch_on_15() {
    check(&tpch(Version::V15));
}

#[test]
fn tpch_on_18() {
    check(&tpch(Version::V18));
}

#[test]
fn pgbench_on_15() {
    check(&pgbench(Version::V15));
}

#[test]
fn pgbench_on_18() {
    check(&pgbench(Version::V18));
}

#[test]
fn mixed_on_15() {
    check(&from_file(Version::V15, "mixed"));
}

#[test]
fn mixed_on_18() {
    check(&from_file(Version::V18, "mixed"));
}

#[test]
fn shop_on_15() {
    check(&from_file(Version::V15, "shop"));
}

#[test]
fn shop_on_18() {
    check(&from_file(Version::V18, "shop"));
}

fn tpch(version: Version) -> Db<'static> {
    Postgres::shared_tpch(version).unwrap().db("tpch")
}

fn pgbench(version: Version) -> Db<'static> {
    let db = Postgres::shared(version)
        .unwrap()
        .fresh_db("pgbench")
        .unwrap();
    db.shell("pgbench --initialize --quiet --scale=2 --foreign-keys", &[])
        .unwrap()
        .success()
        .unwrap();
    db
}

fn from_file(version: Version, name: &str) -> Db<'static> {
    let db = Postgres::shared(version).unwrap().fresh_db(name).unwrap();
    db.psql_file(&testbed::sql(&format!("{name}.sql"))).unwrap();
    db
}

/// Dumps to a folder and to S3, restores each by stock tools and by us, and compares all with a copy made by
/// `pg_dump | psql`.
fn check(source: &Db<'_>) {
    let key = Key::generate().unwrap();
    let twin = copies::twin(source).unwrap();

    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("backups");
    let id = dump(source, store.to_str().unwrap(), &key, |run| run);
    let names = files(&store);
    let data = store.join(three_objects(&names, source, &id));
    sums_fit(&store, &names);
    by_hand(&data, &key, &twin);
    by_ksnapshot(store.to_str().unwrap(), &key, &twin, |run| run);

    let minio = Minio::shared().unwrap();
    let bucket = source.name.replace('_', "-") + &format!("-{}", source.server.version().major());
    minio.bucket(&bucket).unwrap();
    let url = minio.url(&bucket, "some/prefix");
    let id = dump(source, &url, &key, |run| run.credentials(minio));
    let names = minio.list(&bucket).unwrap();
    let names: Vec<_> = names
        .iter()
        .map(|name| name.strip_prefix("some/prefix/").unwrap().to_owned())
        .collect();
    let data = format!("some/prefix/{}", three_objects(&names, source, &id));
    let data = minio.get(&bucket, &data, folder.path()).unwrap();
    by_hand(&data, &key, &twin);
    by_ksnapshot(&url, &key, &twin, |run| run.credentials(minio));

    twin.drop().unwrap();
}

/// Dumps and gives the id, the only line on stdout.
fn dump(source: &Db<'_>, to: &str, key: &Key, with: impl FnOnce(Ksnapshot) -> Ksnapshot) -> String {
    let run = Ksnapshot::new([
        "dump",
        &source.url(),
        "--to",
        to,
        "--recipient",
        key.recipient(),
    ])
    .password();
    let run = with(run).run().unwrap().success().unwrap();
    let id = run.text().strip_suffix('\n').unwrap().to_owned();
    assert!(
        id.len() == 8
            && id
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()),
        "{run:?}"
    );
    id
}

/// Restores by `age -d | zstd -d | psql` into a new database and compares.
fn by_hand(data: &Path, key: &Key, twin: &Db<'_>) {
    let target = twin.server.fresh_db("by_hand").unwrap();
    tools::restore_by_hand(data, Some(key), &target).unwrap();
    compare::same(twin, &target).unwrap();
    target.drop().unwrap();
}

/// Restores by `ksnapshot restore` into a new database and compares.
fn by_ksnapshot(from: &str, key: &Key, twin: &Db<'_>, with: impl FnOnce(Ksnapshot) -> Ksnapshot) {
    let target = twin.server.fresh_db("by_ksnapshot").unwrap();
    let run = Ksnapshot::new(["restore", from, "--into", &target.url(), "--identity"])
        .arg(key.identity())
        .password();
    with(run).run().unwrap().success().unwrap();
    compare::same(twin, &target).unwrap();
    target.drop().unwrap();
}

/// Three objects with the names of the format, and nothing else; gives that of the data.
fn three_objects(names: &[String], source: &Db<'_>, id: &str) -> String {
    let [index, manifest, data] = names else {
        panic!("not three objects: {names:?}")
    };
    let stem = data
        .strip_suffix(".sql.zst.age")
        .unwrap_or_else(|| panic!("{data}"));
    assert_eq!(*index, format!("{stem}.index.zst.age"));
    assert_eq!(*manifest, format!("{stem}.manifest.json"));

    let [year, month, day, kind, file] = stem.split('/').collect::<Vec<_>>()[..] else {
        panic!("{stem}")
    };
    assert_eq!(kind, "postgresql");
    let rest = file
        .strip_prefix(&format!("dump-127.0.0.1-{}-", source.name))
        .unwrap_or_else(|| panic!("{file}"));
    let (time, last) = rest.split_once('-').unwrap_or_else(|| panic!("{file}"));
    assert_eq!(last, id);
    assert!(
        time.len() == 14 && time.bytes().all(|b| b.is_ascii_digit()),
        "{time}"
    );
    assert_eq!(time[..8], format!("{year}{month}{day}"));
    data.clone()
}

/// `sha256sum` agrees with the manifest, which names the objects beside it.
fn sums_fit(store: &Path, names: &[String]) {
    let manifest = names
        .iter()
        .find(|name| name.ends_with(".manifest.json"))
        .unwrap();
    let folder = store.join(manifest).parent().unwrap().to_owned();
    let json: Value = serde_json::from_slice(&fs::read(store.join(manifest)).unwrap()).unwrap();
    let objects = json["objects"].as_array().unwrap();
    assert_eq!(objects.len(), 2);
    for object in objects {
        let path = folder.join(object["name"].as_str().unwrap());
        let sum = tools::run(Command::new("sha256sum").arg(&path))
            .unwrap()
            .success()
            .unwrap()
            .text();
        assert_eq!(
            sum.split(' ').next(),
            object["sha256"].as_str(),
            "{}",
            path.display()
        );
        assert_eq!(
            fs::metadata(&path).unwrap().len(),
            object["bytes"].as_u64().unwrap(),
            "{}",
            path.display()
        );
    }
}

/// The files of a folder store, as relative names, sorted; hidden ones too, and none of an upload that didn't end.
fn files(store: &Path) -> Vec<String> {
    let mut names: Vec<String> = (tools::files(store).unwrap().iter())
        .map(|path| path.strip_prefix(store).unwrap().to_str().unwrap().into())
        .collect();
    names.sort();
    let partial: Vec<&String> = names.iter().filter(|n| n.contains(".partial")).collect();
    assert!(partial.is_empty(), "{partial:?}");
    names
}
