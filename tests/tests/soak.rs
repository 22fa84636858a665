//! Long runs, started by `make soak`; what they found is told in docs/soak.md.

#![allow(clippy::print_stdout, clippy::unwrap_used)]

#[path = "soak/elastic.rs"]
mod elastic;
#[path = "soak/mysql.rs"]
mod mysql;
#[path = "soak/postgres.rs"]
mod postgres;
#[path = "soak/rounds.rs"]
mod rounds;
#[path = "soak/scale.rs"]
mod scale;
#[path = "soak/storm.rs"]
mod storm;

use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;
use std::time::{Duration, Instant};

use ksnapshot_tests::testbed;
use ksnapshot_tests::tools::Key;
use ksnapshot_tests::{Ksnapshot, Minio, Options, Postgres, Running, Version};

/// Ctrl-C after 0, 20, 40, … ms of a dump to S3, until it's done before: each time either a whole snapshot or
/// nothing is there, no upload stays open, and no session of the source.
#[test]
fn ctrl_c_at_any_moment_of_a_dump() {
    sweep(Running::interrupt, |minio, bucket, code| {
        let names = minio.list(bucket).unwrap();
        match code {
            Some(0) => assert_eq!(names.len(), 3, "{names:?}"),
            // No code: the signal came before anybody listened.
            Some(130) | None => assert!(names.is_empty(), "{names:?}"),
            other => panic!("exit code {other:?}, objects {names:?}"),
        }
        assert_eq!(minio.uploads().unwrap(), 0);
    });
}

/// SIGKILL at the same moments: what stays may be an orphan, but never looks like a snapshot.
#[test]
fn sigkill_at_any_moment_of_a_dump() {
    sweep(Running::kill, |minio, bucket, code| {
        let names = minio.list(bucket).unwrap();
        let manifests = names
            .iter()
            .filter(|name| name.ends_with(".manifest.json"))
            .count();
        assert!(
            manifests == 0 || names.len() == 3,
            "a manifest without its objects: {names:?}"
        );
        assert!(code != Some(0) || manifests == 1, "{names:?}");
    });
}

fn sweep(stop: impl Fn(&Running) -> anyhow::Result<()>, judge: impl Fn(&Minio, &str, Option<i32>)) {
    let server: Postgres = Options::new(Version::V18)
        .tpch("0.05")
        .unwrap()
        .start()
        .unwrap();
    let minio = Minio::start().unwrap();
    let key = Key::generate().unwrap();
    let (mut delay, mut finished) = (Duration::ZERO, 0);
    while finished < 3 {
        let bucket = format!("at-{}", delay.as_millis());
        minio.bucket(&bucket).unwrap();
        let to = minio.url(&bucket, "");
        let mut run = Ksnapshot::new([
            "dump",
            &server.url("tpch"),
            "--to",
            &to,
            "--recipient",
            key.recipient(),
        ])
        .password()
        .credentials(&minio)
        .spawn()
        .unwrap();
        // The moment itself is what is tested.
        let moment = Instant::now() + delay;
        while Instant::now() < moment && !run.ended().unwrap() {
            thread::sleep(Duration::from_millis(1));
        }
        stop(&run).unwrap();
        let run = run.wait().unwrap();
        println!("after {delay:?}: {}", run.status);
        judge(&minio, &bucket, run.code());
        testbed::until(Duration::from_secs(10), "the end of all sessions", || {
            Ok((server.sessions()? == 0).then_some(()))
        })
        .unwrap();
        finished += u32::from(run.code() == Some(0));
        delay += Duration::from_millis(20);
    }
}

/// Asks a promise of each version. One that breaks it doesn't keep the others from being asked.
fn on<V: Copy + Debug>(
    versions: &[V],
    name: impl Fn(V) -> &'static str,
    what: &str,
    promise: impl Fn(V),
) {
    let mut broken = Vec::new();
    for &version in versions {
        let began = Instant::now();
        let kept = catch_unwind(AssertUnwindSafe(|| promise(version))).is_ok();
        let seconds = began.elapsed().as_secs();
        let outcome = if kept { "kept" } else { "broken" };
        println!("{what} on {}: {outcome}, {seconds} s", name(version));
        if !kept {
            broken.push(version);
        }
    }
    assert!(broken.is_empty(), "{what}: broken on {broken:?}");
}
