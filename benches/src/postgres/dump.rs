//! Dumping to a folder for one recipient.

use ksnapshot_tests::Version;

use crate::claim::Claim;
use crate::race::{Contestant, Race};

const ZSTD_1: &str = "ksnapshot zstd 1";
const ZSTD_3: &str = "ksnapshot zstd 3";
const GZIP_1: &str = "ksnapshot gzip 1";
const GZIP_6: &str = "ksnapshot gzip 6";
const NONE: &str = "ksnapshot none";

const PIPE_GZIP: &str = "pg_dump, gzip, age";
const PIPE_ZSTD: &str = "pg_dump, zstd -3, age";
const PIPE_ZSTD_T0: &str = "pg_dump, zstd -3 -T0, age";
const FOLDER_NONE: &str = "pg_dump -Fd -j 2, no compression";
const FOLDER_GZIP_1: &str = "pg_dump -Fd -j 2, gzip 1";
const FOLDER_GZIP_6: &str = "pg_dump -Fd -j 2, gzip 6";
const FOLDER_ZSTD_1: &str = "pg_dump -Fd -j 2, zstd 1";
const FOLDER_ZSTD_3: &str = "pg_dump -Fd -j 2, zstd 3";

const COPY: &str = "COPY to nowhere";
const ONLY_ZSTD: &str = "zstd -3 alone";
const ONLY_GZIP: &str = "gzip -6 alone";
const AGE_OF_ZSTD: &str = "age of zstd 3 alone";
const AGE_OF_GZIP: &str = "age of gzip 6 alone";

/// The scripts of ours, by level.
fn ours(name: &'static str) -> Contestant {
    let script = match name {
        ZSTD_1 => {
            r#"ksnapshot dump "$URL" --to "$OUT" --recipient "$RECIPIENT" --compression zstd:1"#
        }
        ZSTD_3 => {
            r#"ksnapshot dump "$URL" --to "$OUT" --recipient "$RECIPIENT" --compression zstd:3"#
        }
        GZIP_1 => {
            r#"ksnapshot dump "$URL" --to "$OUT" --recipient "$RECIPIENT" --compression gzip:1"#
        }
        GZIP_6 => {
            r#"ksnapshot dump "$URL" --to "$OUT" --recipient "$RECIPIENT" --compression gzip:6"#
        }
        _ => r#"ksnapshot dump "$URL" --to "$OUT" --recipient "$RECIPIENT" --compression none"#,
    };
    Contestant::new(name, script)
}

