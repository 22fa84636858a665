//! The settings under which a restore writes, as the head of a dump's text has them, and more.

use ksnapshot_core::Result;
use mysql_async::Conn;
use mysql_async::prelude::Queryable;

use super::connect::run;
use super::ddl::header::SQL_MODE;
use super::version::Server;

/// A year: the longest that servers take everywhere.
const LONG: u64 = 31_536_000;

/// Modes that went away with MySQL 8.0: they changed nothing that is restored.
const GONE: [&str; 11] = [
    "DB2",
    "MAXDB",
    "MSSQL",
    "MYSQL323",
    "MYSQL40",
    "NO_AUTO_CREATE_USER",
    "NO_FIELD_OPTIONS",
    "NO_KEY_OPTIONS",
    "NO_TABLE_OPTIONS",
    "ORACLE",
    "POSTGRESQL",
];

/// Settles a session that writes.
pub(super) async fn settle(connection: &mut Conn, server: Server) -> Result<()> {
    run(connection, "SET NAMES utf8mb4").await?;
    let settings = [
        format!("sql_mode = '{SQL_MODE}'"),
        "time_zone = '+00:00'".to_owned(),
        "foreign_key_checks = 0".to_owned(),
        "unique_checks = 0".to_owned(),
        // What is only worth a note is not told beside what matters.
        "sql_notes = 0".to_owned(),
        "autocommit = 1".to_owned(),
        "sql_select_limit = DEFAULT".to_owned(),
        format!("wait_timeout = {LONG}"),
        // The pipeline may make a writer pause for as long as a download is tried again.
        format!("net_read_timeout = {LONG}"),
        format!("net_write_timeout = {LONG}"),
        format!("lock_wait_timeout = {LONG}"),
    ];
    run(connection, &format!("SET SESSION {}", settings.join(", "))).await?;
    // So that a warning that says nothing about values does not push out one that does: a server keeps 64 unless told. MySQL 8
    // asks for a right, which not everybody has who may restore.
    let _ = connection
        .query_drop("SET SESSION max_error_count = 65535")
        .await;
    // Not every version has them, and not every service lets them be set. Without them a definition may be refused, which is
    // then told; no value changes.
    let wishes = if server.mysql(5, 7, 0) {
        &[
            "innodb_strict_mode = 0",
            "sql_require_primary_key = 0",
            "sql_generate_invisible_primary_key = 0",
            "explicit_defaults_for_timestamp = 1",
            "restrict_fk_on_non_standard_key = 0",
            "show_create_table_skip_secondary_engine = 1",
            "max_execution_time = 0",
        ][..]
    } else {
        &[
            "innodb_strict_mode = 0",
            "explicit_defaults_for_timestamp = 1",
            "check_constraint_checks = 0",
            "system_versioning_insert_history = 1",
            "system_versioning_alter_history = KEEP",
            "max_statement_time = 0",
            "idle_write_transaction_timeout = 0",
            "idle_transaction_timeout = 0",
        ]
    };
    for wish in wishes {
        let _ = connection.query_drop(format!("SET SESSION {wish}")).await;
    }
    Ok(())
}

/// A statement as this server understands it: modes that it does not know any more are left out.
pub(super) fn for_target(statement: &str, target: Server) -> String {
    let modes = statement
        .strip_prefix("SET sql_mode = '")
        .and_then(|rest| rest.strip_suffix('\''))
        .filter(|_| target.mysql(8, 0, 0));
    match modes {
        None => statement.to_owned(),
        Some(modes) => {
            let known: Vec<&str> = modes
                .split(',')
                .filter(|mode| !GONE.contains(mode))
                .collect();
            format!("SET sql_mode = '{}'", known.join(","))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_of_the_past_are_left_out() {
        let server = |text| Server::parse(text).expect("a version");
        let set = "SET sql_mode = 'ANSI_QUOTES,NO_AUTO_CREATE_USER,NO_ENGINE_SUBSTITUTION'";
        assert_eq!(for_target(set, server("5.7.22")), set);
        assert_eq!(for_target(set, server("10.11.2-MariaDB")), set);
        assert_eq!(
            for_target(set, server("9.7.4")),
            "SET sql_mode = 'ANSI_QUOTES,NO_ENGINE_SUBSTITUTION'"
        );
    }
}
