//! Definitions: what SHOW CREATE says of every kind is equal before and after, by us and by the stock client; and what a
//! restore does with its target.

use std::fs;

use ksnapshot_tests::mysql::{Flavour, MySql, Options, Version, compare};
use ksnapshot_tests::{Ksnapshot, PASSWORD, Tls, testbed};

use super::kinds::{INVALID, KINDS, kinds};
use super::{Dumped, kinds, problems, stock};

#[test]
fn every_kind_comes_back_by_us() {
    Version::NEWEST.into_iter().for_each(kinds::by_us);
}

#[test]
fn every_kind_comes_back_by_the_stock_client() {
    Version::NEWEST
        .into_iter()
        .for_each(kinds::by_the_stock_client);
}

#[test]
fn the_stock_program_sees_in_our_copy_what_it_sees_in_its_own() {
    Version::NEWEST.into_iter().for_each(stock::same_copies);
}

#[test]
fn one_database_goes_under_any_name() {
    for version in Version::NEWEST {
        let source = kinds(version);
        for view in INVALID {
            source.run(&format!("drop view kinds_a.{view}")).unwrap();
        }
        let dumped = Dumped::of(&source.url("kinds_a"), &[]);
        let missing = dumped.restore(&source.url("other"), &[]).exits(13).unwrap();
        assert!(
            missing.stderr.contains("database other does not exist"),
            "{missing:?}"
        );
        dumped
            .restore(&source.url("other"), &["--create"])
            .exits(0)
            .unwrap();
        let there = dumped
            .restore(&source.url("other"), &["--create"])
            .exits(1)
            .unwrap();
        assert!(there.stderr.contains("database other"), "{there:?}");
        let full = dumped.restore(&source.url("other"), &[]).exits(1).unwrap();
        assert!(full.stderr.contains("not empty"), "{full:?}");
        // Apart from its name it is the same: no view reads the first one's tables.
        let named = |name: &str| {
            let text = compare::definitions(&source, &[name]).unwrap();
            text.replace("kinds_a", "db").replace("other", "db")
        };
        let (first, second) = (named("kinds_a"), named("other"));
        assert_eq!(differ(&first, &second), None);
        let tables = dumped
            .restore(&source.url("other"), &["--table", "watched"])
            .exits(1)
            .unwrap();
        assert!(
            tables.stderr.contains("other.watched exists already"),
            "{tables:?}"
        );
        dumped
            .restore(&source.url("other"), &["--table", "watched", "--clean"])
            .exits(0)
            .unwrap();
        assert_eq!(differ(&named("other"), &second), None);
    }
}

/// The first lines that are not the same.
fn differ<'a>(a: &'a str, b: &'a str) -> Option<(&'a str, &'a str)> {
    a.lines().zip(b.lines()).find(|(a, b)| a != b)
}

#[test]
fn a_drill_leaves_nothing_and_wakes_nothing() {
    for version in Version::NEWEST {
        let source = kinds(version);
        let dumped = Dumped::of(
            &source.url(""),
            &["--globals", "--database", KINDS[0], "--database", KINDS[1]],
        );
        let target = MySql::start(version).unwrap();
        let users = "select count(*) from mysql.user";
        let before = target.value(users).unwrap();
        target
            .run("set global general_log = 1, global log_output = 'TABLE'")
            .unwrap();
        let scratch = ["--level", "restore", "--scratch", &target.url("")];
        dumped.over("verify", &scratch).exits(3).unwrap();
        assert_eq!(target.value(users).unwrap(), before);
        assert_eq!(
            target.query("show databases like 'ksnapshot%'").unwrap(),
            Vec::<Vec<String>>::new()
        );
        let woken =
            "select count(*) from mysql.general_log where argument like 'ALTER%EVENT%ENABLE%'";
        assert_eq!(target.value(woken).unwrap(), "0");
        // One name for several databases would be no copy of them.
        let one = dumped
            .restore(&target.url("one"), &["--create"])
            .exits(2)
            .unwrap();
        assert!(one.stderr.contains("holds 2 databases"), "{one:?}");
    }
}

#[test]
fn blocks_fit_the_packets_of_the_target() {
    for version in Version::NEWEST {
        let server = MySql::start(version).unwrap();
        let source = server.fresh_db("packets").unwrap();
        source
            .run("create table t (id int primary key, b longblob)")
            .unwrap();
        for id in 0..20 {
            source
                .run(&format!(
                    "insert into t values ({id}, repeat(char(200 + {id}), 300000))"
                ))
                .unwrap();
        }
        let dumped = Dumped::of(&source.url(), &[]);
        let copy = server.fresh_db("packets_copy").unwrap();
        server
            .run("set global max_allowed_packet = 1048576")
            .unwrap();
        dumped.restore(&copy.url(), &[]).exits(0).unwrap();
        compare::same_rows(&source, &copy).unwrap();
        server
            .run("set global max_allowed_packet = 262144")
            .unwrap();
        let small = dumped.restore(&copy.url(), &["--clean"]).exits(1).unwrap();
        assert!(
            small.stderr.contains(".t: a row needs a statement of 600"),
            "{small:?}"
        );
        assert!(
            small
                .stderr
                .contains("Set max_allowed_packet on the target"),
            "{small:?}"
        );
    }
}

