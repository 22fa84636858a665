//! Others have tables locked, or wait for ours: nobody waits without being told, or for ever.

use std::thread;
use std::time::Instant;

use ksnapshot_tests::hold::Holder;

use super::changes::{Other, await_waiting};
use super::*;

fn source(stem: &str) -> Db<'static> {
    let db = server().fresh_db(stem).unwrap();
    db.psql("create table busy (n int); create table free (n int); insert into free values (1)")
        .unwrap();
    db
}

fn process(db: &Db<'_>, condition: &str) -> String {
    db.psql(&format!(
        "select pid from pg_stat_activity where {condition} and datname = current_database()"
    ))
    .unwrap()
}

#[test]
fn a_locked_table_is_waited_for() {
    let db = source("locked");
    let mut other = Other::new(&db);
    other.do_it("begin; lock table busy");
    let holder = process(&db, "application_name = 'other'");
    let place = Place::new();
    let run = dump(&db.url(), place.store()).spawn().unwrap();
    await_waiting(&db, "ksnapshot");
    // Several attempts, all of which step back.
    thread::sleep(Duration::from_secs(2));
    other.say("insert into busy values (1); commit");
    other.end();
    let run = run.wait().unwrap().success().unwrap();
    let told = format!(
        "warning: waiting for table public.busy, which process {holder} of postgres has locked\n"
    );
    assert_eq!(run.stderr.matches(&told).count(), 1, "{run:?}");
    db.drop().unwrap();
}

/// Whoever comes after us is not held up while we wait, and when it takes too long the dump fails and says who it was.
#[test]
fn a_locked_table_is_not_waited_for_longer_than_told() {
    let db = source("patience");
    let mut other = Other::new(&db);
    other.do_it("begin; lock table busy");
    let holder = process(&db, "application_name = 'other'");
    let place = Place::new();
    let began = Instant::now();
    let run = dump(&db.url(), place.store()).args(["--lock-timeout", "2s"]);
    let run = run.run().unwrap();
    assert!(began.elapsed() >= Duration::from_secs(2), "{run:?}");
    let told =
        format!("table public.busy: no lock within 2 s: process {holder} of postgres has it");
    fails(run, 1, &[&told, "--lock-timeout"]);
    assert!(place.entries().is_empty());
    no_session_in(&db);
    other.end();
    db.drop().unwrap();
}

/// The server reads a view's text only when it gets the tables of the view.
#[test]
fn a_view_over_a_locked_table_is_not_waited_for_longer_than_told() {
    let db = source("view");
    db.psql("create view over as select * from busy").unwrap();
    let mut other = Other::new(&db);
    other.do_it("begin; lock table busy");
    let place = Place::new();
    let run = dump(&db.url(), place.store()).args(["--exclude-table", "busy"]);
    let run = run.args(["--lock-timeout", "1s"]);
    let run = run.limit(Duration::from_secs(60)).run().unwrap();
    fails(run, 1, &["tables and views", "--lock-timeout"]);
    assert!(place.entries().is_empty());
    other.end();
    db.drop().unwrap();
}

/// A table that is left out may be locked by whom it wants.
#[test]
fn a_locked_table_that_is_left_out_does_not_matter() {
    let db = source("left_out");
    db.psql("create view over as select * from free; create schema apart; create table apart.busy (n int)")
        .unwrap();
    let mut other = Other::new(&db);
    other.do_it("begin; lock table busy; lock table apart.busy");
    for filters in [
        &["--exclude-table", "*.busy"][..],
        &[
            "--exclude-table",
            "public.busy",
            "--exclude-schema",
            "apart",
        ],
        &["--table", "free"],
    ] {
        let place = Place::new();
        let run = dump(&db.url(), place.store())
            .args(["--lock-timeout", "0s"])
            .args(filters);
        run.run().unwrap().success().unwrap();
        let target = empty();
        let back = restore(place.store(), &target.url()).run().unwrap();
        back.success().unwrap();
        assert_eq!(target.psql("select n from free").unwrap(), "1");
        target.drop().unwrap();
    }
    other.end();
    db.drop().unwrap();
}

#[test]
fn who_waits_for_the_dump_is_told_of() {
    let db = server().fresh_db("waiter").unwrap();
    db.psql(HEAP).unwrap();
    let place = Place::new();
    let holder = Holder::before(server().port(), Some(2_000_000)).unwrap();
    let url = format!(
        "postgres://postgres@127.0.0.1:{}/{}",
        holder.port(),
        db.name
    );
    let run = dump(&url, place.store()).spawn().unwrap();
    holder.await_held().unwrap();
    let mut other = Other::new(&db);
    other.say("alter table heap add column late int");
    await_waiting(&db, "other");
    let waiter = process(&db, "application_name = 'other'");
    // Two looks: it is told once.
    thread::sleep(Duration::from_secs(12));
    holder.release();
    let run = run.wait().unwrap().success().unwrap();
    let told = format!(
        "warning: process {waiter} of postgres waits for table public.heap until the dump ends\n"
    );
    assert_eq!(run.stderr.matches(&told).count(), 1, "{run:?}");
    other.end();
    db.drop().unwrap();
}

/// A serializable transaction that writes may still make an anomaly of what we would read now.
#[test]
fn a_serializable_dump_waits_for_a_safe_moment() {
    let db = source("serializable");
    let mut other = Other::new(&db);
    other.do_it("begin isolation level serializable; insert into busy select n from free");
    let place = Place::new();
    let run = dump(&db.url(), place.store()).arg("--serializable-deferrable");
    let mut run = run.spawn().unwrap();
    let waits = "application_name = 'ksnapshot' and wait_event = 'SafeSnapshot'";
    testbed::until(Duration::from_secs(20), "a dump that waits", || {
        Ok((!process(&db, waits).is_empty()).then_some(()))
    })
    .unwrap();
    thread::sleep(Duration::from_secs(1));
    assert!(!run.ended().unwrap());
    other.say("commit");
    other.end();
    run.wait().unwrap().success().unwrap();
    let seen = read("inspect", place.store()).run().unwrap();
    let seen = seen.success().unwrap().text();
    assert!(seen.contains("one-serializable-snapshot"), "{seen}");
    db.drop().unwrap();
}
