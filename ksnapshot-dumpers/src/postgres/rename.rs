//! `--rename`: tables and schemas that get another name on the target.
//!
//! Where single tables, or rows alone, are restored, old names may be in use: then every text says the new name from the start.
//! Where everything is restored, the old names are free until its end, and the server renames what stands there, with all that
//! refers to it.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use ksnapshot_core::{Error, ErrorKind, Index, Item, Result};
use sqlx::postgres::PgConnection;

use super::ddl::Script;
use super::query::run;
use super::quote::{ident, qualified};
use super::target::is_there;

mod text;

/// Bytes of the longest name.
const NAME: usize = 63;

/// A relation: its schema and its name.
type Name = (String, String);

/// What gets which name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Rename {
    Schema { from: String, to: String },
    Table { from: Name, to: Name },
}

impl Rename {
    /// Reads `sales=sales_2025`, which are schemas, or `sales.orders=archive.orders`, which are tables. Letters are folded as in
    /// SQL, unless they are in quotation marks.
    ///
    /// Errors: [`ErrorKind::Usage`].
    pub(super) fn parse(from: &str, to: &str) -> Result<Self> {
        match (text::name(from).as_deref(), text::name(to).as_deref()) {
            (Some([from]), Some([to])) => Ok(Self::Schema {
                from: from.clone(),
                to: to.clone(),
            }),
            (Some([schema, table]), Some([to_schema, to_table])) => Ok(Self::Table {
                from: (schema.clone(), table.clone()),
                to: (to_schema.clone(), to_table.clone()),
            }),
            _ => Err(Error::new(
                ErrorKind::Usage,
                format!("--rename {from}={to}: neither two schemas nor two tables with their schemas"),
            )
            .hint("Write it as sales=sales_2025 for schemas, sales.orders=sales.orders_2025 for tables.")),
        }
    }
}

/// New names that every text says.
#[derive(Debug, Default)]
pub(super) struct Names {
    relations: HashMap<Name, Name>,
    /// Names that texts of a table say without a schema, by the item that makes the table: those of its indexes.
    bare: HashMap<u32, HashMap<String, String>>,
}

impl Names {
    /// Of the tables among `items`.
    ///
    /// Errors: [`ErrorKind::Usage`] when something is to be renamed that is not among them.
    pub(super) fn new(renames: &[Rename], index: &Index, items: &[u32]) -> Result<Self> {
        let mut tables: BTreeMap<u32, (Name, Name)> = BTreeMap::new();
        // Of rows alone only the rows are among the items.
        let chosen: BTreeSet<u32> = (items.iter())
            .filter_map(|&id| index.items[id as usize].table)
            .collect();
        for rename in renames {
            let mut found = false;
            for &table in &chosen {
                let Some(name) = name(&index.items[table as usize]) else {
                    continue;
                };
                let to = match rename {
                    Rename::Schema { from, to } if *from == name.0 => (to.clone(), name.1.clone()),
                    Rename::Table { from, to } if *from == name => to.clone(),
                    _ => continue,
                };
                found = true;
                tables.insert(table, (name, to));
            }
            if !found {
                return Err(missing(rename));
            }
        }
        // Partitions that nobody names go with their table.
        loop {
            let partitions = index.items.iter().filter(|item| item.kind == "partition");
            let more: Vec<_> = partitions
                .filter_map(|item| {
                    let table = item.table.filter(|table| !tables.contains_key(table))?;
                    let child = name(&index.items[table as usize])?;
                    let (from, to) = item.depends.iter().find_map(|parent| tables.get(parent))?;
                    let named = named_after(&child.1, &from.1, &to.1);
                    Some((table, (child, (to.0.clone(), named))))
                })
                .collect();
            if more.is_empty() {
                break;
            }
            tables.extend(more);
        }
        let mut names = Self::default();
        for item in &index.items {
            let Some((table, ((_, old), (schema, new)))) =
                (item.table).and_then(|table| Some((table, tables.get(&table)?)))
            else {
                continue;
            };
            let Some(from) = name(item).filter(|_| has_name_in_schema(item)) else {
                continue;
            };
            if item.id == table {
                names.relations.insert(from, (schema.clone(), new.clone()));
                continue;
            }
            let named = match old == new {
                true => from.1.clone(),
                false => named_after(&from.1, old, new),
            };
            if named != from.1 {
                let bare = names.bare.entry(table).or_default();
                bare.insert(from.1.clone(), named.clone());
            }
            names.relations.insert(from, (schema.clone(), named));
        }
        Ok(names)
    }

