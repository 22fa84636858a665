//! Removing goes wrong, or might remove too much: what has to stay stays.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use jiff::SignedDuration;
use ksnapshot_core::Outcome;
use ksnapshot_tests::Minio;
use ksnapshot_tests::hold::Holder;
use ksnapshot_tests::proxy::{Fault, Proxy, Request, What};

use super::*;
use crate::history::History;

/// Swept, however young.
const AT_ONCE: [&str; 4] = ["--keep-last", "5", "--orphans-after", "0s"];

fn prune(place: impl AsRef<std::ffi::OsStr>, args: &[&str]) -> Ksnapshot {
    Ksnapshot::new(["prune"]).arg(place).args(args)
}

fn history(place: &Place) -> History {
    History::in_folder(&place.store())
}

fn days(days: i64) -> SignedDuration {
    SignedDuration::from_hours(24 * days)
}

fn set(ids: &[String]) -> BTreeSet<String> {
    ids.iter().cloned().collect()
}

#[test]
fn problems_push_nothing_out() {
    let place = Place::new();
    let history = history(&place);
    let good = history.daily("db", [30, 31]);
    for age in 1..=5 {
        history.put("db", days(age), Outcome::CompleteWithProblems);
    }
    let run = prune(place.store(), &["--keep-last", "2", "--keep-daily", "2"]).run();
    let run = run.unwrap().success().unwrap();
    let left = history.whole();
    assert!(left.is_superset(&set(&good)), "{run:?}");
    assert_eq!(
        left.len(),
        4,
        "and those with problems don't pile up: {run:?}"
    );
}

#[test]
fn a_failing_source_freezes_ages() {
    let place = Place::new();
    let history = history(&place);
    let young = history.daily("db", [40, 50, 60]);
    history.daily("db", [80, 90]);
    let run = prune(place.store(), &["--keep-within", "30d"])
        .run()
        .unwrap();
    run.success().unwrap();
    assert_eq!(history.whole(), set(&young), "counted from the newest one");
}

#[test]
fn the_future_pushes_nothing_out() {
    let place = Place::new();
    let history = history(&place);
    let mut stays = history.daily("db", [-3000, 1, 2]);
    history.daily("db", [60]);
    let run = prune(place.store(), &["--keep-last", "2", "--keep-within", "30d"]).run();
    let run = run.unwrap().success().unwrap();
    stays.sort();
    assert_eq!(history.whole(), set(&stays), "{run:?}");
    let told = run.stderr.contains("began in the future") && run.text().contains("in the future");
    assert!(told, "{run:?}");
}

#[test]
fn too_much_at_once() {
    let place = Place::new();
    let history = history(&place);
    history.daily("db", 1..=40);
    history.daily("other", 1..=3);
    let before = history.objects();
    let mut tables = Vec::new();
    for flag in [&["--dry-run"][..], &[]] {
        let run = prune(place.store(), &["--keep-last", "1"])
            .args(flag)
            .run()
            .unwrap();
        assert_eq!(run.code(), Some(1), "{run:?}");
        explains(
            &run,
            &[
                "postgresql db/shop: 39 of 40",
                "hint: Nothing was removed",
                "--max-delete 39",
            ],
        );
        assert_eq!(history.objects(), before);
        tables.push(run.text());
    }
    assert_eq!(tables[0], tables[1], "what it would have been is shown");
    for refused in ["38", "97%"] {
        let run = prune(
            place.store(),
            &["--keep-last", "1", "--max-delete", refused],
        )
        .run()
        .unwrap();
        assert_eq!(run.code(), Some(1), "{run:?}");
        assert_eq!(history.objects(), before);
    }
    let run = prune(place.store(), &["--keep-last", "1", "--max-delete", "39"])
        .run()
        .unwrap();
    run.success().unwrap();
    assert_eq!(history.whole().len(), 2);
}

#[test]
fn no_rule() {
    let place = Place::new();
    let history = history(&place);
    history.daily("db", [1]);
    for args in [&[][..], &["--keep-last", "0"]] {
        let run = prune(place.store(), args).run().unwrap();
        fails(
            run,
            2,
            &["no rule says what to keep", "hint: Say it with --keep-last"],
        );
    }
    for args in [
        ["--keep-within", "1 month"],
        ["--keep-daily", "-1"],
        ["--max-delete", "101%"],
    ] {
        let run = prune(place.store(), &["--keep-last", "1"])
            .args(args)
            .run()
            .unwrap();
        assert_eq!(run.code(), Some(2), "{run:?}");
    }
    let one = format!("{}#abcd1234", place.store().display());
    let run = prune(one, &["--keep-last", "1"]).run().unwrap();
    fails(run, 2, &["not one snapshot of it", "hint: Leave #ID away"]);
    assert_eq!(history.whole().len(), 1);
}

fn is_deletion(request: &Request) -> bool {
    request.has("delete")
}

