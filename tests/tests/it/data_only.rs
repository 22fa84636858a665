//! Rows alone, into tables that are there: by psql from the text and by us, from a snapshot of rows alone and from a whole one.

use ksnapshot_tests::{Db, compare};

use super::part::{self, Source};

fn on_each(check: impl Fn(&Source<'_>)) {
    part::on_each("data-only.sql", check);
}

fn dump(source: &Source<'_>, store: &str, options: &[&str]) {
    source.dump(store, options).success().unwrap();
}

/// A new database with the source's definitions and no rows, as `pg_dump` brings them.
fn empty<'s>(source: &'s Source<'_>) -> Db<'s> {
    let empty = source.db.server.fresh_db("empty").unwrap();
    let script = "pg_dump -s | psql -Xq -v ON_ERROR_STOP=1 -d \"$1\"";
    let made = source.db.shell(script, &[empty.name.as_ref()]).unwrap();
    made.success().unwrap();
    empty
}

/// All that there is: definitions in `pg_dump`'s words, rows, sequences, large objects.
fn everything(db: &Db<'_>) -> String {
    let script = "pg_dump | grep -v -e '^\\\\\\(un\\)\\?restrict' | sort";
    db.shell(script, &[]).unwrap().success().unwrap().text()
}

#[test]
fn rows_alone_fill_tables_that_are_there() {
    on_each(|source| {
        dump(source, "whole", &[]);
        dump(source, "rows", &["--data-only"]);
        for (store, options) in [
            ("rows", &[][..]),
            ("rows", &["--data-only", "--jobs", "4"]),
            ("whole", &["--data-only"]),
        ] {
            let into = empty(source);
            source.restore(store, &into, options).success().unwrap();
            compare::same(&source.db, &into).unwrap();
            // The keys hold, and a materialized view is filled.
            into.psql("insert into shop.goods values (0, '', 0)")
                .unwrap_err();
            assert_ne!(into.psql("select count(*) from shop.summary").unwrap(), "0");
            into.drop().unwrap();
        }
        let into = empty(source);
        into.psql_file(&source.text("rows")).unwrap();
        compare::same(&source.db, &into).unwrap();
        into.drop().unwrap();
        let drill = ["--level", "restore", "--scratch", &source.db.url()];
        source.read("verify", "rows", &drill).success().unwrap();
    });
}

#[test]
fn rows_are_replaced_when_asked_and_never_unasked() {
    on_each(|source| {
        dump(source, "rows", &["--data-only"]);
        let into = empty(source);
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
        dump(source, "rows", &["--data-only"]);
        let into = empty(source);
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
        dump(source, "rows", &["--data-only"]);
        let into = empty(source);
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
