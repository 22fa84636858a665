//! Foreign keys with backticks in their names, which MariaDB writes as they are: its text isn't SQL then.

use std::collections::BTreeMap;

use ksnapshot_core::Result;
use mysql_async::Conn;

use super::query::lines;
use crate::mysql::quote::name;
use crate::mysql::version::{Flavour, Server};

/// A foreign key that is written wrong.
#[derive(Debug, Default)]
pub(super) struct Misquoted {
    pub(super) table: String,
    key: String,
    columns: Vec<String>,
    /// The parent's name, as text and as a statement has it.
    parent: String,
    parent_columns: Vec<String>,
}

impl Misquoted {
    /// The table's definition with this key as it should be.
    pub(super) fn repaired(&self, create: &str) -> String {
        let raw = |name: &str| format!("`{name}`");
        let text = |quoted: &dyn Fn(&str) -> String, parent: &str| {
            let list = |names: &[String]| {
                let names: Vec<String> = names.iter().map(|n| quoted(n)).collect();
                names.join(", ")
            };
            format!(
                "CONSTRAINT {} FOREIGN KEY ({}) REFERENCES {parent} ({})",
                quoted(&self.key),
                list(&self.columns),
                list(&self.parent_columns)
            )
        };
        let right = |parent: &str| text(&name, parent);
        let wrong = |parent: &str| text(&raw, parent);
        // Some versions quote the name of the parent, but for nothing else.
        [name(&self.parent), raw(&self.parent)]
            .iter()
            .fold(create.to_owned(), |create, parent| {
                create.replace(&wrong(parent), &right(&name(&self.parent)))
            })
    }
}

/// Those of a database, in the order of their names.
pub(super) async fn misquoted(
    connection: &mut Conn,
    server: Server,
    schema: &str,
) -> Result<Vec<Misquoted>> {
    if server.flavour == Flavour::MySql {
        return Ok(Vec::new());
    }
    let found = lines(
        connection,
        &format!(
            "SELECT table_name, constraint_name, column_name, referenced_table_name, referenced_column_name
             FROM information_schema.KEY_COLUMN_USAGE
             WHERE table_schema = {schema} AND referenced_table_name IS NOT NULL
             ORDER BY table_name, constraint_name, ordinal_position"
        ),
    )
    .await?;
    let mut keys: BTreeMap<(String, String), Misquoted> = BTreeMap::new();
    for line in found {
        let key = keys.entry((line.text(0), line.text(1))).or_default();
        (key.table, key.key, key.parent) = (line.text(0), line.text(1), line.text(3));
        key.columns.push(line.text(2));
        key.parent_columns.push(line.text(4));
    }
    let odd = |key: &Misquoted| {
        let names = key.columns.iter().chain(&key.parent_columns);
        names
            .chain([&key.key, &key.parent])
            .any(|name| name.contains('`'))
    };
    Ok(keys.into_values().filter(odd).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted_again() {
        let key = Misquoted {
            table: "t".into(),
            key: "a`".into(),
            columns: vec!["b`c".into(), "d".into()],
            parent: "p".into(),
            parent_columns: vec!["x".into(), "y".into()],
        };
        assert_eq!(
            key.repaired("  CONSTRAINT `a`` FOREIGN KEY (`b`c`, `d`) REFERENCES `p` (`x`, `y`) ON DELETE CASCADE,"),
            "  CONSTRAINT `a``` FOREIGN KEY (`b``c`, `d`) REFERENCES `p` (`x`, `y`) ON DELETE CASCADE,"
        );
    }
}
