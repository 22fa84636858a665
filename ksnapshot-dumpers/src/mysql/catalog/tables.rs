//! Tables with their columns, keys and partitions; sequences.

use std::collections::{BTreeMap, HashMap};

use ksnapshot_core::pattern::{Letters, Pattern};
use ksnapshot_core::{Problem, ProblemKind, Result};
use mysql_async::Conn;

use super::foreign_keys::misquoted;
use super::query::{Line, each, lines};
use super::unreadable;
use crate::Scope;
use crate::mysql::connect::run;
use crate::mysql::error::number;
use crate::mysql::model::{Column, Database, Key, Sequence, Table};
use crate::mysql::quote::{literal, name};
use crate::mysql::tokens::{Kind, meaning};
use crate::mysql::version::Server;

/// What has its rows elsewhere, or nowhere.
const WITHOUT_ROWS: [&str; 9] = [
    "BLACKHOLE",
    "CONNECT",
    "FEDERATED",
    "MERGE",
    "MRG_MYISAM",
    "PERFORMANCE_SCHEMA",
    "S3",
    "SPHINX",
    "SPIDER",
];

/// Whether an engine keeps rows of its own that can be read and written.
pub(in crate::mysql) fn has_rows(engine: &str) -> bool {
    !WITHOUT_ROWS.contains(&engine)
}

/// Whether filters of tables let this one through.
pub(super) fn chosen(scope: &Scope, database: &str, name: &str) -> bool {
    let means = |p: &Pattern| p.matches(Letters::AsWritten, Some(database), name);
    (scope.tables.is_empty() || scope.tables.iter().any(means))
        && !scope.exclude_tables.iter().any(means)
}

/// Reads the tables and sequences of the default database.
pub(super) async fn read(
    connection: &mut Conn,
    server: Server,
    scope: &Scope,
    database: &mut Database,
    problems: &mut Vec<Problem>,
) -> Result<()> {
    let schema = literal(&database.name);
    let found = lines(
        connection,
        &format!(
            "SELECT table_name, table_type, engine, table_collation, table_rows, data_length + index_length
             FROM information_schema.TABLES
             WHERE table_schema = {schema} AND table_type NOT IN ('VIEW', 'SYSTEM VIEW') ORDER BY table_name"
        ),
    )
    .await?;
    let (sequences, tables): (Vec<Line>, Vec<Line>) =
        found.into_iter().partition(|t| t.is(1, "SEQUENCE"));
    let tables: Vec<Line> = (tables.into_iter())
        .filter(|t| chosen(scope, &database.name, &t.text(0)))
        .collect();
    let columns = columns(connection, &schema).await?;
    let mut keys = keys(connection, &schema).await?;
    let mut partitions = partitions(connection, &schema).await?;

    let mut questions = Vec::new();
    for table in &tables {
        let table_name = name(&table.text(0));
        questions.push(format!("SHOW CREATE TABLE {table_name}"));
        // What has its rows elsewhere may be out of reach now.
        if has_rows(&table.text(2).to_uppercase()) {
            questions.push(format!("SELECT * FROM {table_name} LIMIT 0"));
        } else {
            questions.push("SELECT 0 LIMIT 0".to_owned());
        }
    }
    // Defaults of binary columns are bytes that no character set has.
    run(connection, "SET character_set_results = NULL").await?;
    let mut answers = each(connection, &questions).await?.into_iter();
    run(connection, "SET character_set_results = utf8mb4").await?;
    let misquoted = misquoted(connection, server, &schema).await?;
    for line in &tables {
        let (Some(create), Some(rows)) = (answers.next(), answers.next()) else {
            break;
        };
        let table_name = line.text(0);
        let title = format!("table {}.{table_name}", database.name);
        let create = match create {
            Ok(answer) => answer
                .first()
                .map(|l| create_text(l.bytes(1)))
                .unwrap_or_default(),
            Err(cause) => {
                problems.push(refused(title, &cause));
                continue;
            }
        };
        let create = (misquoted.iter())
            .filter(|key| key.table == table_name)
            .fold(create, |create, key| key.repaired(&create));
        let mut table = Table {
            columns: columns.get(&table_name).cloned().unwrap_or_default(),
            keys: keys.remove(&table_name).unwrap_or_default(),
            partitions: partitions.remove(&table_name).unwrap_or_default(),
            name: table_name,
            create,
            engine: line.text(2).to_uppercase(),
            collation: line.maybe(3),
            rows: line.number(4),
            bytes: line.number(5),
            readable: !rows
                .as_ref()
                .is_err_and(|cause| matches!(number(cause), Some(1044 | 1142 | 1143))),
            history: false,
        };
        if line.is(1, "SYSTEM VERSIONED") && !scope.no_data {
            history(server, &mut table, &title, problems);
        }
        database.tables.push(table);
    }

    let questions: Vec<String> = (sequences.iter())
        .flat_map(|s| {
            let sequence = name(&s.text(0));
            [
                format!("SHOW CREATE SEQUENCE {sequence}"),
                format!("SELECT next_not_cached_value FROM {sequence} LIMIT 0"),
            ]
        })
        .collect();
    let mut answers = each(connection, &questions).await?.into_iter();
    for line in &sequences {
        let (Some(create), Some(value)) = (answers.next(), answers.next()) else {
            break;
        };
        let sequence = line.text(0);
        // A table of the chosen may take its keys from it.
        let wanted = chosen(scope, &database.name, &sequence)
            || database
                .tables
                .iter()
                .any(|t| mentions(&t.create, &sequence));
        if !wanted {
            continue;
        }
        match create {
            Ok(answer) => database.sequences.push(Sequence {
                name: sequence,
                create: answer.first().map(|l| l.text(1)).unwrap_or_default(),
                readable: value.is_ok(),
            }),
            Err(cause) => problems.push(refused(
                format!("sequence {}.{sequence}", database.name),
                &cause,
            )),
        }
    }
    Ok(())
}

