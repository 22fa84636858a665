//! Restoring into an empty database.

use ksnapshot_tests::Version;

use crate::claim::Claim;
use crate::race::{Contestant, Race};

const ZSTD: &str = "ksnapshot, of zstd 3";
const GZIP: &str = "ksnapshot, of gzip 6";
const PSQL_ZSTD: &str = "age, zstd, psql";
const PSQL_GZIP: &str = "age, gunzip, psql";
const BY_HAND: &str = "age, zstd, psql, of ksnapshot's object";
const FOLDER_ZSTD: &str = "pg_restore -j 2, of zstd 3";
const FOLDER_GZIP: &str = "pg_restore -j 2, of gzip 6";

fn restoring(name: &'static str, script: &'static str) -> Contestant {
    Contestant {
        name,
        script,
        before: r#"psql -Xq -v ON_ERROR_STOP=1 -c 'create database restored template template0' -c checkpoint"#,
        after: r#"psql -XAt -c "$CHECK" restored | cmp - "$WORK/check"
psql -Xq -v ON_ERROR_STOP=1 -c 'drop database restored with (force)'"#,
    }
}

const PREPARE: &str = r#"psql -XAt -c "$CHECK" >"$WORK/check"
pg_dump | zstd -q -3 | age -r "$RECIPIENT" -o "$WORK/tpch.sql.zst.age"
pg_dump | gzip | age -r "$RECIPIENT" -o "$WORK/tpch.sql.gz.age"
ksnapshot dump "$URL" --to "$WORK/zstd" --recipient "$RECIPIENT" --compression zstd:3
ksnapshot dump "$URL" --to "$WORK/gzip" --recipient "$RECIPIENT" --compression gzip:6
case $(pg_dump --version) in
*' 15.'*) pg_dump -Fd -j 2 -Z 6 -f "$WORK/folder" ;;
*) pg_dump -Fd -j 2 --compress=zstd:3 -f "$WORK/folder" ;;
esac"#;

/// Rows, and constraints.
const CHECK: &str = "select (select count(*) from lineitem), (select count(*) from orders), (select count(*) from \
    partsupp), (select count(*) from nation), (select count(*) from pg_constraint)";

const ABOUT: &str = "TPC-H at scale 1, with all primary keys and nation → region, into an empty database of the same server, \
from files in a folder. The database is made and dropped outside of the timing, after a checkpoint.";

/// Of zstd, and of gzip as `pg_restore` of 15 reads it.
pub(super) fn on_15() -> Race {
    let faster = |ours, than, times| Claim::Faster { ours, than, times };
    Race {
        name: "restore-15",
        title: "Restore into PostgreSQL 15",
        about: ABOUT,
        field: |plan, _work| field(Version::V15, plan),
        prepare: PREPARE,
        contestants: vec![
            ours_of_zstd(),
            psql_of_zstd(),
            by_hand(),
            restoring(
                GZIP,
                r#"ksnapshot restore "$WORK/gzip" --into "$SERVER/restored" --identity "$IDENTITY""#,
            ),
            restoring(
                PSQL_GZIP,
                r#"age -d -i "$IDENTITY" "$WORK/tpch.sql.gz.age" | gunzip | psql -Xq -v ON_ERROR_STOP=1 restored"#,
            ),
            restoring(FOLDER_GZIP, r#"pg_restore -j 2 -d restored "$WORK/folder""#),
        ],
        claims: vec![
            faster(ZSTD, PSQL_ZSTD, Some(1.5)),
            faster(ZSTD, BY_HAND, None),
            faster(GZIP, PSQL_GZIP, Some(1.5)),
            faster(GZIP, FOLDER_GZIP, Some(1.0)),
        ],
        rounds: 5,
    }
}

/// Of zstd, as `pg_restore` of 18 reads it.
pub(super) fn on_18() -> Race {
    let faster = |ours, than, times| Claim::Faster { ours, than, times };
    Race {
        name: "restore-18",
        title: "Restore into PostgreSQL 18",
        about: ABOUT,
        field: |plan, _work| field(Version::V18, plan),
        prepare: PREPARE,
        contestants: vec![
            ours_of_zstd(),
            psql_of_zstd(),
            restoring(FOLDER_ZSTD, r#"pg_restore -j 2 -d restored "$WORK/folder""#),
        ],
        claims: vec![
            faster(ZSTD, PSQL_ZSTD, Some(1.5)),
            faster(ZSTD, FOLDER_ZSTD, Some(1.0)),
        ],
        rounds: 5,
    }
}

fn field(version: Version, plan: &crate::race::Plan) -> anyhow::Result<crate::race::Field> {
    let mut field = super::tpch(version, plan)?;
    field.env.push(("CHECK", CHECK.into()));
    Ok(field)
}

fn ours_of_zstd() -> Contestant {
    restoring(
        ZSTD,
        r#"ksnapshot restore "$WORK/zstd" --into "$SERVER/restored" --identity "$IDENTITY""#,
    )
}

fn psql_of_zstd() -> Contestant {
    restoring(
        PSQL_ZSTD,
        r#"age -d -i "$IDENTITY" "$WORK/tpch.sql.zst.age" | zstd -q -d | psql -Xq -v ON_ERROR_STOP=1 restored"#,
    )
}

fn by_hand() -> Contestant {
    restoring(
        BY_HAND,
        r#"age -d -i "$IDENTITY" "$WORK"/zstd/*/*/*/*/*.sql.zst.age | zstd -q -d | psql -Xq -v ON_ERROR_STOP=1 restored"#,
    )
}
