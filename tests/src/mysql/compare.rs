//! Whether two servers hold the same, as the binary protocol, `SHOW CREATE` and the stock dump program see it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, OptsBuilder, Row, Value};

use super::{Db, Flavour, MySql};
use crate::{PASSWORD, tools};

/// Everything below: definitions, rows, and what the stock program dumps.
pub fn same(a: &MySql, b: &MySql, dbs: &[&str]) -> Result<()> {
    same_definitions(a, b, dbs)?;
    for db in dbs {
        same_rows(&a.db(db), &b.db(db))?;
    }
    same_stock_dump(a, b, dbs)
}

/// Definitions of every kind in these databases: `SHOW CREATE` of each, with all that the server tells beside it (modes
/// and character sets of routines), and collations, which 5.7 leaves out there. A character set that the collation
/// after it tells anyhow [doesn't count](told_once).
pub fn same_definitions(a: &MySql, b: &MySql, dbs: &[&str]) -> Result<()> {
    let [left, right] = [definitions(a, dbs)?, definitions(b, dbs)?];
    equal("definitions", &told_once(&left), &told_once(&right))
}

/// Users and roles of these names (`name@host`): how they log in, and all that they may.
pub fn same_users(a: &MySql, b: &MySql, users: &[&str]) -> Result<()> {
    equal("users", &grants(a, users)?, &grants(b, users)?)
}

/// The rows of all tables of a database; see [`same_values`].
pub fn same_rows(a: &Db<'_>, b: &Db<'_>) -> Result<()> {
    let (left, right) = (tables(a)?, tables(b)?);
    equal("tables", &left.join("\n"), &right.join("\n"))?;
    left.iter().try_for_each(|table| same_values(a, b, table))
}

/// The rows of a table, value for value: as the binary protocol sends them, so that a FLOAT is its four bytes and text
/// is the bytes that are stored. In no order. Of a table with system versioning all of its history.
pub fn same_values(a: &Db<'_>, b: &Db<'_>, table: &str) -> Result<()> {
    let (left, right) = (values(a, table)?, values(b, table)?);
    if left == right {
        return Ok(());
    }
    let mut lines = String::new();
    if left.columns != right.columns {
        let _ = writeln!(
            lines,
            "columns: {:?}\n     and: {:?}",
            left.columns, right.columns
        );
    }
    for (sign, these, others) in [('-', &left, &right), ('+', &right, &left)] {
        let only = these.only(others);
        for row in only.iter().take(20) {
            let _ = writeln!(lines, "{sign} {}", shortened(row));
        }
        if only.len() > 20 {
            let _ = writeln!(lines, "{sign} … and {} more", only.len() - 20);
        }
    }
    bail!(
        "rows of {table} differ, {} in {} and {} in {}:\n{lines}",
        left.rows.len(),
        a.name,
        right.rows.len(),
        b.name
    );
}

/// What the stock program writes of these databases, apart from [noise](NOISE).
pub fn same_stock_dump(a: &MySql, b: &MySql, dbs: &[&str]) -> Result<()> {
    let (left, right) = (stock_dump(a, dbs)?, stock_dump(b, dbs)?);
    equal("stock dumps", &told_once(&left), &told_once(&right))
}

/// Removes what the server tells twice: MySQL 8 and 9 remember whether a column was given a character set or only a
/// collation. Of a table of which the one was written, the definition shows the other when it has been loaded once, so
/// that no copy made from text can be equal.
pub fn told_once(text: &str) -> String {
    const SET: &str = "CHARACTER SET ";
    let mut pieces = text.split(SET);
    let mut kept = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let repeated = piece.split_once(" COLLATE ").is_some_and(|(set, rest)| {
            !set.contains(char::is_whitespace)
                && rest
                    .strip_prefix(set)
                    .is_some_and(|rest| rest.starts_with('_'))
        });
        match piece.split_once(' ') {
            Some((_, rest)) if repeated => kept.push_str(rest),
            _ => {
                kept.push_str(SET);
                kept.push_str(piece);
            }
        }
    }
    kept
}

/// What may differ from dump to dump: how such a line begins, and why it differs.
pub const NOISE: [(&str, &str); 5] = [
    ("-- Host: ", "where the server is"),
    ("-- Server version", "of which build the server is"),
    ("-- Dump completed", "when it was"),
    ("-- MySQL dump ", "of which build the program is"),
    ("-- MariaDB dump ", "of which build the program is"),
];

