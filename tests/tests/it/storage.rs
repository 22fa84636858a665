//! Buckets on a real S3 server, with and without faults in between.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use bytes::Bytes;
use futures_util::TryStreamExt;
use ksnapshot_core::{Error, ErrorKind, Key, ObjectInfo, PutMode, Storage, conformance};
use ksnapshot_tests::proxy::{Fault, Proxy, Request, What};
use ksnapshot_tests::{Azurite, Gcs, Minio, S3, Versitygw};

const MIB: usize = 1024 * 1024;

/// A bucket of the shared server, and the server's address.
fn bucket(name: &str) -> Result<(&'static Minio, SocketAddr)> {
    let minio = Minio::shared()?;
    minio.bucket(name)?;
    Ok((minio, SocketAddr::from(([127, 0, 0, 1], minio.port()))))
}

fn open_as(url: &str, vars: &[(&str, &str)]) -> ksnapshot_core::Result<Arc<dyn Storage>> {
    let env = |name: &str| {
        let found = vars.iter().find(|(key, _)| *key == name)?;
        Some(found.1.to_owned())
    };
    ksnapshot_storage::open_with(url, &env)
}

fn open(server: &S3, url: &str) -> Result<Arc<dyn Storage>> {
    Ok(open_as(url, &server.credentials())?)
}

/// The storage `bucket/p` as seen through a proxy, and the proxy.
fn through(name: &str, fault: Fault) -> Result<(Arc<dyn Storage>, Proxy)> {
    let (minio, addr) = bucket(name)?;
    let proxy = Proxy::start(addr, fault)?;
    let storage = open(minio, &Minio::url_at(&proxy.endpoint(), name, "p"))?;
    Ok((storage, proxy))
}

fn run<T>(work: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    runtime.worker_threads(2).enable_all();
    runtime.build().unwrap().block_on(work)
}

fn key(text: &str) -> Key {
    Key::parse(text).unwrap()
}

fn body(size: usize) -> Bytes {
    (0..size).map(|at| (at / 7 + at / 4093) as u8).collect()
}

/// Writes in blocks as the pipeline does.
async fn write(
    storage: &dyn Storage,
    name: &str,
    size: usize,
) -> ksnapshot_core::Result<ObjectInfo> {
    let mut writer = storage.writer(&key(name), Some(size as u64)).await?;
    let mut left = body(size);
    while !left.is_empty() {
        let block = left.split_to(MIB.min(left.len()));
        if let Err(error) = writer.write(block).await {
            writer.abort().await?;
            return Err(error);
        }
    }
    writer.finish().await
}

async fn read(storage: &dyn Storage, name: &str) -> ksnapshot_core::Result<Vec<u8>> {
    let mut whole = Vec::new();
    let mut pieces = storage.read(&key(name), None).await?;
    while let Some(piece) = pieces.try_next().await? {
        whole.extend_from_slice(&piece);
    }
    Ok(whole)
}

#[test]
fn a_bucket_keeps_every_promise_of_a_storage() -> Result<()> {
    let (minio, _) = bucket("conformance")?;
    for prefix in ["", "a/b%2Fc"] {
        let storage = open(minio, &minio.url("conformance", prefix))?;
        run(conformance::storage(&*storage))?;
    }
    let host = format!("http://localhost:{}", minio.port());
    let url = format!(
        "{}&style=virtual",
        Minio::url_at(&host, "conformance", "virtual")
    );
    run(conformance::storage(&*open(minio, &url)?))?;
    assert_eq!(minio.list("conformance")?, [""; 0]);
    Ok(())
}

#[test]
fn versions_and_locks_change_no_promise() -> Result<()> {
    let (minio, versitygw) = (Minio::shared()?, Versitygw::shared()?);
    for server in [&**minio, &**versitygw] {
        server.bucket("plain-promises")?;
        server.versioned_bucket("versioned-promises")?;
        server.locked_bucket("locked-promises")?;
        for bucket in ["plain", "versioned", "locked"] {
            let bucket = format!("{bucket}-promises");
            // Amazon wants a checksum of its own in a bucket with a lock; others take it.
            for checksum in ["none", "sha256"] {
                let url = format!("{}&checksum={checksum}", server.url(&bucket, "p"));
                let kept = run(conformance::storage(&*open(server, &url)?));
                kept.with_context(|| format!("{url} {}", server.port()))?;
            }
            assert_eq!(server.list(&bucket)?, [""; 0]);
        }
        assert_eq!(server.versions("plain-promises")?, []);
        let kept = server.versions("locked-promises")?;
        let locked = kept.iter().find(|version| !version.marker).unwrap();
        assert!(server.delete_version("locked-promises", locked).is_err());
    }
    Ok(())
}

