//! A plan, and what doing it leaves, in a storage that is only memory.

use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use futures_util::stream::BoxStream;

use super::*;
use crate::layout::{Form, Names};
use crate::memory::MemoryStorage;
use crate::{
    Consistency, Counts, MANIFEST_VERSION, ObjectEntry, ObjectRole, ObjectWriter, Outcome, PutMode,
    Series, SourceInfo, async_trait,
};

const DAY: i64 = 86_400;

fn now() -> Timestamp {
    Timestamp::now() + SignedDuration::from_hours(72)
}

fn key(text: &str) -> Key {
    Key::parse(text).expect("a key")
}

fn entry(role: ObjectRole, key: &Key) -> ObjectEntry {
    ObjectEntry {
        role,
        name: key.file_name().to_owned(),
        bytes: 1,
        sha256: String::new(),
        header: 0,
    }
}

/// Puts a snapshot of the series `name` that began so many days ago, and gives the names of its three objects.
async fn snapshot(storage: &dyn Storage, name: &str, days: i64) -> [Key; 3] {
    let series = Series {
        name: name.into(),
        kind: "postgresql".into(),
        database: "shop".into(),
    };
    let started = now() - SignedDuration::from_secs(days * DAY);
    let id = format!("{:0>8}", format!("{name}{days}"));
    let names = Names::new(&series, Form::Sql, started, &id);
    let [data, index] =
        [names.data("shop", 1, ".zst", ""), names.index("")].map(|k| k.expect("a key"));
    let manifest = Manifest {
        version: MANIFEST_VERSION,
        id,
        series,
        started,
        finished: started,
        tool: String::new(),
        source: SourceInfo {
            kind: "postgresql".into(),
            server_version: "18".into(),
        },
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
        outcome: Outcome::Complete,
        checksum: String::new(),
    };
    let commit = names.manifest().expect("a key");
    for (key, body) in [
        (&data, vec![b'x']),
        (&index, vec![b'x']),
        (&commit, manifest.to_json()),
    ] {
        put(storage, key, body).await;
    }
    [data, index, commit]
}

async fn put(storage: &dyn Storage, key: &Key, body: impl Into<Bytes>) {
    let put = storage.put(key, body.into(), PutMode::Overwrite).await;
    put.expect("memory takes everything");
}

fn daily(count: u32) -> PruneRequest {
    PruneRequest {
        rules: Rules {
            daily: count,
            ..Rules::default()
        },
        max_delete: MaxDelete::Usual,
        name: None,
        database: None,
        orphans_after: crate::ORPHANED_AFTER,
        now: now(),
    }
}

async fn plan(storage: &dyn Storage, request: &PruneRequest) -> PrunePlan {
    prune_plan(storage, request, &Cx::default())
        .await
        .expect("a plan")
}

#[tokio::test]
async fn a_plan_is_done_and_then_there_is_nothing_to_do() -> Result<()> {
    let storage = MemoryStorage::new();
    let mut stays = Vec::new();
    for days in 1..=5 {
        let keys = snapshot(&storage, "db", days).await;
        if days <= 2 {
            stays.extend(keys);
        }
    }
    stays.extend(snapshot(&storage, "other", 90).await);
    stays.sort();
    let before = storage.keys();
    let plan_1 = plan(&storage, &daily(2)).await;
    assert_eq!(storage.keys(), before, "a plan changes nothing");
    let report = prune(&storage, &plan_1, &Cx::default()).await?;
    assert_eq!(report, plan_1.outlook());
    assert_eq!((report.snapshots, report.bytes), (3, 6));
    assert_eq!(storage.keys(), stays);
    let again = plan(&storage, &daily(2)).await;
    assert_eq!(again.outlook(), PruneReport::default());
    prune(&storage, &again, &Cx::default()).await?;
    assert_eq!(storage.keys(), stays);
    Ok(())
}

#[tokio::test]
async fn only_what_is_asked_for_is_looked_at() -> Result<()> {
    let storage = MemoryStorage::new();
    for name in ["a", "b"] {
        for days in 1..=3 {
            snapshot(&storage, name, days).await;
        }
    }
    put(
        &storage,
        &key("2026/11/01/mysql/dump-a-x-20261101000000-aaaaaaaa.sql"),
        "x",
    )
    .await;
    let request = PruneRequest {
        name: Some("a".into()),
        ..daily(1)
    };
    let plan = plan(&storage, &request).await;
    assert_eq!(plan.snapshots.len(), 3);
    assert!(plan.orphans.is_empty(), "they may be anybody's");
    prune(&storage, &plan, &Cx::default()).await?;
    assert_eq!(storage.keys().len(), 3 + 9 + 1);
    let request = PruneRequest {
        database: Some("nothing".into()),
        ..daily(1)
    };
    let error = prune_plan(&storage, &request, &Cx::default()).await.err();
    assert!(error.is_some_and(|e| e.kind() == ErrorKind::NoSuchSnapshot));
    let empty = prune_plan(&MemoryStorage::new(), &daily(1), &Cx::default()).await;
    assert!(empty.is_err_and(|e| e.kind() == ErrorKind::NoSuchSnapshot));
    Ok(())
}

