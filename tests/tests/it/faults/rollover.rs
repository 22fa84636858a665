//! What one object does not take goes on in the next one; two parts of 8 MiB an object make that happen soon.

use std::time::Instant;

use ksnapshot_core::Manifest;
use ksnapshot_tests::proxy::{Fault, Request, What};
use ksnapshot_tests::{Minio, compare, tools};

use super::requests::Store;
use super::signals::{SOON, got_through, sweep};
use super::*;

const LIMIT: u64 = 16 << 20;

/// The storage, with so little room for each object.
fn small(url: &str) -> String {
    format!("{url}&max-parts=2")
}

/// 40 MB in two tables, and some things after them.
fn heaps() -> Db<'static> {
    static NAME: OnceLock<String> = OnceLock::new();
    let more = "
        create table nothing (n int);
        create table second as select * from heap;
        create index on second (n);
        create view both_of_them as select * from heap union all select * from second;
    ";
    filled(&NAME, "faults_heaps", &format!("{HEAP}{more}"))
}

/// The data objects of the one snapshot in a bucket, in the manifest's order, downloaded into a folder.
fn objects(minio: &Minio, bucket: &str, folder: &Path) -> (Manifest, Vec<PathBuf>) {
    let keys = minio.list(bucket).unwrap();
    let manifest = keys.iter().find(|key| key.ends_with(".manifest.json"));
    let manifest = manifest.unwrap_or_else(|| panic!("{keys:?}"));
    let within = manifest.rsplit_once('/').unwrap().0;
    let file = minio.get(bucket, manifest, folder).unwrap();
    let manifest = Manifest::parse(&fs::read(file).unwrap()).unwrap();
    assert_eq!(keys.len(), manifest.objects.len() + 1, "{keys:?}");
    let get = |name: &str| minio.get(bucket, &format!("{within}/{name}"), folder);
    let files = manifest
        .data()
        .map(|object| get(&object.name).unwrap())
        .collect();
    (manifest, files)
}

/// Each file opened for itself and all of them decompressed as one, as README says it.
fn by_hand(files: &[PathBuf], decompress: &str) -> Vec<u8> {
    let script =
        format!("key=$1; shift; for piece; do age -d -i \"$key\" \"$piece\"; done | {decompress}");
    let identity = key().identity();
    let mut args = vec![identity.as_os_str()];
    args.extend(files.iter().map(|file| file.as_os_str()));
    let run = tools::run(&mut tools::bash(&script, &args)).unwrap();
    run.success().unwrap().stdout
}

#[test]
fn a_stream_goes_on_in_the_next_object() {
    let minio = Minio::shared().unwrap();
    let db = heaps();
    for (codec, suffix, decompress, pieces) in [
        ("none", ".sql.age", "cat", 3),
        ("zstd:1", ".sql.zst.age", "zstd -d", 2),
        ("gzip:1", ".sql.gz.age", "gunzip", 2),
    ] {
        let place = Place::new();
        let bucket = format!("rollover-{pieces}-{}", &codec[..4]);
        minio.bucket(&bucket).unwrap();
        let url = small(&minio.url(&bucket, ""));
        let run = dump(&db.url(), &url).args(["--compression", codec]);
        run.credentials(minio).run().unwrap().success().unwrap();

        let (manifest, files) = objects(minio, &bucket, place.folder.path());
        let stem = manifest.index().unwrap().name.clone();
        let stem = stem.strip_suffix(".index.zst.age").unwrap();
        let expected: Vec<_> = (1..=pieces)
            .map(|n| match n {
                1 => format!("{stem}{suffix}"),
                n => format!("{stem}.{n:03}{suffix}"),
            })
            .collect();
        let names: Vec<_> = manifest.data().map(|object| &object.name).collect();
        assert_eq!(names, expected.iter().collect::<Vec<_>>());
        for (n, object) in manifest.data().enumerate() {
            assert!(object.bytes <= LIMIT, "{object:?}");
            // Full, but for the frame that did not fit.
            assert!(
                n + 1 == pieces || object.bytes > LIMIT - (1 << 20),
                "{object:?}"
            );
        }

        for level in ["checksum", "decode"] {
            let proof = read("verify", &url).args(["--level", level]);
            proof.credentials(minio).run().unwrap().success().unwrap();
        }
        let target = empty();
        let back = restore(&url, &target.url()).credentials(minio);
        back.run().unwrap().success().unwrap();
        compare::same(&db, &target).unwrap();
        target.drop().unwrap();

        let text = by_hand(&files, decompress);
        let cat = read("cat", &url).credentials(minio).run().unwrap();
        assert!(cat.success().unwrap().stdout == text);
        let file = place.folder.path().join("by-hand.sql");
        fs::write(&file, &text).unwrap();
        let target = empty();
        target.psql_file(&file).unwrap();
        compare::same(&db, &target).unwrap();
        target.drop().unwrap();

        // A table's rows are in other objects than the settings that they need.
        let table = |name: &str| {
            let run = read("cat", &url).args(["--table", name]);
            run.credentials(minio).run().unwrap().success().unwrap()
        };
        let empty_one = table("nothing").text().to_owned();
        assert!(
            empty_one.starts_with("-- PostgreSQL database"),
            "{empty_one}"
        );
        assert!(
            empty_one.trim_end().ends_with("dumped to its end"),
            "{empty_one}"
        );
        let table = table("second");
        fs::write(&file, &table.stdout).unwrap();
        let target = empty();
        target.psql_file(&file).unwrap();
        let rows = "select count(*), sum(hashtext(t)) from second";
        assert_eq!(target.psql(rows).unwrap(), db.psql(rows).unwrap());
        target.drop().unwrap();
    }
}

