//! A schema of many tables with few rows or none: what a table costs beside its rows.

use std::path::Path;

use anyhow::Result;
use ksnapshot_tests::{Options, Version};

use crate::claim::Claim;
use crate::race::{Contestant, Field, Plan, Race};

const OURS: &str = "ksnapshot";
const PIPE: &str = "pg_dump";
const FOLDER: &str = "pg_dump -Fd -j 2";
const PSQL: &str = "psql";
const PG_RESTORE: &str = "pg_restore -j 2";

/// Against `pg_dump`, which asks for each table's rows.
pub(super) fn dump() -> Race {
    Race {
        name: "dump-10000-tables",
        title: "Dump of 10,000 empty tables from PostgreSQL 15",
        about: "Tables of three columns, without indexes and rows, to a folder, encrypted for one recipient; `pg_dump` doesn't \
encrypt.",
        field,
        prepare: r#"make_tables 'create table t%s (id bigint not null, name text, at timestamptz default now())'
pg_dump >/dev/null"#,
        contestants: vec![
            Contestant::new(
                OURS,
                r#"ksnapshot dump "$URL" --to "$OUT" --recipient "$RECIPIENT""#,
            ),
            Contestant::new(PIPE, r#"pg_dump -f "$OUT/tables.sql""#),
            Contestant::new(FOLDER, r#"pg_dump -Fd -j 2 -f "$OUT/tables""#),
        ],
        claims: vec![faster(PIPE, Some(1.0)), faster(FOLDER, None)],
        rounds: 3,
    }
}

/// Against `pg_restore`, with keys and indexes.
pub(super) fn restore() -> Race {
    restore_of(Restored {
        name: "restore-10000-tables",
        title: "Restore of 10,000 tables with indexes into PostgreSQL 15",
        about: "Tables of three columns, each with a primary key and an index, without rows, into an empty database of the same \
server, from files in a folder. The database is made outside of the timing, after a checkpoint, and stays.",
        prepare: r#"make_tables 'create table t%1$s (id bigint primary key, name text, at timestamptz default now());
    create index on t%1$s (name)'
psql -XAt -c "$CHECK" >"$WORK/check"
pg_dump -f "$WORK/tables.sql"
pg_dump -Fd -j 2 -f "$WORK/folder"
ksnapshot dump "$URL" --to "$WORK/ours" --recipient "$RECIPIENT""#,
    })
}

/// The same with some rows in each table: what it costs to begin and to end.
pub(super) fn restore_small() -> Race {
    restore_of(Restored {
        name: "restore-small-tables",
        title: "Restore of 2,000 small tables into PostgreSQL 15",
        about: "Tables of 200 rows and a primary key, 50 kB each, into an empty database of the same server, from files in a folder. \
The database is made outside of the timing, after a checkpoint, and stays.",
        prepare: r#"TABLES=$((TABLES / 5))
make_tables 'create table t%1$s (id bigint primary key, name text, at timestamptz, note text);
    insert into t%1$s select n, md5(n::text), now() + n * interval $$1 h$$, repeat(md5(n::text), 5)
        from generate_series(1, 200) n'
psql -XAt -c "$CHECK" >"$WORK/check"
pg_dump -f "$WORK/tables.sql"
pg_dump -Fd -j 2 -f "$WORK/folder"
ksnapshot dump "$URL" --to "$WORK/ours" --recipient "$RECIPIENT""#,
    })
}

/// What is restored.
struct Restored {
    name: &'static str,
    title: &'static str,
    about: &'static str,
    prepare: &'static str,
}

/// Who restores it, and what is claimed of that.
fn restore_of(what: Restored) -> Race {
    let restoring = |name, script| Contestant {
        name,
        script,
        before: "psql -Xq -v ON_ERROR_STOP=1 -c 'create database restored template template0' -c checkpoint",
        // Not dropped: the next run would make its 30,000 files where as many were just removed, and ext4 passes over those for
        // seconds, one by one.
        after: r#"psql -XAt -c "$CHECK" restored | cmp - "$WORK/check"
psql -Xq -v ON_ERROR_STOP=1 -c "alter database restored rename to restored_$(date +%s%N)""#,
    };
    Race {
        name: what.name,
        title: what.title,
        about: what.about,
        field,
        prepare: what.prepare,
        contestants: vec![
            restoring(
                OURS,
                r#"ksnapshot restore "$WORK/ours" --into "$SERVER/restored" --identity "$IDENTITY""#,
            ),
            restoring(PG_RESTORE, r#"pg_restore -j 2 -d restored "$WORK/folder""#),
            restoring(
                PSQL,
                r#"psql -Xq -v ON_ERROR_STOP=1 -f "$WORK/tables.sql" restored"#,
            ),
        ],
        claims: vec![faster(PG_RESTORE, Some(1.0)), faster(PSQL, None)],
        rounds: 3,
    }
}

fn faster(than: &'static str, times: Option<f64>) -> Claim {
    Claim::Faster {
        ours: OURS,
        than,
        times,
    }
}

/// Tables, and indexes, and how many of them hold something.
const CHECK: &str = "select relkind, count(*), count(*) filter (where pg_relation_size(oid) > 0) \
                     from pg_class where relname ~ '^t[0-9]+' group by 1 order by 1";

/// `make_tables STATEMENTS`: as many as the race wants, each in a transaction of its own, with its number for `%s`.
const MAKE_TABLES: &str = r#"() {
    psql -Xq -v ON_ERROR_STOP=1 -v statements="$1" -v tables="$TABLES" <<'SQL' >/dev/null
select format(:'statements', n) from generate_series(1, :tables) n
\gexec
SQL
}"#;

/// An empty server with a database `tables`, and what fills it.
fn field(plan: &Plan, _work: &Path) -> Result<Field> {
    let server = Options::new(Version::V15).start()?;
    server.create_db("tables")?;
    let url = server.url("tables");
    let mut field = super::field(server)?;
    field.env.extend([
        ("PGDATABASE", "tables".into()),
        ("URL", url.into()),
        ("TABLES", plan.scale("10000", "300").into()),
        ("CHECK", CHECK.into()),
        // A function of bash, as it hands them to its children.
        ("BASH_FUNC_make_tables%%", MAKE_TABLES.into()),
    ]);
    Ok(field)
}
