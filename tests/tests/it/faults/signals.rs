//! Ctrl-C and SIGTERM at any time: exit 130 soon, and nothing left behind.

use std::net::SocketAddr;
use std::thread;
use std::time::Instant;

use ksnapshot_tests::hold::Holder;
use ksnapshot_tests::proxy::{Fault, Proxy, Request, What};
use ksnapshot_tests::{Minio, Running};

use super::changes::{Other, await_waiting};
use super::*;

/// Whoever is told to end does so within this time.
const SOON: Duration = Duration::from_secs(5);

/// Moments over the whole time that a run takes: one in each of `count` equal parts, somewhere in it.
fn moments(whole: Duration, count: u32) -> Vec<Duration> {
    let mut state = u64::from(std::process::id());
    let moment = |n| {
        // A small generator is enough, and its seed is the process.
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        let within = (state >> 40) as f64 / f64::from(1 << 24);
        whole.mul_f64((f64::from(n) + within) / f64::from(count))
    };
    (0..count).map(moment).collect()
}

/// Interrupts runs at moments of their whole duration, by either signal in turn, and judges what each left.
fn sweep(count: u32, start: impl Fn(u32) -> Ksnapshot, judge: impl Fn(u32, &Run)) {
    let begun = Instant::now();
    start(u32::MAX).run().unwrap().success().unwrap();
    let mut cancelled = 0;
    for (n, delay) in (0..).zip(moments(begun.elapsed(), count)) {
        let mut run = start(n).limit(Duration::from_secs(60)).spawn().unwrap();
        // The moment itself is what is tested.
        let moment = Instant::now() + delay;
        while Instant::now() < moment && !run.ended().unwrap() {
            thread::sleep(Duration::from_millis(1));
        }
        let told = Instant::now();
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
    assert!(
        cancelled > count / 2,
        "only {cancelled} of {count} were met"
    );
}

/// Whether the run got through; if not, it was cancelled, or ended by a signal that came before anybody listened.
fn got_through(run: &Run) -> bool {
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

/// Interrupts a run, which then ends soon by 130.
#[track_caller]
fn cancel(run: Running) -> Run {
    let told = Instant::now();
    run.interrupt().unwrap();
    let run = run.wait().unwrap();
    assert!(told.elapsed() < SOON, "{:?}: {run:?}", told.elapsed());
    fails(run, 130, &["cancelled", "hint: "])
}

/// The server says nothing more: in the greeting, among the definitions, in the middle of the rows.
#[test]
fn while_the_server_is_silent() {
    let db = server().fresh_db("silent").unwrap();
    db.psql(SHOP).unwrap();
    let count = Holder::before(server().port(), None).unwrap();
    let by = |holder: &Holder| {
        format!(
            "postgres://postgres@127.0.0.1:{}/{}",
            holder.port(),
            db.name
        )
    };
    dump(&by(&count), Place::new().store())
        .run()
        .unwrap()
        .success()
        .unwrap();
    for bytes in [
        1,
        500,
        5000,
        20_000,
        count.passed() / 2,
        count.passed() - 20_000,
    ] {
        let place = Place::new();
        let holder = Holder::before(server().port(), Some(bytes)).unwrap();
        let run = dump(&by(&holder), place.store()).spawn().unwrap();
        holder.await_held().unwrap();
        cancel(run);
        assert!(place.entries().is_empty(), "{:?}", place.entries());
        no_session_in(&db);
    }
    db.drop().unwrap();
}

#[test]
fn while_waiting_for_a_lock() {
    let db = server().fresh_db("locked").unwrap();
    db.psql("create table t (n int)").unwrap();
    let mut other = Other::new(&db);
    other.do_it("begin; lock table t in access exclusive mode");
    let place = Place::new();
    let run = dump(&db.url(), place.store()).spawn().unwrap();
    await_waiting(&db, "ksnapshot");
    cancel(run);
    assert!(place.entries().is_empty());
    no_session_in(&db);
    other.end();
    db.drop().unwrap();
}

/// The server works on one long statement and doesn't look at its socket.
#[test]
fn while_an_index_is_built() {
    let db = server().fresh_db("slow").unwrap();
    db.psql("create function slow(n int) returns int immutable language plpgsql as
                 $$ begin if current_database() like 'faults_target%' then perform pg_sleep(0.05); end if; return n; end $$;
             create table t (n int); insert into t select generate_series(1, 2000);
             create index slow_index on t (public.slow(n))")
        .unwrap();
    let place = Place::new();
    dump(&db.url(), place.store())
        .run()
        .unwrap()
        .success()
        .unwrap();
    let target = empty();
    let run = restore(place.store(), &target.url()).spawn().unwrap();
    let building = "select count(*) from pg_stat_activity where query like '%slow_index%' and state = 'active' \
                    and application_name = 'ksnapshot' and datname = current_database()";
    testbed::until(Duration::from_secs(20), "the index", || {
        Ok((target.psql(building)? == "1").then_some(()))
    })
    .unwrap();
    let run = cancel(run);
    assert!(
        run.stderr.contains("now holds a part of the snapshot"),
        "{run:?}"
    );
    no_session_in(&target);
    target.drop().unwrap();
    db.drop().unwrap();
}

/// A drill that is cancelled takes its scratch database along.
#[test]
fn in_the_middle_of_a_drill() {
    let server = Postgres::start(Version::V15).unwrap();
    let place = Place::new();
    dump(&heap().url(), place.store())
        .run()
        .unwrap()
        .success()
        .unwrap();
    let drill = || {
        let run = read("verify", place.store()).args(["--level", "restore", "--scratch"]);
        run.arg(server.url("postgres"))
    };
    let scratch = "select datname from pg_database where datname like 'ksnapshot_verify_%'";
    for tables in ["0", "1"] {
        let run = drill().spawn().unwrap();
        let name = testbed::until(Duration::from_secs(20), "a scratch database", || {
            let name = server.psql("postgres", scratch)?;
            Ok((!name.is_empty()).then_some(name))
        })
        .unwrap();
        testbed::until(Duration::from_secs(20), "its tables", || {
            let sql = "select count(*) from pg_class where relname = 'heap'";
            Ok(server
                .psql(&name, sql)
                .ok()
                .filter(|n| n.as_str() >= tables))
        })
        .unwrap();
        cancel(run);
        assert_eq!(server.psql("postgres", scratch).unwrap(), "");
    }
    drill().run().unwrap().success().unwrap();
}

/// Who is told to end twice ends at once, even if taking back what was written would take longer.
#[test]
fn a_second_signal_ends_it_at_once() {
    let minio = Minio::start().unwrap();
    minio.bucket("twice").unwrap();
    let address = SocketAddr::from(([127, 0, 0, 1], minio.port()));
    let fault = Fault::always(What::Silence).on(Request::is_abort);
    let proxy = Proxy::start(address, fault).unwrap();
    let holder = Holder::before(server().port(), Some(5_000_000)).unwrap();
    let url = format!(
        "postgres://postgres@127.0.0.1:{}/{}",
        holder.port(),
        heap().name
    );
    let to = Minio::url_at(&proxy.endpoint(), "twice", "");
    let mut run = dump(&url, &to).credentials(&minio).spawn().unwrap();
    holder.await_held().unwrap();
    run.interrupt().unwrap();
    testbed::until(Duration::from_secs(10), "the abort", || {
        Ok(proxy.requests().iter().any(Request::is_abort).then_some(()))
    })
    .unwrap();
    assert!(!run.ended().unwrap(), "it waits for the store");
    let told = Instant::now();
    run.interrupt().unwrap();
    let run = run.wait().unwrap();
    assert!(
        told.elapsed() < Duration::from_secs(1),
        "{:?}",
        told.elapsed()
    );
    assert_eq!(run.code(), Some(130), "{run:?}");
    assert!(minio.list("twice").unwrap().is_empty());
}

/// The reader of our text has stopped reading.
#[test]
fn while_nobody_reads_the_text() {
    let place = Place::new();
    dump(&heap().url(), place.store())
        .run()
        .unwrap()
        .success()
        .unwrap();
    // The harness reads only when it waits: the pipe is full after 64 KiB.
    let run = read("cat", place.store()).spawn().unwrap();
    testbed::until(Duration::from_secs(20), "a full pipe", || {
        Ok(is_writing(run.pid()).then_some(()))
    })
    .unwrap();
    run.interrupt().unwrap();
    let told = Instant::now();
    let mut run = run;
    testbed::until(SOON, "its end", || Ok(run.ended()?.then_some(()))).unwrap();
    assert!(told.elapsed() < SOON);
    let run = run.wait().unwrap();
    assert_eq!(run.code(), Some(130), "{run:?}");
}

/// Whether some thread waits in a system call that writes to standard output.
fn is_writing(pid: u32) -> bool {
    let tasks = fs::read_dir(format!("/proc/{pid}/task"))
        .into_iter()
        .flatten()
        .flatten();
    tasks
        .map(|task| fs::read_to_string(task.path().join("syscall")).unwrap_or_default())
        .any(|call| call.split(' ').nth(1) == Some("0x1"))
}
