//! The databases a restore writes to: how they are called, making them, looking at them, dropping them.

use std::collections::BTreeMap;

use ksnapshot_core::{Error, ErrorKind, Item, Result};
use mysql_async::Conn;
use mysql_async::prelude::Queryable;

use super::connect::{MySql, run};
use super::ddl::database::create;
use super::ddl::header::SQL_MODE;
use super::error::classify;
use super::model::{Catalog, Database};
use super::quote::{literal, name, qualified};

/// What databases of a snapshot are called on the target.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Names(BTreeMap<String, String>);

impl Names {
    /// Those that `server` asks for.
    ///
    /// Errors: [`ErrorKind::Usage`] when one name is given for several databases.
    pub(super) fn new(server: &MySql, catalog: &Catalog) -> Result<Self> {
        let databases = || catalog.databases.iter().map(|d| d.name.clone());
        let names = match (server.scratch(), server.database(), catalog.databases.len()) {
            (Some(scratch), _, 1) => databases().map(|d| (d, scratch.to_owned())).collect(),
            // Both names together may be longer than a name can be.
            (Some(scratch), _, _) => (databases().enumerate())
                .map(|(number, d)| (d, format!("{scratch}_{}", number + 1)))
                .collect(),
            (None, Some(new), 1) => databases().map(|d| (d, new.to_owned())).collect(),
            (None, Some(_), several) => {
                return Err(Error::new(
                    ErrorKind::Usage,
                    format!("the snapshot holds {several} databases, the target names one"),
                )
                .hint(
                    "Leave the database out of the target: each is restored under its own name.",
                ));
            }
            (None, None, _) => databases().map(|d| (d.clone(), d)).collect(),
        };
        Ok(Self(names))
    }

    /// What a database of the snapshot is called.
    pub(super) fn of<'a>(&'a self, database: &'a str) -> &'a str {
        self.0.get(database).map_or(database, String::as_str)
    }

    /// Its new name, if that is another one.
    pub(super) fn new_name(&self, database: &str) -> Option<String> {
        self.0.get(database).filter(|new| *new != database).cloned()
    }

    /// Whether any database gets another name.
    pub(super) fn change(&self) -> bool {
        self.0.iter().any(|(old, new)| old != new)
    }

    /// The names on the target.
    pub(super) fn all(&self) -> impl Iterator<Item = &str> {
        self.0.values().map(String::as_str)
    }

    fn list(&self) -> String {
        self.all().map(literal).collect::<Vec<_>>().join(", ")
    }
}

/// Makes an empty database like `database`.
pub(super) async fn create_database(
    connection: &mut Conn,
    database: &Database,
    as_name: &str,
) -> Result<()> {
    let sql = create(database, as_name);
    run(connection, &sql).await.map_err(|error| {
        let hint = "Create it by hand as it should be, and restore without --create.";
        let error = error.context(format!("database {as_name}"));
        match error.kind() {
            ErrorKind::AlreadyExists => error
                .with_kind(ErrorKind::TargetNotEmpty)
                .hint("Leave --create away to restore into it as it is, or choose another name."),
            ErrorKind::Refused => error.with_kind(ErrorKind::Failed).hint(hint),
            _ => error,
        }
    })
}

/// Makes an empty database for a drill. The server need not know the collation of the source.
pub(super) async fn create_scratch(
    connection: &mut Conn,
    database: &Database,
    as_name: &str,
) -> Result<()> {
    match create_database(connection, database, as_name).await {
        Err(error) if error.kind() == ErrorKind::Failed => {
            run(connection, &format!("CREATE DATABASE {}", name(as_name))).await
        }
        other => other,
    }
}

/// Drops the databases of a drill. Missing ones are success.
pub(super) async fn drop_scratch(connection: &mut Conn, scratch: &str) -> Result<()> {
    let sql = format!(
        "SELECT schema_name FROM information_schema.SCHEMATA
         WHERE schema_name = {name} OR LEFT(schema_name, CHAR_LENGTH({name}) + 1) = CONCAT({name}, '_')",
        name = literal(scratch)
    );
    let found: Vec<String> = connection.query(sql).await.map_err(classify)?;
    run(connection, "SET SESSION foreign_key_checks = 0").await?;
    for database in found {
        run(
            connection,
            &format!("DROP DATABASE IF EXISTS {}", name(&database)),
        )
        .await
        .map_err(|e| e.context(format!("database {database}")))?;
    }
    Ok(())
}

/// Those of the target's databases that are there.
pub(super) async fn existing(connection: &mut Conn, names: &Names) -> Result<Vec<String>> {
    if names.list().is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "SELECT schema_name FROM information_schema.SCHEMATA WHERE schema_name IN ({})",
        names.list()
    );
    connection.query(sql).await.map_err(classify)
}