/// The stock program's dump, without noise. Rows of a table come in the order of their text: a table without a key has
/// them in the order of its last load.
pub fn stock_dump(server: &MySql, dbs: &[&str]) -> Result<String> {
    let mut args = vec![
        "--single-transaction",
        "--routines",
        "--events",
        "--triggers",
        "--hex-blob",
        "--skip-extended-insert",
        "--skip-dump-date",
        "--no-tablespaces",
        // That of MariaDB 10.5 would else lose what needs four bytes.
        "--default-character-set=utf8mb4",
    ];
    let program = server.version.client("mysqldump")?;
    let version = tools::run(Command::new(program).arg("--version"))?.success()?;
    if version.text().contains("MariaDB") {
        args.push("--loose-dump-history");
    } else {
        args.extend(["--set-gtid-purged=OFF", "--column-statistics=0"]);
    }
    // Broken views make it complain, and fail in the end: what it says is part of what is compared.
    args.push("--force");
    let mut command = server.program("mysqldump")?;
    let run = tools::run(command.args(&args).arg("--databases").args(dbs))?;
    let mut text = without_noise(&String::from_utf8_lossy(&run.stdout));
    ensure!(
        run.text().contains("-- Dump completed"),
        "no whole dump: {run:?}"
    );
    for line in run.stderr.lines().filter(|line| !line.contains("arning")) {
        text.push_str(line);
        text.push('\n');
    }
    Ok(text)
}

fn without_noise(dump: &str) -> String {
    let mut kept = String::with_capacity(dump.len());
    let mut rows: Vec<&str> = Vec::new();
    for line in dump.lines().chain(["-- end"]) {
        if NOISE.iter().any(|(start, _)| line.starts_with(start)) {
            continue;
        }
        if line.starts_with("INSERT ") {
            rows.push(line);
            continue;
        }
        rows.sort_unstable();
        for row in rows.drain(..) {
            kept.push_str(row);
            kept.push('\n');
        }
        kept.push_str(line);
        kept.push('\n');
    }
    kept
}

/// All definitions, as one text.
pub fn definitions(server: &MySql, dbs: &[&str]) -> Result<String> {
    session(server, async |conn| {
        let mut text = String::new();
        for db in dbs {
            of_database(server, conn, db, &mut text)
                .await
                .context((*db).to_owned())?;
        }
        Ok(text)
    })
}

async fn of_database(server: &MySql, conn: &mut Conn, db: &str, text: &mut String) -> Result<()> {
    show(conn, &format!("show create database {}", quoted(db)), text).await?;
    let name = literal(db);
    let tables = names(
        conn,
        &format!(
            "select table_name, table_type from information_schema.tables where table_schema = {name} \
             order by binary table_name"
        ),
    )
    .await?;
    for [table, kind] in &tables {
        let table = format!("{}.{}", quoted(db), quoted(table));
        match kind.as_str() {
            "SEQUENCE" => {
                show(conn, &format!("show create sequence {table}"), text).await?;
                show(conn, &format!("select * from {table}"), text).await?;
            }
            // An invalid view has no definition that can be shown in full: its text has to do.
            "VIEW" => {
                if let Err(e) = show(conn, &format!("show create view {table}"), text).await {
                    let _ = writeln!(text, "-- {e:#}");
                }
            }
            _ => show(conn, &format!("show create table {table}"), text).await?,
        }
    }
    for sql in [
        format!(
            "select table_name, engine, row_format, table_collation, create_options, table_comment \
             from information_schema.tables where table_schema = {name} and table_type <> 'VIEW' order by binary table_name"
        ),
        format!(
            "select table_name, column_name, collation_name, column_type, extra from information_schema.columns \
             where table_schema = {name} order by binary table_name, ordinal_position"
        ),
        format!(
            "select table_name, view_definition, check_option, is_updatable, definer, security_type, \
             character_set_client, collation_connection from information_schema.views where table_schema = {name} \
             order by binary table_name"
        ),
        format!(
            "select event_object_table, action_timing, event_manipulation, action_order, trigger_name \
             from information_schema.triggers where trigger_schema = {name} order by binary event_object_table, 2, 3, 4"
        ),
    ] {
        show(conn, &sql, text).await?;
    }
    let triggers = format!(
        "select trigger_name, '' from information_schema.triggers where trigger_schema = {name} order by binary trigger_name"
    );
    let routines = format!(
        "select routine_name, routine_type from information_schema.routines where routine_schema = {name} order by routine_type, binary routine_name"
    );
    let events = format!(
        "select event_name, '' from information_schema.events where event_schema = {name} order by binary event_name"
    );
    for (sql, kind) in [(triggers, "trigger"), (routines, ""), (events, "event")] {
        for [item, its_kind] in names(conn, &sql).await? {
            let kind = if kind.is_empty() {
                its_kind.as_str()
            } else {
                kind
            };
            let item = format!("{}.{}", quoted(db), quoted(&item));
            show(conn, &format!("show create {kind} {item}"), text).await?;
        }
    }
    let _ = server;
    Ok(())
}

