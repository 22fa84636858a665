//! Statements, which this crate writes itself with everything quoted: by the protocol of simple queries, which poolers understand.

use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use futures_util::{FutureExt, TryFutureExt};
use ksnapshot_core::Result;
use sqlx::postgres::{PgConnection, PgQueryResult, PgRow};
use sqlx::{Executor, raw_sql};

use super::error::classify;

/// Runs a statement, or several.
pub(super) async fn run(connection: &mut PgConnection, sql: &str) -> Result<()> {
    execute(connection, sql).await.map_err(classify)?;
    Ok(())
}

/// … of which the caller looks at the error, or at how many rows it was about.
pub(super) fn execute<'c>(
    connection: &'c mut PgConnection,
    sql: &'c str,
) -> BoxFuture<'c, sqlx::Result<PgQueryResult>> {
    connection.execute(raw_sql(sql))
}

/// All rows that a query finds.
pub(super) fn all<'c>(
    connection: &'c mut PgConnection,
    sql: &'c str,
) -> BoxFuture<'c, Result<Vec<PgRow>>> {
    (connection.fetch_all(raw_sql(sql)).map_err(classify)).boxed()
}

/// … one after the other.
pub(super) fn each<'c>(
    connection: &'c mut PgConnection,
    sql: &'c str,
) -> BoxStream<'c, sqlx::Result<PgRow>> {
    connection.fetch(raw_sql(sql))
}

/// The only row.
pub(super) fn one<'c>(
    connection: &'c mut PgConnection,
    sql: &'c str,
) -> BoxFuture<'c, Result<PgRow>> {
    (connection.fetch_one(raw_sql(sql)).map_err(classify)).boxed()
}

/// The first row, if there is one.
pub(super) fn first<'c>(
    connection: &'c mut PgConnection,
    sql: &'c str,
) -> BoxFuture<'c, Result<Option<PgRow>>> {
    (connection.fetch_optional(raw_sql(sql)).map_err(classify)).boxed()
}
