//! A dump of a part of a PostgreSQL database restores by itself, and holds what `pg_dump` with the same filters does.

use ksnapshot_tests::tools::Run;
use ksnapshot_tests::{Db, compare};

use super::part::{self, Source};

const STORE: &str = "store";

fn on_each(check: impl Fn(&Source<'_>)) {
    part::on_each("filters.sql", check);
}

/// Dumps in place of the last dump.
fn dump(source: &Source<'_>, filters: &[&str]) -> Run {
    let _ = std::fs::remove_dir_all(source.store(STORE));
    source.dump(STORE, filters)
}

/// Restores the last dump into a new database, by us and by psql from its text, and gives the first.
fn restored<'s>(source: &'s Source<'_>) -> Db<'s> {
    let ours = source.db.server.fresh_db("filtered").unwrap();
    source.restore(STORE, &ours, &[]).success().unwrap();
    let stock = source.db.server.fresh_db("filtered").unwrap();
    stock.psql_file(&source.text(STORE)).unwrap();
    compare::same(&ours, &stock).unwrap();
    stock.drop().unwrap();
    ours
}

/// What `pg_dump` with these filters leaves in a new database; what can't be restored, it leaves out.
fn pg_dumped<'s>(source: &'s Source<'_>, filters: &str) -> Db<'s> {
    let twin = source.db.server.fresh_db("twin").unwrap();
    let script = format!("pg_dump {filters} | psql -Xq -d \"$1\" 2>/dev/null >/dev/null");
    let made = source.db.shell(&script, &[twin.name.as_ref()]).unwrap();
    made.success().unwrap();
    twin
}

/// The objects of problems in what a dump said.
fn told(run: &Run) -> Vec<&str> {
    let mut told: Vec<_> = run
        .problems()
        .into_iter()
        .map(|(object, _)| object)
        .collect();
    told.sort_unstable();
    told
}

#[test]
fn schemas_are_chosen_and_left_out_as_by_pg_dump() {
    on_each(|source| {
        for (filters, theirs) in [
            (&["--schema", "sales"][..], "-n sales"),
            (&["--exclude-schema", "audit"], "-N audit"),
            (&["--exclude-table", "audit.*"], "-T audit.*"),
        ] {
            dump(source, filters).success().unwrap();
            let (ours, twin) = (restored(source), pg_dumped(source, theirs));
            compare::same(&twin, &ours).unwrap();
            twin.drop().unwrap();
            ours.drop().unwrap();
        }
    });
}

#[test]
fn definitions_alone_are_those_of_pg_dump() {
    on_each(|source| {
        dump(source, &["--no-data"]).success().unwrap();
        let (ours, twin) = (restored(source), pg_dumped(source, "-s"));
        compare::same(&twin, &ours).unwrap();
        dump(
            source,
            &[
                "--exclude-table-data",
                "sales.orders",
                "--exclude-table-data",
                "audit.events_2025",
            ],
        )
        .success()
        .unwrap();
        let (ours, twin) = (
            restored(source),
            pg_dumped(
                source,
                "--exclude-table-data=sales.orders --exclude-table-data=audit.events_2025",
            ),
        );
        compare::same(&twin, &ours).unwrap();
        assert_eq!(ours.psql("select count(*) from sales.orders").unwrap(), "0");
    });
}

#[test]
fn owners_and_grants_are_left_out_as_by_pg_dump() {
    on_each(|source| {
        source
            .db
            .psql(
                "alter table sales.orders owner to pg_monitor; \
                 grant select on audit.events to pg_monitor; revoke all on sales.customers from current_user",
            )
            .unwrap();
        for (options, theirs) in [
            (&["--no-owner"][..], "-O"),
            (&["--no-privileges"], "-x"),
            (&["--no-owner", "--no-privileges", "--no-data"], "-O -x -s"),
        ] {
            dump(source, options).success().unwrap();
            let (ours, twin) = (restored(source), pg_dumped(source, theirs));
            compare::same(&twin, &ours).unwrap();
            twin.drop().unwrap();
            ours.drop().unwrap();
        }
    });
}

/// Rows of another server, which has them back by the restore.
#[test]
fn foreign_rows_come_when_asked_for() {
    on_each(|source| {
        let far = source.db.server.fresh_db("far").unwrap();
        far.psql("create table far (id int, \"a b\" text); insert into far select i, repeat('x', i) from generate_series(1, 3000) i")
            .unwrap();
        let connect = format!(
            "create extension postgres_fdw; create schema elsewhere;
             create server far foreign data wrapper postgres_fdw options (host '127.0.0.1', port '{}', dbname '{}');
             create server other foreign data wrapper postgres_fdw options (host '127.0.0.1', port '1', dbname 'nowhere');
             create user mapping for public server far options (user 'postgres', password '{}');
             create foreign table elsewhere.far (id int, \"a b\" text) server far options (schema_name 'public');
             create foreign table elsewhere.unreachable (id int) server other",
            source.db.server.port(), far.name, ksnapshot_tests::PASSWORD,
        );
        source.db.psql(&connect).unwrap();
        let count = "select count(*), sum(length(\"a b\")) from far";
        let all = far.psql(count).unwrap();
        // Without being asked for, no server is asked.
        dump(source, &[]).success().unwrap();
        dump(source, &["--include-foreign-data", "f*"])
            .success()
            .unwrap();
        far.psql("truncate far").unwrap();
        let ours = source.db.server.fresh_db("foreign").unwrap();
        source.restore(STORE, &ours, &[]).success().unwrap();
        assert_eq!(far.psql(count).unwrap(), all);
        let run = dump(source, &["--include-foreign-data", "nothing"])
            .exits(2)
            .unwrap();
        assert!(
            run.stderr
                .contains("foreign server nothing: not in the database"),
            "{run:?}"
        );
    });
}

#[test]
fn a_table_comes_with_what_it_needs_and_restores_by_itself() {
    on_each(|source| {
        let run = dump(
            source,
            &["--table", "sales.orders", "--table", "audit.events"],
        )
        .exits(3)
        .unwrap();
        assert_eq!(
            told(&run),
            ["foreign key sales.orders_customer_fkey"],
            "{run:?}"
        );
        let ours = restored(source);
        // All but the foreign key is what the source has.
        let schema = |db: &Db<'_>| {
            let script = "pg_dump -s -t sales.orders -t 'audit.events*' | grep -v -e '^\\\\\\(un\\)\\?restrict'";
            db.shell(script, &[]).unwrap().success().unwrap().text()
        };
        let key = "alter table sales.orders drop constraint orders_customer_fkey";
        source.db.psql(key).unwrap();
        assert_eq!(schema(&source.db), schema(&ours));
        for table in ["sales.orders", "audit.events"] {
            let rows = format!("select count(*), sum(hashtext(t::text)) from {table} t");
            assert_eq!(
                source.db.psql(&rows).unwrap(),
                ours.psql(&rows).unwrap(),
                "{table}"
            );
        }
        let there = ours.psql(
            "select string_agg(c.oid::regclass::text, ' ' order by 1) from pg_class c \
             where relkind in ('r', 'p', 'v', 'm') and relnamespace::regnamespace::text in ('sales', 'audit', 'public')",
        );
        assert_eq!(
            there.unwrap(),
            "audit.events audit.events_2025 audit.events_2026 sales.orders"
        );
        assert_eq!(
            ours.psql("select count(*) from pg_largeobject_metadata")
                .unwrap(),
            "0"
        );
    });
}

#[test]
fn what_needs_a_table_that_is_left_out_is_told() {
    on_each(|source| {
        let run = dump(source, &["--exclude-table", "customers"])
            .exits(3)
            .unwrap();
        assert_eq!(
            told(&run),
            [
                "foreign key sales.orders_customer_fkey",
                "function audit.names()",
                "view audit.summary"
            ],
            "{run:?}"
        );
        let ours = restored(source);
        let published = "select string_agg(schemaname || '.' || tablename, ' ' order by 1) from pg_publication_tables \
                         where tablename not like '%2%'";
        let tables = source.db.psql(published).unwrap();
        assert_eq!(
            ours.psql(published).unwrap(),
            tables.replace("sales.customers ", ""),
            "{tables}"
        );
        assert_eq!(ours.psql("select count(*) from audit.totals").unwrap(), "2");
    });
}

#[test]
fn a_partition_and_a_child_stand_alone() {
    on_each(|source| {
        let run = dump(
            source,
            &["--table", "audit.events_2026", "--table", "child"],
        )
        .exits(3)
        .unwrap();
        assert_eq!(
            told(&run),
            ["table audit.child", "table audit.events_2026"],
            "{run:?}"
        );
        let ours = restored(source);
        let count = "select count(*) from audit.events_2026";
        assert_eq!(ours.psql(count).unwrap(), source.db.psql(count).unwrap());
        assert_eq!(
            ours.psql("select count(*), min(note) from audit.child")
                .unwrap(),
            "10|child"
        );
        let key = "select count(*) from pg_constraint where conrelid = 'audit.events_2026'::regclass and contype = 'p'";
        assert_eq!(ours.psql(key).unwrap(), "1");
    });
}

/// Of a snapshot of everything, too, a table comes with what belongs to it.
#[test]
fn a_table_is_restored_with_what_belongs_to_it() {
    on_each(|source| {
        dump(source, &[]).success().unwrap();
        let ours = source.db.server.fresh_db("table").unwrap();
        source.restore(STORE, &ours, &["--table", "sales.orders"]);
        for belongs in [
            "select indexname, indexdef from pg_indexes where schemaname = 'sales' and tablename = 'orders' order by 1",
            "select stxname, stxkind from pg_statistic_ext where stxrelid = 'sales.orders'::regclass order by 1",
            "select conname, contype from pg_constraint where conrelid = 'sales.orders'::regclass and contype <> 'f' order by 1",
            "select count(*), md5(string_agg(o::text, ' ' order by o::text)) from sales.orders o",
        ] {
            let expected = source.db.psql(belongs).unwrap();
            assert!(!expected.is_empty(), "{belongs}");
            assert_eq!(ours.psql(belongs).unwrap(), expected, "{belongs}");
        }
        ours.drop().unwrap();
    });
}

#[test]
fn what_means_nothing_is_refused_before_anything_is_written() {
    on_each(|source| {
        for (filters, what) in [
            (
                &["--table", "sales.nothing"][..],
                "table sales.nothing: not in the database",
            ),
            (
                &["--schema", "nothing"],
                "schema nothing: not in the database",
            ),
            (
                &["--where", "id > 3"],
                "a dump of PostgreSQL takes no --where",
            ),
            (
                &["--database", "other"],
                "a dump of PostgreSQL takes no --database",
            ),
        ] {
            let run = dump(source, filters).exits(2).unwrap();
            assert!(run.stderr.contains(what), "{run:?}");
            assert!(!source.store(STORE).exists(), "{run:?}");
        }
    });
}
