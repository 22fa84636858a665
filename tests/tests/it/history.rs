//! Snapshots in numbers, made by the format's own types: whole for whoever lists or removes them.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use futures_util::TryStreamExt;
use jiff::{SignedDuration, Timestamp};
use ksnapshot_core::layout::{Form, Names, new_id};
use ksnapshot_core::{
    Consistency, Counts, Key, MANIFEST_VERSION, Manifest, ObjectEntry, ObjectRole, Outcome,
    PutMode, Series, SourceInfo, Storage,
};
use ksnapshot_tests::Minio;

/// A storage that is filled and looked into.
pub(crate) struct History {
    storage: Arc<dyn Storage>,
}

impl History {
    pub(crate) fn in_folder(path: &Path) -> Self {
        let storage = ksnapshot_storage::open(path.to_str().unwrap()).unwrap();
        Self { storage }
    }

    /// In `bucket/p`.
    pub(crate) fn in_bucket(minio: &Minio, bucket: &str) -> Self {
        let env = |name: &str| {
            let found = minio
                .credentials()
                .into_iter()
                .find(|(key, _)| *key == name)?;
            Some(found.1.to_owned())
        };
        let storage = ksnapshot_storage::open_with(&minio.url(bucket, "p"), &env).unwrap();
        Self { storage }
    }

    /// Puts a snapshot of the series `name` that began before so much time, and gives its id.
    pub(crate) fn put(&self, name: &str, age: SignedDuration, outcome: Outcome) -> String {
        let series = Series {
            name: name.into(),
            kind: "postgresql".into(),
            database: "shop".into(),
        };
        let (id, started) = (new_id(), Timestamp::now() - age);
        let names = Names::new(&series, Form::Sql, started, &id);
        let data = names.data("shop", 1, ".zst", ".age").unwrap();
        let index = names.index(".age").unwrap();
        let entry = |role, key: &Key| ObjectEntry {
            role,
            name: key.file_name().to_owned(),
            bytes: 4,
            sha256: String::new(),
            header: 0,
        };
        let manifest = Manifest {
            version: MANIFEST_VERSION,
            id: id.clone(),
            started,
            finished: started,
            tool: "tests".into(),
            source: SourceInfo {
                kind: series.kind.clone(),
                server_version: "15".into(),
            },
            series,
            consistency: Consistency {
                claim: "one-snapshot".into(),
                position: Default::default(),
            },
            compression: "zstd:3".into(),
            encryption: None,
            objects: vec![
                entry(ObjectRole::Data, &data),
                entry(ObjectRole::Index, &index),
            ],
            counts: Counts::default(),
            outcome,
            checksum: String::new(),
        };
        self.write(&data, b"data");
        self.write(&index, b"data");
        self.write(&names.manifest().unwrap(), &manifest.to_json());
        id
    }

    /// A complete one of each of these days ago.
    pub(crate) fn daily(&self, name: &str, days: impl IntoIterator<Item = i64>) -> Vec<String> {
        days.into_iter()
            .map(|days| {
                self.put(
                    name,
                    SignedDuration::from_hours(24 * days),
                    Outcome::Complete,
                )
            })
            .collect()
    }

    pub(crate) fn write(&self, key: &Key, body: &[u8]) {
        let put = self
            .storage
            .put(key, body.to_vec().into(), PutMode::Overwrite);
        block_on(put).unwrap();
    }

    /// The names of all objects.
    pub(crate) fn objects(&self) -> BTreeSet<String> {
        let listed: Vec<_> = block_on(self.storage.list(None).try_collect()).unwrap();
        listed.into_iter().map(|o| o.key.to_string()).collect()
    }

    /// The ids of all snapshots; each of them has all its objects.
    #[track_caller]
    pub(crate) fn whole(&self) -> BTreeSet<String> {
        let there = self.objects();
        let listed = block_on(ksnapshot_core::pipeline::list(self.storage.as_ref(), None)).unwrap();
        let mut ids = BTreeSet::new();
        for listed in listed {
            let Ok(manifest) = listed.manifest else {
                continue;
            };
            for object in &manifest.objects {
                let key = listed.key.sibling(&object.name).unwrap();
                assert!(there.contains(key.as_str()), "{key} is gone");
            }
            ids.insert(manifest.id);
        }
        ids
    }
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    runtime.worker_threads(1).enable_all();
    runtime.build().unwrap().block_on(work)
}