#[test]
fn a_row_larger_than_an_object() {
    let db = server().fresh_db("faults_row").unwrap();
    db.psql("create table small (n int); create table large as select repeat('x', 20 << 20) as t")
        .unwrap();
    let minio = Minio::start().unwrap();
    minio.bucket("row").unwrap();
    let url = small(&minio.url("row", ""));
    let run = dump(&db.url(), &url).args(["--compression", "none"]);
    let says = ["public.large", "bytes in one piece", "16777216", "hint: "];
    fails(run.credentials(&minio).run().unwrap(), 1, &says);
    assert!(minio.list("row").unwrap().is_empty());
    assert_eq!(minio.uploads().unwrap(), 0);
    db.drop().unwrap();
}

#[test]
fn each_write_of_the_second_object_refused() {
    let store = Store::start();
    let dump = |to: &str| store.dump(&small(to));
    let good = store.requests(dump(&store.bucket("good")));
    assert!(good.iter().all(Request::is_write_only), "{good:#?}");
    let second = |request: &Request| request.path.contains(".002.sql");
    let at: Vec<_> = (1..).zip(&good).filter(|(_, r)| second(r)).collect();
    assert!(at.len() >= 3, "{good:#?}");
    for (n, request) in at {
        let name = format!("refused-{n}");
        let to = store.bucket(&name);
        store.proxy.set(Fault::always(What::Answer(403)).nth(n));
        let place = format!("s3://{name}/p/");
        fails(dump(&to).run().unwrap(), 14, &[&place, "access denied"]);
        store.holds_nothing(&name);
        assert_eq!(store.minio.uploads().unwrap(), 0, "{request:?}");
    }
}

#[test]
fn a_signal_between_two_objects() {
    let store = Store::start();
    let completes: fn(&Request) -> bool = Request::is_completion;
    let begins: fn(&Request) -> bool = |request| request.has("uploads");
    for (name, meets, nth) in [
        ("begin", begins, 2),
        ("part", Request::is_part, 3),
        ("completion", completes, 1),
        ("last-completion", completes, 2),
    ] {
        let to = small(&store.bucket(name));
        let before = store.proxy.requests().len();
        store
            .proxy
            .set(Fault::always(What::Silence).on(meets).nth(nth));
        let run = dump(&heaps().url(), &to).args(["--compression", "none"]);
        let run = run.credentials(&store.minio).spawn().unwrap();
        testbed::until(Duration::from_secs(20), "the silence", || {
            let requests = store.proxy.requests().split_off(before);
            let met = requests.iter().filter(|r| meets(r)).count() as u64;
            Ok((met >= nth).then_some(()))
        })
        .unwrap();
        let told = Instant::now();
        run.interrupt().unwrap();
        let run = run.wait().unwrap();
        assert!(told.elapsed() < 2 * SOON, "{name}: {:?}", told.elapsed());
        fails(run, 130, &["cancelled", "hint: "]);
        store.holds_nothing(name);
        // One that is being completed may be left by a store that says nothing more.
        assert!(name != "begin" || store.minio.uploads().unwrap() == 0);
    }
}

#[test]
fn at_any_moment_of_a_dump_to_several_objects() {
    let (db, minio) = (heaps(), Minio::start().unwrap());
    let bucket = |n: u32| format!("bucket-{n}");
    let url = |n| small(&minio.url(&bucket(n), "p"));
    sweep(
        12,
        |n| {
            minio.bucket(&bucket(n)).unwrap();
            let run = dump(&db.url(), url(n)).args(["--compression", "none"]);
            run.credentials(&minio)
        },
        |n, run| {
            if got_through(run) {
                is_whole(url(n), |run| run.credentials(&minio));
            } else {
                let left = minio.list(&bucket(n)).unwrap();
                assert!(left.is_empty(), "{left:?}");
            }
            assert_eq!(minio.uploads().unwrap(), 0, "{run:?}");
        },
    );
}