/// A CREATE TABLE as text: a quoted default that is none is written in hex, which is the same value.
fn create_text(mut bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    loop {
        let bad = match std::str::from_utf8(bytes) {
            Ok(rest) => {
                text.push_str(rest);
                return text;
            }
            Err(error) => error.valid_up_to(),
        };
        // Back to where the text begins that holds the bad byte.
        let Some((from, to)) = quoted_around(bytes, bad) else {
            text.push_str(&String::from_utf8_lossy(bytes));
            return text;
        };
        text.push_str(&String::from_utf8_lossy(&bytes[..from]));
        text.push_str("0x");
        for byte in unquoted(&bytes[from + 1..to - 1]) {
            text.push_str(&format!("{byte:02X}"));
        }
        bytes = &bytes[to..];
    }
}

/// From the opening to behind the closing quote of the text that holds the byte at `at`.
fn quoted_around(bytes: &[u8], at: usize) -> Option<(usize, usize)> {
    let (mut open, mut position) = (None::<(usize, u8)>, 0);
    while position < bytes.len() {
        let byte = bytes[position];
        match open {
            None if matches!(byte, b'\'' | b'`' | b'"') => open = Some((position, byte)),
            Some((_, quote)) if byte == b'\\' && quote != b'`' => position += 1,
            Some((from, quote)) if byte == quote => {
                if bytes.get(position + 1) == Some(&quote) {
                    position += 1;
                } else if position > at {
                    return (from < at && quote == b'\'').then_some((from, position + 1));
                } else {
                    open = None;
                }
            }
            _ => {}
        }
        position += 1;
    }
    None
}