#[test]
fn a_container_of_azure_keeps_every_promise_of_a_storage() -> Result<()> {
    let azurite = Azurite::shared()?;
    azurite.container("conformance")?;
    for prefix in ["", "a/b%2Fc"] {
        let url = Azurite::url_at(azurite.addr(), "conformance", prefix);
        run(conformance::storage(&*open_as(
            &url,
            &azurite.credentials(),
        )?))?;
    }
    assert_eq!(azurite.list("conformance")?, [""; 0]);
    Ok(())
}

#[test]
fn a_bucket_of_google_keeps_every_promise_of_a_storage() -> Result<()> {
    let (gcs, folder) = (Gcs::start()?, tempfile::tempdir()?);
    gcs.bucket("conformance")?;
    let key = gcs.key_file(folder.path())?;
    for prefix in ["", "a/b%2Fc"] {
        let url = gcs.url("conformance", prefix);
        let vars = [("GOOGLE_APPLICATION_CREDENTIALS", key.as_str())];
        run(conformance::storage(&*open_as(&url, &vars)?))?;
    }
    assert_eq!(gcs.list("conformance")?, [""; 0]);
    assert_eq!(gcs.uploads()?, 0);
    Ok(())
}

#[test]
fn a_store_without_conditions_keeps_every_other_promise() -> Result<()> {
    let conditional = |request: &Request| request.conditional;
    let fault = Fault::always(What::Answer(501)).on(conditional);
    let (storage, proxy) = through("no-conditions", fault)?;
    run(conformance::storage(&*storage))?;
    let asked = proxy.requests();
    let first = asked.iter().position(conditional).unwrap();
    let path = asked[first].path.clone();
    let again = asked.iter().filter(|r| r.conditional && r.path != path);
    assert_eq!(again.count(), 0, "it is asked for one object only");

    // And one that takes no notice of them.
    let (gcs, folder) = (Gcs::heedless()?, tempfile::tempdir()?);
    gcs.bucket("heedless")?;
    let key = gcs.key_file(folder.path())?;
    let vars = [("GOOGLE_APPLICATION_CREDENTIALS", key.as_str())];
    run(conformance::storage(&*open_as(
        &gcs.url("heedless", "p"),
        &vars,
    )?))?;
    assert!(gcs.proxy.requests().iter().any(conditional));
    Ok(())
}

#[test]
fn keys_appear_literally_in_the_bucket() -> Result<()> {
    let (minio, _) = bucket("literal")?;
    let storage = open(minio, &minio.url("literal", "p"))?;
    run(storage.put(&key("a%2Fb=c"), Bytes::new(), PutMode::Create))?;
    assert_eq!(minio.list("literal")?, ["p/a%2Fb=c"]);
    Ok(())
}

#[test]
fn writing_needs_only_the_right_to_write() -> Result<()> {
    let (storage, proxy) = through("write-only", Fault::none())?;
    run(async {
        write(&*storage, "large", 40 * MIB + 5).await?;
        storage
            .put(&key("small"), Bytes::from_static(b"x"), PutMode::Create)
            .await?;
        let mut writer = storage.writer(&key("aborted"), None).await?;
        writer.write(body(20 * MIB)).await?;
        writer.abort().await
    })?;
    let requests = proxy.requests();
    assert!(requests.iter().all(Request::is_write_only), "{requests:#?}");
    assert!(
        requests
            .iter()
            .any(|r| r.is_abort() && r.status == Some(204))
    );
    Ok(())
}

