//! One table out of an encrypted snapshot in S3.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};
use ksnapshot_core::Index;
use ksnapshot_tests::tools::{self, Key};
use ksnapshot_tests::{Minio, Version};

use crate::claim::Claim;
use crate::meter::Meter;
use crate::race::{Contestant, Field, Plan, Race};
use crate::run::script;

const CAT: &str = "ksnapshot cat --table";
const RESTORE: &str = "ksnapshot restore --table";

/// The size that the table should be nearest to.
const WANTED: u64 = 10_000_000;

/// Reads little more than the table.
pub(super) fn race() -> Race {
    Race {
        name: "one-table",
        title: "One table out of an encrypted snapshot in S3",
        about: "The table of TPC-H at scale 1 whose frames in the snapshot are nearest to 10 MB together, from MinIO. Counted is \
every byte that the store sends, listings and heads of answers included.",
        field,
        prepare: "",
        contestants: vec![
            Contestant::new(
                CAT,
                r#"ksnapshot cat "$S3" --identity "$IDENTITY" --table "$TABLE" >/dev/null"#,
            ),
            Contestant {
                before: "psql -Xq -v ON_ERROR_STOP=1 -c 'create database restored template template0'",
                after: "psql -Xq -v ON_ERROR_STOP=1 -c 'drop database restored with (force)'",
                ..Contestant::new(
                    RESTORE,
                    r#"ksnapshot restore "$S3" --into "$SERVER/restored" --identity "$IDENTITY" --table "$TABLE""#,
                )
            },
        ],
        claims: vec![Claim::Reads { ours: CAT }, Claim::Reads { ours: RESTORE }],
        rounds: 3,
    }
}

fn field(plan: &Plan, work: &Path) -> Result<Field> {
    let (minio, key) = (Minio::start()?, Key::generate()?);
    minio.bucket("bench")?;
    let mut field = super::tpch(Version::V15, plan)?;
    field.env.extend([
        ("RECIPIENT", key.recipient().into()),
        ("IDENTITY", key.identity().into()),
        ("TO", minio.url("bench", "").into()),
    ]);
    let credentials = minio.credentials();
    field
        .env
        .extend(credentials.map(|(name, value)| (name, value.into())));
    script(
        r#"ksnapshot dump "$URL" --to "$TO" --recipient "$RECIPIENT""#,
        &field.env,
    )?;

    let names = minio.list("bench")?;
    let name = names.iter().find(|name| name.ends_with(".index.zst.age"));
    let file = minio.get("bench", name.context("no index in the bucket")?, work)?;
    let size = file.metadata()?.len();
    let (table, stored) = nearest(&Index::parse(&tools::open(&file, Some(&key))?)?)?;

    let meter = Meter::start(([127, 0, 0, 1], minio.port()).into())?;
    field.env.extend([
        ("S3", Minio::url_at(&meter.endpoint(), "bench", "").into()),
        ("TABLE", table.as_str().into()),
    ]);
    let why = format!("2 × {stored} of {table} + {size} of the index");
    field.budget = Some((2 * stored + size, why));
    field.meter = Some(meter);
    field
        .held
        .extend([Box::new(key) as Box<dyn crate::race::Held>, Box::new(minio)]);
    Ok(field)
}

/// The table whose frames are nearest to the wanted size, and their size.
fn nearest(index: &Index) -> Result<(String, u64)> {
    let mut sizes: BTreeMap<u32, u64> = BTreeMap::new();
    for frame in &index.frames {
        if let Some(item) = frame.item {
            *sizes.entry(item).or_default() += u64::from(frame.length);
        }
    }
    let best = sizes
        .into_iter()
        .min_by_key(|&(_, size)| size.abs_diff(WANTED));
    let (item, size) = best.context("a snapshot without rows")?;
    let item = &index.items[item as usize];
    let schema = item.schema.as_deref().unwrap_or("public");
    Ok((format!("{schema}.{}", item.name), size))
}
