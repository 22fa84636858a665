//! What all databases of a server share: `pg_dumpall --globals-only` says the same of the source's copies by stock tools and by us.

use ksnapshot_tests::tools::{self, Key};
use ksnapshot_tests::{Ksnapshot, Options, Postgres, Version, testbed};

fn server(version: Version) -> Postgres {
    // Tablespaces within the data folder: several servers share a root. Stock tools of 15 take their place for one outside.
    let options = Options::new(version).set("allow_in_place_tablespaces", "on");
    options.start().unwrap()
}

/// As `pg_dumpall` has it; that of 15 names a place for a tablespace within the data folder, which has none.
fn globals(server: &Postgres) -> String {
    let text = server.globals().unwrap();
    let place = text.find("pg_tblspc/").map(|at| {
        let end = text[at..].find('\'').map_or(text.len(), |end| at + end);
        text[at..end].to_owned()
    });
    text.replace(&place.unwrap_or_else(|| "no place".to_owned()), "")
}

#[test]
fn globals_come_back_as_pg_dumpall_knows_them() {
    for version in Version::ALL {
        let [source, twin, ours, by_hand] = [(); 4].map(|()| server(version));
        let db = source.create_db("shop").unwrap();
        db.psql_file(&testbed::sql("globals.sql")).unwrap();

        // The stock way: what is there already fails, and is as it is.
        let text = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(text.path(), globals(&source)).unwrap();
        let script = "psql -Xq -f \"$1\" >/dev/null 2>&1";
        let stock = twin.db("postgres");
        stock
            .shell(script, &[text.path().as_os_str()])
            .unwrap()
            .success()
            .unwrap();
        let expected = globals(&twin);
        assert_eq!(expected, globals(&source), "the stock way keeps all of it");

        let folder = tempfile::tempdir().unwrap();
        let (store, key) = (folder.path().join("store"), Key::generate().unwrap());
        let dump = Ksnapshot::new([
            "dump",
            &db.url(),
            "--globals",
            "--recipient",
            key.recipient(),
            "--to",
        ]);
        dump.arg(&store)
            .password()
            .run()
            .unwrap()
            .success()
            .unwrap();
        let files = tools::files(&store).unwrap();
        let ends = |end: &str| {
            files
                .iter()
                .find(|f| f.to_str().unwrap().ends_with(end))
                .cloned()
        };

        let restore = Ksnapshot::new([
            "restore",
            "--into",
            &ours.url("shop"),
            "--create",
            "--identity",
        ]);
        let restore = restore.arg(key.identity()).arg(&store).password();
        restore.run().unwrap().success().unwrap();
        assert_eq!(globals(&ours), expected);

        let object = files
            .iter()
            .find(|f| f.to_str().unwrap().contains("-shop-globals-"))
            .unwrap();
        tools::restore_by_hand(object, Some(&key), &by_hand.db("postgres")).unwrap();
        assert_eq!(globals(&by_hand), expected);
        // Once more: what is there stays.
        by_hand.psql("postgres", "alter role plain login").unwrap();
        let text = tools::open(object, Some(&key)).unwrap();
        let text = String::from_utf8(text).unwrap();
        let again = folder.path().join("again.sql");
        let tablespaces = |line: &&str| !line.starts_with("CREATE TABLESPACE");
        std::fs::write(
            &again,
            text.lines()
                .filter(tablespaces)
                .collect::<Vec<_>>()
                .join("\n"),
        )
        .unwrap();
        by_hand.psql_file("postgres", &again).unwrap();
        let login = by_hand.psql(
            "postgres",
            "select rolcanlogin from pg_roles where rolname = 'plain'",
        );
        assert_eq!(login.unwrap(), "t");
        assert!(ends(".manifest.json").is_some(), "{files:?}");
    }
}

/// A drill proves a snapshot on somebody's server, which has roles of its own.
#[test]
fn a_drill_makes_no_roles() {
    let [source, scratch] = [(); 2].map(|()| server(Version::V18));
    let db = source.create_db("shop").unwrap();
    db.psql("create role drilled; create table t as select 1 as n")
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let dump = Ksnapshot::new(["dump", &db.url(), "--globals", "--to"])
        .arg(folder.path())
        .password();
    dump.run().unwrap().success().unwrap();
    let drill = Ksnapshot::new([
        "verify",
        "--level",
        "restore",
        "--scratch",
        &scratch.url("postgres"),
    ]);
    drill
        .arg(folder.path())
        .password()
        .run()
        .unwrap()
        .success()
        .unwrap();
    let count = "select count(*) from pg_roles where rolname = 'drilled'";
    assert_eq!(scratch.psql("postgres", count).unwrap(), "0");
}

/// Hashes of passwords are the superuser's to read; all else is there.
#[test]
fn what_a_role_may_not_read_is_told() {
    let source = server(Version::V18);
    source.role("reader").unwrap();
    let db = source.create_db("shop").unwrap();
    db.psql("create table t as select 1 as n; grant select on t to reader")
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let dump = Ksnapshot::new([
        "dump",
        &source.url_as("reader", "shop"),
        "--globals",
        "--to",
    ]);
    let run = dump
        .arg(folder.path())
        .password()
        .run()
        .unwrap()
        .exits(3)
        .unwrap();
    assert!(
        run.stderr
            .contains("problem: roles: no right to read their passwords"),
        "{run:?}"
    );
    assert_eq!(run.stderr.matches("problem: ").count(), 1, "{run:?}");
    let text = Ksnapshot::new(["cat"])
        .arg(folder.path())
        .run()
        .unwrap()
        .success()
        .unwrap()
        .text();
    assert!(text.contains("CREATE ROLE reader WITH LOGIN"), "{text}");
    assert!(!text.contains("SCRAM"), "{text}");
}
