//! Peak memory of a dump and of a restore, on fewer and on more documents.

use std::path::Path;

use anyhow::Result;
use ksnapshot_tests::elastic::Version;

use crate::claim::Claim;
use crate::race::{Contestant, Field, Plan, Race};

/// An index as a snapshot.
macro_rules! dump {
    ($index:literal, $level:literal, $to:literal) => {
        concat!(
            r#"ksnapshot dump "$URL" --index "#,
            $index,
            " --compression ",
            $level,
            r#" --recipient "$RECIPIENT" --to "#,
            $to
        )
    };
}

/// A snapshot of an index into another one; and that it has as many documents, and goes.
macro_rules! restore {
    ($index:literal, $snapshot:literal) => {
        [
            concat!(
                r#"ksnapshot restore "$WORK"/"#,
                $snapshot,
                r#" --into "$URL/restored" --identity "$IDENTITY""#
            ),
            concat!(
                r#"curl -sSf -o "$WORK/told" -X POST "$HTTP/restored/_refresh"
cmp <(curl -sSf "$HTTP/restored/_count?filter_path=count") <(curl -sSf "$HTTP/"#,
                $index,
                r#"/_count?filter_path=count")
curl -sSf -o "$WORK/told" -X DELETE "$HTTP/restored""#
            ),
        ]
    };
}

/// A way's name on fewer documents and on more, and the script of each.
const DUMPS: [[(&str, &str); 2]; 2] = [
    [
        ("dump, zstd 3", dump!("few", "zstd:3", r#""$OUT""#)),
        (
            "dump, zstd 3, 10 × the documents",
            dump!("many", "zstd:3", r#""$OUT""#),
        ),
    ],
    [
        ("dump, gzip 6", dump!("few", "gzip:6", r#""$OUT""#)),
        (
            "dump, gzip 6, 10 × the documents",
            dump!("many", "gzip:6", r#""$OUT""#),
        ),
    ],
];

/// A way's name on fewer documents and on more, the script of each, and what proves that it did its work.
const RESTORES: [[(&str, [&str; 2]); 2]; 2] = [
    [
        ("restore, of zstd 3", restore!("few", "few-zstd")),
        (
            "restore, of zstd 3, 10 × the documents",
            restore!("many", "many-zstd"),
        ),
    ],
    [
        ("restore, of gzip 6", restore!("few", "few-gzip")),
        (
            "restore, of gzip 6, 10 × the documents",
            restore!("many", "many-gzip"),
        ),
    ],
];

const PREPARE: &str = concat!(
    dump!("few", "zstd:3", r#""$WORK/few-zstd""#),
    "\n",
    dump!("many", "zstd:3", r#""$WORK/many-zstd""#),
    "\n",
    dump!("few", "gzip:6", r#""$WORK/few-gzip""#),
    "\n",
    dump!("many", "gzip:6", r#""$WORK/many-gzip""#),
);

/// Below what is promised, and the same however many documents there are.
pub(super) fn on_opensearch_3() -> Race {
    let dumps = (DUMPS.as_flattened().iter()).map(|&(name, script)| Contestant::new(name, script));
    let restores = (RESTORES.as_flattened().iter()).map(|&(name, [script, after])| Contestant {
        after,
        ..Contestant::new(name, script)
    });
    let dump_names = DUMPS.iter().map(|&[(small, _), (large, _)]| (small, large));
    let restore_names = (RESTORES.iter()).map(|&[(small, _), (large, _)]| (small, large));
    let claims = dump_names
        .chain(restore_names)
        .flat_map(|(small, large)| Claim::memory_stays(small, large));
    Race {
        name: "memory-opensearch-3",
        title: "Memory of a dump from OpenSearch 3.8, and of a restore",
        about: "100,000 and 1,000,000 documents of 500 bytes, to a folder, encrypted for one recipient, and from there into \
another index of the same server. Peak resident memory of the whole process, as `/usr/bin/time -f %M` reports it; the highest of \
all rounds.",
        field,
        prepare: PREPARE,
        contestants: dumps.chain(restores).collect(),
        claims: claims.collect(),
        rounds: 3,
    }
}

fn field(plan: &Plan, _work: &Path) -> Result<Field> {
    let documents = super::documents(plan);
    let server = super::server(Version::Os3)?;
    super::documents::load(&server, "few", documents / 10)?;
    super::documents::load(&server, "many", documents)?;
    super::field(server)
}
