//! Restoring into an empty database of another server.

use std::path::Path;

use anyhow::Result;
use ksnapshot_tests::mysql::{Options, Version};

use crate::claim::Claim;
use crate::race::{Contestant, Field, Plan, Race};

const ZSTD: &str = "ksnapshot, of zstd 3";
const CLIENT: &str = "age, zstd, mariadb";
const BY_HAND: &str = "age, zstd, mariadb, of ksnapshot's object";
const MYLOADER: &str = "myloader -t 2";
const MYLOADER_ROWS: &str = "myloader -t 2, of chunks";

/// Rows, and constraints.
const CHECK: &str = "select (select count(*) from lineitem), (select count(*) from orders), \
    (select count(*) from partsupp), (select count(*) from nation), (select count(*) from \
    information_schema.table_constraints where constraint_schema = 'tpch')";

fn restoring(name: &'static str, script: &'static str) -> Contestant {
    Contestant {
        name,
        script,
        before: r#"mysql --defaults-file="$INTO_CNF" -e 'create database tpch'"#,
        after: r#"mysql --defaults-file="$INTO_CNF" -Ne "$CHECK" tpch | cmp - "$WORK/check"
mysql --defaults-file="$INTO_CNF" -e 'drop database tpch'"#,
    }
}

/// Against the stock client, and against `myloader`.
pub(super) fn on_mariadb_118() -> Race {
    let faster = |ours, than, times| Claim::Faster { ours, than, times };
    Race {
        name: "restore-mariadb-118",
        title: "Restore into MariaDB 11.8",
        about: "TPC-H at scale 1, with all primary keys and nation → region, into an empty database of another server without \
a binary log, from files in a folder. The database is made and dropped outside of the timing. `myloader` reads what \
`mydumper` wrote, which isn't encrypted.",
        field,
        prepare: r#"mysql --defaults-file="$CNF" -Ne "$CHECK" tpch >"$WORK/check"
mysqldump --defaults-file="$CNF" --single-transaction tpch |
zstd -q -3 | age -r "$RECIPIENT" -o "$WORK/tpch.sql.zst.age"
ksnapshot dump "$URL" --to "$WORK/zstd" --recipient "$RECIPIENT" --compression zstd:3
timeout 900 mydumper --defaults-file "$CNF" -B tpch -t 2 -c -o "$WORK/tables"
timeout 900 mydumper --defaults-file "$CNF" -B tpch -t 2 -c -r 250000 -o "$WORK/chunks""#,
        contestants: vec![
            restoring(
                ZSTD,
                r#"ksnapshot restore "$WORK/zstd" --into "$INTO" --identity "$IDENTITY""#,
            ),
            restoring(
                CLIENT,
                r#"age -d -i "$IDENTITY" "$WORK/tpch.sql.zst.age" | zstd -q -d | mysql --defaults-file="$INTO_CNF" tpch"#,
            ),
            restoring(
                BY_HAND,
                r#"age -d -i "$IDENTITY" "$WORK"/zstd/*/*/*/*/*.sql.zst.age | zstd -q -d |
mysql --defaults-file="$INTO_CNF" tpch"#,
            ),
            restoring(
                MYLOADER,
                r#"timeout 1800 myloader --defaults-file "$INTO_CNF" -B tpch -t 2 -o -d "$WORK/tables""#,
            ),
            restoring(
                MYLOADER_ROWS,
                r#"timeout 1800 myloader --defaults-file "$INTO_CNF" -B tpch -t 2 -o -d "$WORK/chunks""#,
            ),
        ],
        claims: vec![
            faster(ZSTD, CLIENT, Some(1.5)),
            faster(ZSTD, BY_HAND, None),
            faster(ZSTD, MYLOADER, Some(1.0)),
            faster(ZSTD, MYLOADER_ROWS, Some(1.0)),
        ],
        rounds: 5,
    }
}

fn field(plan: &Plan, _work: &Path) -> Result<Field> {
    let mut field = super::tpch(Version::MariaDb118, plan)?;
    field.env.push(("CHECK", CHECK.into()));
    let into = Options::new(Version::MariaDb118).without_binlog().start()?;
    let env = [
        ("INTO", into.url("tpch").into()),
        ("INTO_CNF", into.option_file().into()),
    ];
    super::beside(&mut field, into, env);
    Ok(field)
}
