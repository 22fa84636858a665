//! The server goes away in the middle: exit 13, nothing left of the dump, and a target that is said to be partial.

use std::net::SocketAddr;

use ksnapshot_tests::hold::Holder;
use ksnapshot_tests::proxy::TcpProxy;
use ksnapshot_tests::{Minio, Running};

use super::*;

/// A dump that stands still in the middle of the rows of `heap`.
fn held(server: &Postgres, db: &str, place: &Place) -> (Holder, Running) {
    let holder = Holder::before(server.port(), Some(5_000_000)).unwrap();
    let run = dump(&by(&holder, db), place.store()).spawn().unwrap();
    holder.await_held().unwrap();
    (holder, run)
}

fn by(holder: &Holder, db: &str) -> String {
    format!("postgres://postgres@127.0.0.1:{}/{db}", holder.port())
}

/// The server process that sends us rows.
fn backend(db: &Db<'_>) -> String {
    let sql = "select min(pid) from pg_stat_activity where application_name = 'ksnapshot' and query like 'COPY %' \
               and datname = current_database()";
    db.psql(sql).unwrap()
}

#[test]
fn server_killed_in_mid_table() {
    let server = Postgres::start(Version::V15).unwrap();
    let db = server.create_db("db").unwrap();
    db.psql(HEAP).unwrap();
    let place = Place::new();
    let (holder, run) = held(&server, "db", &place);
    server.kill().unwrap();
    holder.release();
    let says = [
        "table public.heap",
        "connection to the server lost",
        "hint: Look into the server's log",
    ];
    fails(run.wait().unwrap(), 13, &says);
    assert!(place.entries().is_empty(), "{:?}", place.entries());
}

#[test]
fn one_backend_killed_or_ended() {
    let server = Postgres::start(Version::V15).unwrap();
    let db = server.create_db("db").unwrap();
    db.psql(HEAP).unwrap();
    for kill in [true, false] {
        let place = Place::new();
        let (holder, run) = held(&server, "db", &place);
        let pid = backend(&db);
        if kill {
            testbed::kill(pid.parse().unwrap()).unwrap();
        } else {
            db.psql(&format!("select pg_terminate_backend({pid})"))
                .unwrap();
        }
        holder.release();
        let says = [
            "connection to the server lost",
            "hint: Look into the server's log",
        ];
        fails(run.wait().unwrap(), 13, &says);
        assert!(place.entries().is_empty(), "{:?}", place.entries());
        // After a kill the server starts anew.
        testbed::until(Duration::from_secs(30), "the server", || {
            Ok(db.psql("select 1").ok())
        })
        .unwrap();
        no_session_in(&db);
    }
}

/// Nobody waits for an answer of this one: its end is only seen by who asks.
#[test]
fn an_idle_session_ended() {
    let db = server().fresh_db("idle").unwrap();
    db.psql(HEAP).unwrap();
    let place = Place::new();
    let (holder, run) = held(server(), &db.name, &place);
    let idle = "from pg_stat_activity where application_name = 'ksnapshot' and state = 'idle in transaction' \
                and datname = current_database()";
    testbed::until(Duration::from_secs(10), "an idle session", || {
        Ok((db.psql(&format!("select count(*) {idle}"))? == "1").then_some(()))
    })
    .unwrap();
    db.psql(&format!("select pg_terminate_backend(pid) {idle}"))
        .unwrap();
    holder.release();
    fails(
        run.wait().unwrap(),
        13,
        &["hint: Look into the server's log"],
    );
    assert!(place.entries().is_empty(), "{:?}", place.entries());
    no_session_in(&db);
    db.drop().unwrap();
}

/// With a bucket in place of a folder: no upload stays open.
#[test]
fn server_killed_in_mid_upload() {
    let server = Postgres::start(Version::V15).unwrap();
    server.create_db("db").unwrap().psql(HEAP).unwrap();
    let minio = Minio::start().unwrap();
    minio.bucket("lost").unwrap();
    let holder = Holder::before(server.port(), Some(15_000_000)).unwrap();
    let run = dump(&by(&holder, "db"), minio.url("lost", ""));
    let run = run.args(["--compression", "none"]).credentials(&minio);
    let run = run.spawn().unwrap();
    holder.await_held().unwrap();
    assert_eq!(minio.uploads().unwrap(), 1);
    server.kill().unwrap();
    holder.release();
    fails(
        run.wait().unwrap(),
        13,
        &["connection to the server lost", "hint: "],
    );
    let left = minio.list("lost").unwrap();
    assert!(left.is_empty() && minio.uploads().unwrap() == 0, "{left:?}");
}

/// An administrator may also end the statement alone.
#[test]
fn a_cancelled_statement() {
    let db = server().fresh_db("cancelled").unwrap();
    db.psql(HEAP).unwrap();
    let place = Place::new();
    let (holder, run) = held(server(), &db.name, &place);
    db.psql(&format!("select pg_cancel_backend({})", backend(&db)))
        .unwrap();
    holder.release();
    fails(
        run.wait().unwrap(),
        1,
        &["table public.heap", "canceling statement", "hint: "],
    );
    assert!(place.entries().is_empty(), "{:?}", place.entries());
    no_session_in(&db);
    db.drop().unwrap();
}

