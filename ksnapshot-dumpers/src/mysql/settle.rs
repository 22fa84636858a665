//! The settings under which a dump reads, whatever server, service or user has set otherwise.

use ksnapshot_core::Result;

use super::connect::{Statements, run};
use super::moment::PATIENCE;
use super::version::Server;

/// A year: the longest that servers take everywhere.
const LONG: u64 = 31_536_000;

/// Settles a session that takes locks or reads definitions.
pub(super) async fn settle(connection: &mut impl Statements, server: Server) -> Result<()> {
    let settings = [
        "sql_mode = ''".to_owned(),
        "time_zone = '+00:00'".to_owned(),
        "sql_select_limit = DEFAULT".to_owned(),
        "group_concat_max_len = 1073741824".to_owned(),
        // Nobody is made to wait by what may take long.
        format!("lock_wait_timeout = {}", PATIENCE.as_secs()),
        format!("wait_timeout = {LONG}"),
        // The pipeline may make a reader pause for as long as an upload is tried again.
        format!("net_write_timeout = {LONG}"),
        format!("net_read_timeout = {LONG}"),
    ];
    run(connection, "SET NAMES utf8mb4").await?;
    run(connection, &format!("SET SESSION {}", settings.join(", "))).await?;
    // Not every version has them, and not every service lets them be set.
    let limits = if server.mysql(5, 7, 0) {
        &[
            "max_execution_time = 0",
            "information_schema_stats_expiry = 0",
        ][..]
    } else {
        &[
            "max_statement_time = 0",
            "idle_transaction_timeout = 0",
            "idle_readonly_transaction_timeout = 0",
        ]
    };
    for limit in limits {
        let _ = connection.run(&format!("SET SESSION {limit}")).await;
    }
    run(
        connection,
        "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
    )
    .await
}

/// Settles a session that reads rows: texts come as they are stored.
pub(super) async fn settle_reader(connection: &mut impl Statements, server: Server) -> Result<()> {
    settle(connection, server).await?;
    run(connection, "SET SESSION character_set_results = NULL").await
}

/// From now on it waits for locks of others as long as they take: nobody waits for it.
pub(super) async fn patient(connection: &mut impl Statements) -> Result<()> {
    run(
        connection,
        &format!("SET SESSION lock_wait_timeout = {LONG}"),
    )
    .await
}
