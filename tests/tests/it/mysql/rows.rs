//! Values and chunks: what is dumped comes back value for value, as the binary protocol sees it on both sides.

use super::{Dumped, dump, values};
use ksnapshot_tests::hold::Holder;
use ksnapshot_tests::mysql::{Flavour, MySql, Version, compare};
use ksnapshot_tests::tools;

#[test]
fn every_value_comes_back_by_the_stock_client() {
    Version::NEWEST
        .into_iter()
        .for_each(values::by_the_stock_client);
}

#[test]
fn every_value_comes_back_by_us() {
    Version::NEWEST.into_iter().for_each(values::by_us);
}

#[test]
fn broken_text_is_told() {
    Version::NEWEST
        .into_iter()
        .for_each(values::broken_text_is_told);
}

/// Tables of some 30 MB, which fall into chunks, by the keys that there are.
const KEYS: [(&str, &str); 9] = [
    ("none", "n int"),
    ("dense", "n int primary key"),
    ("negative", "n bigint primary key"),
    ("huge", "n bigint unsigned primary key"),
    ("sparse", "n bigint primary key"),
    ("skewed", "a int, n int, primary key (a, n)"),
    (
        "latin",
        "n varchar(40) character set latin1 collate latin1_german2_ci primary key",
    ),
    (
        "padded",
        "n varchar(40) character set utf8mb4 collate utf8mb4_unicode_ci primary key",
    ),
    ("maybe", "n datetime(6), m decimal(20, 5), unique (n, m)"),
];

/// The key's values for the number `i` from 0 to 7,999.
fn key(table: &str) -> &'static str {
    match table {
        "none" | "dense" => "i",
        "negative" => "cast(i as signed) * 3 - 9223372036854775000",
        "huge" => "18446744073709551615 - i * 1000",
        "sparse" => "case when i < 4000 then i else pow(2, 40) * (i - 3999) end",
        "skewed" => "if(i < 7000, 7, i), i",
        "latin" => "concat(char(0xe4 + i % 3 using latin1), char(65 + i % 26 using latin1), i)",
        "padded" => "concat(elt(1 + i % 4, 'ä', 'A', 'a ', 'ß'), i, '  ')",
        _ => {
            "if(i % 5 = 0, null, '2020-01-01' + interval i * 3600000001 microsecond), if(i % 7 = 0, null, i / 3)"
        }
    }
}

#[test]
fn chunks_hold_every_row_once() {
    for version in Version::NEWEST {
        let server = MySql::start(version).unwrap();
        let source = server.fresh_db("chunks").unwrap();
        let digits = "(select 0 d union select 1 union select 2 union select 3 union select 4 union select 5 union \
                      select 6 union select 7 union select 8 union select 9)";
        source
            .run(&format!(
                "create table numbers (i int primary key); insert into numbers \
                 select a.d * 1000 + b.d * 100 + c.d * 10 + e.d from {digits} a, {digits} b, {digits} c, {digits} e \
                 where a.d < 8"
            ))
            .unwrap();
        for (table, columns) in KEYS {
            source
                .run(&format!(
                    "create table {table} ({columns}, filler varchar(4000)) engine = innodb character set utf8mb4; \
                     insert into {table} select {}, repeat(sha2(i, 256), 55) from numbers; analyze table {table}",
                    key(table)
                ))
                .unwrap();
        }
        source
            .run(
                "create table parted (n int, filler varchar(4000)) partition by hash (n) partitions 5; \
                 insert into parted select i, repeat(sha2(i, 256), 55) from numbers; analyze table parted",
            )
            .unwrap();
        server
            .run("set global log_output = 'TABLE'; set global general_log = 1")
            .unwrap();
        let dumped = Dumped::of(&source.url(), &["--jobs", "4"]);
        server.run("set global general_log = 0").unwrap();
        let asked = |table: &str| {
            let sql = format!(
                "select count(*) from mysql.general_log where command_type = 'Prepare' and \
                 convert(argument using utf8mb4) like 'SELECT /*!40001%`.`{table}`%'"
            );
            server.value(&sql).unwrap().parse::<u32>().unwrap()
        };
        for (table, _) in KEYS {
            let chunks = asked(table);
            assert!(
                (chunks > 1) == (table != "none"),
                "{version:?}: {chunks} chunks of {table}"
            );
        }
        assert_eq!(asked("parted"), 5);
        let copy = server.fresh_db("chunks_copy").unwrap();
        dumped.load(&server, &copy.name);
        compare::same_rows(&source, &copy).unwrap();
    }
}

