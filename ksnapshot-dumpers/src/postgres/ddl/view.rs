//! Views and materialized views.

use super::*;
use crate::postgres::quote::ident;

/// A view with the columns of the real one and no query: what it may stand before needs the columns only.
pub(super) fn dummy(object: &Object, relation: &Relation) -> String {
    let columns: Vec<_> = relation
        .columns
        .iter()
        .map(|column| {
            let collation = column
                .collation
                .as_ref()
                .map(|name| format!(" COLLATE {name}"))
                .unwrap_or_default();
            format!(
                "    NULL::{}{collation} AS {}",
                column.type_name,
                ident(&column.name)
            )
        })
        .collect();
    format!(
        "CREATE VIEW {} AS\nSELECT\n{};",
        names::qualified(object),
        columns.join(",\n")
    )
}

/// A view; `replace` where a dummy holds its place.
pub(super) fn view(object: &Object, relation: &Relation, replace: bool) -> String {
    let word = if replace {
        "CREATE OR REPLACE VIEW"
    } else {
        "CREATE VIEW"
    };
    let (check, options): (Vec<String>, Vec<String>) = relation
        .options
        .iter()
        .cloned()
        .partition(|option| option.starts_with("check_option="));
    let options = quote::options(&options, "");
    let with = if options.is_empty() {
        String::new()
    } else {
        format!(" WITH ({})", options.join(", "))
    };
    let check = check
        .first()
        .and_then(|option| option.split_once('='))
        .map_or_else(String::new, |(_, how)| {
            format!("\n  WITH {} CHECK OPTION", how.to_uppercase())
        });
    format!(
        "{word} {}{with} AS\n{}{check};",
        names::qualified(object),
        query(relation)
    )
}

/// A materialized view, always empty: it is filled when all that it reads is there.
pub(super) fn materialized(object: &Object, relation: &Relation) -> String {
    let name = names::qualified(object);
    let storage = table::storage(relation);
    format!(
        "CREATE MATERIALIZED VIEW {name}{storage} AS\n{}\n  WITH NO DATA;",
        query(relation)
    )
}

fn query(relation: &Relation) -> &str {
    let query = relation.query.as_deref().unwrap_or_default().trim_end();
    query.strip_suffix(';').unwrap_or(query)
}
