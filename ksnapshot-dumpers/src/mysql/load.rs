//! Rows into the target: blocks of INSERT statements, each in one transaction.

use ksnapshot_core::{Bytes, Error, ErrorKind, Result};
use mysql_async::Conn;
use mysql_async::prelude::Queryable;

use super::connect::run;
use super::error::classify;
use super::script::TableData;

/// How often a transaction is tried again that lost against another one.
pub(super) const RETRIES: usize = 20;

/// What a packet holds beside the statement, generously.
const FRAME: usize = 64;

/// Warnings that say nothing about values: deprecated syntax, statements unsafe to replicate.
const HARMLESS: [u16; 4] = [1287, 1592, 1681, 3719];

/// Loads blocks into the default database in one transaction, whole or not at all, and says how many rows the server took.
///
/// Errors: a warning of the server about a value is one, and so is a row that is larger than a packet of `packet` bytes.
pub(super) async fn load(
    connection: &mut Conn,
    table: &TableData,
    blocks: &[Bytes],
    packet: usize,
) -> Result<u64> {
    let mut statements = Vec::new();
    for block in blocks {
        statements.extend(
            cut(block, packet.saturating_sub(FRAME)).map_err(|size| too_large(size, packet))?,
        );
    }
    let mut tries = 0;
    loop {
        match transaction(connection, table, &statements).await {
            Err(error) if error.kind() == ErrorKind::Conflict && tries < RETRIES => {
                tries += 1;
                run(connection, "ROLLBACK").await?;
            }
            Err(error) => {
                // A connection that can't even do that is not used again.
                let _ = connection.query_drop("ROLLBACK").await;
                return Err(error);
            }
            done => return done,
        }
    }
}

async fn transaction(
    connection: &mut Conn,
    table: &TableData,
    statements: &[Statement<'_>],
) -> Result<u64> {
    run(connection, "START TRANSACTION").await?;
    let mut rows = 0;
    for statement in statements {
        match statement {
            Statement::Whole(text) => connection.query_drop(*text).await,
            Statement::Part(text) => connection.query_drop(text.as_slice()).await,
        }
        .map_err(classify)?;
        rows += connection.affected_rows();
        if connection.get_warnings() > 0 {
            check_warnings(connection, table).await?;
        }
    }
    run(connection, "COMMIT").await?;
    Ok(rows)
}

async fn check_warnings(connection: &mut Conn, table: &TableData) -> Result<()> {
    let warnings: Vec<(String, u16, String)> =
        connection.query("SHOW WARNINGS").await.map_err(classify)?;
    match warnings
        .into_iter()
        .find(|(_, code, message)| !harmless(*code, message, table))
    {
        None => Ok(()),
        Some((_, code, message)) => Err(Error::new(
            ErrorKind::Failed,
            format!("the target would change a value: {message} (warning {code})"),
        )
        .hint("Restore into a server of the source's family and version.")),
    }
}

/// Whether a warning leaves every value as it was.
fn harmless(code: u16, message: &str, table: &TableData) -> bool {
    // The number 0 of an ENUM, its empty text, is taken as such, but never without this warning.
    let empty_label = code == 1265
        && (table.columns.iter())
            .any(|c| c.data_type == "enum" && message.contains(&format!("'{}'", c.name)));
    empty_label || HARMLESS.contains(&code)
}

fn too_large(size: usize, packet: usize) -> Error {
    Error::new(
        ErrorKind::Failed,
        format!("a row needs a statement of {size} bytes, and the target's max_allowed_packet is {packet}"),
    )
    .hint(format!(
        "Set max_allowed_packet on the target to {} or more (1 GiB at most), and restore again.",
        size + FRAME
    ))
}

/// One INSERT.
#[derive(Debug, PartialEq, Eq)]
enum Statement<'a> {
    /// As it was dumped.
    Whole(&'a [u8]),
    /// Some of its rows.
    Part(Vec<u8>),
}

/// Cuts a block into statements of at most `limit` bytes. Pure.
///
/// A statement begins with a line of its own; each row is a line, ended by a comma or, the last one, by a semicolon. No row
/// holds a line feed. Errors: the size of a statement with a single row that is larger.
fn cut(block: &[u8], limit: usize) -> std::result::Result<Vec<Statement<'_>>, usize> {
    let mut found = Vec::new();
    let mut rest = block;
    while !rest.is_empty() {
        let end = (rest.windows(2).position(|w| w == b";\n")).map_or(rest.len(), |at| at + 2);
        let (statement, after) = rest.split_at(end);
        rest = after;
        let statement = statement.strip_suffix(b";\n").unwrap_or(statement);
        if statement.len() <= limit {
            if !statement.trim_ascii().is_empty() {
                found.push(Statement::Whole(statement));
            }
            continue;
        }
        let mut lines = statement.split(|b| *b == b'\n');
        let head = lines.next().unwrap_or_default();
        let mut part = head.to_vec();
        for row in lines {
            let row = row.strip_suffix(b",").unwrap_or(row);
            let alone = head.len() + 1 + row.len();
            if alone > limit {
                return Err(alone);
            }
            if part.len() + 2 + row.len() > limit {
                found.push(Statement::Part(std::mem::replace(&mut part, head.to_vec())));
            }
            part.extend_from_slice(if part.len() == head.len() {
                b"\n"
            } else {
                b",\n"
            });
            part.extend_from_slice(row);
        }
        found.push(Statement::Part(part));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text<'a>(statement: &'a Statement<'a>) -> &'a [u8] {
        match statement {
            Statement::Whole(text) => text,
            Statement::Part(text) => text,
        }
    }

    #[test]
    fn a_row_that_fits_nowhere_is_told() {
        let block = b"INSERT INTO `t` (`a`) VALUES\n(1),\n('xxxxxxxxxx');\n";
        assert_eq!(cut(block, 40), Err(43));
        assert_eq!(cut(block, 43).expect("two parts").len(), 2);
        assert_eq!(
            cut(block, 1000),
            Ok(vec![Statement::Whole(&block[..block.len() - 2])])
        );
    }

    proptest! {
        #[test]
        fn every_row_stays_once_and_in_order(
            lengths in prop::collection::vec(prop::collection::vec(0_usize..30, 1..9), 1..4),
            limit in 50_usize..200,
        ) {
            const HEAD: &str = "INSERT INTO `t` (`a`) VALUES";
            let mut rows = Vec::new();
            let mut block = String::new();
            for statement in &lengths {
                let of_one: Vec<String> = statement.iter().map(|n| format!("({},'{}')", rows.len(), "x".repeat(*n))).collect();
                block.push_str(&format!("{HEAD}\n{};\n", of_one.join(",\n")));
                rows.extend(of_one);
            }
            if let Ok(parts) = cut(block.as_bytes(), limit.max(HEAD.len() + 40)) {
                let mut seen = Vec::new();
                for part in &parts {
                    prop_assert!(text(part).len() <= limit.max(HEAD.len() + 40));
                    let part = String::from_utf8_lossy(text(part)).into_owned();
                    let values = part.strip_prefix(HEAD).expect("a head").trim();
                    seen.extend(values.split(",\n").map(str::to_owned));
                }
                prop_assert_eq!(seen, rows);
            } else {
                prop_assert!(false, "every row fits");
            }
        }
    }
}