/// Refuses databases in which there is anything.
pub(super) async fn check_empty(connection: &mut Conn, names: &Names) -> Result<()> {
    let list = names.list();
    if list.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "SELECT table_schema, LOWER(table_type), table_name FROM information_schema.TABLES WHERE table_schema IN ({list})
         UNION ALL
         SELECT routine_schema, LOWER(routine_type), routine_name FROM information_schema.ROUTINES
         WHERE routine_schema IN ({list})
         UNION ALL
         SELECT event_schema, 'event', event_name FROM information_schema.EVENTS WHERE event_schema IN ({list})
         LIMIT 1"
    );
    let found: Option<(String, String, String)> =
        connection.query_first(sql).await.map_err(classify)?;
    match found {
        None => Ok(()),
        Some((database, kind, object)) => {
            let kind = kind.replace("base table", "table");
            Err(Error::new(
                ErrorKind::TargetNotEmpty,
                format!("database {database} is not empty: it holds {kind} {object}"),
            )
            .hint("Restore into an empty database (--create makes one), or pass --clean to replace what the snapshot holds."))
        }
    }
}

/// Refuses databases in which one of these tables and views exists already.
pub(super) async fn check_absent(
    connection: &mut Conn,
    names: &Names,
    items: &[&Item],
) -> Result<()> {
    for item in items.iter().filter(|i| i.table == Some(i.id)) {
        let database = names.of(item.schema.as_deref().unwrap_or_default());
        let sql = format!(
            "SELECT table_name FROM information_schema.TABLES WHERE table_schema = {} AND table_name = {}",
            literal(database),
            literal(&item.name)
        );
        let found: Option<String> = connection.query_first(sql).await.map_err(classify)?;
        if found.is_some() {
            return Err(Error::new(
                ErrorKind::TargetNotEmpty,
                format!("table {database}.{} exists already", item.name),
            )
            .hint("Drop or rename it first, restore into another database, or pass --clean to replace it."));
        }
    }
    Ok(())
}

/// Drops what the snapshot holds, and nothing else. The session does not check foreign keys.
pub(super) async fn clean(connection: &mut Conn, names: &Names, items: &[&Item]) -> Result<()> {
    for sql in drops(names, items) {
        run(connection, &sql).await.map_err(|error| match error.kind() {
            ErrorKind::Refused => error
                .with_kind(ErrorKind::Failed)
                .context("clean")
                .hint("Something else has this name: drop it by hand, or restore into another database."),
            _ => error,
        })?;
    }
    Ok(())
}

/// What to run, in order. Indexes, triggers and keys go with their tables, bodies of packages with these.
fn drops(names: &Names, items: &[&Item]) -> Vec<String> {
    const KINDS: [&str; 7] = [
        "event",
        "view",
        "table",
        "sequence",
        "package",
        "procedure",
        "function",
    ];
    let of_kind = |kind: &'static str| {
        let definitions = (items.iter())
            .filter(move |i| i.aspect == ksnapshot_core::Aspect::Definition && i.kind == kind);
        definitions.filter_map(move |item| {
            let database = names.of(item.schema.as_deref()?);
            Some(format!(
                "DROP {} IF EXISTS {}",
                kind.to_uppercase(),
                qualified(database, &item.name)
            ))
        })
    };
    let mut all = Vec::new();
    for kind in KINDS {
        let of_kind: Vec<String> = of_kind(kind).collect();
        // Servers before MariaDB 11.4 know of packages only in this mode.
        let mode = kind == "package" && !of_kind.is_empty();
        all.extend(mode.then(|| "SET SESSION sql_mode = 'ORACLE'".to_owned()));
        all.extend(of_kind);
        all.extend(mode.then(|| format!("SET SESSION sql_mode = '{SQL_MODE}'")));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_snapshot_holds_is_dropped_from_the_top() {
        let item = |id: u32, kind: &str, name: &str| Item {
            id,
            stage: ksnapshot_core::Stage::PreData,
            aspect: ksnapshot_core::Aspect::Definition,
            kind: kind.into(),
            schema: Some("a".into()),
            name: name.into(),
            table: None,
            owner: None,
            depends: Vec::new(),
            place: None,
            data: None,
        };
        let items = [
            item(0, "database", "a"),
            item(1, "table", "t`"),
            item(2, "index", "i"),
            item(3, "view", "v"),
        ];
        let names = Names([("a".to_owned(), "b".to_owned())].into());
        let all: Vec<&Item> = items.iter().collect();
        assert_eq!(
            drops(&names, &all),
            [
                "DROP VIEW IF EXISTS `b`.`v`",
                "DROP TABLE IF EXISTS `b`.`t```"
            ]
        );
    }
}
