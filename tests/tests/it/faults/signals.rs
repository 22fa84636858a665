//! Ctrl-C and SIGTERM at any time: exit 130 soon, and nothing left behind.

use std::thread;
use std::time::Instant;

use ksnapshot_tests::Minio;

use super::*;

/// Whoever is told to end does so within this time.
pub(super) const SOON: Duration = Duration::from_secs(5);

/// Moments over the whole time that a run takes, as parts of it: one in each of `count` equal ones, somewhere in it.
fn moments(count: u32) -> Vec<f64> {
    let mut state = u64::from(std::process::id());
    let moment = |n| {
        // A small generator is enough, and its seed is the process.
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        let within = (state >> 40) as f64 / f64::from(1 << 24);
        (f64::from(n) + within) / f64::from(count)
    };
    (0..count).map(moment).collect()
}

/// Interrupts runs at moments of their whole duration, by either signal in turn, and judges what each left. Most are met.
pub(super) fn sweep(count: u32, start: impl Fn(u32) -> Ksnapshot, judge: impl Fn(u32, &Run)) {
    let cancelled = interrupted(count, start, judge);
    assert!(
        cancelled > count / 2,
        "only {cancelled} of {count} were met"
    );
}

/// The same. Says how many were cancelled.
fn interrupted(count: u32, start: impl Fn(u32) -> Ksnapshot, judge: impl Fn(u32, &Run)) -> u32 {
    let begun = Instant::now();
    start(u32::MAX).run().unwrap().success().unwrap();
    let mut whole = begun.elapsed();
    let mut cancelled = 0;
    for (n, moment) in (0..).zip(moments(count)) {
        let mut run = start(n).limit(Duration::from_secs(60)).spawn().unwrap();
        // The moment itself is what is tested.
        let (begun, delay) = (Instant::now(), whole.mul_f64(moment));
        let moment = begun + delay;
        while Instant::now() < moment && !run.ended().unwrap() {
            thread::sleep(Duration::from_millis(1));
        }
        let told = Instant::now();
        if told < moment {
            // The first run was slower than this one: the machine has other work, too.
            whole = told - begun;
        }
        if n % 2 == 0 {
            run.interrupt().unwrap();
        } else {
            run.terminate().unwrap();
        }
        let run = run.wait().unwrap();
        assert!(
            told.elapsed() < SOON,
            "{:?} after {delay:?}: {run:?}",
            told.elapsed()
        );
        if run.code() == Some(130) {
            explains(&run, &["cancelled"]);
            assert_eq!(run.text(), "", "{run:?}");
            cancelled += 1;
        }
        eprintln!("after {delay:?}: {}", run.status);
        judge(n, &run);
    }
    cancelled
}

/// Whether the run got through; if not, it was cancelled, or ended by a signal that came before anybody listened.
pub(super) fn got_through(run: &Run) -> bool {
    assert!(matches!(run.code(), Some(0 | 130) | None), "{run:?}");
    run.code() == Some(0)
}

#[test]
fn at_any_moment_of_a_dump_to_a_folder() {
    let db = server().fresh_db("signal").unwrap();
    db.psql(HEAP).unwrap();
    let places: Vec<_> = (0..20).map(|_| Place::new()).collect();
    let spare = Place::new();
    let place = |n: u32| places.get(n as usize).unwrap_or(&spare);
    sweep(
        20,
        |n| dump(&db.url(), place(n).store()),
        |n, run| {
            if got_through(run) {
                is_whole(place(n).store(), |run| run);
            } else {
                assert!(place(n).entries().is_empty(), "{:?}", place(n).entries());
            }
            no_session_in(&db);
        },
    );
    db.drop().unwrap();
}

#[test]
fn at_any_moment_of_a_dump_to_s3() {
    let db = server().fresh_db("signal").unwrap();
    db.psql(HEAP).unwrap();
    let minio = Minio::start().unwrap();
    let bucket = |n: u32| format!("bucket-{n}");
    sweep(
        20,
        |n| {
            minio.bucket(&bucket(n)).unwrap();
            let to = minio.url(&bucket(n), "p");
            dump(&db.url(), to)
                .args(["--compression", "none"])
                .credentials(&minio)
        },
        |n, run| {
            if got_through(run) {
                is_whole(minio.url(&bucket(n), "p"), |run| run.credentials(&minio));
            } else {
                let left = minio.list(&bucket(n)).unwrap();
                assert!(left.is_empty(), "{left:?}");
            }
            assert_eq!(minio.uploads().unwrap(), 0, "{run:?}");
            no_session_in(&db);
        },
    );
    db.drop().unwrap();
}

#[test]
fn at_any_moment_of_a_restore() {
    let place = Place::new();
    dump(&heap().url(), place.store())
        .run()
        .unwrap()
        .success()
        .unwrap();
    let targets: Vec<_> = (0..=20).map(|_| empty()).collect();
    let target = |n: u32| targets.get(n as usize).unwrap_or(&targets[20]);
    sweep(
        20,
        |n| restore(place.store(), &target(n).url()),
        |n, run| {
            let target = target(n);
            if got_through(run) {
                assert_eq!(target.psql("select count(*) from heap").unwrap(), "20000");
            } else if target.psql("select to_regclass('heap') is null").unwrap() == "f" {
                let told = format!("database {} now holds a part of the snapshot", target.name);
                assert!(run.stderr.contains(&told), "{run:?}");
            }
            no_session_in(target);
        },
    );
    targets
        .into_iter()
        .for_each(|target| target.drop().unwrap());
}

/// All or nothing, and what keeps rows together is there in either case.
#[test]
fn at_any_moment_of_a_restore_of_rows_alone() {
    let place = Place::of(&shop());
    let target = empty();
    (restore(place.store(), &target.url()).run().unwrap())
        .success()
        .unwrap();
    let state = "select (select count(*) from shop.customers), (select count(*) from shop.orders), \
                 (select count(*) from pg_constraint where contype = 'f' and convalidated)";
    let take_out = || {
        target.psql("truncate shop.customers, shop.orders").unwrap();
        target
            .psql("select lo_unlink(oid) from pg_largeobject_metadata")
            .unwrap();
    };
    // A signal after the commit cancels only what gathers statistics: that run ends by 0, and is no cancelled one.
    let cancelled = interrupted(
        20,
        |_| {
            take_out();
            restore(place.store(), &target.url()).arg("--data-only")
        },
        |_, run| {
            no_session_in(&target);
            let found = target.psql(state).unwrap();
            match got_through(run) {
                true => assert_eq!(found, "500|25000|1", "{run:?}"),
                false => assert_eq!(found, "0|0|1", "{run:?}"),
            }
        },
    );
    assert!(cancelled > 6, "only {cancelled} of 20 were met");
    target.drop().unwrap();
}
