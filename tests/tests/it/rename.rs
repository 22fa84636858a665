//! What is restored under another name: beside its old self, as `pg_dump` sees both, or when everything is there.

use ksnapshot_tests::Db;
use ksnapshot_tests::tools::Run;

use super::part::{self, Source};

const STORE: &str = "store";

/// With a snapshot of each source.
fn on_each(check: impl Fn(&Source<'_>)) {
    part::on_each("rename.sql", |source| {
        source.dump(STORE, &[]).success().unwrap();
        check(source);
    });
}

fn restore(source: &Source<'_>, into: &Db<'_>, options: &[&str]) -> Run {
    source.restore(STORE, into, options)
}

/// What `pg_dump` with these options says, line by line, with one text in another's place.
fn said(db: &Db<'_>, options: &str, old: &str, new: &str) -> Vec<String> {
    let script = format!("pg_dump {options}");
    let text = db.shell(&script, &[]).unwrap().success().unwrap().text();
    let text = text.replace(old, new);
    let lines = text
        .lines()
        .filter(|line| !line.starts_with("\\restrict") && !line.starts_with("\\unrestrict"));
    let mut lines: Vec<String> = lines.map(str::to_owned).collect();
    lines.sort();
    lines
}

/// Lines that only one of both has.
#[track_caller]
fn same(one: &[String], other: &[String]) {
    let only = |a: &[String], b: &[String]| -> Vec<String> {
        a.iter().filter(|line| !b.contains(line)).cloned().collect()
    };
    assert_eq!(only(one, other), only(other, one));
    assert_eq!(one.len(), other.len());
}

#[test]
fn a_table_stands_beside_its_old_self() {
    on_each(|source| {
        let db = &source.db;
        let before = said(db, "-t shop.likes", "", "");
        let options = ["--table", "shop.likes", "--rename", "shop.likes=shop.loved"];
        restore(source, db, &options).success().unwrap();
        same(&before, &said(db, "-t shop.likes", "", ""));
        let renamed = said(db, "-t shop.loved", "likes", "loved");
        same(&said(db, "-t shop.likes", "likes", "loved"), &renamed);
        // Its sequence is its own, and what it holds and says is what it was.
        assert_eq!(
            db.psql(
                "select pg_get_serial_sequence('shop.loved', 'id'), nextval('shop.loved_id_seq'); \
                 select count(*) from shop.loved where name like 'shop.likes %'; \
                 select obj_description('shop.loved'::regclass)"
            )
            .unwrap(),
            "shop.loved_id_seq|101\n100\nshop.likes, as it says"
        );
        // Once more is refused, and replaces it when asked.
        let run = restore(source, db, &options).exits(1).unwrap();
        assert!(run.stderr.contains("shop.loved exists already"), "{run:?}");
        db.psql("truncate shop.loved").unwrap();
        let clean = [&options[..], &["--clean"]].concat();
        restore(source, db, &clean).success().unwrap();
        same(&renamed, &said(db, "-t shop.loved", "likes", "loved"));
        // Rows alone.
        db.psql("truncate shop.loved; insert into shop.loved (name) values ('new')")
            .unwrap();
        let rows = [&clean[..], &["--data-only"]].concat();
        restore(source, db, &rows).success().unwrap();
        same(&renamed, &said(db, "-t shop.loved", "likes", "loved"));
        same(&before, &said(db, "-t shop.likes", "", ""));
    });
}

#[test]
fn partitions_go_with_their_table_and_tables_with_their_schema() {
    on_each(|source| {
        let db = &source.db;
        let before = said(db, "", "", "");
        let options = [
            "--table",
            "shop.\"Ev.ents\"",
            "--rename",
            "shop.\"Ev.ents\"=archive.\"Ev.ents\"",
        ];
        restore(source, db, &options).success().unwrap();
        let tables = "-t 'shop.\"Ev.ents\"*'";
        let moved = said(db, &tables.replace("shop", "archive"), "archive", "shop");
        same(&said(db, tables, "", ""), &moved);
        db.psql("drop schema archive cascade").unwrap();
        same(&before, &said(db, "", "", ""));

        let options = [
            "--table",
            "shop.\"Ev.ents\"",
            "--rename",
            "shop.\"Ev.ents\"=shop.\"Old\"",
        ];
        restore(source, db, &options).success().unwrap();
        assert_eq!(
            db.psql("select count(*) from shop.\"Old 2026\"").unwrap(),
            "30"
        );
        db.psql("drop table shop.\"Old\"").unwrap();
        same(&before, &said(db, "", "", ""));

        let options = ["--table", "shop.*", "--rename", "shop=archive"];
        restore(source, db, &options).success().unwrap();
        let count = "select count(*) from archive.seen";
        assert_eq!(
            db.psql(count).unwrap(),
            db.psql(&count.replace("archive", "shop")).unwrap()
        );
        db.psql("drop table archive.\"Li'kes 2\"; drop schema archive cascade")
            .unwrap();
        same(&before, &said(db, "", "", ""));
    });
}

#[test]
fn everything_is_renamed_at_its_end() {
    on_each(|source| {
        let into = source.db.server.fresh_db("renamed").unwrap();
        restore(source, &into, &["--rename", "shop=\"Archive 1\""])
            .success()
            .unwrap();
        let unquoted = |line: &String| line.replace('"', "").replace("Archive 1", "shop");
        let lines = |db: &Db<'_>| {
            let mut lines: Vec<String> = said(db, "", "", "").iter().map(unquoted).collect();
            lines.sort();
            lines
        };
        same(&lines(&source.db), &lines(&into));
        into.drop().unwrap();

        let into = source.db.server.fresh_db("renamed").unwrap();
        let options = [
            "--rename",
            "shop.likes=elsewhere.loves",
            "--rename",
            "shop=store",
        ];
        restore(source, &into, &options).success().unwrap();
        assert_eq!(
            into.psql("select count(*) from elsewhere.loves; select count(*) from store.seen")
                .unwrap(),
            "100\n60"
        );
    });
}

#[test]
fn names_that_are_missing_or_taken_are_told_before_anything_is_written() {
    on_each(|source| {
        let into = source.db.server.fresh_db("renamed").unwrap();
        let before = said(&into, "", "", "");
        for (options, exit, told) in [
            (
                &["--rename", "shop.nothing=shop.x"][..],
                2,
                "table shop.nothing is not among what is restored",
            ),
            (
                &["--rename", "nothing=x"],
                2,
                "schema nothing is not among what is restored",
            ),
            (
                &["--rename", "shop.likes=shop.seen"],
                2,
                "the snapshot has a table shop.seen itself",
            ),
            (
                &["--rename", "shop=pg_catalog"],
                1,
                "schema pg_catalog exists already",
            ),
            (
                &["--rename", "shop.likes=x"],
                2,
                "neither two schemas nor two tables",
            ),
            (
                &["--rename", "shop=x", "--rejected", "x"],
                2,
                "takes no --rejected",
            ),
            (
                &[
                    "--table",
                    "shop.likes",
                    "--rename",
                    "shop.\"Ev.ents\"=shop.x",
                ],
                2,
                "table shop.Ev.ents is not among",
            ),
        ] {
            let run = restore(source, &into, options).exits(exit).unwrap();
            assert!(run.stderr.contains(told), "{told}: {run:?}");
            same(&before, &said(&into, "", "", ""));
        }
    });
}
