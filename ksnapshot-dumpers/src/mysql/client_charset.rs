//! Definitions in the character set of the client that wrote them: a server remembers it beside the text.
//!
//! The dump's text is UTF-8, and what it defines means the same. Here the target itself turns it into the bytes that
//! the writer sent, so that even what it remembers is the same.

use ksnapshot_core::{Item, Result};
use mysql_async::Conn;
use mysql_async::prelude::Queryable;

use super::error::classify;
use super::model::{Catalog, CharacterSets};
use super::quote::literal;

/// The beginning of the statement that says in which character set the text is, as the dump writes it.
const SET: &str = "SET character_set_client = 'utf8mb4'";

/// The statements of `item` as bytes, in the character set of its writer where that can be.
pub(super) async fn statements(
    connection: &mut Conn,
    catalog: &Catalog,
    item: &Item,
    all: Vec<String>,
) -> Result<Vec<Vec<u8>>> {
    let bytes = |all: Vec<String>| all.into_iter().map(String::into_bytes).collect();
    let Some(client) = writer(catalog, item).filter(|_| all.iter().any(|s| s.starts_with(SET)))
    else {
        return Ok(bytes(all));
    };
    let mut converted = Vec::with_capacity(all.len());
    for statement in &all {
        if let Some(rest) = statement.strip_prefix(SET) {
            converted
                .push(format!("SET character_set_client = {}{rest}", literal(client)).into_bytes());
        } else if statement.is_ascii() {
            converted.push(statement.clone().into_bytes());
        } else {
            // The name is of this server's own, and goes where no literal can.
            let text = literal(statement);
            let sql = format!(
                "SELECT HEX(CONVERT({text} USING {client})),
                        CONVERT(CONVERT({text} USING {client}) USING utf8mb4) = CAST({text} AS BINARY)"
            );
            let found: Option<(Option<String>, Option<bool>)> =
                match connection.query_first(sql).await {
                    // A character set that this server does not know.
                    Err(mysql_async::Error::Server(_)) => None,
                    other => other.map_err(classify)?,
                };
            match found {
                Some((Some(hex), Some(true))) => converted.push(unhex(&hex)),
                _ => return Ok(bytes(all)),
            }
        }
    }
    Ok(converted)
}

/// The character set of the client that wrote `item`, if it has one of its own.
fn writer<'a>(catalog: &'a Catalog, item: &Item) -> Option<&'a str> {
    let schema = item.schema.as_deref()?;
    let database = catalog.databases.iter().find(|d| d.name == schema)?;
    let named = |name: &String| *name == item.name;
    let session: &CharacterSets = match item.kind.as_str() {
        "view" => &database.views.iter().find(|v| named(&v.name))?.session,
        "trigger" => {
            &database
                .triggers
                .iter()
                .find(|t| named(&t.name))?
                .body
                .session
        }
        "event" => {
            &database
                .events
                .iter()
                .find(|e| named(&e.name))?
                .body
                .session
        }
        kind => {
            let mut routines = database.routines.iter();
            &routines
                .find(|r| named(&r.name) && r.kind.words() == kind)?
                .body
                .session
        }
    };
    let client = session.client.as_str();
    let plain = !client.is_empty() && client.bytes().all(|b| b.is_ascii_alphanumeric());
    (plain && client != "utf8mb4").then_some(client)
}

fn unhex(text: &str) -> Vec<u8> {
    let digit = |b: u8| (b as char).to_digit(16).unwrap_or_default();
    let pairs = text.as_bytes().chunks_exact(2);
    pairs
        .map(|pair| u8::try_from(digit(pair[0]) * 16 + digit(pair[1])).unwrap_or_default())
        .collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn hex_is_read() {
        assert_eq!(super::unhex("00FF7a"), [0, 0xff, 0x7a]);
    }
}
