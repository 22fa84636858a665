//! Statements about whole databases.

use super::super::model::Database;
use super::super::quote::{literal, name};

/// What it is made with.
fn options(database: &Database) -> String {
    let mut text = format!(
        "CHARACTER SET {} COLLATE {}",
        database.charset, database.collation
    );
    if database.encrypted {
        text.push_str(" ENCRYPTION 'Y'");
    }
    if !database.comment.is_empty() {
        text.push_str(&format!(" COMMENT {}", literal(&database.comment)));
    }
    text
}

/// Gives the default database, whatever its name, what this one has: what is made in it without a character set takes that.
pub(in crate::mysql) fn as_it_was(database: &Database) -> String {
    format!("ALTER DATABASE {};", options(database))
}

/// Makes it under this name.
pub(in crate::mysql) fn create(database: &Database, as_name: &str) -> String {
    format!("CREATE DATABASE {} {}", name(as_name), options(database))
}

/// Makes it under this name if it is not there.
pub(in crate::mysql) fn create_if_missing(database: &Database, as_name: &str) -> String {
    format!(
        "CREATE DATABASE IF NOT EXISTS {} {}",
        name(as_name),
        options(database)
    )
}

/// Makes it if it is not there, and goes into it.
pub(super) fn create_and_use(database: &Database) -> String {
    format!(
        "CREATE DATABASE IF NOT EXISTS {name} {};\nUSE {name};",
        options(database),
        name = name(&database.name)
    )
}