#[tokio::test]
async fn old_remains_of_our_naming_are_swept_and_nothing_else() -> Result<()> {
    let storage = MemoryStorage::new();
    let mut stays = snapshot(&storage, "db", 1).await.to_vec();
    let stem = "2026/11/01/mysql/dump-db-shop-20261101000000-";
    let orphans = [
        format!("{stem}aaaaaaaa.sql.zst.age"),
        format!("{stem}aaaaaaaa.index.zst.age"),
    ];
    for orphan in &orphans {
        put(&storage, &key(orphan), "x").await;
    }
    let foreign = [
        format!("{stem}aaaaaaaa.sql.zst.age.bak"),
        "2026/11/01/mysql/notes.txt".to_owned(),
        "dump-db-shop-20261101000000-aaaaaaaa.sql".to_owned(),
        "elsewhere/restic/data/ab".to_owned(),
    ];
    // What a manifest says that nobody can read is not known: all of its stem, or where its name says nothing, of its folder.
    let unreadable = [
        format!("{stem}bbbbbbbb.manifest.json"),
        format!("{stem}bbbbbbbb.sql.zst"),
        "2026/11/02/mysql/renamed.manifest.json".to_owned(),
        "2026/11/02/mysql/dump-db-shop-20261102000000-cccccccc.sql".to_owned(),
    ];
    for other in foreign.iter().chain(&unreadable) {
        put(&storage, &key(other), "{\"version\": 99}").await;
        stays.push(key(other));
    }
    stays.sort();
    let young = PruneRequest {
        now: Timestamp::now() + SignedDuration::from_hours(47),
        ..daily(1)
    };
    assert!(plan(&storage, &young).await.orphans.is_empty());

    let begun = key(&format!("{stem}aaaaaaaa.002.sql.zst.age"));
    let killed = storage.writer(&begun, None).await?;
    let foreign = storage.writer(&key("elsewhere/large"), None).await?;
    let found = plan(&storage, &daily(1)).await;
    assert_eq!(found.unreadable.len(), 2);
    assert!(
        found
            .unreadable
            .iter()
            .all(|e| e.kind() == ErrorKind::NewerFormat)
    );
    let names: Vec<_> = found.orphans.iter().map(|o| o.key.as_str()).collect();
    assert_eq!(names, [&orphans[1], &orphans[0]]);
    assert_eq!(found.unfinished.len(), 1);

    let report = prune(&storage, &found, &Cx::default()).await?;
    assert_eq!((report.orphans, report.unfinished), (2, 1));
    assert_eq!(storage.keys(), stays);
    assert!(killed.finish().await.is_err(), "it was given up");
    foreign.finish().await?;
    Ok(())
}

#[tokio::test]
async fn a_manifest_that_comes_meanwhile_saves_its_objects() -> Result<()> {
    let storage = MemoryStorage::new();
    snapshot(&storage, "db", 1).await;
    let late = snapshot(&storage, "slow", 5).await;
    let manifest = storage.get(&late[2]).expect("it is there");
    storage.delete(&late[2..]).await?;
    let found = plan(&storage, &daily(1)).await;
    assert_eq!(found.orphans.len(), 2);
    put(&storage, &late[2], manifest).await;
    let report = prune(&storage, &found, &Cx::default()).await?;
    assert_eq!(report.orphans, 0);
    assert!(late.iter().all(|key| storage.get(key).is_some()));
    Ok(())
}

#[tokio::test]
async fn what_lacks_an_object_pushes_nothing_out() -> Result<()> {
    let storage = MemoryStorage::new();
    let good = snapshot(&storage, "db", 2).await;
    let broken = snapshot(&storage, "db", 1).await;
    for (n, cut) in [Some(&b"too long"[..]), None].into_iter().enumerate() {
        match cut {
            Some(body) => put(&storage, &broken[n], body).await,
            None => storage.delete(&broken[n..=n]).await?,
        }
        let found = plan(&storage, &daily(1)).await;
        assert_eq!(found.unreadable.len(), 1);
        prune(&storage, &found, &Cx::default()).await?;
        assert!(good.iter().all(|key| storage.get(key).is_some()));
        assert!(storage.get(&broken[2]).is_some(), "it is told, not removed");
    }
    Ok(())
}

