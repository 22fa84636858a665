//! A server of another version than is known, or than the source's.

use ksnapshot_tests::proxy::TcpProxy;

use super::*;

/// The server as one of another version.
fn disguised(version: &str) -> (TcpProxy, Db<'static>) {
    let server = Postgres::shared(Version::V18).unwrap();
    let db = server.fresh_db("version").unwrap();
    db.psql("create table t (n int); insert into t values (1)")
        .unwrap();
    let proxy = TcpProxy::start(([127, 0, 0, 1], server.port()).into()).unwrap();
    let own = db.psql("show server_version_num").unwrap();
    proxy.disguise(&own, version);
    (proxy, db)
}

fn through(proxy: &TcpProxy, db: &Db<'_>) -> String {
    format!("postgres://postgres@{}/{}", proxy.addr(), db.name)
}

#[test]
fn a_server_newer_than_known_is_dumped_only_when_forced() {
    let (proxy, db) = disguised("190001");
    let place = Place::new();
    let run = dump(&through(&proxy, &db), place.store()).run().unwrap();
    fails(run, 1, &["server version", "12 to 18", "--force"]);
    assert!(place.entries().is_empty());
    let run = dump(&through(&proxy, &db), place.store()).arg("--force");
    let run = run.run().unwrap().success().unwrap();
    assert!(run.stderr.contains("warning: server version"), "{run:?}");
    is_whole(place.store(), |run| run);
    db.drop().unwrap();
}

#[test]
fn a_server_older_than_known_is_not_dumped() {
    let (proxy, db) = disguised("110022");
    let place = Place::new();
    let run = dump(&through(&proxy, &db), place.store()).arg("--force");
    fails(
        run.run().unwrap(),
        1,
        &["server version", "12 to 18", "pg_dump"],
    );
    assert!(place.entries().is_empty());
    db.drop().unwrap();
}

/// A snapshot of 18, and a database of 15 that is empty.
fn from_18(sql: &str) -> (Place, Db<'static>) {
    let db = Postgres::shared(Version::V18)
        .unwrap()
        .fresh_db("newer")
        .unwrap();
    db.psql(sql).unwrap();
    let place = Place::of(&db);
    db.drop().unwrap();
    (
        place,
        Postgres::shared(Version::V15)
            .unwrap()
            .fresh_db("older")
            .unwrap(),
    )
}

/// What an older server lacks it says itself before anything is written; what does not need that comes back.
#[test]
fn what_an_older_target_lacks_is_listed() {
    let (place, target) = from_18(
        "create table fine (n int primary key, during tsrange, parent int);
         insert into fine values (1, '[2026-01-01, 2026-01-02)', 1);
         create index fine_n on fine (n);
         alter table fine add constraint later foreign key (parent) references fine not enforced;
         alter table fine add constraint apart exclude using gist (during with &&);
         create table empty (a int, twice int generated always as (a * 2) virtual);
         create view over_empty as select * from empty;
         create view over_fine as select n from fine;
         grant maintain on fine to pg_monitor",
    );
    let run = restore(place.store(), &target.url())
        .run()
        .unwrap()
        .exits(3)
        .unwrap();
    let problems: Vec<&str> = run
        .problems()
        .into_iter()
        .map(|(object, _)| object)
        .collect();
    let lacking = [
        "table public.empty",
        "owner of table public.empty",
        "view public.over_empty",
        "owner of view public.over_empty",
        "foreign key public.later",
        "grants of table public.fine",
    ];
    assert_eq!(problems, lacking, "{run:?}");
    assert!(
        run.stderr.contains("is PostgreSQL 15, the source was 18"),
        "{run:?}"
    );
    assert_eq!(target.psql("select n from over_fine").unwrap(), "1");
    let indexes = "select count(*) from pg_indexes where tablename = 'fine'";
    assert_eq!(target.psql(indexes).unwrap(), "3");
    target.drop().unwrap();
}

#[test]
fn rows_for_which_an_older_target_has_no_table_stop_the_restore() {
    let (place, target) = from_18(
        "create table fine (n int); insert into fine values (1);
         create table lost (a int, twice int generated always as (a * 2) virtual); insert into lost values (1)",
    );
    let run = restore(place.store(), &target.url()).run().unwrap();
    fails(run, 1, &["table public.lost", "nothing was restored"]);
    assert_eq!(
        target
            .psql("select count(*) from pg_class where relnamespace = 'public'::regnamespace")
            .unwrap(),
        "0"
    );
    // Nor is anything dropped for which there would be nothing else.
    target
        .psql("create table lost (old int); insert into lost values (7)")
        .unwrap();
    let run = restore(place.store(), &target.url()).arg("--clean");
    fails(
        run.run().unwrap(),
        1,
        &["table public.lost", "nothing was restored"],
    );
    assert_eq!(target.psql("select old from lost").unwrap(), "7");
    let part = restore(place.store(), &target.url()).args(["--table", "fine"]);
    part.run().unwrap().success().unwrap();
    let again = restore(place.store(), &target.url()).args(["--table", "fine", "--clean"]);
    again.run().unwrap().success().unwrap();
    assert_eq!(target.psql("select n from fine").unwrap(), "1");
    target.drop().unwrap();
}
