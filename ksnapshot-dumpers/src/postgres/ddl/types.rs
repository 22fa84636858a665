//! Types and collations.

use super::*;
use crate::postgres::model::{Domain, Setting};
use crate::postgres::quote::{ident, literal};

/// `(NAME = value, …)`: lines without a value are left out, empty ones stand alone.
pub(super) fn settings(settings: &[Setting]) -> String {
    let lines: Vec<_> = settings
        .iter()
        .filter_map(|setting| match setting.value.as_deref()? {
            "" => Some(format!("    {}", setting.name)),
            value => Some(format!("    {} = {value}", setting.name)),
        })
        .collect();
    format!("(\n{}\n)", lines.join(",\n"))
}

/// The types that are made by one statement of their own; `None` for other kinds.
pub(super) fn type_text(object: &Object, definition: &Definition) -> Option<String> {
    let name = names::qualified(object);
    Some(match definition {
        Definition::Enum(labels) => {
            let labels: Vec<_> = labels
                .labels
                .iter()
                .map(|label| format!("\n    {}", literal(label)))
                .collect();
            format!("CREATE TYPE {name} AS ENUM ({}\n);", labels.join(","))
        }
        Definition::Composite(composite) => {
            let columns: Vec<_> = composite
                .columns
                .iter()
                .map(|column| {
                    let collation = column
                        .collation
                        .as_ref()
                        .map(|name| format!(" COLLATE {name}"))
                        .unwrap_or_default();
                    format!(
                        "\n    {} {}{collation}",
                        ident(&column.name),
                        column.type_name
                    )
                })
                .collect();
            format!("CREATE TYPE {name} AS ({}\n);", columns.join(","))
        }
        Definition::Range(range) => {
            format!("CREATE TYPE {name} AS RANGE {};", settings(&range.settings))
        }
        Definition::BaseType(base) => format!("CREATE TYPE {name} {};", settings(&base.settings)),
        Definition::ShellType(_) => format!("CREATE TYPE {name};"),
        Definition::Collation(collation) => {
            format!("CREATE COLLATION {name} {};", settings(&collation.settings))
        }
        _ => return None,
    })
}

impl Writer<'_> {
    /// A domain with its conditions, except those that must wait.
    pub(super) fn domain(&self, object: &Object, domain: &Domain) -> String {
        let mut sql = format!(
            "CREATE DOMAIN {} AS {}",
            names::qualified(object),
            domain.base
        );
        if let Some(collation) = &domain.collation {
            sql.push_str(&format!(" COLLATE {collation}"));
        }
        if domain.not_null {
            let name = domain
                .not_null_name
                .as_ref()
                .map(|name| format!(" CONSTRAINT {}", ident(name)));
            sql.push_str(&format!("{} NOT NULL", name.unwrap_or_default()));
        }
        if let Some(default) = &domain.default {
            sql.push_str(&format!(" DEFAULT {default}"));
        }
        for (position, check) in self.checks_of(object.address) {
            if self.is_inline(position) {
                let name = ident(&self.catalog.objects[position].name);
                sql.push_str(&format!(
                    "\n    CONSTRAINT {name} {}",
                    check.text.as_deref().unwrap_or_default()
                ));
            }
        }
        sql.push(';');
        sql
    }
}
