//! Dumping to a folder.

use std::path::Path;

use anyhow::Result;
use ksnapshot_tests::elastic::Version;

use crate::claim::Claim;
use crate::race::{Contestant, Field, Plan, Race};

const ZSTD_3: &str = "ksnapshot zstd 3";
const GZIP_6: &str = "ksnapshot gzip 6";

const SEED: &str = "elasticdump --limit=1000, gzip";
const DEFAULTS: &str = "elasticdump";
const BEST: &str = "elasticdump --limit=10000";
const TWICE: &str = "elasticdump --limit=10000, twice, a slice each";
const PAGES: &str = "the server's pages, to nowhere";

/// What the server takes for giving its documents to whoever does nothing with them. Nothing of an answer is looked at but
/// where the next page begins; hits are only counted in the last page, since all others are full.
///
/// It's also the first to read, so that all find the same of the index in memory.
const PREPARE: &str = r#"cat >"$WORK/pages.py" <<'PYTHON'
import http.client, json, os

SIZE, SLICES = 5000, 2

def connect():
    return http.client.HTTPConnection(os.environ["HTTP"].removeprefix("http://"))

def ask(server, path, body):
    server.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
    answer = server.getresponse()
    assert answer.status == 200, answer.read()
    return answer.read()

def read(slice, pit):
    server, full, page = connect(), 0, b""
    search = {"size": SIZE, "slice": {"id": slice, "max": SLICES}, "pit": {"id": pit, "keep_alive": "5m"},
              "sort": ["_shard_doc"], "track_total_hits": False}
    while True:
        before, page = page, ask(server, "/_search", search)
        last = page.rfind(b'"sort":[')
        if last < 0:
            return max(full - 1, 0) * SIZE + before.count(b'"sort":[')
        search["search_after"] = json.loads(page[last + 7 : page.index(b"]", last) + 1])
        full += 1

pit = json.loads(ask(connect(), "/docs/_search/point_in_time?keep_alive=5m", {}))["pit_id"]
pipes = []
for slice in range(SLICES):
    told, tell = os.pipe()
    if os.fork() == 0:
        os.write(tell, b"%d" % read(slice, pit))
        os._exit(0)
    os.close(tell)
    pipes.append(told)
documents = sum(int(os.read(told, 20)) for told in pipes)
assert documents == int(os.environ["DOCUMENTS"]), documents
# What isn't waited for isn't counted.
for _ in pipes:
    os.wait()
server = connect()
server.request("DELETE", "/_search/point_in_time", json.dumps({"pit_id": [pit]}), {"Content-Type": "application/json"})
assert server.getresponse().status == 200
PYTHON
python3 "$WORK/pages.py""#;

/// By `elasticdump`, which has no say in whether it read all: each document is a line.
fn dumping(name: &'static str, script: &'static str) -> Contestant {
    Contestant {
        after: r#"zcat -f "$OUT"/* | wc -l | grep -qx "$DOCUMENTS""#,
        ..Contestant::new(name, script)
    }
}

/// Against `elasticdump`, and against the server alone.
pub(super) fn on_opensearch_3() -> Race {
    let faster = |ours, than, times| Claim::Faster { ours, than, times };
    Race {
        name: "dump-opensearch-3",
        title: "Dump from OpenSearch 3.8",
        about: "1,000,000 documents of 500 bytes in one index of 2 shards, to a folder. ksnapshot encrypts for one recipient; \
`elasticdump` doesn't encrypt. Its fastest way was found by trying; who knows its server can run it twice, on half of the \
documents each. The last one is the server's own time: two slices of one point in time, 5,000 documents a page, by a client \
that does nothing with them. ksnapshot should take at most 1.3 × as long, which is 0.77 of its speed.",
        field,
        prepare: PREPARE,
        contestants: vec![
            Contestant::new(
                ZSTD_3,
                r#"ksnapshot dump "$URL" --to "$OUT" --recipient "$RECIPIENT" --compression zstd:3"#,
            ),
            Contestant::new(
                GZIP_6,
                r#"ksnapshot dump "$URL" --to "$OUT" --recipient "$RECIPIENT" --compression gzip:6"#,
            ),
            dumping(
                SEED,
                r#"elasticdump --input="$HTTP/docs" --output="$OUT/docs.json.gz" --type=data --noRefresh --fsCompress --limit=1000"#,
            ),
            dumping(
                DEFAULTS,
                r#"elasticdump --input="$HTTP/docs" --output="$OUT/docs.json" --type=data"#,
            ),
            dumping(
                BEST,
                r#"elasticdump --input="$HTTP/docs" --output="$OUT/docs.json" --type=data --limit=10000"#,
            ),
            dumping(
                TWICE,
                r#"half() {
    elasticdump --input="$HTTP/docs" --output="$OUT/docs-$1.json" --type=data --limit=10000 \
        --searchBody='{"slice": {"id": '$1', "max": 2}}'
}
half 0 &
half 1
wait $!"#,
            ),
            Contestant::new(PAGES, r#"python3 "$WORK/pages.py""#),
        ],
        claims: vec![
            faster(ZSTD_3, SEED, Some(9.0)),
            faster(ZSTD_3, DEFAULTS, Some(5.0)),
            faster(ZSTD_3, BEST, Some(1.5)),
            faster(ZSTD_3, TWICE, None),
            faster(ZSTD_3, PAGES, Some(0.77)),
            faster(GZIP_6, SEED, None),
            faster(GZIP_6, PAGES, None),
        ],
        rounds: 3,
    }
}

fn field(plan: &Plan, _work: &Path) -> Result<Field> {
    let documents = super::documents(plan);
    let server = super::server(Version::Os3)?;
    super::documents::load(&server, "docs", documents)?;
    let mut field = super::field(server)?;
    field.env.push(("DOCUMENTS", documents.to_string().into()));
    Ok(field)
}
