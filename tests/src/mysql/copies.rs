//! The copy to compare with, made by the server's own programs.

use anyhow::{Result, ensure};

use super::MySql;

/// Copies databases to a server that doesn't have them, by the stock dump program and the stock client, and gives what
/// the two complained of, a line each: both go on after errors. A row larger than the target's `max_allowed_packet`
/// ends it.
///
/// Of what the tests' sources hold, this loses, seen on all six servers but where it says so (what the stock dump program
/// sees of it, a test expects, difference by difference: `tests/promises/mysql/stock.rs`):
///
/// - all but six digits of FLOAT, and the sign of a zero;
/// - labels of ENUM that take four bytes in UTF-8, with the values;
/// - characters of `sjis` and `cp932` that Unicode has once and they have twice; what isn't ASCII in `ascii`;
/// - dates that no calendar has, which servers take in the mode `ALLOW_INVALID_DATES`;
/// - views with a check option that stand on views, and all that stand on what's gone;
/// - MariaDB: rows of tables whose defaults take numbers from a sequence; with 10.5, the history of tables with system
///   versioning, and defaults of columns of bytes that are no text; all that follows a foreign key with a backtick in its name;
/// - MySQL 5.7, of which MariaDB's program takes care here: rows of tables with generated columns.
pub fn twin_into(from: &MySql, to: &MySql, dbs: &[&str]) -> Result<Vec<String>> {
    let script = r#"into=$1; shift
mysqldump --defaults-file="$CNF" --loose-dump-history --force --single-transaction --routines --events --triggers \
    --hex-blob --default-character-set=utf8mb4 --databases "$@" | mysql --defaults-file="$into" --force --binary-mode || true"#;
    let mut args = vec![to.option_file().into_os_string()];
    args.extend(dbs.iter().map(Into::into));
    let args: Vec<_> = args.iter().map(AsRef::as_ref).collect();
    let run = from.db("").shell(script, &args)?.success()?;
    let there = to.query("show databases")?.concat();
    for db in dbs {
        ensure!(there.iter().any(|name| name == db), "{db} was not copied");
    }
    // The client repeats what was refused, which may be megabytes.
    Ok((run.stderr.lines())
        .filter(|line| line.starts_with("ERROR ") || line.contains("dump: Couldn't"))
        .map(str::to_owned)
        .collect())
}
