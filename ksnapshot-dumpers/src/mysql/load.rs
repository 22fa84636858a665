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

/// Warnings that say nothing about values that are loaded: deprecated syntax, statements unsafe to replicate; division by
/// zero, and other functions of an expression; what an index over an expression cut off.
const HARMLESS: [u16; 9] = [1287, 1365, 1411, 1441, 1592, 1681, 3719, 3751, 3752];

/// Loads blocks into the default database in one transaction, whole or not at all, and says how many rows the server took.
///
/// Errors: a warning of the server about a value is one, unless it is of a column among `generated`; and so is a row that
/// is larger than a packet of `packet` bytes.
pub(super) async fn load(
    connection: &mut Conn,
    table: &TableData,
    generated: &[&str],
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
        match transaction(connection, table, generated, &statements).await {
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
    generated: &[&str],
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
            check_warnings(connection, table, generated).await?;
        }
    }
    run(connection, "COMMIT").await?;
    Ok(rows)
}

async fn check_warnings(
    connection: &mut Conn,
    table: &TableData,
    generated: &[&str],
) -> Result<()> {
    let warnings: Vec<(String, u16, String)> =
        connection.query("SHOW WARNINGS").await.map_err(classify)?;
    match warnings
        .into_iter()
        .find(|(_, code, message)| !harmless(*code, message, table, generated))
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
fn harmless(code: u16, message: &str, table: &TableData, generated: &[&str]) -> bool {
    // A table or database may be called the same, which only makes us see a loaded column where there is none.
    let names = |column: &str| {
        message.contains(&format!("'{column}'")) || message.contains(&format!("`{column}`"))
    };
    let loaded = || table.columns.iter().any(|c| names(&c.name));
    // The number 0 of an ENUM, its empty text, is taken as such, but never without this warning.
    let empty_label = code == 1265
        && (table.columns.iter())
            .any(|c| c.data_type == "enum" && message.contains(&format!("'{}'", c.name)));
    // MySQL 5.7 and 8.0 take any byte into a text of ASCII, and tell of it. Newer ones cut it off with another warning.
    let not_ascii = code == 1300
        && message.contains("ascii")
        && (table.columns.iter()).any(|c| c.charset.as_deref() == Some("ascii"));
    // Of a literal, which all that is loaded is, a server says for which column it is. So this one is of a function.
    let function = matches!(
        (code, message.get(..8)),
        (1292, Some("Truncate")) | (1105, Some("Cast to "))
    ) && !loaded();
    // What a server makes of the others it made in the source, too.
    let made = matches!(code, 1264 | 1265 | 1292 | 1366)
        && generated.iter().any(|column| names(column))
        && !loaded();
    empty_label || not_ascii || function || made || HARMLESS.contains(&code)
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
    use crate::mysql::script::ColumnData;
    use proptest::prelude::*;

    fn text<'a>(statement: &'a Statement<'a>) -> &'a [u8] {
        match statement {
            Statement::Whole(text) => text,
            Statement::Part(text) => text,
        }
    }

    #[test]
    fn only_what_changes_a_value_is_told() {
        let column = |name: &str, data_type: &str, charset: &str| ColumnData {
            name: name.into(),
            data_type: data_type.into(),
            column_type: data_type.into(),
            charset: Some(charset.into()),
        };
        let table = TableData {
            item: 0,
            database: "d".into(),
            name: "t".into(),
            columns: vec![
                column("e", "enum", "latin1"),
                column("a", "varchar", "ascii"),
            ],
            keys: Vec::new(),
            partitions: Vec::new(),
            engine: "INNODB".into(),
            versioned: false,
            condition: None,
            bytes: 0,
            rows: 0,
            readable: true,
        };
        for (code, message, expected) in [
            (1265, "Data truncated for column 'e' at row 1", true),
            (
                1265,
                "Data truncated for column `d`.`e`.`a` at row 1",
                false,
            ),
            (1265, "Data truncated for column 'g' at row 1", true),
            (1264, "Out of range value for column 'g' at row 1", true),
            (
                1264,
                "Out of range value for column `d`.`t`.`h` at row 1",
                false,
            ),
            (1292, "Truncated incorrect INTEGER value: '12abc'", true),
            (1105, "Cast to unsigned converted negative integer", true),
            (1105, "Unknown error", false),
            (
                1292,
                "Incorrect datetime value: 'x' for column 'a' at row 1",
                false,
            ),
            (1265, "Data truncated for column 'a' at row 1", false),
            (1300, "Invalid ascii character string: 'a\\xFFb'", true),
            (1300, "Invalid gbk character string: 'FF62'", false),
            (
                1366,
                "Incorrect string value: '\\xFFb' for column 'a' at row 1",
                false,
            ),
            (1287, "deprecated", true),
        ] {
            assert_eq!(
                harmless(code, message, &table, &["g"]),
                expected,
                "{message}"
            );
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
