//! Storages with very many snapshots: listed by one listing and one small read each, many of them at once.

use std::sync::Arc;
use std::time::Instant;

use anyhow::Result;
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use ksnapshot_core::{
    Consistency, Counts, Key, Manifest, ObjectEntry, ObjectRole, Outcome, PutMode, Series,
    SourceInfo, Storage,
};
use ksnapshot_tests::proxy::{Fault, Proxy, Request};
use ksnapshot_tests::{Ksnapshot, Minio, S3};

/// The three objects of the `n`-th small snapshot, one an hour.
fn objects(n: usize) -> [(Key, Bytes); 3] {
    let (day, hour) = (n / 24, n % 24);
    let (year, month, day) = (2000 + day / 336, 1 + day / 28 % 12, 1 + day % 28);
    let id = format!("{n:08}");
    let stem = format!("dump-db1-shop-{year}{month:02}{day:02}{hour:02}0000-{id}");
    let entry = |role, name: String| ObjectEntry {
        role,
        name,
        bytes: 1,
        sha256: "0".repeat(64),
        header: 0,
    };
    let (data, index) = (format!("{stem}.sql.zst"), format!("{stem}.index.zst"));
    let started = format!("{year}-{month:02}-{day:02}T{hour:02}:00:00Z");
    let manifest = Manifest {
        version: 1,
        id,
        series: Series {
            name: "db1".to_owned(),
            kind: "postgresql".to_owned(),
            database: "shop".to_owned(),
        },
        started: started.parse().unwrap(),
        finished: started.parse().unwrap(),
        tool: "ksnapshot".to_owned(),
        source: SourceInfo {
            kind: "postgresql".to_owned(),
            server_version: "18.1".to_owned(),
        },
        consistency: Consistency {
            claim: "one-snapshot".to_owned(),
            position: [("lsn".to_owned(), "0/1".to_owned())].into(),
        },
        compression: "zstd:3".to_owned(),
        encryption: None,
        objects: vec![
            entry(ObjectRole::Data, data.clone()),
            entry(ObjectRole::Index, index.clone()),
        ],
        counts: Counts::default(),
        outcome: Outcome::Complete,
        checksum: String::new(),
    };
    let key =
        |name: &str| Key::parse(format!("{year}/{month:02}/{day:02}/postgresql/{name}")).unwrap();
    let json = Bytes::from(manifest.to_json());
    let manifest = format!("{stem}.manifest.json");
    let crumb = Bytes::from_static(b"x");
    [
        (key(&data), crumb.clone()),
        (key(&index), crumb),
        (key(&manifest), json),
    ]
}

fn fill(storage: &Arc<dyn Storage>, count: usize) -> Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    let puts = stream::iter((0..count).flat_map(objects))
        .map(async |(key, body)| storage.put(&key, body, PutMode::Overwrite).await)
        .buffer_unordered(32);
    runtime.block_on(puts.try_collect::<()>())?;
    Ok(())
}

/// Lists them by the binary; tells time and memory to whoever runs it with `--nocapture`.
fn list(what: &str, count: usize, run: Ksnapshot) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let told = folder.path().join("peak");
    let time = ["/usr/bin/time", "--format=%M", "--output"];
    let wrapper = [&time[..], &[told.to_str().unwrap()]].concat();
    let begun = Instant::now();
    let listed = run.under(&wrapper).run()?.success()?;
    let took = begun.elapsed();
    let kib: u64 = std::fs::read_to_string(told)?.trim().parse()?;
    eprintln!(
        "{what}: {count} snapshots in {took:.1?}, {} MiB",
        kib / 1024
    );
    assert_eq!(listed.text().lines().count(), 1 + count);
    assert!(kib < 128 * 1024, "{kib} KiB");
    Ok(())
}

#[test]
fn ten_thousand_in_a_folder() -> Result<()> {
    const COUNT: usize = 10_000;
    let folder = tempfile::tempdir()?;
    let place = folder.path().display().to_string();
    fill(&ksnapshot_storage::open(&place)?, COUNT)?;
    list("folder", COUNT, Ksnapshot::new(["list", &place]))
}

/// Fewer than ten thousand, since writing them takes longer than all else; the requests are counted instead.
#[test]
fn thousands_in_a_bucket() -> Result<()> {
    let count = std::env::var("KSNAPSHOT_MANY").map_or(Ok(1_500), |text| text.parse())?;
    let minio = Minio::start()?;
    minio.bucket("many")?;
    let vars = minio.credentials();
    let env = |name: &str| Some(vars.iter().find(|(key, _)| *key == name)?.1.to_owned());
    fill(
        &ksnapshot_storage::open_with(&minio.url("many", "p"), &env)?,
        count,
    )?;

    let proxy = Proxy::start(minio.addr(), Fault::none())?;
    let url = S3::url_at(&proxy.endpoint(), "many", "p");
    list(
        "bucket",
        count,
        Ksnapshot::new(["list", &url]).credentials(&minio),
    )?;
    let requests = proxy.requests();
    let pages = |request: &&Request| request.has("list-type");
    let reads = |request: &&Request| request.path.ends_with(".manifest.json");
    assert_eq!(
        requests.iter().filter(pages).count(),
        (3 * count).div_ceil(1000)
    );
    assert_eq!(requests.iter().filter(reads).count(), count);
    assert_eq!(requests.len(), (3 * count).div_ceil(1000) + count);

    // One of them is found by its name alone.
    let before = requests.len();
    let url = format!("{url}#{:08}", count / 2);
    Ksnapshot::new(["inspect", &url])
        .credentials(&minio)
        .run()?;
    let requests = proxy.requests().split_off(before);
    assert_eq!(requests.iter().filter(reads).count(), 1, "{requests:#?}");
    Ok(())
}
