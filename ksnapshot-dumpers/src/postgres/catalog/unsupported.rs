//! What exists and isn't dumped. Nothing is dropped in silence.

use ksnapshot_core::{Problem, Result};
use serde::Deserialize;

use super::{Reader, USER_SCHEMA, not_of_extension, unsupported_problem};
use crate::postgres::model::Class;

/// One problem per object of a kind that this version doesn't write.
pub(super) async fn find(reader: &mut Reader<'_>) -> Result<Vec<Problem>> {
    #[derive(Deserialize)]
    struct Found {
        title: String,
    }
    let kinds = [
        (
            Class::OperatorClass,
            "pg_opclass",
            "operator class",
            Some(("opcnamespace", "opcname")),
        ),
        (
            Class::OperatorFamily,
            "pg_opfamily",
            "operator family",
            Some(("opfnamespace", "opfname")),
        ),
        (Class::AccessMethod, "pg_am", "access method", None),
        (Class::Transform, "pg_transform", "transform", None),
    ];
    let mut queries = Vec::new();
    for (class, catalog, words, names) in kinds {
        let own = not_of_extension(class, "x.oid");
        queries.push(match names {
            Some((schema, name)) => format!(
                "SELECT format('{words} %s.%s', n.nspname, x.{name}) AS title
                 FROM {catalog} x JOIN pg_namespace n ON n.oid = x.{schema}
                 WHERE {USER_SCHEMA} AND {own}"
            ),
            None => format!(
                "SELECT '{words}' || coalesce(' ' || (to_jsonb(x) ->> 'amname'),
                        ' for ' || format_type((to_jsonb(x) ->> 'trftype')::oid, NULL), '')
                 FROM {catalog} x WHERE x.oid >= 16384 AND {own}"
            ),
        });
    }
    queries.push(
        "SELECT 'subscription ' || s.subname FROM pg_subscription s
         WHERE s.subdbid = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())"
            .to_owned(),
    );
    let found: Vec<Found> = reader
        .rows(
            "other kinds",
            &format!("{} ORDER BY 1", queries.join("\nUNION ALL\n")),
        )
        .await?;
    Ok(found
        .into_iter()
        .map(|Found { title }| {
            unsupported_problem(title, "this kind of object is not dumped by this version")
        })
        .collect())
}
