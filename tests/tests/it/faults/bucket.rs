//! What buckets do in the long run: other clocks, tokens that expire, throttling, versions and locks.

use std::net::SocketAddr;
use std::thread;
use std::time::Instant;

use ksnapshot_tests::proxy::{Fault, Proxy, Request, What};
use ksnapshot_tests::{Minio, S3, Versitygw, tools};

use super::*;

/// A dump that needs three parts.
fn large(to: &str) -> Ksnapshot {
    dump(&heap().url(), to).args(["--compression", "none"])
}

fn proxy(server: &S3, bucket: &str) -> (Proxy, String) {
    let address = SocketAddr::from(([127, 0, 0, 1], server.port()));
    let proxy = Proxy::start(address, Fault::none()).unwrap();
    let url = S3::url_at(&proxy.endpoint(), bucket, "p");
    (proxy, url)
}

/// Both kinds of servers, each its own.
fn servers() -> (Minio, Versitygw) {
    (Minio::start().unwrap(), Versitygw::start().unwrap())
}

#[test]
fn a_clock_that_is_wrong() {
    let (minio, versitygw) = (Minio::shared().unwrap(), Versitygw::shared().unwrap());
    let library = tools::faketime().unwrap();
    let db = own_shop();
    for server in [&**minio, &**versitygw] {
        server.bucket("wrong-clock").unwrap();
        let url = server.url("wrong-clock", "p");
        for shift in ["-2h", "+2h"] {
            for run in [dump(&db.url(), &url), Ksnapshot::new(["list", &url])] {
                let run = run.credentials(server).env("LD_PRELOAD", &library);
                let run = run.env("FAKETIME", shift);
                let run = run.env("FAKETIME_DONT_FAKE_MONOTONIC", "1").run().unwrap();
                let says = [
                    "s3://wrong-clock/p",
                    "clock",
                    "too far apart",
                    "hint: Set the clock",
                ];
                fails(run, 14, &says);
            }
        }
        assert_eq!(server.list("wrong-clock").unwrap(), [""; 0]);
    }
    no_session_in(&db);
}

#[test]
fn a_token_that_expires_during_an_upload() {
    let minio = Minio::start().unwrap();
    minio.bucket("expired").unwrap();
    let (proxy, url) = proxy(&minio, "expired");
    let expired = What::Refuse(400, "ExpiredToken");
    let says = ["token is expired", "hint: Renew AWS_SESSION_TOKEN"];
    let late = |request: &Request| request.is_part() && request.has("partNumber");
    proxy.set(Fault::always(expired).on(late).from(2));
    let run = large(&url).credentials(&minio).run().unwrap();
    fails(run, 14, &says);
    assert_eq!(minio.uploads().unwrap(), 0);

    // For good: then the upload can't be taken back either, and that is said.
    for first in [3, 5] {
        proxy.set(Fault::always(expired).from(first));
        let run = large(&url).credentials(&minio).run().unwrap();
        let run = fails(run, 14, &says);
        assert!(run.stderr.contains("unfinished upload"), "{run:?}");
    }
    assert_eq!(minio.list("expired").unwrap(), [""; 0]);
    assert_eq!(minio.uploads().unwrap(), 2);
}

#[test]
fn a_key_that_is_renewed_during_an_upload() {
    let minio = Minio::start().unwrap();
    minio.bucket("renewed").unwrap();
    let (proxy, url) = proxy(&minio, "renewed");
    let [(_, id), (_, secret)] = minio.credentials();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("credentials");
    let first = format!("[default]\naws_access_key_id={id}\naws_secret_access_key={secret}\n");
    fs::write(&file, first).unwrap();
    let next = minio.session().unwrap();

    // The first key expires with the second part. Whoever renews the file notices then.
    let old = move |request: &Request| request.signer == id;
    let part = move |request: &Request| request.is_part() && old(request);
    proxy.set(
        Fault::always(What::Refuse(400, "ExpiredToken"))
            .on(part)
            .from(2),
    );
    let run = large(&url).env("AWS_SHARED_CREDENTIALS_FILE", &file);
    let run = run.spawn().unwrap();
    let refused = testbed::until(Duration::from_secs(60), "the first refusal", || {
        let all = proxy.requests();
        Ok(all.iter().any(|r| r.status == Some(400)).then_some(()))
    });
    refused.unwrap();
    fs::write(&file, next).unwrap();
    run.wait().unwrap().success().unwrap();
    let requests = proxy.requests();
    assert!(!old(requests.last().unwrap()), "{requests:#?}");
    proxy.set(Fault::none());
    is_whole(&url, |run| run.env("AWS_SHARED_CREDENTIALS_FILE", &file));
    assert_eq!(minio.uploads().unwrap(), 0);
}

