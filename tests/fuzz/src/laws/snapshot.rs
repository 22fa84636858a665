//! A whole snapshot in which nothing can be believed: the checksums fit, the index and the data are anybody's.

use std::sync::Arc;

use ksnapshot_core::compress::Zstd;
use ksnapshot_core::memory::MemoryStorage;
use ksnapshot_core::pipeline::{Excerpt, Level, Snapshot, select, verify};
use ksnapshot_core::{
    Choice, Compressor, Consistency, Counts, Cx, Encryption, Encryptor, Formats, Index, Key,
    MANIFEST_VERSION, Manifest, ObjectEntry, ObjectRole, Outcome, PutMode, Result, Series,
    SourceInfo, Storage,
};
use sha2::{Digest, Sha256};

use super::age::keys;
use super::formats::everything;
use super::text_and_bytes;

/// The text of an index, a NUL byte, one that says how all is stored, and the data, in one object or in two halves.
pub(super) fn law(data: &[u8]) {
    let Some((json, data)) = text_and_bytes(data) else {
        return;
    };
    let Some((&how, data)) = data.split_first() else {
        return;
    };
    // Anything else is the index's own law.
    let Ok(index) = Index::parse(json.as_bytes()) else {
        return;
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let runtime = runtime.expect("a runtime without threads");
    let read = runtime.block_on(read(index, how, data));
    read.expect("only the storage itself may fail, and it does not");
}

async fn read(mut index: Index, how: u8, data: &[u8]) -> Result<()> {
    let codec = ["none", "zstd:1", "gzip:1"][usize::from(how % 3)];
    let sealed = how & 4 != 0;
    index.snapshot = "ab12cd34".into();
    let storage = MemoryStorage::new();
    let mut objects = Vec::new();
    let halves = how & 8 != 0;
    let (one, other) = data.split_at(if halves { data.len() / 2 } else { data.len() });
    let json = serde_json::to_vec(&index).expect("an index has string keys only");
    let mut packed = Vec::new();
    Zstd::new(1).compress(&json, &mut packed)?;
    for (role, name, bytes) in [
        (ObjectRole::Data, "x.sql", one),
        (ObjectRole::Data, "x.002.sql", other),
        (ObjectRole::Index, "x.index.zst", &packed),
    ] {
        let (mut stored, mut header) = (Vec::new(), 0);
        if sealed {
            let mut seal = keys().0.seal(&mut stored)?;
            header = stored.len() as u64;
            seal.update(bytes, &mut stored)?;
            seal.finish(&mut stored)?;
        } else {
            stored.extend_from_slice(bytes);
        }
        let sha256 = Sha256::digest(&stored);
        objects.push(ObjectEntry {
            role,
            name: name.into(),
            bytes: stored.len() as u64,
            sha256: sha256.iter().map(|b| format!("{b:02x}")).collect(),
            header,
        });
        (storage.put(&Key::parse(name)?, stored.into(), PutMode::Create)).await?;
    }
    let (rows, plain_bytes) = index.totals();
    let manifest = manifest(&index, codec, sealed, objects, (rows, plain_bytes));
    let key = Key::parse("x-ab12cd34.manifest.json")?;
    (storage.put(&key, manifest.to_json().into(), PutMode::Create)).await?;

    let storage: Arc<dyn Storage> = Arc::new(storage);
    let decryptor = Some(&keys().1);
    let cx = Cx::default();
    let snapshot = Snapshot::find(&storage, &Formats::default(), &Choice::default()).await?;
    verify(&snapshot, decryptor, Level::Checksum, &cx).await?;
    let index = Arc::new(snapshot.index(decryptor).await?);
    let whole = verify(&snapshot, decryptor, Level::Decode, &cx).await;

    let frames = snapshot.frames(decryptor).await?;
    let text = length(Excerpt::whole(&index, frames.clone())).await;
    if whole.is_ok() {
        assert_eq!(text.expect("what is proved can be read"), plain_bytes);
    }
    let mut request = everything();
    request.no_owner = true;
    let selection = select(&index, &request)?;
    for excerpt in [
        Excerpt::rows(&index, frames.clone(), &selection),
        Excerpt::of(&index, frames.clone(), &selection),
    ] {
        let part = length(excerpt).await;
        assert!(
            whole.is_err() || part.is_ok(),
            "what is proved can be read in parts"
        );
    }
    Ok(())
}

/// Its length: pieces may be asked for again and again.
async fn length(mut excerpt: Excerpt) -> Result<u64> {
    let mut length = 0;
    while let Some(piece) = excerpt.next().await? {
        length += piece.len() as u64;
    }
    Ok(length)
}

fn manifest(
    index: &Index,
    codec: &str,
    sealed: bool,
    objects: Vec<ObjectEntry>,
    (rows, plain_bytes): (u64, u64),
) -> Manifest {
    let time = "2026-11-21T23:59:58Z".parse().expect("a time");
    Manifest {
        version: MANIFEST_VERSION,
        id: index.snapshot.clone(),
        series: Series {
            name: "x".into(),
            kind: "postgresql".into(),
            database: "x".into(),
        },
        started: time,
        finished: time,
        tool: ksnapshot_core::TOOL.into(),
        source: SourceInfo {
            kind: "postgresql".into(),
            server_version: "18".into(),
        },
        consistency: Consistency {
            claim: "one-snapshot".into(),
            position: Default::default(),
        },
        compression: codec.to_string(),
        encryption: sealed.then(|| Encryption {
            scheme: "age".into(),
            recipients: keys().0.recipients(),
        }),
        objects,
        counts: Counts {
            items: index.items.len() as u64,
            frames: index.frames.len() as u64,
            rows,
            plain_bytes,
            problems: Default::default(),
        },
        outcome: Outcome::Complete,
        checksum: String::new(),
    }
}
