//! Keeps the tables from changing, before anything is read that the server doesn't take from the snapshot.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use ksnapshot_core::{Cx, Error, ErrorKind, Event, Result};
use serde::Deserialize;
use sqlx::PgConnection;
use tokio::time::{Instant, sleep};

use super::{Reader, changed, failed, not_of_extension};
use crate::Scope;
use crate::postgres::error::sqlstate;
use crate::postgres::model::Class;
use crate::postgres::narrow::leaves_out;
use crate::postgres::query::execute;
use crate::postgres::version::ServerVersion;

/// Names per LOCK statement: few round trips, and statements of a sane length.
const BATCH: usize = 500;

/// How long one attempt stands in the queues. After a second of waiting a server looks for deadlocks, and might end the
/// other side; by then this one has stepped back and let go of what it had got.
const ATTEMPT: &str = "500ms";

/// How long tables are waited for unless the user says.
const PATIENCE: Duration = Duration::from_secs(600);

/// How long others have it all for themselves between two attempts.
const PAUSE: Duration = Duration::from_millis(100);

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
    schema: String,
    relation: String,
    is_partition: bool,
}

/// What pass one found.
pub(super) struct Locked {
    /// The oids of the tables that are locked.
    pub(super) readable: HashSet<u32>,
    /// Every relation's name by its oid: the server's functions complain of oids.
    pub(super) names: HashMap<u32, String>,
}

/// Locks every table that may be read and is not left out by `scope`, and proves that none changed between the snapshot and its lock. What somebody else
/// has locked for themselves is waited for, all in all as long as `scope` says.
pub(super) async fn lock(
    conn: &mut PgConnection,
    version: ServerVersion,
    scope: &Scope,
    cx: &Cx,
) -> Result<Locked> {
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
                        AND NOT row_security_active(c.oid) AS readable,
                    n.nspname AS schema, c.relname AS relation, c.relispartition AS is_partition
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
        .filter(|table| !leaves_out(scope, &table.schema, &table.relation, table.is_partition))
        .collect();
    let patience = scope.postgres.lock_timeout.unwrap_or(PATIENCE);
    let until = Instant::now() + patience;
    for batch in readable.chunks(BATCH) {
        let mut told = false;
        while !attempt(&mut reader, batch).await? {
            let holder = holder(&mut reader, batch).await?;
            if Instant::now() >= until {
                return Err(busy(batch, holder, patience));
            }
            if let Some(holder) = holder.filter(|_| !told) {
                told = true;
                let Holder {
                    table,
                    process,
                    user,
                } = holder;
                cx.emit(&Event::Warning(&format!(
                    "waiting for table {table}, which process {process} of {user} has locked"
                )));
            }
            sleep(PAUSE).await;
        }
    }
    // What is read from here on may need others' tables, as a view does of one that is left out.
    let limit = format!("SET LOCAL lock_timeout = {}", patience.as_millis().max(1));
    (execute(reader.conn, &limit).await).map_err(|error| refused(&[], error))?;
    let oids: Vec<_> = readable.iter().map(|table| table.oid.to_string()).collect();
    unchanged(&mut reader, &oids.join(",")).await?;
    Ok(Locked {
        readable: readable.iter().map(|table| table.oid).collect(),
        names: tables
            .iter()
            .map(|table| (table.oid, table.bare.clone()))
            .collect(),
    })
}

/// Locks all of a batch or, when somebody else has one of them, none.
async fn attempt(reader: &mut Reader<'_>, batch: &[&Table]) -> Result<bool> {
    let names: Vec<_> = batch
        .iter()
        .map(|table| format!("ONLY {}", table.name))
        .collect();
    let sql = format!(
        "SAVEPOINT locks; SET LOCAL lock_timeout = '{ATTEMPT}'; LOCK TABLE {} IN ACCESS SHARE MODE;
         RELEASE SAVEPOINT locks",
        names.join(", ")
    );
    match execute(reader.conn, &sql).await {
        Ok(_) => Ok(true),
        Err(error) if sqlstate(&error) == Some("55P03") => {
            // A transaction looks at the activity once, unless it is told to look again.
            let back = "ROLLBACK TO SAVEPOINT locks; RELEASE SAVEPOINT locks; SELECT pg_stat_clear_snapshot()";
            (execute(reader.conn, back).await).map_err(|error| refused(batch, error))?;
            Ok(false)
        }
        Err(error) => Err(refused(batch, error)),
    }
}

/// Who keeps a table from us.
#[derive(Deserialize)]
struct Holder {
    table: String,
    process: i32,
    user: String,
}

/// Whoever has one of these tables for themselves, or waits for it; none, if they have just gone.
async fn holder(reader: &mut Reader<'_>, batch: &[&Table]) -> Result<Option<Holder>> {
    let oids: Vec<_> = batch.iter().map(|table| table.oid.to_string()).collect();
    let holders: Vec<Holder> = reader
        .rows(
            "locks",
            &format!(
                "SELECT n.nspname || '.' || c.relname AS table, l.pid AS process, coalesce(a.usename, '?') AS user
                 FROM pg_locks l
                 JOIN pg_class c ON c.oid = l.relation
                 JOIN pg_namespace n ON n.oid = c.relnamespace
                 LEFT JOIN pg_stat_activity a ON a.pid = l.pid
                 WHERE l.locktype = 'relation' AND l.mode = 'AccessExclusiveLock' AND l.pid <> pg_backend_pid()
                   AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
                   AND l.relation = ANY ('{{{}}}'::oid[])
                 ORDER BY l.granted DESC, 1, 2 LIMIT 1",
                oids.join(",")
            ),
        )
        .await?;
    Ok(holders.into_iter().next())
}

fn busy(batch: &[&Table], holder: Option<Holder>, patience: Duration) -> Error {
    let patience = format!("{} s", patience.as_secs());
    match holder {
        Some(Holder { table, process, user }) => Error::new(
            ErrorKind::Failed,
            format!("table {table}: no lock within {patience}: process {process} of {user} has it"),
        )
        .hint(format!(
            "Wait for that process, end it with `SELECT pg_terminate_backend({process})`, or give more time with --lock-timeout."
        )),
        None => Error::new(
            ErrorKind::Failed,
            format!("locking {} tables failed: others had them for {patience}", batch.len()),
        )
        .hint("Give more time with --lock-timeout, or dump when fewer definitions change."),
    }
}

/// The server's message names the table that stopped a LOCK.
fn refused(batch: &[&Table], error: sqlx::Error) -> Error {
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
        Some("53200") => Error::new(
            ErrorKind::Failed,
            format!("the server has no room for a lock on every table: {message}"),
        )
        .hint("Raise max_locks_per_transaction, and restart the server: it has room for so many locks per connection that it allows.")
        .source(error),
        _ => Error::new(
            ErrorKind::Failed,
            format!("locking {} tables failed: {message}", batch.len()),
        )
        .hint("Look at what holds locks on the tables.")
        .source(error),
    }
}

/// Queries see the snapshot; regclass, `pg_relation_filenode` and `has_column_privilege` see the present. Where they
/// differ, somebody was faster than the lock: the rows would no longer fit the definition, or be gone (TRUNCATE).
async fn unchanged(reader: &mut Reader<'_>, locked: &str) -> Result<()> {
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
                 FROM unnest('{{{locked}}}'::oid[]) AS locked (oid)
                 JOIN pg_class c ON c.oid = locked.oid
                 JOIN pg_namespace n ON n.oid = c.relnamespace
                 WHERE {own}
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
