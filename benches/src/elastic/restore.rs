//! Restoring into an index that isn't there.

use std::path::Path;

use anyhow::Result;
use ksnapshot_tests::elastic::Version;

use crate::claim::Claim;
use crate::race::{Contestant, Field, Plan, Race};

const ZSTD: &str = "ksnapshot, of zstd 3";
const DEFAULTS: &str = "elasticdump";
const BEST: &str = "elasticdump --limit=5000 --concurrency=4 --noRefresh";
const BULK: &str = "bare bulk requests";

/// Makes the index, which ksnapshot does by itself.
const CREATE: &str = r#"curl -sSf -o "$WORK/told" -X PUT -H 'Content-Type: application/json' -d "$INDEX" "$HTTP/docs""#;

/// All documents are there; then the index goes.
const CHECK: &str = r#"curl -sSf -o "$WORK/told" -X POST "$HTTP/docs/_refresh"
curl -sSf "$HTTP/docs/_count?filter_path=count" | cmp - "$WORK/check"
curl -sSf -o "$WORK/told" -X DELETE "$HTTP/docs""#;

fn restoring(name: &'static str, before: &'static str, script: &'static str) -> Contestant {
    Contestant {
        name,
        script,
        before,
        after: CHECK,
    }
}

/// Against `elasticdump`, and against the server alone.
pub(super) fn on_opensearch_3() -> Race {
    let faster = |ours, than, times| Claim::Faster { ours, than, times };
    Race {
        name: "restore-opensearch-3",
        title: "Restore into OpenSearch 3.8",
        about: "1,000,000 documents of 500 bytes, from files in a folder into an index that isn't there; for all but ksnapshot, \
which makes it by itself, it is made before, outside of the timing. `elasticdump` reads what it wrote, which isn't encrypted; \
its fastest way was found by trying. The last one sends bulk requests that were prepared before, 8 MiB each, two at a time. \
All end with a refresh: what is restored can be found.",
        field,
        prepare: r#"curl -sSf "$HTTP/docs/_count?filter_path=count" >"$WORK/check"
ksnapshot dump "$URL" --to "$WORK/zstd" --recipient "$RECIPIENT" --compression zstd:3
elasticdump --quiet --input="$HTTP/docs" --output="$WORK/docs.json" --type=data --limit=10000
curl -sSf -o "$WORK/told" -X DELETE "$HTTP/docs""#,
        contestants: vec![
            restoring(
                ZSTD,
                "",
                r#"ksnapshot restore "$WORK/zstd" --into "$URL" --identity "$IDENTITY""#,
            ),
            restoring(
                DEFAULTS,
                CREATE,
                r#"elasticdump --input="$WORK/docs.json" --output="$HTTP/docs" --type=data"#,
            ),
            restoring(
                BEST,
                CREATE,
                r#"elasticdump --input="$WORK/docs.json" --output="$HTTP/docs" --type=data \
    --limit=5000 --concurrency=4 --noRefresh
curl -sSf -X POST "$HTTP/docs/_refresh""#,
            ),
            restoring(
                BULK,
                CREATE,
                r#"ls "$WORK"/bulk/* | xargs -P 2 -I{} curl -sSf -X POST -H 'Content-Type: application/x-ndjson' -H Expect: \
    --data-binary @{} "$HTTP/docs/_bulk?filter_path=errors"
curl -sSf -X POST "$HTTP/docs/_refresh""#,
            ),
        ],
        claims: vec![
            faster(ZSTD, DEFAULTS, Some(10.0)),
            faster(ZSTD, BEST, Some(1.8)),
            faster(ZSTD, BULK, None),
        ],
        rounds: 3,
    }
}

fn field(plan: &Plan, work: &Path) -> Result<Field> {
    let documents = super::documents(plan);
    super::documents::bodies(&work.join("bulk"), documents)?;
    let server = super::server(Version::Os3)?;
    super::documents::load(&server, "docs", documents)?;
    super::field(server)
}