#[tokio::test]
async fn a_copy_of_a_manifest_is_not_robbed() -> Result<()> {
    let storage = MemoryStorage::new();
    let [data, index, commit] = snapshot(&storage, "db", 9).await;
    snapshot(&storage, "db", 1).await;
    let text = storage.get(&commit).expect("it is there");
    let copy = commit.sibling("precious.manifest.json")?;
    put(&storage, &copy, text).await;
    // Of two that are equal one goes, with nothing that the other needs.
    let request = PruneRequest {
        rules: Rules {
            last: 2,
            ..Rules::default()
        },
        ..daily(0)
    };
    let found = plan(&storage, &request).await;
    assert_eq!(prune(&storage, &found, &Cx::default()).await?.snapshots, 1);
    assert!([data, index].iter().all(|key| storage.get(key).is_some()));
    Ok(())
}

#[tokio::test]
async fn too_much_is_refused_before_anything_is_removed() -> Result<()> {
    let storage = MemoryStorage::new();
    for days in 1..=12 {
        snapshot(&storage, "db", days).await;
    }
    let found = plan(&storage, &daily(1)).await;
    let refused = prune(&storage, &found, &Cx::default()).await;
    assert!(refused.is_err_and(|e| e.kind().exit_code() == 1));
    assert_eq!(storage.keys().len(), 36);
    let passed = PruneRequest {
        max_delete: MaxDelete::Count(11),
        ..daily(1)
    };
    prune(&storage, &plan(&storage, &passed).await, &Cx::default()).await?;
    assert_eq!(storage.keys().len(), 3);
    Ok(())
}

/// A storage in which each deletion from some number on stops in the middle.
#[derive(Debug)]
struct Stubborn {
    inner: MemoryStorage,
    deletions: AtomicUsize,
    last: usize,
}

impl std::fmt::Display for Stubborn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("stubborn")
    }
}

#[async_trait]
impl Storage for Stubborn {
    async fn put(&self, key: &Key, body: Bytes, mode: PutMode) -> Result<()> {
        self.inner.put(key, body, mode).await
    }

    async fn writer(&self, key: &Key, expected: Option<u64>) -> Result<Box<dyn ObjectWriter>> {
        self.inner.writer(key, expected).await
    }

    async fn read(
        &self,
        key: &Key,
        range: Option<std::ops::Range<u64>>,
    ) -> Result<BoxStream<'static, Result<Bytes>>> {
        self.inner.read(key, range).await
    }

    fn list(&self, prefix: Option<&Key>) -> BoxStream<'static, Result<ObjectInfo>> {
        self.inner.list(prefix)
    }

    async fn delete(&self, keys: &[Key]) -> Result<()> {
        if self.deletions.fetch_add(1, Ordering::SeqCst) < self.last {
            return self.inner.delete(keys).await;
        }
        // Some of them are gone, and nobody says which.
        let some: Vec<Key> = keys.iter().step_by(2).cloned().collect();
        self.inner.delete(&some).await?;
        Err(Error::new(ErrorKind::Storage, "stubborn: no"))
    }
}

/// Wherever a removal ends, what is listed is whole; and the next one brings it to its end.
#[tokio::test]
async fn a_failure_leaves_orphans_and_no_manifest_without_objects() -> Result<()> {
    for last in 0..3 {
        let inner = MemoryStorage::new();
        for days in 1..=9 {
            snapshot(&inner, "db", days).await;
        }
        let storage = Stubborn {
            inner: inner.clone(),
            deletions: AtomicUsize::new(0),
            last,
        };
        let found = plan(&storage, &daily(2)).await;
        let done = prune(&storage, &found, &Cx::default()).await;
        assert_eq!(done.is_err(), last < 2, "{done:?}");
        let keys: Vec<_> = inner.keys();
        for listed in super::super::list(&inner, None).await? {
            for object in listed.manifest?.objects {
                assert!(
                    keys.contains(&listed.key.sibling(&object.name)?),
                    "{}",
                    object.name
                );
            }
        }
        prune(&inner, &plan(&inner, &daily(2)).await, &Cx::default()).await?;
        prune(&inner, &plan(&inner, &daily(2)).await, &Cx::default()).await?;
        assert_eq!(inner.keys().len(), 6, "{last}");
    }
    Ok(())
}