/// What stands between quotes.
fn unquoted(text: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text.iter().copied();
    while let Some(byte) = rest.next() {
        plain.push(match byte {
            b'\\' => match rest.next() {
                Some(b'0') => 0,
                Some(b'n') => b'\n',
                Some(b'r') => b'\r',
                Some(b't') => b'\t',
                Some(b'Z') => 0x1a,
                Some(other) => other,
                None => b'\\',
            },
            // Doubled.
            b'\'' => rest.next().unwrap_or(b'\''),
            other => other,
        });
    }
    plain
}

/// What the server did not want to tell.
pub(super) fn refused(object: String, cause: &mysql_async::Error) -> Problem {
    unreadable(
        object,
        &format!("its definition can't be read: {}", said(cause)),
        "Repair it, or grant this user the right to see it.",
    )
}

/// The server's words.
pub(super) fn said(cause: &mysql_async::Error) -> String {
    match cause {
        mysql_async::Error::Server(server) => format!("{} (error {})", server.message, server.code),
        other => other.to_string(),
    }
}

fn mentions(create: &str, sequence: &str) -> bool {
    meaning(create)
        .iter()
        .any(|t| t.kind == Kind::Name && t.name().as_deref() == Some(sequence))
}

/// Decides whether former rows are dumped: only what can be written again is.
fn history(server: Server, table: &mut Table, title: &str, problems: &mut Vec<Problem>) {
    let lost = |why: &str, hint: &str| Problem {
        kind: ProblemKind::Unsupported,
        object: format!("history of {title}"),
        message: format!("former rows are not dumped: {why}"),
        hint: Some(hint.to_owned()),
    };
    if !server.mariadb(10, 11, 0) {
        let hint = "Upgrade the source to MariaDB 10.11 or newer.";
        problems.push(lost(
            "servers before MariaDB 10.11 can't take them back",
            hint,
        ));
        return;
    }
    let (start, end) = period(&table.create);
    for column in [&start, &end] {
        match table.columns.iter_mut().find(|c| c.name == *column) {
            Some(own) if own.data_type != "timestamp" => {
                let hint = "Copy them by hand; they need the source's transaction ids.";
                problems.push(lost("its history counts transactions, not time", hint));
                return;
            }
            Some(own) => own.generated = false,
            None => table.columns.push(Column {
                name: column.clone(),
                data_type: "timestamp".into(),
                column_type: "timestamp(6)".into(),
                charset: None,
                collation: None,
                generated: false,
            }),
        }
    }
    table.history = true;
}

/// The columns that say from when to when a row was: named in the table, or hidden.
fn period(create: &str) -> (String, String) {
    let words = meaning(create);
    let at = (words.windows(3))
        .position(|w| w[0].is("PERIOD") && w[1].is("FOR") && w[2].is("SYSTEM_TIME"));
    let mut named = at.into_iter().flat_map(|at| {
        words[at..]
            .iter()
            .filter_map(super::super::tokens::Token::name)
    });
    match (named.next(), named.next()) {
        (Some(start), Some(end)) => (start, end),
        _ => ("row_start".into(), "row_end".into()),
    }
}

async fn columns(connection: &mut Conn, schema: &str) -> Result<HashMap<String, Vec<Column>>> {
    let found = lines(
        connection,
        &format!(
            "SELECT table_name, column_name, data_type, column_type, character_set_name, collation_name, extra,
                    generation_expression
             FROM information_schema.COLUMNS WHERE table_schema = {schema} ORDER BY table_name, ordinal_position"
        ),
    )
    .await?;
    let mut tables: HashMap<String, Vec<Column>> = HashMap::new();
    for line in found {
        tables.entry(line.text(0)).or_default().push(Column {
            name: line.text(1),
            data_type: line.text(2).to_lowercase(),
            column_type: line.text(3),
            charset: line.maybe(4),
            collation: line.maybe(5),
            generated: generated(&line.text(6), &line.text(7)),
        });
    }
    Ok(tables)
}

/// `DEFAULT_GENERATED` is a default that is an expression, and no generated column.
fn generated(extra: &str, expression: &str) -> bool {
    let extra = extra.to_uppercase();
    !expression.is_empty()
        || ["VIRTUAL GENERATED", "STORED GENERATED", "PERSISTENT"]
            .iter()
            .any(|kind| extra.contains(kind))
}

