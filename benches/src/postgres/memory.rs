//! Peak memory of a dump, on less and on more data.

use std::path::Path;

use anyhow::Result;
use ksnapshot_tests::{Options, Version};

use crate::claim::Claim;
use crate::race::{Contestant, Field, Plan, Race};

/// A level's name on less data and on more, and the two scripts.
macro_rules! level {
    ($name:literal, $level:literal) => {
        [
            (
                concat!("ksnapshot ", $name),
                concat!(
                    r#"ksnapshot dump "$URL" --to "$OUT" --recipient "$RECIPIENT" --compression "#,
                    $level
                ),
            ),
            (
                concat!("ksnapshot ", $name, ", 5 × the data"),
                concat!(
                    r#"ksnapshot dump "$MORE" --to "$OUT" --recipient "$RECIPIENT" --compression "#,
                    $level
                ),
            ),
        ]
    };
}

const LEVELS: [[(&str, &str); 2]; 4] = [
    level!("zstd 1", "zstd:1"),
    level!("zstd 3", "zstd:3"),
    level!("zstd 6", "zstd:6"),
    level!("gzip 6", "gzip:6"),
];

/// Below what is promised, and the same whatever the size of the database.
pub(super) fn race() -> Race {
    let contestants = LEVELS.as_flattened().iter();
    let claims = LEVELS
        .iter()
        .flat_map(|&[(small, _), (large, _)]| Claim::memory_stays(small, large));
    Race {
        name: "memory",
        title: "Memory of a dump",
        about: "TPC-H at scale 1 and 5 from PostgreSQL 15, to a folder, encrypted for one recipient. Peak resident memory of \
the whole process, as `/usr/bin/time -f %M` reports it; the highest of all rounds.",
        field,
        prepare: "",
        contestants: contestants
            .map(|&(name, script)| Contestant::new(name, script))
            .collect(),
        claims: claims.collect(),
        rounds: 3,
    }
}

/// Two servers, on the kept data itself: it's large, and only read.
fn field(plan: &Plan, _work: &Path) -> Result<Field> {
    let start = |scale| Options::new(Version::V15).tpch_in_place(scale)?.start();
    let more = start(plan.scale("5", "0.2"))?;
    let mut field = super::field(start(plan.scale("1", "0.05"))?)?;
    field.env.push(("MORE", more.url("tpch").into()));
    field.servers.push(super::postmaster(&more)?);
    field.held.push(Box::new(more));
    Ok(field)
}