#[test]
fn throttling_is_survived_at_every_request() {
    let minio = Minio::start().unwrap();
    minio.bucket("unhurried").unwrap();
    let (unhurried, from) = proxy(&minio, "unhurried");
    large(&from)
        .credentials(&minio)
        .run()
        .unwrap()
        .success()
        .unwrap();
    let writes = unhurried.requests().len() as u64;
    is_whole(&from, |run| run.credentials(&minio));
    let reads = unhurried.requests().len() as u64 - writes;
    assert!(writes > 7 && reads > 3, "{writes} and {reads}");
    let kinds = [What::Answer(503), What::Answer(429)];
    // They wait for most of their time: all at once.
    thread::scope(|scope| {
        for n in 1..=writes.max(reads) {
            let minio = &minio;
            scope.spawn(move || {
                let name = format!("throttled-{n}");
                minio.bucket(&name).unwrap();
                let (proxy, to) = proxy(minio, &name);
                let kind = kinds[n as usize % 2];
                if n <= writes {
                    proxy.set(Fault::always(kind).burst(n, 3));
                    let run = large(&to).credentials(minio).run().unwrap();
                    run.success().unwrap();
                    assert_eq!(minio.list(&name).unwrap().len(), 3);
                }
                if n <= reads {
                    proxy.set(Fault::always(kind).burst(n, 3));
                    let from = S3::url_at(&proxy.endpoint(), "unhurried", "p");
                    is_whole(from, |run| run.credentials(minio));
                }
            });
        }
    });
    assert_eq!(minio.uploads().unwrap(), 0);
}

#[test]
fn a_busy_store_gets_its_time() {
    let minio = Minio::shared().unwrap();
    minio.bucket("patience").unwrap();
    let (proxy, url) = proxy(minio, "patience");
    for kind in [What::Answer(503), What::Answer(429)] {
        // It asks for a second; unasked, the first pause is a fifth of one.
        proxy.set(Fault::always(kind).nth(1));
        let began = Instant::now();
        let run = Ksnapshot::new(["list", &url]).credentials(minio).run();
        fails(run.unwrap(), 10, &["holds no snapshot"]);
        assert!(began.elapsed() >= Duration::from_secs(1));
        assert!(proxy.requests().len() > 1);
    }
}

/// A bucket that keeps versions, or locks them, is a storage like any other; what a failed dump has written is hidden,
/// and no lock makes a snapshot of it.
#[test]
fn versions_and_locks() {
    let (minio, versitygw) = servers();
    for server in [&*minio, &*versitygw] {
        server.versioned_bucket("versioned").unwrap();
        server.locked_bucket("locked").unwrap();
        for bucket in ["versioned", "locked"] {
            let (proxy, url) = proxy(server, bucket);
            let url = format!("{url}&checksum=sha256");
            let with = |run: Ksnapshot| run.credentials(server).run().unwrap();

            // Undone as far as it goes: hidden by markers, kept below them.
            let manifest = |request: &Request| request.path.ends_with(".manifest.json");
            proxy.set(Fault::always(What::Answer(403)).on(manifest));
            fails(with(large(&url)), 14, &["access denied"]);
            proxy.set(Fault::none());
            assert_eq!(server.list(bucket).unwrap(), [""; 0], "{bucket}");
            let versions = server.versions(bucket).unwrap();
            let kept: Vec<_> = versions.iter().filter(|version| !version.marker).collect();
            assert_eq!(kept.len(), 2, "{versions:?}");
            for version in kept {
                let deleted = server.delete_version(bucket, version).is_ok();
                assert_eq!(deleted, bucket == "versioned", "{version:?}");
            }
            fails(with(Ksnapshot::new(["list", &url])), 10, &["hint: "]);

            // Not undone at all: told, and no snapshot.
            let deletion = |request: &Request| request.has("delete") || request.method == "DELETE";
            let refused = move |request: &Request| manifest(request) || deletion(request);
            proxy.set(Fault::always(What::Answer(403)).on(refused));
            let run = fails(with(large(&url)), 14, &["access denied"]);
            assert!(run.stderr.contains("left behind"), "{run:?}");
            proxy.set(Fault::none());
            assert_eq!(server.list(bucket).unwrap().len(), 2, "{bucket}");
            for run in [Ksnapshot::new(["list", &url]), read("verify", &url)] {
                fails(with(run), 10, &["hint: "]);
            }

            let id = with(large(&url)).success().unwrap().text();
            let listed = with(Ksnapshot::new(["list", &url])).success().unwrap();
            assert!(listed.text().contains(id.trim()), "{listed:?}");
            is_whole(&url, |run| run.credentials(server));
            let target = empty();
            with(restore(&url, &target.url())).success().unwrap();
            let rows = target.psql("select count(*) from heap").unwrap();
            assert_eq!(rows, "20000");
            target.drop().unwrap();
        }
    }
    assert_eq!(minio.uploads().unwrap(), 0);
}