/// Some stores refuse an upload whose parts are not all equal but the last.
#[test]
fn parts_are_equal_but_the_last() -> Result<()> {
    const PART: u64 = 8 * MIB as u64;
    let (storage, proxy) = through("equal-parts", Fault::none())?;
    for size in [
        0,
        1,
        PART - 1,
        PART,
        PART + 1,
        2 * PART - 1,
        2 * PART,
        2 * PART + 1,
        5 * PART + 5,
    ] {
        // Blocks that fit into a part, that don't, and that are larger than two.
        for block in [MIB, MIB + 13, 17 * MIB] {
            let before = proxy.requests().len();
            let mut left = body(size as usize);
            run(async {
                let mut writer = storage.writer(&key("object"), Some(size)).await?;
                while !left.is_empty() {
                    writer.write(left.split_to(block.min(left.len()))).await?;
                }
                writer.finish().await
            })?;
            let sent = proxy.requests().split_off(before);
            let number = |request: &Request| -> u64 {
                let mut pairs = request.query.split('&');
                let number = pairs.find_map(|pair| pair.strip_prefix("partNumber="));
                number.unwrap().parse().unwrap()
            };
            let mut parts: Vec<_> = (sent.iter().filter(|r| r.is_part()))
                .map(|part| (number(part), part.length))
                .collect();
            parts.sort_unstable();
            // An empty object is an upload of one empty part.
            let last = size.max(1).div_ceil(PART);
            let expected = |n: u64| {
                if n < last {
                    PART
                } else {
                    size - PART * (last - 1)
                }
            };
            let expected: Vec<_> = (1..=last).map(|n| (n, expected(n))).collect();
            assert_eq!(parts, expected, "{size} bytes in blocks of {block}");
        }
    }
    Ok(())
}

#[test]
fn refusals_are_storage_errors_with_advice() -> Result<()> {
    let (minio, _) = bucket("refusals")?;
    let secret = minio.credentials()[1].1;
    let id = minio.credentials()[0].1;
    let url = minio.url("refusals", "p");
    let missing = minio.url("there-is-none", "p");
    let wrong_id = [
        ("AWS_ACCESS_KEY_ID", "nobody"),
        ("AWS_SECRET_ACCESS_KEY", secret),
    ];
    let wrong_secret = [
        ("AWS_ACCESS_KEY_ID", id),
        ("AWS_SECRET_ACCESS_KEY", "wrong-wrong"),
    ];
    for (url, vars, message, hint) in [
        (
            &url,
            wrong_id,
            "does not know the access key",
            "AWS_ACCESS_KEY_ID",
        ),
        (
            &url,
            wrong_secret,
            "the secret key is wrong",
            "AWS_SECRET_ACCESS_KEY",
        ),
        (
            &missing,
            minio.credentials(),
            "no such bucket",
            "Create the bucket",
        ),
    ] {
        let storage = open_as(url, &vars)?;
        let check = |error: Option<Error>| {
            let error = error.expect("it is refused");
            assert_eq!(error.kind(), ErrorKind::Storage, "{error:?}");
            assert!(error.to_string().contains(message), "{error}");
            assert!(error.advice().unwrap().contains(hint), "{error:?}");
            assert!(!format!("{error:#}").contains(vars[1].1), "{error:#}");
        };
        run(async {
            check(storage.writer(&key("a"), None).await.err());
            check(
                storage
                    .put(&key("a"), Bytes::new(), PutMode::Create)
                    .await
                    .err(),
            );
            check(storage.read(&key("a"), None).await.err());
            check(storage.list(None).try_collect::<Vec<_>>().await.err());
            check(storage.delete(&[key("a")]).await.err());
        });
    }
    Ok(())
}

#[test]
fn a_profile_of_the_credentials_file_opens_the_bucket() -> Result<()> {
    let (minio, _) = bucket("profile")?;
    let [(_, id), (_, secret)] = minio.credentials();
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("credentials");
    let text = format!("[minio]\naws_access_key_id={id}\naws_secret_access_key={secret}\n");
    std::fs::write(&file, text)?;
    let vars = [
        ("AWS_SHARED_CREDENTIALS_FILE", file.to_str().unwrap()),
        ("AWS_PROFILE", "minio"),
    ];
    let storage = open_as(&minio.url("profile", ""), &vars)?;
    run(write(&*storage, "a", 10))?;
    Ok(())
}

