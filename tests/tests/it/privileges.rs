//! A dump by a role that may not read everything: its list of problems is exactly what a superuser's dump has more, and what
//! `--preflight` says cures it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use ksnapshot_tests::tools::Run;
use ksnapshot_tests::{Db, Ksnapshot, Postgres, Version, testbed};
use serde_json::Value;

/// What roles like these are found with, and what they can't read of [`source`].
const ROLES: &[(&str, &str)] = &[
    ("nothing at all", ""),
    (
        "some tables",
        "grant select on public.customer, public.order_item to $role; grant usage on schema audit to $role",
    ),
    ("the owner of the database", "alter database $db owner to $role"),
    (
        // As the administrators of managed services are: all but a superuser.
        "a managed service's administrator",
        "alter role $role createrole createdb; grant all on database $db to $role;
         grant all on all tables in schema public, audit to $role; grant all on all sequences in schema public to $role;
         grant all on schema public, audit, hidden to $role",
    ),
];

fn source(server: &'static Postgres) -> Db<'static> {
    let db = server.fresh_db("least").unwrap();
    db.psql_file(&testbed::sql("privileges.sql")).unwrap();
    db
}

fn role(db: &Db<'_>, rights: &str) -> String {
    let role = format!("least_{}", db.name);
    db.server.role(&role).unwrap();
    let rights = rights.replace("$role", &role).replace("$db", &db.name);
    db.psql(&rights).unwrap();
    role
}

fn dump(url: &str, store: &Path) -> Run {
    let dump = Ksnapshot::new(["dump", url, "--json", "--to"]).arg(store);
    dump.password().run().unwrap()
}

fn last_line(run: &Run) -> Value {
    serde_json::from_str(run.text().lines().last().unwrap()).unwrap()
}

/// The objects of a list of problems.
fn listed(answer: &Value) -> BTreeSet<String> {
    let problems = answer["problems"].as_array().unwrap();
    let objects: Vec<String> = problems
        .iter()
        .map(|problem| problem["object"].as_str().unwrap().to_owned())
        .collect();
    let set: BTreeSet<String> = objects.iter().cloned().collect();
    assert_eq!(set.len(), objects.len(), "twice: {objects:?}");
    set
}

/// The text of a snapshot, by the object that each piece is of: a definition says so itself, rows by their table.
fn pieces(store: &Path) -> BTreeMap<String, String> {
    let cat = Ksnapshot::new(["cat"]).arg(store).run().unwrap();
    let text = cat.success().unwrap().text();
    let mut pieces: BTreeMap<String, String> = BTreeMap::new();
    for piece in text.split("\n\n") {
        let piece = piece.trim_start();
        let words: Vec<&str> = piece.split_whitespace().collect();
        let name = match words.as_slice() {
            ["COPY", table, ..] => format!("table {table}"),
            ["SELECT", call, ..] if call.starts_with("pg_catalog.setval(") => {
                format!("sequence {}", call.split('\'').nth(1).unwrap())
            }
            ["SELECT", call, ..] if call.starts_with("pg_catalog.lo_put(") => {
                LARGE_OBJECTS.to_owned()
            }
            // The header and the end.
            ["--", "PostgreSQL", ..] | ["SET", ..] => continue,
            _ => {
                let first = piece.lines().next().unwrap_or_default();
                let title = first.trim_start_matches("-- ");
                title.trim_start_matches("owner of ").to_owned()
            }
        };
        pieces.entry(name).or_default().push_str(piece);
    }
    pieces
}

/// They are told of in batches, whose names are spans.
const LARGE_OBJECTS: &str = "large objects";

#[test]
fn the_problems_are_what_a_superuser_has_more() {
    for version in Version::ALL {
        let server = Postgres::shared(version).unwrap();
        for (what, rights) in ROLES {
            let db = source(server);
            let role = role(&db, rights);
            let folder = tempfile::tempdir().unwrap();
            let (whole, part) = (folder.path().join("whole"), folder.path().join("part"));
            dump(&db.url(), &whole).success().unwrap();
            let run = dump(&server.url_as(&role, &db.name), &part);
            let answer = last_line(&run);
            let (superuser, limited) = (pieces(&whole), pieces(&part));
            let more: BTreeSet<String> = (superuser.iter())
                .filter(|(name, text)| limited.get(*name) != Some(text))
                .map(|(name, _)| name.clone())
                .collect();
            let beyond: Vec<&String> = limited
                .keys()
                .filter(|name| !superuser.contains_key(*name))
                .collect();
            assert!(beyond.is_empty(), "{what} on {version:?}: {beyond:?}");
            // That a table which it may not read is empty the role can't know.
            let named: BTreeSet<String> = listed(&answer)
                .into_iter()
                .filter(|object| object != "table public.empty_table")
                .map(|object| match object.starts_with(LARGE_OBJECTS) {
                    true => LARGE_OBJECTS.to_owned(),
                    false => object,
                })
                .collect();
            assert_eq!(named, more, "{what} on {version:?}");
            assert!(
                !more.is_empty() && run.code() == Some(3),
                "{what} on {version:?}: {run:?}"
            );
        }
    }
}

/// What only a superuser may read.
fn only_superusers(object: &str) -> bool {
    object.starts_with("subscription ") || object.starts_with("user mapping ")
}

#[test]
fn what_preflight_says_is_missing_cures_it() {
    // 13 has no role that reads everything.
    for version in [Version::V13, Version::V15, Version::V18] {
        let server = Postgres::shared(version).unwrap();
        for (what, rights) in ROLES {
            let db = source(server);
            let role = role(&db, rights);
            let url = server.url_as(&role, &db.name);
            let before = Ksnapshot::new(["dump", &url, "--preflight", "--json"]);
            let before = last_line(&before.password().run().unwrap());
            let missing = before["missing"].as_array().unwrap();
            let problems = listed(&before);
            assert!(!problems.is_empty(), "{what} on {version:?}");
            for right in missing {
                db.psql(right["grant"].as_str().unwrap()).unwrap();
            }
            let folder = tempfile::tempdir().unwrap();
            let run = dump(&url, &folder.path().join("store"));
            let left: Vec<String> = (listed(&last_line(&run)).into_iter())
                .filter(|object| !only_superusers(object))
                .collect();
            assert!(left.is_empty(), "{what} on {version:?}: {left:?}");
            let again = Ksnapshot::new(["dump", &url, "--preflight", "--json"]);
            let again = last_line(&again.password().run().unwrap());
            assert_eq!(
                again["missing"].as_array().map(Vec::len),
                Some(0),
                "{again}"
            );
        }
    }
}