    /// Whether every text stays as it is.
    pub(super) fn is_empty(&self) -> bool {
        self.relations.is_empty()
    }

    /// What an item's text becomes.
    pub(super) fn text<'t>(&self, item: &Item, text: &'t str) -> Cow<'t, str> {
        if self.is_empty() {
            return Cow::Borrowed(text);
        }
        let bare = item.table.and_then(|table| self.bare.get(&table));
        text::renamed(text, &self.relations, bare)
    }

    /// The name of an item's relation on the target, quoted and qualified.
    pub(super) fn qualified(&self, item: &Item) -> String {
        let Some(name) = name(item) else {
            return ident(&item.name);
        };
        let (schema, name) = self.relations.get(&name).unwrap_or(&name);
        qualified(schema, name)
    }

    /// Has the new names in what a restore reads, empties and drops.
    pub(super) fn apply(&self, script: &mut Script, index: &Index) {
        if self.relations.is_empty() {
            return;
        }
        let renamed = |name: &mut String| {
            let [schema, relation] = &text::name(name).unwrap_or_default()[..] else {
                return;
            };
            if let Some((schema, relation)) =
                self.relations.get(&(schema.clone(), relation.clone()))
            {
                *name = qualified(schema, relation);
            }
        };
        for table in &mut script.tables {
            renamed(&mut table.name);
            renamed(&mut table.root);
        }
        for sequence in &mut script.sequences {
            renamed(&mut sequence.name);
        }
        for (id, drop) in &mut script.drops {
            let text = self.text(&index.items[*id as usize], drop).into_owned();
            *drop = text;
        }
    }

    /// Makes the schemas that tables move to, where they are missing.
    pub(super) async fn make_schemas(&self, connection: &mut PgConnection) -> Result<()> {
        let moves = self.relations.iter().filter(|(from, to)| from.0 != to.0);
        let schemas: BTreeSet<&str> = moves.map(|(_, to)| to.0.as_str()).collect();
        for schema in schemas {
            let there = is_there(connection, "to_regnamespace", &ident(schema)).await?;
            if !there {
                run(connection, &format!("CREATE SCHEMA {}", ident(schema)))
                    .await
                    .map_err(|error| error.context(format!("schema {schema}")))?;
            }
        }
        Ok(())
    }
}

/// The statements that rename, when everything is restored.
///
/// Errors: [`ErrorKind::Usage`] when something is to be renamed that is not in the snapshot, or when the snapshot has the new name,
/// too.
pub(super) fn at_end(renames: &[Rename], index: &Index) -> Result<Vec<String>> {
    let tables: BTreeSet<Name> = (index.items.iter())
        .filter(|item| item.table == Some(item.id))
        .filter_map(name)
        .collect();
    let schemas: BTreeSet<&str> = (index.items.iter())
        .filter(|item| item.kind == "schema")
        .map(|item| item.name.as_str())
        .chain(tables.iter().map(|(schema, _)| schema.as_str()))
        .collect();
    let mut statements = Vec::new();
    // Tables first: they are named by the schema that they had.
    for rename in renames {
        let Rename::Table { from, to } = rename else {
            continue;
        };
        if !tables.contains(from) {
            return Err(missing(rename));
        }
        if tables.contains(to) {
            return Err(taken(&format!("table {}.{}", to.0, to.1)));
        }
        if from.0 != to.0 {
            let schema = ident(&to.0);
            if !schemas.contains(to.0.as_str()) {
                statements.push(format!("CREATE SCHEMA IF NOT EXISTS {schema}"));
            }
            let from = qualified(&from.0, &from.1);
            statements.push(format!("ALTER TABLE {from} SET SCHEMA {schema}"));
        }
        if from.1 != to.1 {
            let moved = qualified(&to.0, &from.1);
            statements.push(format!("ALTER TABLE {moved} RENAME TO {}", ident(&to.1)));
        }
    }
    for rename in renames {
        let Rename::Schema { from, to } = rename else {
            continue;
        };
        if !schemas.contains(from.as_str()) {
            return Err(missing(rename));
        }
        if schemas.contains(to.as_str()) {
            return Err(taken(&format!("schema {to}")));
        }
        statements.push(format!(
            "ALTER SCHEMA {} RENAME TO {}",
            ident(from),
            ident(to)
        ));
    }
    Ok(statements)
}

