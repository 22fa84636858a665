//! Keeps the tables from changing, before anything is read that the server doesn't take from the snapshot.

use std::collections::{HashMap, HashSet};

use ksnapshot_core::Result;
use serde::Deserialize;
use sqlx::{AssertSqlSafe, Executor, PgConnection};

use super::{Reader, changed, failed, not_of_extension};
use crate::postgres::model::Class;
use crate::postgres::version::ServerVersion;

/// Names per LOCK statement: few round trips, and statements of a sane length.
const BATCH: usize = 500;

#[derive(Deserialize)]
struct Table {
    oid: u32,
    /// Quoted by the server.
    name: String,
    /// As the server's messages have it.
    bare: String,
    /// Has a lock of its own to take.
    lockable: bool,
    readable: bool,
}

/// What pass one found.
pub(super) struct Locked {
    /// The oids of the tables that are locked.
    pub(super) readable: HashSet<u32>,
    /// Every relation's name by its oid: the server's functions complain of oids.
    pub(super) names: HashMap<u32, String>,
}

/// Locks every table that may be read, and proves that none changed between the snapshot and its lock.
pub(super) async fn lock(conn: &mut PgConnection, version: ServerVersion) -> Result<Locked> {
    let mut reader = Reader {
        conn,
        version,
        names: HashMap::new(),
    };
    // Tables of extensions are locked too: some of their rows are data.
    let tables: Vec<Table> = reader
        .rows(
            "tables",
            "SELECT c.oid::int8 AS oid,
                    format('%I.%I', n.nspname, c.relname) AS name,
                    n.nspname || '.' || c.relname AS bare,
                    c.relkind IN ('r', 'p') AS lockable,
                    coalesce(has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT'), true)
                        AND NOT row_security_active(c.oid) AS readable
             FROM pg_class c
             JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S', 'i', 'I', 'c') AND c.relpersistence <> 't'
               AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
             ORDER BY c.oid",
        )
        .await?;
    let readable: Vec<&Table> = tables
        .iter()
        .filter(|table| table.lockable && table.readable)
        .collect();
    for batch in readable.chunks(BATCH) {
        let names: Vec<_> = batch
            .iter()
            .map(|table| format!("ONLY {}", table.name))
            .collect();
        let sql = format!("LOCK TABLE {} IN ACCESS SHARE MODE", names.join(", "));
        if let Err(error) = reader.conn.execute(AssertSqlSafe(sql)).await {
            return Err(refused(batch, error));
        }
    }
    unchanged(&mut reader).await?;
    Ok(Locked {
        readable: readable.iter().map(|table| table.oid).collect(),
        names: tables
            .iter()
            .map(|table| (table.oid, table.bare.clone()))
            .collect(),
    })
}

/// The server's message names the table that stopped a LOCK.
fn refused(batch: &[&Table], error: sqlx::Error) -> ksnapshot_core::Error {
    let Some(database) = error.as_database_error() else {
        return failed("locks", &HashMap::new(), error);
    };
    let message = database.message().to_owned();
    match database.code().as_deref() {
        Some("42P01" | "3F000" | "42809") => {
            let culprit = batch.iter().find(|table| message.contains(&format!("\"{}\"", table.bare)));
            let title = culprit.map_or_else(|| message.clone(), |table| format!("table {}", table.bare));
            changed(&title, "dropped or renamed before it could be locked").source(error)
        }
        _ => ksnapshot_core::Error::new(
            ksnapshot_core::ErrorKind::Failed,
            format!("locking {} tables failed: {message}", batch.len()),
        )
        .hint("Look at what holds locks on the tables, or raise max_locks_per_transaction if memory is short.")
        .source(error),
    }
}

/// Queries see the snapshot; regclass, `pg_relation_filenode` and `has_column_privilege` see the present. Where they
/// differ, somebody was faster than the lock: the rows would no longer fit the definition, or be gone (TRUNCATE).
async fn unchanged(reader: &mut Reader<'_>) -> Result<()> {
    #[derive(Deserialize)]
    struct Changed {
        name: String,
    }
    let own = not_of_extension(Class::Relation, "c.oid");
    // Before 14 the function doesn't look whether there is such a column.
    let columns = reader.version.since(
        14,
        "OR has_column_privilege(c.oid, (c.relnatts + 1)::int2, 'SELECT') IS NOT NULL
         OR EXISTS (SELECT FROM pg_attribute a
                    WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                      AND has_column_privilege(c.oid, a.attnum, 'SELECT') IS NULL)",
        "",
    );
    let changes: Vec<Changed> = reader
        .rows(
            "tables again",
            &format!(
                "SELECT n.nspname || '.' || c.relname AS name
                 FROM pg_class c
                 JOIN pg_namespace n ON n.oid = c.relnamespace
                 WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't'
                   AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
                   AND has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')
                   AND {own}
                   AND (c.oid::regclass::text <> format('%I.%I', n.nspname, c.relname)
                     OR c.relkind = 'r' AND pg_relation_filenode(c.oid) IS DISTINCT FROM nullif(c.relfilenode, 0)
                     {columns})
                 ORDER BY 1"
            ),
        )
        .await?;
    match changes.first() {
        Some(change) => Err(changed(
            &format!("table {}", change.name),
            "altered, rewritten or truncated before it could be locked",
        )),
        None => Ok(()),
    }
}
