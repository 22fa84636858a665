//! Where in the server's history a moment is. Whatever can't be read for lack of a right is left out.

use ksnapshot_core::Result;
use mysql_async::Conn;
use serde_json::Value as Json;

use super::Position;
use crate::mysql::connect::Statements;
use crate::mysql::error::classify;
use crate::mysql::quote::literal;
use crate::mysql::version::Server;
use crate::mysql::wire::Wire;

/// MariaDB: the place in the binary log of the transaction that this session is in.
pub(super) async fn of_snapshot(reader: &mut Wire) -> Result<Option<(String, String)>> {
    let rows = reader
        .query("SHOW SESSION STATUS LIKE 'binlog_snapshot_%'")
        .await
        .map_err(classify)?;
    let status: Vec<(String, String)> = rows.into_iter().map(mysql_async::from_row).collect();
    let value = |name: &str| {
        let found = status.iter().find(|(n, _)| n.eq_ignore_ascii_case(name));
        found
            .map(|(_, value)| value.clone())
            .filter(|value| !value.is_empty())
    };
    Ok(value("binlog_snapshot_file").zip(value("binlog_snapshot_position")))
}

/// The same as a position, with the GTIDs before it.
pub(super) async fn named(reader: &mut Wire, file: &str, place: &str) -> Position {
    let mut position = Position::from([
        ("binlog_file".to_owned(), file.to_owned()),
        ("binlog_position".to_owned(), place.to_owned()),
    ]);
    // The server itself wrote the number.
    let sql = format!("SELECT BINLOG_GTID_POS({}, {place})", literal(file));
    add(&mut position, "gtid", text(reader, &sql, 0).await);
    position
}

/// MySQL: where the server is now, while a lock keeps it there.
pub(super) async fn here(connection: &mut Conn, server: Server) -> Position {
    let mut position = Position::new();
    add(
        &mut position,
        "server_uuid",
        text(connection, "SELECT @@server_uuid", 0).await,
    );
    // All in one look, by engines and log alike.
    if server.mysql(8, 0, 11)
        && let Some(local) = text(
            connection,
            "SELECT local FROM performance_schema.log_status",
            0,
        )
        .await
        && let Ok(local) = serde_json::from_str::<Json>(&local)
    {
        let field = |name: &str| match &local[name] {
            Json::String(text) => Some(text.clone()),
            Json::Number(number) => Some(number.to_string()),
            _ => None,
        };
        add(&mut position, "gtid", field("gtid_executed"));
        add(&mut position, "binlog_file", field("binary_log_file"));
        add(
            &mut position,
            "binlog_position",
            field("binary_log_position"),
        );
        return position;
    }
    add(
        &mut position,
        "gtid",
        text(connection, "SELECT @@GLOBAL.gtid_executed", 0).await,
    );
    let status = if server.mysql(8, 2, 0) {
        "SHOW BINARY LOG STATUS"
    } else {
        "SHOW MASTER STATUS"
    };
    add(
        &mut position,
        "binlog_file",
        text(connection, status, 0).await,
    );
    add(
        &mut position,
        "binlog_position",
        text(connection, status, 1).await,
    );
    position
}

fn add(position: &mut Position, name: &str, value: Option<String>) {
    // Sets of GTIDs are wrapped after each server.
    let value = value.map(|value| value.replace('\n', ""));
    if let Some(value) = value.filter(|value| !value.is_empty()) {
        position.insert(name.to_owned(), value);
    }
}

/// A field of a query's first row; None when there is none, or it may not be seen.
async fn text(connection: &mut impl Statements, sql: &str, field: usize) -> Option<String> {
    let row = connection.first(sql).await.ok()?;
    let value = row?.get::<mysql_async::Value, _>(field)?;
    match value {
        mysql_async::Value::NULL => None,
        mysql_async::Value::Bytes(bytes) => String::from_utf8(bytes).ok(),
        other => Some(other.as_sql(true)),
    }
}