#[test]
fn a_server_that_is_gone_between_chunks_ends_the_dump() {
    for version in Version::NEWEST {
        let server = MySql::start(version).unwrap();
        let db = server.create_db("db").unwrap();
        db.run(
            "create table t (n int primary key auto_increment, filler varchar(4000)); \
             insert into t (filler) values (repeat('x', 4000)); \
             insert into t (filler) select filler from t; insert into t (filler) select filler from t; \
             insert into t (filler) select filler from t; insert into t (filler) select filler from t; \
             insert into t (filler) select filler from t; insert into t (filler) select filler from t; \
             insert into t (filler) select filler from t; insert into t (filler) select filler from t; \
             insert into t (filler) select filler from t; insert into t (filler) select filler from t; \
             insert into t (filler) select filler from t; insert into t (filler) select filler from t; \
             insert into t (filler) select filler from t; analyze table t",
        )
        .unwrap();
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("store");
        let holder = Holder::before(server.port(), Some(5_000_000)).unwrap();
        let url = server
            .url("db")
            .replace(&server.port().to_string(), &holder.port().to_string());
        let run = dump(&url, &store, &["--jobs", "2"]).spawn().unwrap();
        holder.await_held().unwrap();
        server.kill().unwrap();
        holder.release();
        let run = run.wait().unwrap();
        assert_eq!(run.code(), Some(13), "{run:?}");
        assert!(
            run.stderr.contains("connection to the server lost"),
            "{run:?}"
        );
        assert!(tools::files(folder.path()).unwrap().is_empty());
    }
}

#[test]
fn a_reader_whose_session_is_ended_ends_the_dump() {
    for version in Version::NEWEST {
        let server = MySql::start(version).unwrap();
        let db = server.create_db("db").unwrap();
        db.run("create table t (n int primary key, b longblob); insert into t values (1, repeat('x', 3000000))")
            .unwrap();
        db.run("insert into t values (2, repeat('y', 3000000)), (3, repeat('z', 3000000))")
            .unwrap();
        let folder = tempfile::tempdir().unwrap();
        let holder = Holder::before(server.port(), Some(2_000_000)).unwrap();
        let url = server
            .url("db")
            .replace(&server.port().to_string(), &holder.port().to_string());
        let run = dump(&url, &folder.path().join("store"), &["--jobs", "2"])
            .spawn()
            .unwrap();
        holder.await_held().unwrap();
        // The one that is not in the middle of anything.
        let idle = server
            .value("select max(id) from information_schema.processlist where command = 'Sleep'")
            .unwrap();
        server.run(&format!("kill {idle}")).unwrap();
        holder.release();
        let run = run.wait().unwrap();
        assert_eq!(run.code(), Some(13), "{run:?}");
        assert!(tools::files(folder.path()).unwrap().is_empty());
        assert_eq!(server.sessions().unwrap(), 0);
    }
}

#[test]
fn long_rows_are_written_and_listed() {
    let server = MySql::start(Version::MariaDb118).unwrap();
    assert_eq!(server.version().flavour(), Flavour::MariaDb);
    let db = server.create_db("db").unwrap();
    server
        .run("set global max_allowed_packet = 1073741824")
        .unwrap();
    db.run("create table t (n int primary key, b longblob); insert into t values (1, repeat('x', 9000000)), (2, 'y')")
        .unwrap();
    let dumped = Dumped::of(&db.url(), &[]);
    assert_eq!(dumped.run.code(), Some(3), "{:?}", dumped.run);
    let told =
        "table db.t: 1 of its rows are longer as a statement than the default max_allowed_packet";
    assert!(dumped.run.stderr.contains(told), "{:?}", dumped.run);
    let run = server.client(&["-e", "create database copy"], "").unwrap();
    run.success().unwrap();
    let copy = server.db("copy");
    let path = dumped.folder.path().join("all.sql");
    let object = tools::files(dumped.folder.path())
        .unwrap()
        .into_iter()
        .find(|f| f.to_str().unwrap().ends_with(".sql.zst"))
        .unwrap();
    std::fs::write(&path, ksnapshot_tests::tools::open(&object, None).unwrap()).unwrap();
    let text = path.to_str().unwrap();
    let script =
        r#"mysql --defaults-file="$CNF" --max-allowed-packet=1G --binary-mode "$DB" < "$1""#;
    copy.shell(script, &[text.as_ref()])
        .unwrap()
        .success()
        .unwrap();
    compare::same_rows(&db, &copy).unwrap();
}
