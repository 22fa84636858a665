//! Memory is bounded: a fixed part, and a stated number of times the largest row.

use ksnapshot_tests::tools::Key;
use ksnapshot_tests::{Db, Ksnapshot, Postgres, Version};

const MIB: u64 = 1 << 20;

/// What README and `--help` promise.
const FIXED: u64 = 128 * MIB;
const ROWS: u64 = 8;

/// Peak resident memory of a dump and of a restore, in bytes, as the system counts it.
fn peaks(db: &Db<'_>, compression: &str) -> [u64; 2] {
    let folder = tempfile::tempdir().unwrap();
    let key = Key::generate().unwrap();
    let store = folder.path().join("store");
    let peak = |name: &str, command: Ksnapshot| {
        let told = folder.path().join(name);
        let wrapper = [
            "/usr/bin/time",
            "--format=%M",
            "--output",
            told.to_str().unwrap(),
        ];
        command
            .password()
            .under(&wrapper)
            .run()
            .unwrap()
            .success()
            .unwrap();
        let kib: u64 = std::fs::read_to_string(told)
            .unwrap()
            .trim()
            .parse()
            .unwrap();
        kib * 1024
    };
    let dump = Ksnapshot::new(["dump", &db.url(), "--recipient", key.recipient()])
        .args(["--compression", compression, "--to"])
        .arg(&store);
    let dumped = peak("dump", dump);
    let copy = db.server.db(&format!("{}_copy", db.name));
    let restore = Ksnapshot::new(["restore", "--create", "--into", &copy.url(), "--identity"])
        .arg(key.identity())
        .arg(&store);
    let restored = peak("restore", restore);
    copy.drop().unwrap();
    [dumped, restored]
}

#[test]
fn stays_below_its_bound_at_any_size_and_codec() {
    let server = Postgres::shared(Version::V15).unwrap();
    let db = server.fresh_db("memory").unwrap();
    let fill =
        "insert into t select g, md5(g::text), repeat(md5((g * 7)::text), 4) from generate_series";
    db.psql("create table t (i bigint, a text, b text)")
        .unwrap();
    db.psql(&format!("{fill}(1, 90000) g")).unwrap();
    let small = peaks(&db, "zstd:3");
    db.psql(&format!("{fill}(90001, 900000) g")).unwrap();
    // Rows that compress to a hundredth, and many tables.
    db.psql("create table z as select g, repeat('x', 900) from generate_series(1, 200000) g")
        .unwrap();
    db.psql("do $$ begin for n in 1..100 loop execute format('create table t%s (i) as values (1)', n); end loop; end $$")
        .unwrap();
    for compression in ["zstd:3", "zstd:6", "gzip:6", "none"] {
        let large = peaks(&db, compression);
        eprintln!(
            "{compression}: {} and {} MiB",
            large[0] / MIB,
            large[1] / MIB
        );
        assert!(
            large.iter().all(|&peak| peak <= FIXED),
            "{compression}: {large:?}"
        );
        if compression == "zstd:3" {
            // Ten times the rows: the pipeline fills up once, and then no more.
            assert!(large[0] <= small[0] + 48 * MIB, "{small:?} {large:?}");
        }
    }
}

#[test]
fn grows_by_a_stated_number_of_times_the_largest_row() {
    let server = Postgres::shared(Version::V15).unwrap();
    let db = server.fresh_db("wide").unwrap();
    // Rows that do not compress: 48 MiB of hex each.
    db.psql(
        "create table t (i int, v text);
         insert into t select i, (select string_agg(md5(i::text || g::text), '') from generate_series(1, 1572864) g)
         from generate_series(1, 3) i",
    )
    .unwrap();
    let row: u64 = db
        .psql("select max(length(v)) from t")
        .unwrap()
        .trim()
        .parse()
        .unwrap();
    assert!(row >= 48 * MIB);
    let peaks = peaks(&db, "zstd:3");
    eprintln!("{} and {} MiB", peaks[0] / MIB, peaks[1] / MIB);
    assert!(
        peaks.iter().all(|&peak| peak <= FIXED + ROWS * row),
        "{peaks:?}"
    );
}
