//! Reading what databases define. Only reads, and commits nothing: it may run in the middle of a transaction, whose locks on
//! what it read then keep definitions as they are.

use ksnapshot_core::{Error, ErrorKind, Problem, ProblemKind, Result};
use mysql_async::Conn;
use mysql_async::prelude::Queryable;

use super::connect::{run, version};
use super::model::{Catalog, Database};
use super::moment::powers;
use super::quote::{literal, name};
use super::version::Server;
use crate::Scope;

mod foreign_keys;
mod programs;
mod query;
mod tables;
mod users;
mod views;

use query::{Line, lines};
pub(super) use tables::has_rows;

/// The server's own databases.
const OWN: [&str; 4] = ["information_schema", "mysql", "performance_schema", "sys"];

/// Reads everything that `scope` means.
///
/// Errors: [`ErrorKind::Server`] for a database that does not exist, as for one that can't be connected to.
pub(super) async fn read(connection: &mut Conn, server: Server, scope: &Scope) -> Result<Catalog> {
    settle(connection, server).await?;
    let (_, server_version) = version(connection).await?;
    let mut catalog = Catalog {
        server,
        server_version,
        scope: scope.clone(),
        databases: databases(connection, server, scope).await?,
        accounts: Vec::new(),
        requirements: Vec::new(),
        problems: Vec::new(),
    };
    // What is not chosen by the name that the server knows is another database.
    if !scope.databases.is_empty() {
        catalog.scope.databases = catalog.databases.iter().map(|d| d.name.clone()).collect();
    }
    let grants = powers::read(connection, server).await?.grants;
    for database in &mut catalog.databases {
        // What is in the default database is written without its name, so that it can be restored under another.
        run(connection, &format!("USE {}", name(&database.name))).await?;
        tables::read(connection, server, scope, database, &mut catalog.problems).await?;
        views::read(connection, scope, database, &mut catalog.problems).await?;
        let problems = &mut catalog.problems;
        programs::read(connection, server, &grants, scope, database, problems).await?;
    }
    if scope.globals {
        catalog.accounts = users::read(connection, server, &mut catalog.problems).await?;
    }
    catalog.requirements = users::requirements(connection, server).await?;
    Ok(catalog)
}

/// The settings under which definitions are read: quoted names, no mode that changes how they are written, fresh estimates.
async fn settle(connection: &mut Conn, server: Server) -> Result<()> {
    run(
        connection,
        "SET SESSION sql_mode = '', sql_quote_show_create = 1",
    )
    .await?;
    if server.mysql(8, 0, 0) {
        // Some services refuse it; then estimates are a day old at most.
        let _ = connection
            .query_drop("SET SESSION information_schema_stats_expiry = 0")
            .await;
    }
    Ok(())
}

/// The databases of `scope`, in the order of their names.
async fn databases(connection: &mut Conn, server: Server, scope: &Scope) -> Result<Vec<Database>> {
    let own = OWN.map(literal).join(", ");
    let encrypted = if server.mysql(8, 0, 16) {
        "s.default_encryption"
    } else {
        "'NO'"
    };
    let comment = if server.mariadb(10, 5, 0) {
        "s.schema_comment"
    } else {
        "''"
    };
    let (options, extensions) = if server.mysql(8, 0, 22) {
        (
            "e.options",
            "LEFT JOIN information_schema.SCHEMATA_EXTENSIONS e ON e.schema_name = s.schema_name",
        )
    } else {
        ("''", "")
    };
    let sql = format!(
        "SELECT s.schema_name, s.default_character_set_name, s.default_collation_name, {encrypted}, {comment}, {options}
         FROM information_schema.SCHEMATA s {extensions}
         WHERE LOWER(s.schema_name) NOT IN ({own}) ORDER BY s.schema_name"
    );
    let mut found: Vec<Database> = lines(connection, &sql)
        .await?
        .iter()
        .map(database)
        .collect();
    if scope.databases.is_empty() {
        return Ok(found);
    }
    // Servers that fold names compare them so.
    let folds = !lines(connection, "SELECT @@lower_case_table_names = 0")
        .await?
        .first()
        .is_some_and(|line| line.is(0, "1"));
    let is = |asked: &str, found: &str| {
        asked == found || folds && asked.to_lowercase() == found.to_lowercase()
    };
    if let Some(missing) =
        (scope.databases.iter()).find(|asked| !found.iter().any(|f| is(asked, &f.name)))
    {
        let error = if OWN.contains(&missing.to_lowercase().as_str()) {
            Error::new(
                ErrorKind::Usage,
                format!("database {missing} is the server's own"),
            )
            .hint("Choose another one; users and grants are dumped with --globals.")
        } else {
            Error::new(
                ErrorKind::Server,
                format!("database {missing} does not exist"),
            )
            .hint(
                "Check the name, and that this user has any right in it: else the server hides it.",
            )
        };
        return Err(error);
    }
    found.retain(|f| scope.databases.iter().any(|asked| is(asked, &f.name)));
    Ok(found)
}

fn database(line: &Line) -> Database {
    Database {
        name: line.text(0),
        charset: line.text(1),
        collation: line.text(2),
        encrypted: line.is(3, "YES"),
        read_only: line.text(5).contains("READ ONLY=1"),
        comment: line.text(4),
        tables: Vec::new(),
        sequences: Vec::new(),
        views: Vec::new(),
        routines: Vec::new(),
        triggers: Vec::new(),
        events: Vec::new(),
    }
}

/// What a right is missing for.
fn unreadable(object: String, message: &str, hint: &str) -> Problem {
    Problem {
        kind: ProblemKind::Unreadable,
        object,
        message: message.to_owned(),
        hint: Some(hint.to_owned()),
    }
}