/// Against pipelines, against `pg_dump -Fd` with gzip, and against what can't be avoided.
pub(super) fn on_15() -> Race {
    let contestants = vec![
        ours(ZSTD_3),
        Contestant::new(
            PIPE_ZSTD,
            r#"pg_dump | zstd -q -3 | age -r "$RECIPIENT" -o "$OUT/tpch.sql.zst.age""#,
        ),
        Contestant::new(
            PIPE_ZSTD_T0,
            r#"pg_dump | zstd -q -3 -T0 | age -r "$RECIPIENT" -o "$OUT/tpch.sql.zst.age""#,
        ),
        ours(GZIP_6),
        Contestant::new(
            PIPE_GZIP,
            r#"pg_dump | gzip | age -r "$RECIPIENT" -o "$OUT/tpch.sql.gz.age""#,
        ),
        Contestant::new(FOLDER_GZIP_6, r#"pg_dump -Fd -j 2 -Z 6 -f "$OUT/tpch""#),
        ours(GZIP_1),
        Contestant::new(FOLDER_GZIP_1, r#"pg_dump -Fd -j 2 -Z 1 -f "$OUT/tpch""#),
        ours(NONE),
        Contestant::new(FOLDER_NONE, r#"pg_dump -Fd -j 2 -Z 0 -f "$OUT/tpch""#),
        Contestant::new(
            COPY,
            r"for table in region nation supplier customer part partsupp orders lineitem
do echo '\copy' $table to /dev/null; done | psql -Xq -v ON_ERROR_STOP=1",
        ),
        Contestant::new(
            ONLY_ZSTD,
            r#"zstd -q -3 --single-thread -c "$WORK/tpch.sql" >/dev/null"#,
        ),
        Contestant::new(ONLY_GZIP, r#"gzip -6 -c "$WORK/tpch.sql" >/dev/null"#),
        Contestant::new(
            AGE_OF_ZSTD,
            r#"age -r "$RECIPIENT" <"$WORK/tpch.sql.zst" >/dev/null"#,
        ),
        Contestant::new(
            AGE_OF_GZIP,
            r#"age -r "$RECIPIENT" <"$WORK/tpch.sql.gz" >/dev/null"#,
        ),
    ];
    let faster = |ours, than, times| Claim::Faster { ours, than, times };
    Race {
        name: "dump-15",
        title: "Dump from PostgreSQL 15",
        about: "TPC-H at scale 1, to a folder, encrypted for one recipient; `pg_dump -Fd` doesn't encrypt. The last five are \
what can't be avoided: rows through `psql` to nowhere, one thread of the codec over the same text, and `age` over what \
comes out of it.",
        field: |plan, _work| super::tpch(Version::V15, plan),
        prepare: r#"pg_dump >"$WORK/tpch.sql"
zstd -q -3 "$WORK/tpch.sql" -o "$WORK/tpch.sql.zst"
gzip -6 -c "$WORK/tpch.sql" >"$WORK/tpch.sql.gz""#,
        contestants,
        claims: vec![
            faster(ZSTD_3, PIPE_GZIP, Some(7.0)),
            faster(ZSTD_3, PIPE_ZSTD, Some(1.15)),
            faster(ZSTD_3, PIPE_ZSTD_T0, None),
            faster(GZIP_6, PIPE_GZIP, Some(4.0)),
            faster(GZIP_6, FOLDER_GZIP_6, Some(1.0)),
            faster(GZIP_1, FOLDER_GZIP_1, Some(1.0)),
            faster(NONE, FOLDER_NONE, None),
            Claim::Floor {
                ours: ZSTD_3,
                over: &[COPY, ONLY_ZSTD, AGE_OF_ZSTD],
                times: Some(1.15),
            },
            Claim::Floor {
                ours: GZIP_6,
                over: &[COPY, ONLY_GZIP, AGE_OF_GZIP],
                times: Some(1.15),
            },
        ],
        rounds: 5,
    }
}

/// Against `pg_dump -Fd` with zstd, which that of 15 doesn't have.
pub(super) fn on_18() -> Race {
    let faster = |ours, than, times| Claim::Faster { ours, than, times };
    Race {
        name: "dump-18",
        title: "Dump from PostgreSQL 18",
        about: "TPC-H at scale 1, to a folder, encrypted for one recipient; `pg_dump -Fd` doesn't encrypt.",
        field: |plan, _work| super::tpch(Version::V18, plan),
        // So that all find the database in memory.
        prepare: "pg_dump >/dev/null",
        contestants: vec![
            ours(ZSTD_1),
            Contestant::new(
                FOLDER_ZSTD_1,
                r#"pg_dump -Fd -j 2 --compress=zstd:1 -f "$OUT/tpch""#,
            ),
            ours(ZSTD_3),
            Contestant::new(
                FOLDER_ZSTD_3,
                r#"pg_dump -Fd -j 2 --compress=zstd:3 -f "$OUT/tpch""#,
            ),
            ours(NONE),
            Contestant::new(
                FOLDER_NONE,
                r#"pg_dump -Fd -j 2 --compress=none -f "$OUT/tpch""#,
            ),
        ],
        claims: vec![
            faster(ZSTD_1, FOLDER_ZSTD_1, Some(1.0)),
            faster(ZSTD_3, FOLDER_ZSTD_3, Some(1.0)),
            faster(NONE, FOLDER_NONE, None),
        ],
        rounds: 5,
    }
}
