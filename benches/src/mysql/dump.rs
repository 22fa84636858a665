//! Dumping to a folder for one recipient.

use ksnapshot_tests::mysql::Version;

use crate::claim::Claim;
use crate::race::{Contestant, Race};

const ZSTD_3: &str = "ksnapshot zstd 3";
const GZIP_6: &str = "ksnapshot gzip 6";
const NONE: &str = "ksnapshot none";

const PIPE_GZIP: &str = "mariadb-dump, gzip, age";
const PIPE_ZSTD: &str = "mariadb-dump, zstd -3, age";
const NOWHERE: &str = "mariadb-dump to nowhere";
const MYDUMPER: &str = "mydumper -t 2 -c";
const MYDUMPER_ROWS: &str = "mydumper -t 2 -c -r 250000";

/// Against pipelines, and against `mydumper` with gzip, which is all that it has, by tables and by chunks of tables.
pub(super) fn on_mariadb_118() -> Race {
    let faster = |ours, than, times| Claim::Faster { ours, than, times };
    Race {
        name: "dump-mariadb-118",
        title: "Dump from MariaDB 11.8",
        about: "TPC-H at scale 1, to a folder, encrypted for one recipient; `mydumper` doesn't encrypt.",
        field: |plan, _work| super::tpch(Version::MariaDb118, plan),
        // So that all find the same of the database in memory.
        prepare: r#"mysqldump --defaults-file="$CNF" --single-transaction tpch >/dev/null"#,
        contestants: vec![
            Contestant::new(
                ZSTD_3,
                r#"ksnapshot dump "$URL" --to "$OUT" --recipient "$RECIPIENT" --compression zstd:3"#,
            ),
            Contestant::new(
                PIPE_ZSTD,
                r#"mysqldump --defaults-file="$CNF" --single-transaction tpch |
zstd -q -3 | age -r "$RECIPIENT" -o "$OUT/tpch.sql.zst.age""#,
            ),
            Contestant::new(
                GZIP_6,
                r#"ksnapshot dump "$URL" --to "$OUT" --recipient "$RECIPIENT" --compression gzip:6"#,
            ),
            Contestant::new(
                PIPE_GZIP,
                r#"mysqldump --defaults-file="$CNF" --single-transaction tpch |
gzip | age -r "$RECIPIENT" -o "$OUT/tpch.sql.gz.age""#,
            ),
            // Under a limit: one was seen to wait for itself for good.
            Contestant::new(
                MYDUMPER,
                r#"timeout 900 mydumper --defaults-file "$CNF" -B tpch -t 2 -c -o "$OUT/tpch""#,
            ),
            Contestant::new(
                MYDUMPER_ROWS,
                r#"timeout 900 mydumper --defaults-file "$CNF" -B tpch -t 2 -c -r 250000 -o "$OUT/tpch""#,
            ),
            Contestant::new(
                NONE,
                r#"ksnapshot dump "$URL" --to "$OUT" --recipient "$RECIPIENT" --compression none"#,
            ),
            Contestant::new(
                NOWHERE,
                r#"mysqldump --defaults-file="$CNF" --single-transaction tpch >/dev/null"#,
            ),
        ],
        claims: vec![
            faster(ZSTD_3, PIPE_GZIP, Some(6.0)),
            faster(ZSTD_3, PIPE_ZSTD, Some(1.5)),
            faster(ZSTD_3, MYDUMPER, Some(1.0)),
            faster(ZSTD_3, MYDUMPER_ROWS, Some(1.0)),
            faster(GZIP_6, PIPE_GZIP, None),
            faster(GZIP_6, MYDUMPER_ROWS, None),
            faster(NONE, NOWHERE, None),
        ],
        rounds: 5,
    }
}