#[test]
fn passing_faults_are_survived() -> Result<()> {
    let size = 20 * MIB;
    let begins = |request: &Request| request.has("uploads");
    let faults = [
        Fault::always(What::Answer(503)).on(begins).nth(1),
        Fault::always(What::Answer(503)).on(Request::is_part).nth(2),
        Fault::always(What::Answer(429)).on(Request::is_part).nth(2),
        Fault::always(What::Reset).on(Request::is_part).nth(1),
        Fault::always(What::CutRequest(5_000_000))
            .on(Request::is_part)
            .nth(2),
        Fault::always(What::LoseAnswer).on(Request::is_part).nth(2),
        Fault::always(What::Reset).on(Request::is_completion).nth(1),
        Fault::always(What::Answer(500))
            .on(Request::is_completion)
            .nth(1),
    ];
    let (storage, proxy) = through("passing", Fault::none())?;
    for fault in faults {
        let name = format!("{fault:?}");
        proxy.set(fault);
        let info = run(write(&*storage, "object", size)).with_context(|| name.clone())?;
        assert_eq!(info.size, size as u64);
        assert!(run(read(&*storage, "object"))? == body(size), "{name}");
        assert!(proxy.requests().iter().all(|r| !r.is_abort()), "{name}");
    }
    Ok(())
}

#[test]
fn a_broken_read_goes_on_where_it_stood() -> Result<()> {
    let size = 20 * MIB;
    let (storage, proxy) = through("broken-read", Fault::none())?;
    run(write(&*storage, "object", size))?;
    let reads = |request: &Request| request.method == "GET";
    for fault in [
        Fault::always(What::CutResponse(3_000_000)).on(reads),
        Fault::always(What::CutResponse(0)).on(reads).nth(1),
        Fault::always(What::Reset).on(reads).nth(1),
        Fault::always(What::Answer(503)).on(reads).nth(1),
    ] {
        proxy.set(fault);
        assert!(run(read(&*storage, "object"))? == body(size));
    }
    Ok(())
}

/// A fault that does not pass ends a write in time, with nothing left.
fn lasts(bucket: &str, fault: Fault, message: &str) -> Result<()> {
    let (storage, proxy) = through(bucket, fault)?;
    let begun = Instant::now();
    let error = run(write(&*storage, "object", 20 * MIB)).unwrap_err();
    assert!(begun.elapsed() < Duration::from_secs(120), "{error:?}");
    assert_eq!(error.kind(), ErrorKind::Storage, "{error:?}");
    let place = format!("s3://{bucket}/p/object: ");
    assert!(error.to_string().starts_with(&place), "{error}");
    assert!(error.to_string().contains(message), "{error}");
    assert!(proxy.requests().iter().any(Request::is_abort));
    assert_eq!(Minio::shared()?.list(bucket)?, [""; 0], "{error:?}");
    Ok(())
}

#[test]
fn a_right_that_is_taken_away_ends_a_write() -> Result<()> {
    let fault = Fault::always(What::Answer(403)).on(Request::is_part);
    lasts("taken-away", fault.from(2), "access denied")
}

#[test]
fn a_store_that_stays_busy_ends_a_write() -> Result<()> {
    let fault = Fault::always(What::Answer(503)).on(Request::is_part);
    lasts("busy", fault.from(2), "503")
}

#[test]
fn a_line_that_keeps_breaking_ends_a_write() -> Result<()> {
    let fault = Fault::always(What::CutRequest(1000)).on(Request::is_part);
    lasts(
        "breaking",
        fault.from(2),
        "the connection to the store broke",
    )
}

#[test]
fn a_store_that_never_completes_ends_a_write() -> Result<()> {
    let fault = Fault::always(What::Answer(503)).on(Request::is_completion);
    lasts("incomplete", fault, "503")
}

#[test]
fn a_lost_answer_is_never_a_false_success() -> Result<()> {
    let fault = Fault::always(What::LoseAnswer)
        .on(Request::is_completion)
        .nth(1);
    let (storage, _proxy) = through("lost-answer", fault)?;
    // Whether the repetition is understood is the server's business; ours is that a success is one.
    if run(write(&*storage, "object", 10 * MIB)).is_ok() {
        assert!(run(read(&*storage, "object"))? == body(10 * MIB));
    }
    Ok(())
}

#[test]
fn a_store_that_is_not_there_is_told_apart() -> Result<()> {
    let minio = Minio::shared()?;
    let port = ksnapshot_tests::testbed::free_port()?;
    let url = Minio::url_at(&format!("http://127.0.0.1:{port}"), "b", "p");
    let storage = open(minio, &url)?;
    let begun = Instant::now();
    let error = run(storage.writer(&key("a"), None)).err().unwrap();
    assert!(begun.elapsed() < Duration::from_secs(70));
    assert_eq!(error.kind(), ErrorKind::Storage);
    assert!(error.to_string().contains("can't be reached"), "{error}");
    assert!(error.advice().unwrap().contains("endpoint"), "{error:?}");
    Ok(())
}
