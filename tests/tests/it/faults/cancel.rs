//! Ctrl-C while something is waited for: exit 130 soon all the same, and nothing is left behind.

use std::net::SocketAddr;
use std::thread;
use std::time::Instant;

use ksnapshot_tests::hold::Holder;
use ksnapshot_tests::proxy::{Fault, Proxy, Request, What};
use ksnapshot_tests::{Minio, Running};

use super::changes::{Other, await_waiting};
use super::signals::SOON;
use super::*;

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
    let place = Place::of(&db);
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

/// All rows are in, and the server looks at samples of them.
#[test]
fn while_statistics_are_gathered() {
    let db = server().fresh_db("slow").unwrap();
    db.psql("create function slow(n int) returns int immutable language plpgsql as
                 $$ begin if current_database() like 'faults_target%' then perform pg_sleep(0.1); end if; return n; end $$;
             create table t (n int); insert into t select generate_series(1, 200);
             create statistics slow_statistics on (public.slow(n)) from t")
        .unwrap();
    let place = Place::of(&db);
    let target = empty();
    let gathering = || {
        let sql = "select count(*) from pg_stat_activity where query like 'ANALYZE%' and state = 'active' \
                   and datname = current_database()";
        testbed::until(Duration::from_secs(20), "statistics", || {
            Ok((target.psql(sql)? == "1").then_some(()))
        })
        .unwrap();
    };
    let run = restore(place.store(), &target.url()).spawn().unwrap();
    gathering();
    let run = cancel(run);
    assert!(run.stderr.contains("to go on with it"), "{run:?}");
    no_session_in(&target);
    assert_eq!(target.psql("select count(*) from t").unwrap(), "200");

    // Once more, it goes on with that.
    let slow = target
        .psql("select pg_get_functiondef('slow'::regproc)")
        .unwrap();
    target.psql(&slow.replace("0.1", "0")).unwrap();
    let again = restore(place.store(), &target.url()).run().unwrap();
    again.success().unwrap();
    assert_eq!(
        target
            .psql("select (select count(*) from pg_stats_ext_exprs), to_regclass('ksnapshot_restore.done')")
            .unwrap(),
        "1|"
    );

    // Of rows alone, nothing is left to go on with: they are committed.
    target.psql(&slow).unwrap();
    target.psql("truncate t").unwrap();
    let rows = restore(place.store(), &target.url()).arg("--data-only");
    let run = rows.spawn().unwrap();
    gathering();
    let told = Instant::now();
    run.interrupt().unwrap();
    let run = run.wait().unwrap();
    assert!(told.elapsed() < SOON, "{:?}: {run:?}", told.elapsed());
    let run = run.success().unwrap();
    assert!(
        run.stderr.contains("warning: ") && run.stderr.contains("run ANALYZE"),
        "{run:?}"
    );
    no_session_in(&target);
    assert_eq!(target.psql("select count(*) from t").unwrap(), "200");
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
    let drill = |holder: &Holder| {
        let scratch = format!("postgres://postgres@127.0.0.1:{}/postgres", holder.port());
        let run = read("verify", place.store()).args(["--level", "restore", "--scratch"]);
        run.arg(scratch)
    };
    let count = Holder::before(server.port(), None).unwrap();
    drill(&count).run().unwrap().success().unwrap();
    let scratch = "select datname from pg_database where datname like 'ksnapshot_verify_%'";
    let mut met = 0;
    // Most of what the server sends is what is read back at the end.
    for bytes in [2000, 4000, 6000, 100_000, count.passed() / 2] {
        let holder = Holder::before(server.port(), Some(bytes)).unwrap();
        let run = drill(&holder).spawn().unwrap();
        holder.await_held().unwrap();
        met += usize::from(!server.psql("postgres", scratch).unwrap().is_empty());
        cancel(run);
        assert_eq!(server.psql("postgres", scratch).unwrap(), "", "{bytes}");
    }
    assert!(
        met > 2,
        "only {met} were met while there was a scratch database"
    );
}

/// The store says nothing more: to whoever reads, or to one of the requests of a dump.
#[test]
fn while_the_store_is_silent() {
    let minio = Minio::start().unwrap();
    minio.bucket("silent").unwrap();
    let address = SocketAddr::from(([127, 0, 0, 1], minio.port()));
    let begins: fn(&Request) -> bool = |request| request.has("uploads");
    let manifest: fn(&Request) -> bool = |request| request.path.ends_with(".manifest.json");
    let cases = [
        ("begin", begins, 1),
        ("part", Request::is_part, 1),
        ("completion", Request::is_completion, 1),
        ("index", begins, 2),
        ("manifest", manifest, 1),
    ];
    thread::scope(|scope| {
        for (name, meets, nth) in cases {
            let (minio, db) = (&minio, shop());
            scope.spawn(move || {
                let fault = Fault::always(What::Silence).on(meets).nth(nth as u64);
                let proxy = Proxy::start(address, fault).unwrap();
                let to = Minio::url_at(&proxy.endpoint(), "silent", name);
                let run = dump(&db.url(), &to).credentials(minio).spawn().unwrap();
                await_requests(&proxy, meets, nth);
                let told = Instant::now();
                run.interrupt().unwrap();
                let run = run.wait().unwrap();
                // A request that may leave something behind is waited for a little.
                assert!(told.elapsed() < 2 * SOON, "{name}: {:?}", told.elapsed());
                fails(run, 130, &["cancelled", "hint: "]);
            });
        }
    });
    let left = minio.list("silent").unwrap();
    assert!(left.is_empty(), "{left:?}");

    let from = minio.url("silent", "whole");
    let run = dump(&shop().url(), &from).credentials(&minio);
    run.run().unwrap().success().unwrap();
    let target = empty();
    for verb in ["list", "inspect", "verify", "cat", "restore"] {
        let proxy = Proxy::start(address, Fault::always(What::Silence)).unwrap();
        let from = Minio::url_at(&proxy.endpoint(), "silent", "whole");
        let run = match verb {
            "list" => Ksnapshot::new(["list", &from]),
            "restore" => restore(&from, &target.url()),
            verb => read(verb, &from),
        };
        let run = run.credentials(&minio).limit(2 * SOON).spawn().unwrap();
        await_requests(&proxy, |_| true, 1);
        cancel(run);
    }
    target.drop().unwrap();
}

/// Waits until so many of these requests have come by.
fn await_requests(proxy: &Proxy, meets: fn(&Request) -> bool, count: usize) {
    testbed::until(Duration::from_secs(20), "a request", || {
        let come = proxy.requests().iter().filter(|r| meets(r)).count();
        Ok((come >= count).then_some(()))
    })
    .unwrap();
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
    await_requests(&proxy, Request::is_abort, 1);
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
    assert!(run.stderr.contains("a second signal ends it"), "{run:?}");
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
