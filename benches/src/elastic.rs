//! Elasticsearch and OpenSearch: made documents against `elasticdump`, and against the server alone.

mod documents;
mod dump;
mod memory;
mod restore;

use std::path::Path;

use anyhow::Result;
use ksnapshot_tests::elastic::{Elastic, Options, Version};
use ksnapshot_tests::tools::Key;

use crate::race::{Field, Plan, Race};

/// All of them.
pub(crate) fn races() -> Vec<Race> {
    vec![
        dump::on_opensearch_3(),
        restore::on_opensearch_3(),
        memory::on_opensearch_3(),
    ]
}

const VERSIONS: &str = r#"
ksnapshot --version
curl -sSf "$HTTP/?filter_path=version.number" | grep -o '[0-9][0-9.]*' | sed 's/^/OpenSearch /'
echo elasticdump $(elasticdump --version)
curl --version | head -n 1 | sed 's/ (.*//'
python3 --version"#;

/// So many documents.
fn documents(plan: &Plan) -> u64 {
    if plan.quick { 20_000 } else { 1_000_000 }
}

/// A server with a heap of 2 GB.
fn server(version: Version) -> Result<Elastic> {
    Options::new(version).fast("2g").start()
}

/// A race on this server. The environment has ksnapshot and `elasticdump` first in `PATH`, and tells
///
/// - `URL`: the server, as ksnapshot takes it; `HTTP`: as others take it;
/// - `INDEX`: how an index of made documents is created;
/// - `RECIPIENT`, `IDENTITY`: a public key, and the file with its secret.
fn field(server: Elastic) -> Result<Field> {
    let key = Key::generate()?;
    let peer = Elastic::elasticdump([""; 0])?;
    Ok(Field {
        env: vec![
            Field::path(&[Path::new(peer.get_program())])?,
            // Nobody asks a proxy for the way to loopback.
            ("no_proxy", "*".into()),
            ("URL", server.url().into()),
            ("HTTP", server.http().into()),
            ("INDEX", documents::INDEX.into()),
            ("RECIPIENT", key.recipient().into()),
            ("IDENTITY", key.identity().into()),
        ],
        servers: vec![server.pid()],
        versions: VERSIONS,
        meter: None,
        budget: None,
        held: vec![Box::new(key), Box::new(server)],
    })
}
