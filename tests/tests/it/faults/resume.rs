//! A restore that is cut anywhere goes on where it was, and ends with what it would have been.

use std::net::SocketAddr;
use std::thread;

use ksnapshot_tests::compare;
use ksnapshot_tests::proxy::TcpProxy;

use super::changes::Other;
use super::*;

/// One thing of each kind that a restore notes: definitions one by one and together, rows of small and large tables, values, large
/// objects, an event trigger that forbids to drop anything.
fn source() -> Db<'static> {
    let db = server().fresh_db("resume").unwrap();
    db.psql(SHOP).unwrap();
    db.psql(
        "do $$ begin for i in 1..60 loop
             execute format('create table small_%s (id serial primary key, x int); insert into small_%s (x) values (1), (2)', i, i);
         end loop; end $$;
         select lo_from_bytea(0, repeat('x', 1000)::bytea) from generate_series(1, 50);
         create materialized view seen as select count(*) from shop.orders;
         create function forbid() returns event_trigger language plpgsql as
             $$begin if tg_tag = 'DROP SCHEMA' then raise 'nothing is dropped here'; end if; end$$;
         create event trigger forbid on sql_drop execute function forbid()",
    )
    .unwrap();
    db
}

fn through(proxy: &TcpProxy, db: &Db<'_>) -> String {
    format!("postgres://postgres@{}/{}", proxy.addr(), db.name)
}

/// Whether a restore has left that it can be gone on with.
fn is_unfinished(db: &Db<'_>) -> bool {
    db.psql("select to_regnamespace('ksnapshot_restore') is not null")
        .unwrap()
        == "t"
}

#[test]
fn a_restore_that_is_cut_again_and_again_ends_whole() {
    let db = source();
    let place = Place::of(&db);
    let target = empty();
    let upstream = SocketAddr::from(([127, 0, 0, 1], server().port()));
    let (mut cuts, mut went_on) = (0, 0);
    for bytes in (4_000..).step_by(900) {
        let proxy = TcpProxy::start(upstream).unwrap();
        proxy.cut_after(bytes);
        let run = restore(place.store(), &through(&proxy, &target))
            .run()
            .unwrap();
        went_on += u32::from(run.stderr.contains("going on with a restore"));
        if run.code() == Some(0) {
            break;
        }
        // Cut after its last word to the server, which has taken it: nobody can know.
        if run.code() == Some(1) && !is_unfinished(&target) {
            assert!(run.stderr.contains("is not empty"), "{run:?}");
            break;
        }
        let run = run.exits(13).unwrap();
        if run.stderr.contains("What was restored so far stays") {
            cuts += 1;
            assert!(
                run.stderr
                    .contains("restore the same again to go on with it"),
                "{run:?}"
            );
        }
    }
    assert!(cuts > 5 && went_on > 5, "{cuts} cuts, {went_on}");
    assert!(!is_unfinished(&target));
    compare::same(&db, &target).unwrap();
    target.drop().unwrap();
}

#[test]
fn a_restore_that_is_killed_goes_on() {
    let db = source();
    let place = Place::of(&db);
    let name = format!("{}_made", db.name);
    let made = server().db(&name);
    let mut went_on = 0;
    for wait in (100..).step_by(50) {
        let running = restore(place.store(), &made.url())
            .arg("--create")
            .spawn()
            .unwrap();
        thread::sleep(Duration::from_millis(wait));
        // Dropped, it is killed.
        drop(running);
        let there = format!("select count(*) from pg_database where datname = '{name}'");
        if server().psql("postgres", &there).unwrap() != "1" {
            continue;
        }
        if is_unfinished(&made) {
            went_on += 1;
        } else if made.psql("select to_regclass('seen') is null").unwrap() == "t" {
            // Killed before it had begun.
            server().db(&name).drop().unwrap();
        } else {
            break;
        }
    }
    assert!(went_on > 0);
    compare::same(&db, &made).unwrap();
    made.drop().unwrap();
}

#[test]
fn only_the_same_restore_goes_on() {
    let db = source();
    let (place, other) = (Place::of(&db), Place::with_snapshot());
    let target = empty();
    let upstream = SocketAddr::from(([127, 0, 0, 1], server().port()));
    let proxy = TcpProxy::start(upstream).unwrap();
    proxy.cut_after(9_000);
    restore(place.store(), &through(&proxy, &target))
        .run()
        .unwrap()
        .exits(13)
        .unwrap();
    assert!(is_unfinished(&target));
    // A snapshot of a part says so, and does not hold what is only noted.
    let of_part = Place::new();
    let run = dump(&target.url(), of_part.store()).run().unwrap();
    let run = run.exits(3).unwrap();
    assert!(
        run.stderr
            .contains("problem: database: holds a part of a snapshot"),
        "{run:?}"
    );
    let copy = empty();
    let run = restore(of_part.store(), &copy.url()).run().unwrap();
    run.success().unwrap();
    assert!(!is_unfinished(&copy));
    copy.drop().unwrap();
    for (store, options) in [
        (place.store(), &["--table", "shop.orders"][..]),
        (place.store(), &["--no-owner"]),
        (place.store(), &["--rename", "shop=store"]),
        (other.store(), &[]),
    ] {
        let run = restore(store, &target.url()).args(options).run().unwrap();
        fails(
            run,
            1,
            &[
                "its restore was interrupted",
                "hint: Restore the same again",
            ],
        );
    }
    // Who is at work is not disturbed.
    let mut other = Other::new(&target);
    other.do_it("select pg_advisory_lock(x'6b736e6170726573'::bigint)");
    let run = restore(place.store(), &target.url()).run().unwrap();
    fails(
        run,
        1,
        &[
            "another restore is at work",
            "hint: Wait until it has ended",
        ],
    );
    other.end();
    // Anew, when that is asked for.
    let run = restore(place.store(), &target.url())
        .arg("--clean")
        .run()
        .unwrap()
        .success()
        .unwrap();
    assert!(!run.stderr.contains("going on"), "{run:?}");
    compare::same(&db, &target).unwrap();
    assert!(!is_unfinished(&target));
    // But where it was asked for before, too, the same goes on.
    let proxy = TcpProxy::start(upstream).unwrap();
    proxy.cut_after(14_000);
    restore(place.store(), &through(&proxy, &target))
        .arg("--clean")
        .run()
        .unwrap()
        .exits(13)
        .unwrap();
    assert!(is_unfinished(&target));
    let run = restore(place.store(), &target.url()).arg("--clean");
    let run = run.run().unwrap().success().unwrap();
    assert!(run.stderr.contains("going on"), "{run:?}");
    compare::same(&db, &target).unwrap();
    target.drop().unwrap();
}
