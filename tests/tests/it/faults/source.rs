//! The server can't be reached, or doesn't let us in: exit 13, by every command that talks to one.

use ksnapshot_tests::hold::Doorbell;
use ksnapshot_tests::{Options, Tls, Version, testbed};

use super::*;

/// Neither a dump from `url` nor a restore into it gets in; nothing is left.
#[track_caller]
fn refused(url: &str, with: impl Fn(Ksnapshot) -> Ksnapshot, says: &[&str]) {
    let place = Place::new();
    fails(with(dump(url, place.store())).run().unwrap(), 13, says);
    assert!(place.entries().is_empty(), "{:?}", place.entries());
    let place = Place::with_snapshot();
    fails(with(restore(place.store(), url)).run().unwrap(), 13, says);
}

#[test]
fn wrong_password() {
    let wrong = |run: Ksnapshot| run.env("PGPASSWORD", "wrong-wrong");
    refused(
        &shop().url(),
        wrong,
        &["login refused for user postgres", "hint: Set PGPASSWORD"],
    );
}

#[test]
fn unknown_role() {
    let url = server().url_as("nobody_at_all", &shop().name);
    refused(&url, |run| run, &["login refused for user nobody_at_all"]);
}

#[test]
fn host_down() {
    let port = testbed::free_port().unwrap();
    let url = format!("postgres://postgres@127.0.0.1:{port}/db");
    let server = format!("server 127.0.0.1:{port}: can't connect");
    refused(&url, |run| run, &[&server, "hint: Check host and port"]);
}

#[test]
fn a_server_that_says_nothing() {
    let bell = Doorbell::silent().unwrap();
    let url = format!("postgres://postgres@127.0.0.1:{}/db", bell.port());
    let begun = std::time::Instant::now();
    let place = Place::new();
    let run = dump(&url, place.store()).run().unwrap();
    fails(run, 13, &["no answer within 15 s", "hint: Check host"]);
    assert!(begun.elapsed() < Duration::from_secs(25));
    assert!(place.entries().is_empty());
}

#[test]
fn tls_refused() {
    let url = format!("{}?sslmode=require", shop().url());
    refused(&url, |run| run, &["TLS refused", "hint: Check sslmode"]);

    let server = Options::new(Version::V15)
        .tls(Tls::Offered)
        .start()
        .unwrap();
    let url = format!("{}?sslmode=verify-full", server.url("postgres"));
    refused(&url, |run| run, &["TLS refused", "sslrootcert"]);

    let trusted = format!("{url}&sslrootcert={}", server.ca().unwrap().display());
    let place = Place::new();
    dump(&trusted, place.store())
        .run()
        .unwrap()
        .success()
        .unwrap();
    is_whole(place.store(), |run| run);
}

#[test]
fn unknown_database() {
    let says = ["database none_such does not exist", "hint: "];
    refused(&server().url("none_such"), |run| run, &says);
}

#[test]
fn no_right_to_connect() {
    let db = server().fresh_db("closed").unwrap();
    server().role("stranger").unwrap();
    db.psql(&format!(
        "revoke connect on database \"{}\" from public",
        db.name
    ))
    .unwrap();
    let url = server().url_as("stranger", &db.name);
    refused(
        &url,
        |run| run,
        &["permission denied for database", "hint: Grant CONNECT"],
    );
}

#[test]
fn no_connection_left() {
    let db = server().fresh_db("narrow").unwrap();
    db.psql("create table t (n int)").unwrap();
    server().role("lonely").unwrap();
    db.psql("alter role lonely connection limit 1; grant select on t to lonely")
        .unwrap();
    let url = server().url_as("lonely", &db.name);
    let place = Place::new();
    let run = dump(&url, place.store()).args(["--jobs", "2"]);
    fails(
        run.run().unwrap(),
        13,
        &["no connection left", "hint: Lower --jobs"],
    );
    assert!(place.entries().is_empty());
    no_session_in(&db);
    let run = dump(&url, place.store()).args(["--jobs", "1"]);
    run.run().unwrap().success().unwrap();
}
