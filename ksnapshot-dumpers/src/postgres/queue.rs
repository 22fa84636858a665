//! Who waits for the locks of a dump: they wait until it ends, and whoever watches it should know.

use std::collections::BTreeSet;
use std::time::Duration;

use ksnapshot_core::{Cx, Event, Result};
use sqlx::Row;
use sqlx::postgres::PgConnection;
use tokio::time::sleep;

use super::connect::Postgres;
use super::error::classify;
use super::query::all;

/// How often it looks. A short dump ends before the first look, and costs no connection for it.
const PERIOD: Duration = Duration::from_secs(5);

/// Looks over a connection of its own, and warns once of everybody who waits for one of `processes`. Without a connection, or
/// when it loses it, it ends in silence: the dump does not need it.
pub(super) async fn watch(server: &Postgres, processes: &[i32], cx: &Cx) {
    let processes = processes
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(",");
    sleep(PERIOD).await;
    let Ok(mut connection) = server.connect().await else {
        return;
    };
    let mut told = BTreeSet::new();
    while let Ok(waiting) = look(&mut connection, &processes).await {
        for one in waiting {
            if !told.contains(&one) {
                cx.emit(&Event::Warning(&one));
                told.insert(one);
            }
        }
        sleep(PERIOD).await;
    }
}

async fn look(connection: &mut PgConnection, processes: &str) -> Result<Vec<String>> {
    let sql = format!(
        "SELECT DISTINCT l.pid, a.usename::text, n.nspname || '.' || c.relname
         FROM pg_catalog.pg_locks l
         JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
         JOIN pg_catalog.pg_database d ON d.oid = l.database AND d.datname = pg_catalog.current_database()
         JOIN pg_catalog.pg_class c ON c.oid = l.relation
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         WHERE NOT l.granted AND l.locktype = 'relation'
           AND pg_catalog.pg_blocking_pids(l.pid) && ARRAY[{processes}]::int[]
         ORDER BY 1, 3"
    );
    let rows = all(connection, &sql).await?;
    rows.iter()
        .map(|row| {
            let process: i32 = row.try_get(0).map_err(classify)?;
            let user: Option<String> = row.try_get(1).map_err(classify)?;
            let table: String = row.try_get(2).map_err(classify)?;
            let user = user.unwrap_or_default();
            Ok(format!(
                "process {process} of {user} waits for table {table} until the dump ends"
            ))
        })
        .collect()
}