/// Wherever the line breaks, from the first byte of the greeting to the last row.
#[test]
fn connection_cut_at_any_byte_of_a_dump() {
    let db = server().fresh_db("cut").unwrap();
    db.psql(SHOP).unwrap();
    let count = Holder::before(server().port(), None).unwrap();
    let place = Place::new();
    dump(&by(&count, &db.name), place.store())
        .run()
        .unwrap()
        .success()
        .unwrap();
    let whole = count.passed();
    let cuts = (0..20)
        .map(|n| n * n * n * n * whole / 160_000)
        .chain([whole - 2000]);
    for bytes in cuts {
        let place = Place::new();
        let proxy = cut_after(bytes);
        let url = format!("postgres://postgres@{}/{}", proxy.addr(), db.name);
        let run = dump(&url, place.store()).run().unwrap();
        assert_eq!(run.code(), Some(13), "after {bytes} of {whole}: {run:?}");
        fails(run, 13, &["server", "hint: "]);
        assert!(place.entries().is_empty(), "{:?}", place.entries());
    }
    no_session_in(&db);
    db.drop().unwrap();
}

fn cut_after(bytes: u64) -> TcpProxy {
    let proxy = TcpProxy::start(SocketAddr::from(([127, 0, 0, 1], server().port()))).unwrap();
    if bytes == 0 {
        proxy.go_down();
    } else {
        proxy.cut_after(bytes);
    }
    proxy
}

#[test]
fn connection_cut_at_any_byte_of_a_restore() {
    let place = Place::with_snapshot();
    let count = Holder::before(server().port(), None).unwrap();
    let target = empty();
    let run = restore(place.store(), &by(&count, &target.name))
        .run()
        .unwrap();
    run.success().unwrap();
    target.drop().unwrap();
    let whole = count.passed();
    let mut partial = 0;
    // Sessions are opened first, and that is most of what a server says: half of the cuts are near the end.
    let cuts = (0..12).map(|n| n * whole / 12);
    let late = (0..12).map(|n| whole - (n + 1) * whole / 40);
    for bytes in cuts.chain(late) {
        let target = empty();
        let proxy = cut_after(bytes);
        let url = format!("postgres://postgres@{}/{}", proxy.addr(), target.name);
        let run = restore(place.store(), &url).run().unwrap();
        assert_eq!(run.code(), Some(13), "after {bytes} of {whole}: {run:?}");
        let run = fails(run, 13, &["server", "hint: "]);
        no_session_in(&target);
        let sql = "select count(*) from pg_namespace where nspname = 'shop'";
        if target.psql(sql).unwrap() != "0" {
            let told = format!("database {} now holds a part of the snapshot", target.name);
            assert!(run.stderr.contains(&told), "after {bytes}: {run:?}");
            partial += 1;
        }
        target.drop().unwrap();
    }
    assert!(
        partial > 3,
        "only {partial} were met while something was written"
    );
}

#[test]
fn server_killed_in_the_middle_of_a_restore() {
    let place = Place::with_snapshot();
    let server = Postgres::start(Version::V15).unwrap();
    server.create_db("db").unwrap();
    let count = Holder::before(server.port(), None).unwrap();
    let run = restore(place.store(), &by(&count, "db")).run().unwrap();
    run.success().unwrap();
    server.create_db("target").unwrap();
    // The last 500 bytes are farewells of the sessions.
    let holder = Holder::before(server.port(), Some(count.passed() - 700)).unwrap();
    let run = restore(place.store(), &by(&holder, "target"))
        .spawn()
        .unwrap();
    holder.await_held().unwrap();
    let made = server.psql(
        "target",
        "select count(*) from pg_namespace where nspname = 'shop'",
    );
    assert_eq!(made.unwrap(), "1", "a part is there");
    server.kill().unwrap();
    holder.release();
    let says = [
        "connection to the server lost",
        "hint: Look into the server's log",
        "database target now holds a part of the snapshot",
    ];
    fails(run.wait().unwrap(), 13, &says);
}

/// Both ends of a drill are on one server: when it goes, the proof fails.
#[test]
fn server_killed_in_the_middle_of_a_drill() {
    let place = Place::with_snapshot();
    let server = Postgres::start(Version::V15).unwrap();
    let count = Holder::before(server.port(), None).unwrap();
    let drill = |holder: &Holder| {
        let run = read("verify", place.store()).args(["--level", "restore", "--scratch"]);
        run.arg(by(holder, "postgres"))
    };
    drill(&count).run().unwrap().success().unwrap();
    let holder = Holder::before(server.port(), Some(count.passed() / 2)).unwrap();
    let run = drill(&holder).spawn().unwrap();
    holder.await_held().unwrap();
    server.kill().unwrap();
    holder.release();
    fails(run.wait().unwrap(), 13, &["hint: "]);
}
