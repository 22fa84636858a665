//! What stands around a moment and is no part of it: the server may be a copy that lags behind, and work may be prepared there
//! that others will commit. Whatever can't be read for lack of a right is left out.

use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Row, Value};

use super::Position;
use crate::mysql::version::{Flavour, Server};

/// The key of the number of prepared transactions.
const PREPARED: &str = "prepared_transactions";

/// For the manifest, as the server is now.
pub(in crate::mysql) async fn standing(connection: &mut Conn, server: Server) -> Position {
    let mut facts = Position::new();
    let read_only = connection
        .query_first("SELECT @@GLOBAL.read_only + 0")
        .await;
    if let Ok(Some(1_u8)) = read_only {
        facts.insert("read_only".into(), "true".into());
    }
    let status = match server.flavour {
        Flavour::MySql if server.mysql(8, 0, 22) => "SHOW REPLICA STATUS",
        Flavour::MySql => "SHOW SLAVE STATUS",
        Flavour::MariaDb => "SHOW ALL SLAVES STATUS",
    };
    let sources: Vec<Row> = connection.query(status).await.unwrap_or_default();
    facts.extend(replica(&sources));
    let prepared: Vec<Row> = connection.query("XA RECOVER").await.unwrap_or_default();
    if !prepared.is_empty() {
        facts.insert(PREPARED.into(), prepared.len().to_string());
    }
    facts
}

/// What to tell of prepared transactions, if there were some.
pub(in crate::mysql) fn prepared(facts: &Position) -> Option<String> {
    let number = facts.get(PREPARED)?;
    Some(format!(
        "{number} prepared transactions (XA RECOVER lists them): what they changed is in no snapshot before they are committed"
    ))
}

/// Where the server's rows come from, and how far behind they are.
fn replica(sources: &[Row]) -> Position {
    let addresses: Vec<String> = sources
        .iter()
        .map(|source| {
            let host = field(source, &["Source_Host", "Master_Host"]).unwrap_or_default();
            let port = field(source, &["Source_Port", "Master_Port"]).unwrap_or_default();
            format!("{host}:{port}")
        })
        .collect();
    if addresses.is_empty() {
        return Position::new();
    }
    let behind: Vec<Option<u64>> = sources
        .iter()
        .map(|source| {
            field(source, &["Seconds_Behind_Source", "Seconds_Behind_Master"])?
                .parse()
                .ok()
        })
        .collect();
    // The last of several says how old rows may be; one that has stopped may be of any age.
    let behind = match behind.iter().copied().collect::<Option<Vec<u64>>>() {
        Some(seconds) => seconds.into_iter().max().unwrap_or_default().to_string(),
        None => "stopped".into(),
    };
    Position::from([
        ("replica_of".into(), addresses.join(", ")),
        ("seconds_behind".into(), behind),
    ])
}

/// A field by the first of its names that there is; none for NULL.
fn field(row: &Row, names: &[&str]) -> Option<String> {
    let name = names
        .iter()
        .find(|name| row.columns_ref().iter().any(|c| c.name_str() == **name))?;
    match row.get::<Value, _>(*name)? {
        Value::NULL => None,
        Value::Bytes(bytes) => String::from_utf8(bytes).ok(),
        other => Some(other.as_sql(true)),
    }
}