/// A MinIO of its own behind a proxy, with a bucket.
fn store(bucket: &str) -> (Minio, Proxy, String, History) {
    let minio = Minio::start().unwrap();
    minio.bucket(bucket).unwrap();
    let address = SocketAddr::from(([127, 0, 0, 1], minio.port()));
    let proxy = Proxy::start(address, Fault::none()).unwrap();
    let url = Minio::url_at(&proxy.endpoint(), bucket, "p");
    let history = History::in_bucket(&minio, bucket);
    (minio, proxy, url, history)
}

#[test]
fn refused_deletions() {
    let (minio, proxy, url, history) = store("refused");
    let run = |args: &[&str]| prune(&url, args).credentials(&minio).run().unwrap();
    let stays = history.daily("db", [1, 2]);
    for n in 1..=2 {
        history.daily("db", 3..=8);
        let before = history.objects();
        proxy.set(Fault::always(What::Answer(403)).on(is_deletion).nth(n));
        let failed = run(&["--keep-last", "2"]);
        assert_eq!(failed.code(), Some(14), "{failed:?}");
        explains(
            &failed,
            &["s3://refused/p", "access denied", "s3:DeleteObject"],
        );
        // Whatever is listed is whole.
        let left = history.whole();
        assert!(left.is_superset(&set(&stays)));
        match n {
            1 => assert_eq!(history.objects(), before, "nothing is gone"),
            _ => assert_eq!(left, set(&stays), "what is left of the others is an orphan"),
        }
        proxy.set(Fault::none());
        run(&["--keep-last", "2"]).success().unwrap();
        run(&["--keep-last", "2", "--orphans-after", "0s"])
            .success()
            .unwrap();
        assert_eq!(history.whole(), set(&stays));
        assert_eq!(history.objects().len(), 6);
    }
    history.daily("db", 3..=8);
    proxy.set(Fault::always(What::Answer(503)).on(is_deletion).nth(1));
    run(&["--keep-last", "2"]).success().unwrap();
    assert_eq!(history.objects().len(), 6, "a busy store is asked again");
    for (right, fault) in [
        (
            "s3:ListBucketMultipartUploads",
            Fault::always(What::Answer(403)).on(|r| r.has("uploads")),
        ),
        (
            "s3:ListBucket",
            Fault::always(What::Answer(403)).on(|r| r.has("list-type")),
        ),
    ] {
        proxy.set(fault);
        fails(run(&["--keep-last", "1"]), 14, &["access denied", right]);
        assert_eq!(history.objects().len(), 6);
    }
}

#[test]
fn a_killed_dump_on_s3() {
    let (minio, proxy, url, history) = store("killed");
    let run = |args: &[&str]| prune(&url, args).credentials(&minio).run().unwrap();
    let stays = history.daily("db", [1]);
    let is_manifest = |r: &Request| r.path.ends_with(".manifest.json");
    for (fault, objects, uploads) in [
        (
            Fault::always(What::Silence).on(Request::is_part).nth(2),
            0,
            1,
        ),
        (
            Fault::always(What::Silence)
                .on(Request::is_completion)
                .nth(2),
            1,
            1,
        ),
        (Fault::always(What::Silence).on(is_manifest), 2, 0),
    ] {
        proxy.set(fault);
        let killed = dump(&heap().url(), &url).args(["--compression", "none"]);
        let killed = killed.credentials(&minio).spawn().unwrap();
        let there = || (history.objects().len() - 3, minio.uploads().unwrap());
        let met = testbed::until(Duration::from_secs(60), "the silence", || {
            Ok((there() == (objects, uploads)).then_some(()))
        });
        killed.kill().unwrap();
        killed.wait().unwrap();
        met.unwrap();
        proxy.set(Fault::none());

        let young = run(&["--keep-last", "5"]).success().unwrap();
        assert!(!young.text().contains("OF NO SNAPSHOT"), "{young:?}");
        assert_eq!(there(), (objects, uploads), "it may be under way");
        let mut dry = AT_ONCE.to_vec();
        dry.push("--dry-run");
        let dry = run(&dry).success().unwrap();
        assert_eq!(there(), (objects, uploads));
        let swept = run(&AT_ONCE).success().unwrap();
        assert_eq!(swept.text(), dry.text());
        assert!(swept.text().contains("OF NO SNAPSHOT"), "{swept:?}");
        assert_eq!(
            swept.text().matches("never finished").count(),
            uploads,
            "{swept:?}"
        );
        assert_eq!(there(), (0, 0), "{swept:?}");
        assert_eq!(history.whole(), set(&stays));
    }
}

/// A dump that is held in the middle of its rows.
fn held(place: &Place) -> (Holder, ksnapshot_tests::Running) {
    let holder = Holder::before(server().port(), Some(4_000_000)).unwrap();
    let url = heap().url().replace(
        &format!(":{}/", server().port()),
        &format!(":{}/", holder.port()),
    );
    let run = dump(&url, place.store()).spawn().unwrap();
    holder.await_held().unwrap();
    (holder, run)
}

