//! The database a restore writes to: making it, looking at it, dropping it.

use ksnapshot_core::{Error, ErrorKind, Result};
use sqlx::Row;
use sqlx::postgres::PgConnection;

use super::error::classify;
use super::query::{first, one, run};
use super::quote::{ident, literal};

/// Makes an empty database; `options` are those of [`Database::options`](super::database::Database::options).
pub(super) async fn create_database(
    server: &mut PgConnection,
    name: &str,
    options: &str,
) -> Result<()> {
    let sql = format!("CREATE DATABASE {} {options}", ident(name));
    run(server, &sql).await.map_err(|error| {
        let hint = "Create it by hand as it should be, and restore without --create.";
        match error.kind() {
            ErrorKind::AlreadyExists => error
                .with_kind(ErrorKind::TargetNotEmpty)
                .hint("Leave --create away to restore into it as it is, or choose another name."),
            ErrorKind::Refused => error
                .with_kind(ErrorKind::Failed)
                .context(format!("database {name}"))
                .hint(hint),
            _ => error.context(format!("database {name}")),
        }
    })
}

/// Drops a database and ends whoever is connected to it. A missing one is success.
pub(super) async fn drop_database(server: &mut PgConnection, name: &str) -> Result<()> {
    let end = format!(
        "SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity
         WHERE datname = {} AND pid <> pg_catalog.pg_backend_pid()",
        literal(name)
    );
    run(server, &end).await?;
    run(server, &format!("DROP DATABASE IF EXISTS {}", ident(name)))
        .await
        .map_err(|e| e.context(format!("database {name}")))
}

/// Refuses a database in which there is a relation, a type or a routine of a user, outside extensions.
pub(super) async fn check_empty(connection: &mut PgConnection, database: &str) -> Result<()> {
    let row = first(
        connection,
        "WITH member AS (
             SELECT classid, objid FROM pg_catalog.pg_depend WHERE deptype = 'e'
         ), mine AS (
             SELECT oid FROM pg_catalog.pg_namespace
             WHERE nspname NOT LIKE 'pg\\_%' AND nspname <> 'information_schema'
         )
         SELECT found FROM (
             SELECT 'relation ' || c.oid::pg_catalog.regclass::text AS found
             FROM pg_catalog.pg_class c
             WHERE c.relnamespace IN (SELECT oid FROM mine)
               AND ('pg_catalog.pg_class'::pg_catalog.regclass, c.oid) NOT IN (SELECT classid, objid FROM member)
             UNION ALL
             SELECT 'type ' || t.oid::pg_catalog.regtype::text
             FROM pg_catalog.pg_type t
             WHERE t.typnamespace IN (SELECT oid FROM mine) AND t.typrelid = 0 AND t.typelem = 0
               AND ('pg_catalog.pg_type'::pg_catalog.regclass, t.oid) NOT IN (SELECT classid, objid FROM member)
             UNION ALL
             SELECT 'routine ' || p.oid::pg_catalog.regprocedure::text
             FROM pg_catalog.pg_proc p
             WHERE p.pronamespace IN (SELECT oid FROM mine)
               AND ('pg_catalog.pg_proc'::pg_catalog.regclass, p.oid) NOT IN (SELECT classid, objid FROM member)
         ) things ORDER BY found LIMIT 1",
    )
    .await?;
    let found: Option<String> = row
        .map(|row| row.try_get(0))
        .transpose()
        .map_err(classify)?;
    match found {
        None => Ok(()),
        Some(thing) => Err(Error::new(ErrorKind::TargetNotEmpty, format!("database {database} is not empty: it holds {thing}"))
            .hint("Restore into an empty database (--create makes one), or pass --clean to replace what the snapshot holds.")),
    }
}

/// Refuses a database in which one of these relations exists already.
pub(super) async fn check_absent(
    connection: &mut PgConnection,
    relations: &[String],
) -> Result<()> {
    for relation in relations {
        if is_there(connection, "to_regclass", relation).await? {
            return Err(Error::new(ErrorKind::TargetNotEmpty, format!("table {relation} exists already"))
                .hint("Drop or rename it first, restore into another database, or pass --clean to replace it."));
        }
    }
    Ok(())
}

/// Whether `lookup`, such as `to_regclass`, finds what has this name, which is quoted.
pub(super) async fn is_there(
    connection: &mut PgConnection,
    lookup: &str,
    name: &str,
) -> Result<bool> {
    let sql = format!("SELECT pg_catalog.{lookup}({}) IS NOT NULL", literal(name));
    let row = one(connection, &sql).await?;
    row.try_get(0).map_err(classify)
}
