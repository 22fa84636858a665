//! Every kind of definition, with hostile names, comes back as it was: `SHOW CREATE`, rows, and what the stock dump program
//! writes are equal before and after.

use ksnapshot_tests::mysql::{MySql, Version, compare};
use ksnapshot_tests::testbed;

use super::{Dumped, problems};

/// The databases of `kinds.sql`.
pub(crate) const KINDS: [&str; 3] = ["kinds_a", "kinds_b", "Kinds `c\" 'd';e"];

/// How all of it is dumped.
pub(crate) const ALL: [&str; 7] = [
    "--globals",
    "--database",
    KINDS[0],
    "--database",
    KINDS[1],
    "--database",
    KINDS[2],
];

/// Those of its views that can't be made again, whoever tries.
pub(crate) const INVALID: [&str; 3] = ["v_invalid", "v_invalid_function", "v_on_invalid"];

/// Its users that both families write alike.
const USERS: [&str; 2] = ["kinds_owner@%", "kinds_reader@localhost"];

/// A server of its own with all of it.
pub(crate) fn kinds(version: Version) -> MySql {
    let server = MySql::start(version).unwrap();
    kinds_into(&server);
    server
}

/// … into a server without them.
pub(crate) fn kinds_into(server: &MySql) {
    server.load("", &testbed::sql("mysql/kinds.sql")).unwrap();
    // Servers write the columns of a right in an order of their own, another one each time.
    server
        .run("revoke select (id) on kinds_a.columns_all from kinds_reader@localhost")
        .unwrap();
}

/// … when we restore it; what can't be made again is told, and nothing else.
pub(crate) fn by_us(version: Version) {
    let (source, target) = (kinds(version), MySql::start(version).unwrap());
    let dumped = dumped(&source, &ALL);
    let run = dumped
        .restore(&target.url(""), &["--jobs", "3"])
        .exits(3)
        .unwrap();
    let refused = problems(&run);
    assert_eq!(refused.len(), INVALID.len(), "{version:?}: {refused:?}");
    for view in INVALID {
        assert!(
            refused.iter().any(|line| line.contains(view)),
            "{version:?}: {view}: {refused:?}"
        );
        source.run(&format!("drop view kinds_a.{view}")).unwrap();
    }
    same(&source, &target);
    // A second restore replaces all of it, and nothing else.
    target
        .run("create table kinds_a.other (a int); create database apart")
        .unwrap();
    dumped
        .restore(&target.url(""), &["--clean"])
        .exits(3)
        .unwrap();
    assert_eq!(
        target.value("select count(*) from kinds_a.other").unwrap(),
        "0"
    );
    target.run("drop table kinds_a.other").unwrap();
    if version == Version::MariaDb105 {
        without_history(&target).unwrap();
    }
    compare::same_definitions(&source, &target, &KINDS).unwrap();
}

/// … when the stock client loads the text, whole or in one object a table.
pub(crate) fn by_the_stock_client(version: Version) {
    let (source, target) = (kinds(version), MySql::start(version).unwrap());
    for view in INVALID {
        source.run(&format!("drop view kinds_a.{view}")).unwrap();
    }
    // What a client in another character set wrote is UTF-8 in a file of text, and the server remembers that.
    source
        .run("drop view kinds_a.v_latin1; drop function kinds_a.in_latin1")
        .unwrap();
    dumped(&source, &ALL).load(&target, "");
    // One object a table is the same in more pieces.
    let pieces = MySql::start(version).unwrap();
    dumped(&source, &[&ALL[..], &["--split-tables"]].concat()).load(&pieces, "");
    compare::same_definitions(&source, &pieces, &KINDS).unwrap();
    same(&source, &target);
}

/// Its tables with system versioning, and what takes that from them.
const VERSIONED: [(&str, &str); 3] = [
    ("versioned", ""),
    (
        "versioned_columns",
        "drop period for system_time, drop column since, drop column until,",
    ),
    ("versioned_parts", "remove partitioning;"),
];

/// A dump that tells of all history that it leaves out: servers before MariaDB 10.11 can't take it back.
pub(crate) fn dumped(source: &MySql, args: &[&str]) -> Dumped {
    let dumped = Dumped::of(&source.url(""), args);
    let told: Vec<&str> = (problems(&dumped.run).into_iter())
        .filter(|line| line.contains("history of table"))
        .collect();
    let lost: &[_] = match source.version() {
        Version::MariaDb105 => &VERSIONED,
        _ => &[],
    };
    assert_eq!(told.len(), lost.len(), "{told:?}");
    for (table, _) in lost {
        let name = format!("history of table kinds_a.{table}: ");
        assert!(told.iter().any(|line| line.contains(&name)), "{told:?}");
    }
    dumped
}

fn same(source: &MySql, target: &MySql) {
    let version = source.version();
    let compared = compare::same_definitions(source, target, &KINDS).and_then(|()| {
        if version == Version::MariaDb105 {
            without_history(source)?;
            without_history(target)?;
        }
        compare::same(source, target, &KINDS)?;
        compare::same_users(source, target, &USERS)
    });
    if let Err(error) = compared {
        panic!("{version:?}: {error:#}");
    }
}

/// Of what has a history leaves what is now, without since when.
fn without_history(server: &MySql) -> anyhow::Result<()> {
    for (table, change) in VERSIONED {
        let change = change.replace(';', &format!("; alter table kinds_a.{table}"));
        server.run(&format!(
            "set system_versioning_alter_history = keep; \
             alter table kinds_a.{table} {change} drop system versioning"
        ))?;
    }
    Ok(())
}