fn grants(server: &MySql, users: &[&str]) -> Result<String> {
    session(server, async |conn| {
        let mut text = String::new();
        for user in users {
            let (name, host) = user.rsplit_once('@').unwrap_or((user, "%"));
            let account = format!("{}@{}", literal(name), literal(host));
            // A role of MariaDB has no host, and isn't created by a CREATE USER.
            if host.is_empty() {
                show(
                    conn,
                    &format!("show grants for {}", literal(name)),
                    &mut text,
                )
                .await?;
                continue;
            }
            show(conn, &format!("show create user {account}"), &mut text).await?;
            show(conn, &format!("show grants for {account}"), &mut text).await?;
        }
        Ok(text)
    })
}

/// The rows of a table.
#[derive(Debug, PartialEq, Eq)]
struct Values {
    /// Name and type of each.
    columns: Vec<String>,
    /// How often each row is there.
    rows: BTreeMap<Vec<String>, usize>,
}

impl Values {
    fn only<'v>(&'v self, others: &Self) -> Vec<&'v [String]> {
        let mut only = Vec::new();
        for (row, count) in &self.rows {
            let more = count.saturating_sub(others.rows.get(row).copied().unwrap_or(0));
            only.extend(std::iter::repeat_n(row.as_slice(), more));
        }
        only
    }
}

/// Tables with rows of their own.
fn tables(db: &Db<'_>) -> Result<Vec<String>> {
    let sql = format!(
        "select table_name, '' from information_schema.tables where table_schema = {} \
         and table_type in ('BASE TABLE', 'SYSTEM VERSIONED') \
         and engine not in ('MRG_MYISAM', 'FEDERATED', 'BLACKHOLE') order by binary table_name",
        literal(&db.name)
    );
    let found = session(db.server, async |conn| names(conn, &sql).await)?;
    Ok(found.into_iter().map(|[table, _]| table).collect())
}

fn values(db: &Db<'_>, table: &str) -> Result<Values> {
    let (schema, name) = (literal(&db.name), literal(table));
    session(db.server, async |conn| {
        // Named one by one: `*` leaves out what's invisible.
        let columns = names(
            conn,
            &format!(
                "select column_name, column_type from information_schema.columns \
                 where table_schema = {schema} and table_name = {name} order by ordinal_position"
            ),
        )
        .await?;
        ensure!(!columns.is_empty(), "no such table in {}", db.name);
        let mut list: Vec<_> = columns.iter().map(|[column, _]| quoted(column)).collect();
        let mut from = format!("{}.{}", quoted(&db.name), quoted(table));
        if versioned(db, conn, table).await? {
            from.push_str(" for system_time all");
            // Either columns of the table, named above, or these two.
            if !columns
                .iter()
                .any(|[_, kind]| kind.starts_with("timestamp(6)"))
            {
                list.extend(["row_start".to_owned(), "row_end".to_owned()]);
            }
        }
        // Raw bytes of text, whatever their character set.
        conn.query_drop("set character_set_results = null").await?;
        let sql = format!("select {} from {from}", list.join(", "));
        let statement = conn.prep(&sql).await.with_context(|| sql.clone())?;
        let rows: Vec<Row> = conn
            .exec(&statement, ())
            .await
            .with_context(|| sql.clone())?;
        let mut counted = BTreeMap::new();
        for row in rows {
            let row = row.unwrap().iter().map(exact).collect();
            *counted.entry(row).or_default() += 1;
        }
        Ok(Values {
            columns: columns
                .iter()
                .map(|[name, kind]| format!("{name} {kind}"))
                .collect(),
            rows: counted,
        })
    })
    .with_context(|| format!("rows of {table}"))
}

async fn versioned(db: &Db<'_>, conn: &mut Conn, table: &str) -> Result<bool> {
    if db.server.version.flavour() == Flavour::MySql {
        return Ok(false);
    }
    let kind: Option<String> = conn
        .exec_first(
            "select table_type from information_schema.tables where table_schema = ? and table_name = ?",
            (&db.name, table),
        )
        .await?;
    Ok(kind.as_deref() == Some("SYSTEM VERSIONED"))
}