#[test]
fn rights_that_are_missing_are_told() {
    for version in Version::NEWEST {
        let server = kinds(version);
        server
            .create_user(
                "half",
                &[
                    "select, show view, lock tables on kinds_a.*",
                    "execute on kinds_a.*",
                ],
            )
            .unwrap();
        let dumped = Dumped::of(&server.url_as("half", "kinds_a"), &[]);
        let told = problems(&dumped.run);
        for what in [
            "function kinds_a.doubled",
            "events of database kinds_a",
            "triggers of database kinds_a",
        ] {
            assert!(
                told.iter().any(|line| line.contains(what)),
                "{what}: {told:?}"
            );
        }
        // Who may not write what belongs to others is told so, and the rest is there.
        let copy = server.fresh_db("half_copy").unwrap();
        server
            .create_user("half", &[&format!("all on {}.*", copy.name)])
            .unwrap();
        let source = server.fresh_db("half_source").unwrap();
        source
            .run(
                "create definer = kinds_owner@`%` procedure p() select 1; \
                 create definer = kinds_owner@`%` sql security invoker view v as select 1 as a",
            )
            .unwrap();
        let dumped = Dumped::of(&source.url(), &["--skip-definer"]);
        dumped
            .restore(&server.url_as("half", &copy.name), &[])
            .exits(0)
            .unwrap();
        let owner = format!(
            "select definer from information_schema.routines where routine_schema = '{}'",
            copy.name
        );
        assert_eq!(server.value(&owner).unwrap(), "half@%");
    }
}

#[test]
fn another_family_is_told() {
    let [mysql, mariadb] = Version::NEWEST.map(|v| MySql::start(v).unwrap());
    let source = mysql.fresh_db("family").unwrap();
    source
        .run("create table t (id int primary key, v varchar(9) character set utf8mb4 collate utf8mb4_bin) \
              character set latin1; insert into t values (1, 'ü')")
        .unwrap();
    let dumped = Dumped::of(&source.url(), &[]);
    let copy = mariadb.create_db(&source.name).unwrap();
    // A collation of the one that the other does not have would cost the table.
    let run = dumped.restore(&copy.url(), &[]).exits(3).unwrap();
    assert!(
        problems(&run)
            .iter()
            .any(|line| line.contains("of another family")),
        "{run:?}"
    );
    assert_eq!(copy.query("select v from t").unwrap(), [["ü"]]);
}

#[test]
fn tls_is_as_strict_as_asked() {
    for version in Version::NEWEST {
        let server = MySql::start_with(Options::new(version).tls(Tls::Offered)).unwrap();
        let ca = server.ca().unwrap();
        let dump = |server: &MySql, parameters: &str| {
            let folder = tempfile::tempdir().unwrap();
            super::dump(
                &format!("{}?{parameters}", server.url("mysql_empty")),
                folder.path(),
                &[],
            )
            .run()
            .unwrap()
        };
        server.create_db("mysql_empty").unwrap();
        let trusted = format!("ssl-mode=verify-identity&ssl-ca={}", ca.display());
        for good in [
            "ssl-mode=disabled",
            "ssl-mode=required",
            "ssl-mode=PREFERRED",
            &trusted,
        ] {
            dump(&server, good).exits(0).unwrap();
        }
        let stranger = dump(&server, "ssl-mode=verify-ca").exits(13).unwrap();
        assert!(stranger.stderr.contains("TLS refused"), "{stranger:?}");
        let plain = MySql::start(version).unwrap();
        plain.create_db("mysql_empty").unwrap();
        dump(&plain, "ssl-mode=preferred").exits(0).unwrap();
        let refused = dump(&plain, "ssl-mode=required").exits(13).unwrap();
        assert!(refused.stderr.contains("TLS refused"), "{refused:?}");
        let bad = dump(&plain, "ssl-mode=sometimes").exits(2).unwrap();
        assert!(bad.stderr.contains("verify-identity"), "{bad:?}");
    }
}

#[test]
fn option_files_say_who_we_are() {
    let server = MySql::shared(Version::NEWEST[1]).unwrap();
    assert_eq!(server.version().flavour(), Flavour::MariaDb);
    let db = server.fresh_db("option_file").unwrap();
    let home = tempfile::tempdir().unwrap();
    let file = format!(
        "[client]\nuser = root\npassword = \"{PASSWORD}\" # ours\nport = {}\nhost = 127.0.0.1\n",
        server.port()
    );
    fs::write(home.path().join(".my.cnf"), file).unwrap();
    let dump = |url: &str| {
        Ksnapshot::new([
            "dump",
            url,
            "--to",
            home.path().join("store").to_str().unwrap(),
        ])
        .env("HOME", home.path())
        .run()
        .unwrap()
    };
    dump(&format!("mariadb:///{}", db.name)).exits(0).unwrap();
    let nobody = format!("mariadb://nobody@127.0.0.1:{}/{}", server.port(), db.name);
    dump(&nobody).exits(13).unwrap();
    db.drop().unwrap();
}

#[test]
fn a_key_with_a_backtick_comes_back() {
    for version in Version::NEWEST {
        let server = MySql::shared(version).unwrap();
        let source = server.fresh_db("backtick").unwrap();
        source
            .load(&testbed::sql("mysql/backtick-key.sql"))
            .unwrap();
        let copy = server.fresh_db("backtick_copy").unwrap();
        let dumped = Dumped::of(&source.url(), &[]);
        dumped.restore(&copy.url(), &[]).exits(0).unwrap();
        let keys = |db: &str| {
            let sql = format!(
                "select table_name, column_name, constraint_name, referenced_table_name \
                 from information_schema.key_column_usage where table_schema = '{db}' order by 1, 2, 3"
            );
            server.query(&sql).unwrap()
        };
        assert_eq!(keys(&source.name), keys(&copy.name));
        source.drop().unwrap();
        copy.drop().unwrap();
    }
}
