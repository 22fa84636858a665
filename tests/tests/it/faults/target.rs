//! A restore never overwrites unasked, and never calls a part the whole.

use ksnapshot_tests::{compare, tools};

use super::*;

/// Definitions and rows of a database, by `pg_dump`.
fn state(db: &Db<'_>) -> String {
    let rows = compare::row_hashes(db).unwrap();
    tools::pg_dump_schema(db).unwrap() + &rows
}

#[test]
fn not_empty() {
    let place = Place::with_snapshot();
    for (sql, what) in [
        (
            "create table mine (n int); insert into mine values (1)",
            "relation public.mine",
        ),
        ("create view mine as select 1 as n", "relation public.mine"),
        ("create sequence mine", "relation public.mine"),
        ("create type mine as enum ('a')", "type public.mine"),
        ("create domain mine as int", "type public.mine"),
        (
            "create function mine() returns int language sql return 1",
            "routine public.mine()",
        ),
        (
            "create schema deep; create table deep.mine (n int)",
            "relation deep.mine",
        ),
        (
            "create materialized view mine as select 1 as n",
            "relation public.mine",
        ),
    ] {
        let target = empty();
        target.psql(sql).unwrap();
        let before = state(&target);
        for flag in [&[][..], &["--no-owner"], &["--jobs", "1"]] {
            let run = restore(place.store(), &target.url()).args(flag);
            let says = [
                &*target.name,
                "is not empty",
                what,
                "hint: Restore into an empty database",
            ];
            fails(run.run().unwrap(), 1, &says);
        }
        assert_eq!(state(&target), before);
        no_session_in(&target);
        target.drop().unwrap();
    }
    // What an extension brought is nobody's data.
    let target = empty();
    target.psql("create extension citext").unwrap();
    restore(place.store(), &target.url())
        .run()
        .unwrap()
        .success()
        .unwrap();
    target.drop().unwrap();
}

#[test]
fn a_table_that_exists() {
    let place = Place::with_snapshot();
    let target = empty();
    target.psql("create schema shop; create table shop.orders (mine int); insert into shop.orders values (1)")
        .unwrap();
    let before = state(&target);
    for pattern in ["shop.orders", "shop.*"] {
        let run = restore(place.store(), &target.url()).args(["--table", pattern]);
        fails(
            run.run().unwrap(),
            1,
            &["shop.orders", "exists already", "hint: Drop or rename it"],
        );
        assert_eq!(state(&target), before);
    }
    // Another one has its place beside it.
    let run = restore(place.store(), &target.url()).args(["--table", "shop.customers"]);
    run.run().unwrap().success().unwrap();
    assert_eq!(target.psql("select mine from shop.orders").unwrap(), "1");
    assert_eq!(
        target.psql("select count(*) from shop.customers").unwrap(),
        "500"
    );
    target.drop().unwrap();
}

#[test]
fn a_database_that_exists_is_not_created() {
    let place = Place::with_snapshot();
    let target = empty();
    target.psql("create table mine (n int)").unwrap();
    let before = state(&target);
    let run = restore(place.store(), &target.url()).arg("--create");
    fails(
        run.run().unwrap(),
        1,
        &[&target.name, "already exists", "hint: Leave --create away"],
    );
    assert_eq!(state(&target), before);
    target.drop().unwrap();
}

#[test]
fn no_right_to_create_a_database() {
    let place = Place::with_snapshot();
    server().role("modest").unwrap();
    let url = server().url_as("modest", "never_made");
    let run = restore(place.store(), &url).arg("--create").run().unwrap();
    fails(
        run,
        1,
        &["database never_made", "permission denied", "hint: "],
    );
}

/// What can't be checked beforehand: the target takes the table and refuses its rows.
#[test]
fn refused_rows() {
    let db = server().fresh_db("rows").unwrap();
    let sql = format!(
        "create table fine (n int); insert into fine values (1);
         create table picky (n int, check (current_database() = '{}')); insert into picky values (1), (2)",
        db.name
    );
    db.psql(&sql).unwrap();
    let place = Place::of(&db);
    let target = empty();
    let run = restore(place.store(), &target.url()).run().unwrap();
    let part = format!("database {} now holds a part of the snapshot", target.name);
    fails(
        run,
        1,
        &["public.picky", "check constraint", "hint: ", &part],
    );
    assert_eq!(target.psql("select count(*) from picky").unwrap(), "0");
    no_session_in(&target);

    let run = read("verify", place.store()).args(["--level", "restore", "--scratch"]);
    let run = run.arg(target.url()).run().unwrap();
    fails(run, 1, &["public.picky", "check constraint", "hint: "]);
    let scratch = "select count(*) from pg_database where datname like 'ksnapshot_verify_%'";
    testbed::until(
        Duration::from_secs(5),
        "the end of the scratch database",
        || Ok((server().psql("postgres", scratch)? == "0").then_some(())),
    )
    .unwrap();
    target.drop().unwrap();
    db.drop().unwrap();
}

/// A definition that the target refuses is a problem that is listed, with all that needs it; the rest is restored.
#[test]
fn refused_definitions() {
    let db = server().fresh_db("definitions").unwrap();
    let sql = format!(
        "create table fine (n int); insert into fine values (1);
         create function home() returns text immutable language plpgsql as
             $$ begin if current_database() <> '{}' then raise 'not at home'; end if; return 'x'; end $$;
         create table indexed (n int); insert into indexed values (1);
         create index refused_here on indexed ((public.home() || n))",
        db.name
    );
    db.psql(&sql).unwrap();
    let place = Place::of(&db);
    let target = empty();
    let run = restore(place.store(), &target.url())
        .run()
        .unwrap()
        .exits(3)
        .unwrap();
    for word in ["problem: ", "refused_here", "not at home", "1 problem"] {
        assert!(run.stderr.contains(word), "{word}: {run:?}");
    }
    let all = "select (select count(*) from fine) + (select count(*) from indexed)";
    assert_eq!(target.psql(all).unwrap(), "2");
    target.drop().unwrap();
    db.drop().unwrap();
}

/// A role that may create nothing there: the tables are refused, so their rows have no place.
#[test]
fn no_right_to_create_tables() {
    let place = Place::with_snapshot();
    let target = empty();
    server().role("modest").unwrap();
    let url = server().url_as("modest", &target.name);
    let run = restore(place.store(), &url).run().unwrap();
    let run = fails(run, 1, &["shop.", "its rows have no table", "hint: "]);
    assert!(run.stderr.contains("permission denied"), "{run:?}");
    target.drop().unwrap();
}