fn partials(place: &Place) -> usize {
    let mut entries = place.entries();
    entries.retain(|name| name.starts_with(".partial-") && !name.contains('/'));
    entries.len()
}

#[test]
fn a_killed_dump_in_a_folder() {
    let place = Place::with_snapshot();
    let (_holder, killed) = held(&place);
    killed.kill().unwrap();
    killed.wait().unwrap();
    assert_eq!(partials(&place), 1);
    prune(place.store(), &["--keep-last", "5"])
        .run()
        .unwrap()
        .success()
        .unwrap();
    assert_eq!(partials(&place), 1, "it may be under way");
    let run = prune(place.store(), &AT_ONCE)
        .run()
        .unwrap()
        .success()
        .unwrap();
    assert_eq!(partials(&place), 0, "{run:?}");
    assert!(run.text().contains(".partial-"), "{run:?}");
    is_whole(place.store(), |run| run);
}

#[test]
fn a_dump_under_way_survives() {
    let place = Place::new();
    let history = history(&place);
    history.daily("127.0.0.1", 1..=9);
    let (holder, under_way) = held(&place);
    let rules = ["--keep-last", "1"];
    prune(place.store(), &rules)
        .run()
        .unwrap()
        .success()
        .unwrap();
    holder.release();
    let id = under_way
        .wait()
        .unwrap()
        .success()
        .unwrap()
        .text()
        .trim()
        .to_owned();
    prune(place.store(), &rules)
        .run()
        .unwrap()
        .success()
        .unwrap();
    assert!(history.whole().contains(&id));
    is_whole(format!("{}#{id}", place.store().display()), |run| run);
}

#[test]
fn foreign_files_stay() {
    let place = Place::with_snapshot();
    let data = place.object(".sql.zst.age");
    let name = data.file_name().unwrap().to_str().unwrap();
    let folder = data.parent().unwrap();
    let orphan = name.replace(".sql", "-x.sql").replace("dump-", "dump-y-");
    let other_id = |name: &str| {
        let (stem, suffix) = name.split_once(".sql").unwrap();
        format!("{}aaaaaaaa.sql{suffix}", &stem[..stem.len() - 8])
    };
    let swept = folder.join(other_id(name));
    fs::copy(&data, &swept).unwrap();
    for foreign in [
        folder.join(format!("{}.bak", other_id(name))),
        folder.join(format!("copy-of-{}", other_id(name))),
        folder.join(orphan),
        folder.join("notes.txt"),
        place.store().join(other_id(name)),
        place.store().join("elsewhere").join(other_id(name)),
    ] {
        fs::create_dir_all(foreign.parent().unwrap()).unwrap();
        fs::copy(&data, foreign).unwrap();
    }
    let mut before = place.entries();
    prune(place.store(), &AT_ONCE)
        .run()
        .unwrap()
        .success()
        .unwrap();
    let swept = swept.strip_prefix(place.store()).unwrap().to_str().unwrap();
    before.retain(|name| name != swept);
    assert_eq!(
        place.entries(),
        before,
        "only what is named as we name it goes"
    );
}

#[test]
fn what_nobody_can_read_stays() {
    for text in [&b"{\"version\": 99}"[..], b"", b"{"] {
        let place = Place::with_snapshot();
        history(&place).daily("db", [1]);
        let manifest = place
            .entries()
            .into_iter()
            .find(|name| name.ends_with(".manifest.json") && !name.contains("dump-db-shop"));
        let manifest = place.store().join(manifest.unwrap());
        fs::write(&manifest, text).unwrap();
        let before = place.entries();
        let run = prune(place.store(), &AT_ONCE).run().unwrap();
        assert_eq!(run.code(), Some(3), "{run:?}");
        assert!(!run.text().contains("OF NO SNAPSHOT"), "{run:?}");
        let name = manifest.file_name().unwrap().to_str().unwrap();
        assert!(
            run.stderr.contains("warning: ") && run.stderr.contains(name),
            "{run:?}"
        );
        assert_eq!(place.entries(), before);
    }
    // The newest one lacks its data: the one before it is the last good one.
    let place = Place::with_snapshot();
    let history = history(&place);
    let good = history.daily("db", [2]);
    history.daily("db", [1]);
    let newest = place
        .entries()
        .into_iter()
        .rfind(|name| name.contains("dump-db-shop") && name.ends_with(".sql.zst.age"));
    fs::remove_file(place.store().join(newest.unwrap())).unwrap();
    let run = prune(place.store(), &["--keep-last", "1"]).run().unwrap();
    assert_eq!(run.code(), Some(3), "{run:?}");
    let listed = Ksnapshot::new(["list"])
        .arg(place.store())
        .run()
        .unwrap()
        .success()
        .unwrap();
    assert!(listed.text().contains(&good[0]), "{run:?}");
}