/// A value as text that is equal only for equal values.
fn exact(value: &Value) -> String {
    match value {
        Value::NULL => "NULL".to_owned(),
        Value::Bytes(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) if !text.contains(char::is_control) => format!("{text:?}"),
            _ => {
                let mut text = "0x".to_owned();
                for byte in bytes {
                    let _ = write!(text, "{byte:02x}");
                }
                text
            }
        },
        // Zero has a sign, and what's no number is never equal to itself.
        Value::Float(float) => format!("float {float:e} {:08x}", float.to_bits()),
        Value::Double(double) => format!("double {double:e} {:016x}", double.to_bits()),
        other => format!("{other:?}"),
    }
}

fn shortened(row: &[String]) -> String {
    let cell = |cell: &String| match cell.char_indices().nth(120) {
        Some((end, _)) => format!("{}… ({} bytes)", &cell[..end], cell.len()),
        None => cell.clone(),
    };
    row.iter().map(cell).collect::<Vec<_>>().join(" | ")
}

/// Runs in a session of its own as `root`, in UTC and UTF-8.
fn session<T>(server: &MySql, work: impl AsyncFnOnce(&mut Conn) -> Result<T>) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let options = OptsBuilder::default()
            .ip_or_hostname("127.0.0.1")
            .tcp_port(server.port)
            .user(Some("root"))
            .pass(Some(PASSWORD))
            .prefer_socket(false)
            .max_allowed_packet(Some(1 << 30))
            .stmt_cache_size(0);
        let mut conn = Conn::new(options).await.context("login")?;
        for setting in ["names utf8mb4", "time_zone = '+00:00'", "sql_mode = ''"] {
            conn.query_drop(format!("set {setting}")).await?;
        }
        let result = work(&mut conn).await?;
        conn.disconnect().await?;
        Ok(result)
    })
}

/// Rows of two texts.
async fn names(conn: &mut Conn, sql: &str) -> Result<Vec<[String; 2]>> {
    let rows: Vec<(String, String)> = conn.query(sql).await.with_context(|| sql.to_owned())?;
    Ok(rows.into_iter().map(<[String; 2]>::from).collect())
}

/// Appends what a statement gives, a line a field, with the names of the fields.
async fn show(conn: &mut Conn, sql: &str, text: &mut String) -> Result<()> {
    let rows: Vec<Row> = conn.query(sql).await.with_context(|| sql.to_owned())?;
    let _ = writeln!(text, "== {sql}");
    for row in rows {
        let columns = row.columns();
        for (column, value) in columns.iter().zip(row.unwrap()) {
            // When a trigger was made is told, too, and is no part of it.
            if column.name_str().eq_ignore_ascii_case("created") {
                continue;
            }
            let value = match value {
                Value::NULL => "NULL".to_owned(),
                Value::Bytes(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
                other => other.as_sql(true),
            };
            let _ = writeln!(text, "{}: {value}", column.name_str().to_lowercase());
        }
    }
    Ok(())
}

/// A name as SQL.
fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// A text as SQL.
fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

fn equal(what: &str, left: &str, right: &str) -> Result<()> {
    if left == right {
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    let names = ["a", "b"].map(|name| folder.path().join(name));
    fs::write(&names[0], left)?;
    fs::write(&names[1], right)?;
    let diff = tools::run(Command::new("diff").arg("-U1").args(&names))?.text();
    let lines = diff.lines().count();
    let shown: Vec<_> = diff.lines().skip(2).take(200).collect();
    bail!(
        "{what} differ ({lines} lines of diff):\n{}",
        shown.join("\n")
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_noise_goes() {
        let dump = "-- Host: 127.0.0.1\nCREATE\nINSERT b\nINSERT a\n-- Host\n-- Dump completed\n";
        assert_eq!(
            without_noise(dump),
            "CREATE\nINSERT a\nINSERT b\n-- Host\n-- end\n"
        );
    }

    #[test]
    fn a_character_set_is_told_once() {
        let shown = "`a` text CHARACTER SET gbk, `b` text CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL";
        let kept = "`a` text CHARACTER SET gbk, `b` text COLLATE utf8mb4_bin NOT NULL";
        assert_eq!(told_once(shown), kept);
        assert_eq!(told_once(kept), kept);
    }

    #[test]
    fn values_that_differ_are_told_apart() {
        let all = [
            Value::NULL,
            Value::Bytes(b"NULL".to_vec()),
            Value::Bytes(vec![]),
            Value::Bytes(vec![0]),
            Value::Float(0.0),
            Value::Float(-0.0),
            Value::Double(0.0),
            Value::Int(0),
            Value::UInt(0),
        ];
        let texts: std::collections::BTreeSet<_> = all.iter().map(exact).collect();
        assert_eq!(texts.len(), all.len());
    }
}
