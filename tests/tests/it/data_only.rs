//! Rows alone, into tables that are there: by psql from the text and by us, from a snapshot of rows alone and from a whole one.

use std::path::Path;

use ksnapshot_tests::tools::{Key, Run};
use ksnapshot_tests::{Db, Ksnapshot, Postgres, Version, compare, testbed};

/// Runs on each version that tests run on, with a source of its own.
fn on_each(check: impl Fn(&Source<'_>)) {
    for version in Version::ALL {
        let server = Postgres::shared(version).unwrap();
        let db = server.fresh_db("rows").unwrap();
        db.psql_file(&testbed::sql("data-only.sql")).unwrap();
        let folder = tempfile::tempdir().unwrap();
        check(&Source {
            db,
            key: Key::generate().unwrap(),
            folder: folder.path(),
        });
    }
}

struct Source<'a> {
    db: Db<'a>,
    key: Key,
    folder: &'a Path,
}

impl Source<'_> {
    /// Dumps into a store of that name.
    fn dump(&self, store: &str, options: &[&str]) {
        let dump = Ksnapshot::new([
            "dump",
            &self.db.url(),
            "--recipient",
            self.key.recipient(),
            "--to",
        ])
        .arg(self.folder.join(store))
        .args(options)
        .password();
        dump.run().unwrap().success().unwrap();
    }

    fn restore(&self, store: &str, into: &Db<'_>, options: &[&str]) -> Run {
        let restore = Ksnapshot::new(["restore", "--into", &into.url(), "--identity"])
            .arg(self.key.identity())
            .arg(self.folder.join(store))
            .args(options)
            .password();
        restore.run().unwrap()
    }

    /// A new database with the source's definitions and no rows, as `pg_dump` brings them.
    fn empty(&self) -> Db<'_> {
        let empty = self.db.server.fresh_db("empty").unwrap();
        let script = "pg_dump -s | psql -Xq -v ON_ERROR_STOP=1 -d \"$1\"";
        let made = self.db.shell(script, &[empty.name.as_ref()]).unwrap();
        made.success().unwrap();
        empty
    }

    /// The text of a snapshot, as a file.
    fn text(&self, store: &str) -> std::path::PathBuf {
        let text = Ksnapshot::new(["cat", "--identity"])
            .arg(self.key.identity())
            .arg(self.folder.join(store));
        let text = text.run().unwrap().success().unwrap().stdout;
        let file = self.folder.join("text.sql");
        std::fs::write(&file, text).unwrap();
        file
    }
}

/// All that there is: definitions in `pg_dump`'s words, rows, sequences, large objects.
fn everything(db: &Db<'_>) -> String {
    let script = "pg_dump | grep -v -e '^\\\\\\(un\\)\\?restrict' | sort";
    db.shell(script, &[]).unwrap().success().unwrap().text()
}

#[test]
fn rows_alone_fill_tables_that_are_there() {
    on_each(|source| {
        source.dump("whole", &[]);
        source.dump("rows", &["--data-only"]);
        for (store, options) in [
            ("rows", &[][..]),
            ("rows", &["--data-only", "--jobs", "4"]),
            ("whole", &["--data-only"]),
        ] {
            let into = source.empty();
            source.restore(store, &into, options).success().unwrap();
            compare::same(&source.db, &into).unwrap();
            // The keys hold, and a materialized view is filled.
            into.psql("insert into shop.goods values (0, '', 0)")
                .unwrap_err();
            assert_ne!(into.psql("select count(*) from shop.summary").unwrap(), "0");
            into.drop().unwrap();
        }
        let into = source.empty();
        into.psql_file(&source.text("rows")).unwrap();
        compare::same(&source.db, &into).unwrap();
        into.drop().unwrap();
        let drill = Ksnapshot::new(["verify", "--level", "restore", "--scratch"])
            .arg(source.db.url())
            .arg("--identity")
            .arg(source.key.identity())
            .arg(source.folder.join("rows"))
            .password();
        drill.run().unwrap().success().unwrap();
    });
}

#[test]
fn rows_are_replaced_when_asked_and_never_unasked() {
    on_each(|source| {
        source.dump("rows", &["--data-only"]);
        let into = source.empty();
        source.restore("rows", &into, &[]).success().unwrap();
        into.psql("update shop.goods set name = 'changed'; delete from shop.returns; select setval('shop.free', 1)")
            .unwrap();
        let changed = everything(&into);
        let run = source.restore("rows", &into, &[]).exits(1).unwrap();
        assert!(run.stderr.contains("holds rows already"), "{run:?}");
        assert!(run.stderr.contains("--clean"), "{run:?}");
        assert_eq!(everything(&into), changed);
        source
            .restore("rows", &into, &["--clean"])
            .success()
            .unwrap();
        compare::same(&source.db, &into).unwrap();
        // One table alone, which the rows of others refer to.
        into.psql("update shop.goods set name = 'changed'").unwrap();
        source
            .restore("rows", &into, &["--clean", "--table", "shop.goods"])
            .success()
            .unwrap();
        compare::same(&source.db, &into).unwrap();
    });
}

#[test]
fn what_fails_leaves_the_target_as_it_was() {
    on_each(|source| {
        source.dump("rows", &["--data-only"]);
        let into = source.empty();
        into.psql("insert into shop.\"Lo'g\" values ('old')")
            .unwrap();
        let before = everything(&into);
        // Goods whose makers are not there.
        let run = source
            .restore("rows", &into, &["--table", "shop.goods"])
            .exits(1)
            .unwrap();
        for told in ["goods_maker", "Nothing was restored"] {
            assert!(run.stderr.contains(told), "{told}: {run:?}");
        }
        assert_eq!(everything(&into), before);
        // Rows that a table of the target does not take, in the middle.
        into.psql("alter table shop.returns add check (id < 400)")
            .unwrap();
        into.psql("truncate shop.\"Lo'g\"").unwrap();
        let before = everything(&into);
        let run = source.restore("rows", &into, &[]).exits(1).unwrap();
        assert!(run.stderr.contains("Nothing was restored"), "{run:?}");
        assert_eq!(everything(&into), before);
        // By psql, which goes on after a failure, either; but for values of sequences, which no transaction takes back.
        let text = source.text("rows");
        let script = "psql -Xq -f \"$1\" 2>&1 >/dev/null || true";
        let run = into.shell(script, &[text.as_os_str()]).unwrap();
        assert!(run.text().contains("returns_id_check"), "{run:?}");
        let but_values = |text: &str| -> Vec<String> {
            let lines = text.lines().filter(|line| !line.contains("setval"));
            lines.map(str::to_owned).collect()
        };
        assert_eq!(but_values(&everything(&into)), but_values(&before));
    });
}

#[test]
fn what_has_no_place_is_told_before_anything_is_written() {
    on_each(|source| {
        source.dump("rows", &["--data-only"]);
        let into = source.empty();
        into.psql("drop table shop.returns").unwrap();
        let before = everything(&into);
        let run = source.restore("rows", &into, &[]).exits(1).unwrap();
        assert!(
            run.stderr
                .contains("table shop.returns: the target does not have it"),
            "{run:?}"
        );
        assert_eq!(everything(&into), before);
        let tables = ["--table", "shop.goods", "--table", "shop.people"];
        source.restore("rows", &into, &tables).success().unwrap();
        assert_eq!(
            into.psql("select count(*) from shop.goods g join shop.people p on p.id = g.maker")
                .unwrap(),
            "1999"
        );
    });
}