/// Refuses a target that has one of the new names.
pub(super) async fn check_free(connection: &mut PgConnection, renames: &[Rename]) -> Result<()> {
    for rename in renames {
        let (lookup, name, title) = match rename {
            Rename::Schema { to, .. } => ("to_regnamespace", ident(to), format!("schema {to}")),
            Rename::Table { to, .. } => {
                let name = qualified(&to.0, &to.1);
                ("to_regclass", name, format!("table {}.{}", to.0, to.1))
            }
        };
        if is_there(connection, lookup, &name).await? {
            return Err(
                Error::new(ErrorKind::TargetNotEmpty, format!("{title} exists already"))
                    .hint("Choose another name, or drop it first."),
            );
        }
    }
    Ok(())
}

fn missing(rename: &Rename) -> Error {
    let what = match rename {
        Rename::Schema { from, .. } => format!("schema {from}"),
        Rename::Table { from, .. } => format!("table {}.{}", from.0, from.1),
    };
    Error::new(
        ErrorKind::Usage,
        format!("--rename: {what} is not among what is restored"),
    )
    .hint("See what the snapshot holds with `ksnapshot inspect STORAGE#ID --identity FILE`.")
}

fn taken(what: &str) -> Error {
    Error::new(
        ErrorKind::Usage,
        format!("--rename: the snapshot has a {what} itself"),
    )
    .hint("Choose another name.")
}

fn name(item: &Item) -> Option<Name> {
    Some((item.schema.clone()?, item.name.clone()))
}

/// Whether an item makes what shares the names of its schema's relations. An item of rows names its table.
fn has_name_in_schema(item: &Item) -> bool {
    let kinds = [
        "index",
        "primary key",
        "unique constraint",
        "exclusion constraint",
        "sequence",
        "statistics",
    ];
    item.table == Some(item.id) || kinds.contains(&item.kind.as_str())
}

/// A name like those that the server makes of a table's, for the table's new name.
fn named_after(name: &str, old: &str, new: &str) -> String {
    let mut named = match name.strip_prefix(old) {
        Some(rest) => format!("{new}{rest}"),
        None => format!("{new}_{name}"),
    };
    while named.len() > NAME {
        named.pop();
    }
    named
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_in_sql() {
        let schema = Rename::parse("Sales", "\"Old\"\"\"").expect("schemas");
        let expected = Rename::Schema {
            from: "sales".into(),
            to: "Old\"".into(),
        };
        assert_eq!(schema, expected);
        let table = Rename::parse("a.\"B.c\"", "a.d").expect("tables");
        let expected = Rename::Table {
            from: ("a".into(), "B.c".into()),
            to: ("a".into(), "d".into()),
        };
        assert_eq!(table, expected);
        for (from, to) in [
            ("a", "b.c"),
            ("a.b", "c"),
            ("a.b.c", "d.e.f"),
            ("", "a"),
            ("a\"", "b"),
        ] {
            let error = Rename::parse(from, to).expect_err(from);
            assert_eq!(error.kind(), ErrorKind::Usage);
        }
    }

    #[test]
    fn belongings_are_named_as_the_server_does() {
        assert_eq!(named_after("t_pkey", "t", "u"), "u_pkey");
        assert_eq!(named_after("by_name", "t", "u"), "u_by_name");
        assert_eq!(named_after("t_pkey", "t", &"é".repeat(31)).len(), 63);
    }
}
