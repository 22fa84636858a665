//! What third parties add: a codec, a scheme of encryption and a storage of the test's own, through the public interface alone,
//! and the SQLite dumper of `examples/`, built outside of the workspace.

#[path = "plugins/lz4.rs"]
mod lz4;
#[path = "plugins/sqlite.rs"]
mod sqlite;
#[path = "plugins/teams.rs"]
mod teams;

use std::sync::Arc;

use ksnapshot_core::pipeline::{DumpRequest, Level, Snapshot, dump, verify};
use ksnapshot_core::registry::{Access, Options, Store};
use ksnapshot_core::{Choice, Codec, Cx, Formats, Registry, Result, Scheme, Storage, conformance};
use ksnapshot_dumpers::command::CommandLine;
use ksnapshot_storage::Adapter;
use ksnapshot_tests::tools;
use object_store::memory::InMemory;

use lz4::Lz4Codec;
use teams::Teams;

/// `memory://NAME`, which lasts as long as the registry that knows it.
#[derive(Debug, Default)]
struct Memory(Arc<InMemory>);

impl Store for Memory {
    fn schemes(&self) -> &'static [&'static str] {
        &["memory"]
    }

    fn form(&self) -> &'static str {
        "memory://NAME"
    }

    fn open(&self, place: &str) -> Result<Arc<dyn Storage>> {
        let prefix = place.strip_prefix("memory://").unwrap_or_default();
        let store = Arc::<InMemory>::clone(&self.0);
        Ok(Arc::new(Adapter::new(store, place, prefix)?))
    }
}

fn registry() -> Registry {
    let mut registry = Registry::default();
    ksnapshot_dumpers::register(&mut registry);
    registry.add_store(Arc::new(Memory::default()));
    registry.formats.add_codec(Arc::new(Lz4Codec));
    registry.formats.add_scheme(Arc::new(Teams));
    registry
}

#[test]
fn what_others_add_keeps_the_promises() {
    conformance::codec(&Lz4Codec).unwrap();
    conformance::scheme(&Teams, &teams::keys()).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let storage = registry().storage("memory://a/b").unwrap();
    runtime
        .block_on(conformance::storage(storage.as_ref()))
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_of_nothing_but_others_parts() {
    let registry = registry();
    let line = ["seq", "1", "300000"].map(Into::into);
    let options = Options::default().with("-- PROGRAM", CommandLine(line.into()));
    let source = registry
        .source("command", &Access::default(), options)
        .unwrap();
    let storage = registry.storage("memory://backups").unwrap();
    let keys = teams::keys();
    let request = DumpRequest {
        compressor: registry.formats.compressor("lz4").unwrap(),
        encryptor: registry.formats.encryptor(&keys.recipients).unwrap(),
        ..DumpRequest::default()
    };
    let report = dump(source.as_ref(), storage.as_ref(), &request, &Cx::default())
        .await
        .unwrap();
    let data = report.manifest.data().next().unwrap().clone();
    assert!(data.name.ends_with(".out.lz4.team"), "{}", data.name);
    assert_eq!(
        report.manifest.encryption.unwrap().recipients,
        ["team:night"]
    );

    let decryptor = registry.formats.decryptor(&keys.identity).unwrap();
    let find =
        async |formats: &Formats| Snapshot::find(&storage, formats, &Choice::default()).await;
    let snapshot = find(&registry.formats).await.unwrap();
    let cx = Cx::default();
    verify(&snapshot, Some(&decryptor), Level::Decode, &cx)
        .await
        .unwrap();

    // A program without them says so, and does not guess.
    let strange = find(&Formats::default()).await.unwrap();
    let error = verify(&strange, Some(&decryptor), Level::Decode, &cx)
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("compression lz4 is not known"),
        "{error}"
    );
    let unknown = Formats::default().compressor("lz4").unwrap_err();
    assert!(unknown.advice().unwrap().contains("zstd:1 to zstd:22"));
}

/// What the codec writes, the stock program reads.
#[test]
fn outsiders_read_the_third_codec() {
    let compressor = Lz4Codec.compressor(None).unwrap();
    let mut file = Vec::new();
    for block in ["one\n", "two\n"] {
        compressor.compress(block.as_bytes(), &mut file).unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.lz4"), file).unwrap();
    let script = "lz4 -d -c \"$1/a.lz4\"";
    let run = tools::run(&mut tools::bash(script, &[folder.path().as_os_str()])).unwrap();
    assert_eq!(run.success().unwrap().text(), "one\ntwo\n");
    assert_eq!(Lz4Codec.extension(), ".lz4");
    assert_eq!(Teams.extension(), ".team");
}
