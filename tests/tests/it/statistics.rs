//! Statistics of the planner: `dump --statistics`, against what `pg_dump --statistics` of 18 makes of the same.

use ksnapshot_tests::{Db, Ksnapshot, Postgres, Version, compare, tools};

use super::part::{self, Source};

const STORE: &str = "store";

fn on_each(check: impl Fn(&Source<'_>)) {
    part::on_each("statistics.sql", check);
}

/// What is known in a database, but for the version that says it.
fn known(db: &Db<'_>) -> String {
    let text = tools::pg_dump_statistics(db).unwrap();
    let lines = text.lines().filter(|line| !line.contains("'version', "));
    lines.map(|line| format!("{line}\n")).collect()
}

/// What `pg_dump --statistics | psql` makes of it in a database of that server.
fn twin<'a>(source: &Source<'_>, server: &'a Postgres) -> Db<'a> {
    let twin = server.fresh_db("twin").unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    let text = tools::pg_dump_with_statistics(&source.db).unwrap();
    std::fs::write(file.path(), text).unwrap();
    twin.psql_file(file.path()).unwrap();
    twin
}

/// The names of tables of which something is known of a column.
fn gathered(db: &Db<'_>) -> String {
    db.psql(
        "select string_agg(relname, ' ' order by relname) from pg_class where relkind in ('r', 'm') \
         and exists (select from pg_stats where schemaname = 'shop' and tablename = relname and not inherited)",
    )
    .unwrap()
}

#[test]
fn what_is_known_comes_back_as_pg_dump_brings_it() {
    let newest = Postgres::shared(Version::V18).unwrap();
    on_each(|source| {
        source.db.psql("drop table shop.fresh").unwrap();
        source.dump(STORE, &["--statistics"]).success().unwrap();
        let expected = known(&twin(source, newest));
        assert!(
            expected.contains("pg_restore_attribute_stats"),
            "{expected}"
        );

        let native = newest.fresh_db("native").unwrap();
        source.restore(STORE, &native, &[]).success().unwrap();
        compare::texts("native", &expected, &known(&native)).unwrap();

        let by_psql = newest.fresh_db("by_psql").unwrap();
        by_psql.psql_file(&source.text(STORE)).unwrap();
        compare::texts("psql", &expected, &known(&by_psql)).unwrap();

        // With rows alone the text brings it, too; a restore gathers, since it can't know what else is there.
        let options = ["--data-only", "--statistics"];
        source.dump("rows", &options).success().unwrap();
        let filled = newest.fresh_db("filled").unwrap();
        source
            .dump("definitions", &["--no-data"])
            .success()
            .unwrap();
        filled.psql_file(&source.text("definitions")).unwrap();
        filled.psql_file(&source.text("rows")).unwrap();
        compare::texts("rows", &expected, &known(&filled)).unwrap();
        source
            .restore("rows", &filled, &["--clean"])
            .success()
            .unwrap();
        assert_eq!(
            gathered(&filled),
            "events_1 events_2 it's $ksnapshot$ old older prices"
        );

        // One table brings its own.
        let one = newest.fresh_db("one").unwrap();
        let options = ["--table", "shop.old"];
        source.restore(STORE, &one, &options).success().unwrap();
        let of_one = "select attname, most_common_freqs, histogram_bounds from pg_stats where tablename = 'old'";
        assert_eq!(one.psql(of_one).unwrap(), source.db.psql(of_one).unwrap());
    });
}

#[test]
fn what_is_not_known_is_gathered() {
    let newest = Postgres::shared(Version::V18).unwrap();
    on_each(|source| {
        let db = &source.db;
        db.psql("create statistics shop.both on id, kind from shop.events_2")
            .unwrap();
        source.dump(STORE, &["--statistics"]).success().unwrap();
        let native = newest.fresh_db("native").unwrap();
        source.restore(STORE, &native, &[]).success().unwrap();
        assert_eq!(
            gathered(&native),
            "events_1 events_2 fresh it's $ksnapshot$ old older prices"
        );
        // Extended ones nothing but gathering brings.
        let extended = "select count(*) from pg_stats_ext where statistics_name = 'both' and n_distinct is not null";
        assert_eq!(native.psql(extended).unwrap(), "1");

        // An older server has no way to be told; psql reads past it, and we gather.
        let same = db.server.fresh_db("same").unwrap();
        source.restore(STORE, &same, &[]).success().unwrap();
        assert_eq!(gathered(&same), gathered(&native));
        let by_psql = db.server.fresh_db("by_psql").unwrap();
        by_psql.psql_file(&source.text(STORE)).unwrap();

        // Under another name, too.
        let options = ["--table", "shop.old", "--rename", "shop.old=shop.past"];
        source.restore(STORE, &native, &options).success().unwrap();
        assert_eq!(
            gathered(&native),
            "events_1 events_2 fresh it's $ksnapshot$ old older past prices"
        );
    });
}

#[test]
fn what_has_no_encoding_is_told_of() {
    let server = Postgres::shared(Version::V18).unwrap();
    let options = "encoding 'SQL_ASCII' locale 'C' template template0";
    server
        .psql("postgres", &format!("create database bytes {options}"))
        .unwrap();
    let db = server.db("bytes");
    db.psql("create table t as select n % 3 as a from generate_series(1, 100) n; analyze t")
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let dump = Ksnapshot::new(["dump", &db.url(), "--statistics", "--to"]).arg(folder.path());
    let run = dump.password().run().unwrap().exits(3).unwrap();
    let told = "those of a database in SQL_ASCII are not dumped; a restore gathers them";
    assert_eq!(run.problems(), [("planner statistics", told)]);
}
