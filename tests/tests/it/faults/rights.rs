//! What can't be read for lack of a right is a listed problem: exit 3, a manifest, and everything else is there.

use super::*;

/// Dumps as `reader`, who lacks one right: the snapshot is complete but for `object`, and says so everywhere.
#[track_caller]
fn lacks(sql: &str, object: &str, hint: &str) {
    let db = server().fresh_db("rights").unwrap();
    let role = format!("reader_of_{}", db.name);
    server().role(&role).unwrap();
    db.psql("create table fine (n int); insert into fine select generate_series(1, 1000)")
        .unwrap();
    db.psql(&sql.replace("$role", &role)).unwrap();

    let place = Place::new();
    let run = dump(&server().url_as(&role, &db.name), place.store());
    let run = run.run().unwrap().exits(3).unwrap();
    let told = |text: &str| {
        let line = text.lines().find(|line| line.contains(object));
        assert!(line.is_some(), "no word of {object}: {text}");
        assert!(text.contains(hint), "no {hint:?}: {text}");
    };
    told(&run.stderr);
    assert!(run.stderr.contains("problem: "), "{run:?}");
    let id = run.text().trim().to_owned();
    assert_eq!(id.len(), 8, "{run:?}");

    let seen = read("inspect", place.store())
        .run()
        .unwrap()
        .success()
        .unwrap();
    told(&seen.text());
    let list = read_list(&place);
    assert!(list.contains("complete with problems"), "{list}");

    // A snapshot with problems says so until the end: what isn't there can't be verified.
    let proof = read("verify", place.store()).args(["--level", "decode"]);
    proof.run().unwrap().exits(3).unwrap();
    let target = empty();
    let back = restore(place.store(), &target.url()).arg("--no-owner");
    let back = back.run().unwrap();
    assert_eq!(back.code(), Some(0), "{back:?}");
    assert_eq!(target.psql("select sum(n) from fine").unwrap(), "500500");
    target.drop().unwrap();
}

fn read_list(place: &Place) -> String {
    let list = Ksnapshot::new(["list"]).arg(place.store());
    list.run().unwrap().success().unwrap().text()
}

#[test]
fn one_table() {
    lacks(
        "create table secret (n int); insert into secret values (1); grant select on fine to $role",
        "public.secret",
        "GRANT SELECT",
    );
}

#[test]
fn one_sequence() {
    lacks(
        "create sequence secret; select nextval('secret'); grant select on fine to $role",
        "public.secret",
        "GRANT",
    );
}

#[test]
fn one_schema() {
    lacks(
        "create schema hidden; create table hidden.secret (n int); grant select on fine, hidden.secret to $role",
        "hidden",
        "GRANT",
    );
}

#[test]
fn rows_behind_row_security() {
    lacks(
        "create table secret (n int); insert into secret values (1); alter table secret enable row level security;
         grant select on fine, secret to $role",
        "public.secret",
        "BYPASSRLS",
    );
}

#[test]
fn one_large_object() {
    lacks(
        "select lo_from_bytea(0, 'secret'); grant select on fine to $role",
        "large object",
        "GRANT",
    );
}