/// Unique keys over whole columns, the best first.
async fn keys(connection: &mut Conn, schema: &str) -> Result<HashMap<String, Vec<Key>>> {
    let found = lines(
        connection,
        &format!(
            "SELECT table_name, index_name, column_name, nullable, sub_part, index_type
             FROM information_schema.STATISTICS
             WHERE table_schema = {schema} AND non_unique = 0 ORDER BY table_name, index_name, seq_in_index"
        ),
    )
    .await?;
    /// Its columns, of which a missing one spoils it, and whether one may be NULL.
    type Index = (Vec<Option<String>>, bool);
    // By table and name.
    let mut indexes: BTreeMap<(String, String), Index> = BTreeMap::new();
    for line in found {
        let whole = line.maybe(4).is_none() && line.is(5, "BTREE");
        let column = line.maybe(2).filter(|_| whole);
        let index = indexes.entry((line.text(0), line.text(1))).or_default();
        index.0.push(column);
        index.1 |= line.is(3, "YES");
    }
    let mut tables: HashMap<String, Vec<(bool, bool, Key)>> = HashMap::new();
    for ((table, index), (columns, nullable)) in indexes {
        let Some(columns) = columns.into_iter().collect::<Option<Vec<_>>>() else {
            continue;
        };
        let key = Key { columns, nullable };
        tables
            .entry(table)
            .or_default()
            .push((index != "PRIMARY", nullable, key));
    }
    Ok(tables
        .into_iter()
        .map(|(table, mut keys)| {
            keys.sort_by_key(|(other, nullable, key)| (*other, *nullable, key.columns.len()));
            (table, keys.into_iter().map(|(_, _, key)| key).collect())
        })
        .collect())
}

async fn partitions(connection: &mut Conn, schema: &str) -> Result<HashMap<String, Vec<String>>> {
    let found = lines(
        connection,
        &format!(
            "SELECT table_name, COALESCE(subpartition_name, partition_name)
             FROM information_schema.PARTITIONS WHERE table_schema = {schema} AND partition_name IS NOT NULL
             ORDER BY table_name, partition_ordinal_position, subpartition_ordinal_position"
        ),
    )
    .await?;
    let mut tables: HashMap<String, Vec<String>> = HashMap::new();
    for line in found {
        tables.entry(line.text(0)).or_default().push(line.text(1));
    }
    Ok(tables)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_default_expression_is_no_generated_column() {
        assert!(!generated(
            "DEFAULT_GENERATED on update CURRENT_TIMESTAMP",
            ""
        ));
        assert!(generated("VIRTUAL GENERATED", "`a` + 1"));
        assert!(generated("PERSISTENT", ""));
        assert!(generated("STORED GENERATED INVISIBLE", "`a`"));
    }

    #[test]
    fn defaults_that_are_no_text_are_written_in_hex() {
        assert_eq!(create_text("a `ü` 'ß'".as_bytes()), "a `ü` 'ß'");
        assert_eq!(
            create_text(
                b"`it's` varbinary(9) DEFAULT '\\0\xff''\\\\x' COMMENT '\xc3\xbc', DEFAULT '\xfe'"
            ),
            "`it's` varbinary(9) DEFAULT 0x00FF275C78 COMMENT 'ü', DEFAULT 0xFE"
        );
    }

    #[test]
    fn a_history_has_its_columns() {
        let named = "CREATE TABLE `t` (\n  `a` int,\n  PERIOD FOR SYSTEM_TIME (`from`, `to`)\n) WITH SYSTEM VERSIONING";
        assert_eq!(period(named), ("from".into(), "to".into()));
        assert_eq!(
            period("CREATE TABLE `t` (`a` int)"),
            ("row_start".into(), "row_end".into())
        );
    }
}
