//! Statistics at the end of a restore: the first queries are those of people who wait.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use futures_util::future::try_join_all;
use ksnapshot_core::{Cx, ErrorKind, Event, Result};
use sqlx::Row;
use sqlx::postgres::PgConnection;

use super::error::classify;
use super::query::{all, run};
use super::quote::literal;

/// Gathers statistics on these tables by this statement, by all connections. A table of which that fails is only warned of.
pub(super) async fn gather(
    connections: &mut [PgConnection],
    statement: &str,
    tables: BTreeSet<String>,
    cx: &Cx,
) -> Result<()> {
    let rest = Mutex::new(tables.into_iter());
    let next = || rest.lock().unwrap_or_else(PoisonError::into_inner).next();
    try_join_all(connections.iter_mut().map(|connection| async {
        while let Some(table) = next() {
            match run(connection, &format!("{statement} {table}")).await {
                Err(error) if error.kind() == ErrorKind::Server => return Err(error),
                Err(error) => cx.emit(&Event::Warning(&format!(
                    "table {table}: restored, but without statistics: {error}"
                ))),
                Ok(()) => {}
            }
        }
        Ok(())
    }))
    .await?;
    Ok(())
}

/// Those of the tables and their partitions that have none, or not all: extended ones nothing brings but gathering.
pub(super) async fn missing(
    connection: &mut PgConnection,
    tables: &BTreeSet<String>,
) -> Result<BTreeSet<String>> {
    let names: Vec<String> = tables.iter().map(|table| literal(table)).collect();
    let query = format!(
        "WITH filled (oid) AS (
             SELECT pg_catalog.to_regclass(name)::pg_catalog.oid
             FROM pg_catalog.unnest(ARRAY[{}]::pg_catalog.text[]) AS name
         )
         SELECT c.oid::pg_catalog.regclass::pg_catalog.text
         FROM (SELECT oid FROM filled
               UNION
               SELECT p.relid FROM filled, pg_catalog.pg_partition_tree(filled.oid) p) every
         JOIN pg_catalog.pg_class c ON c.oid = every.oid
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         WHERE (n.nspname, c.relname) NOT IN (SELECT schemaname, tablename FROM pg_catalog.pg_stats)
            OR c.oid IN (SELECT stxrelid FROM pg_catalog.pg_statistic_ext)",
        names.join(", ")
    );
    let rows = all(connection, &query).await?;
    let names = rows.iter().map(|row| row.try_get(0).map_err(classify));
    names.collect()
}
