//! Statistics of the planner.

use std::collections::HashMap;

use ksnapshot_core::{Problem, Result};
use sqlx::PgConnection;

use super::{Reader, unexpected, unsupported_problem};
use crate::postgres::database::Database;
use crate::postgres::model::{
    Definition, OF_COLUMN, OF_RELATION, Object, PlannerStatistics, PlannerText, RelationKind,
};
use crate::postgres::version::ServerVersion;

/// Reads what the server has gathered on the rows of what the catalog holds, in the transaction that read that. One at a time
/// becomes a text, by `call`, and unsorted: the server might need a file to sort them.
pub(crate) async fn planner_statistics(
    conn: &mut PgConnection,
    database: &mut Database,
    call: impl Fn(ServerVersion, &Object, &PlannerStatistics) -> String,
) -> Result<()> {
    let catalog = &mut database.catalog;
    if database.encoding == "SQL_ASCII" {
        catalog.problems.push(in_no_encoding());
        return Ok(());
    }
    let version = catalog.version;
    let mut reader = Reader {
        conn,
        version,
        names: HashMap::new(),
    };
    let objects: HashMap<u32, &Object> = (catalog.objects.iter())
        .filter(|object| match &object.definition {
            Definition::Relation(relation) => relation.kind != RelationKind::View,
            Definition::Index(_) => true,
            _ => false,
        })
        .map(|object| (object.address.1, object))
        .collect();
    let oids: Vec<String> = objects.keys().map(ToString::to_string).collect();
    let chosen = format!("c.oid = ANY ('{{{}}}'::oid[])", oids.join(","));
    let value = |column: &str| match column {
        // Before 14 the value did not tell the two apart: no rows, or nobody has looked yet.
        "reltuples" if !version.at_least(14) => {
            "CASE c.reltuples WHEN 0 THEN -1 ELSE c.reltuples END::text".to_owned()
        }
        "relallfrozen" if !version.at_least(18) => "NULL::text".to_owned(),
        name if name.starts_with("range_") && !version.at_least(17) => "NULL::text".to_owned(),
        name if name.starts_with("rel") => format!("c.{name}::text"),
        name => format!("s.{name}::text"),
    };
    let figures = |columns: &[(&str, &str)]| {
        let pairs: Vec<String> = (columns.iter())
            .map(|(column, _)| format!("'{column}', {}", value(column)))
            .collect();
        format!("json_build_object({})", pairs.join(", "))
    };
    let what = "statistics of the planner";
    let text = |row: &str| {
        let statistics: PlannerStatistics =
            serde_json::from_str(row).map_err(|error| unexpected(what, error))?;
        let object = objects.get(&statistics.relation);
        Ok(PlannerText {
            relation: statistics.relation,
            column: (statistics.column.as_ref()).map(|column| (column.number, column.inherited)),
            call: object
                .map(|object| call(version, object, &statistics))
                .unwrap_or_default()
                .into(),
        })
    };
    let of_relations = format!(
        "SELECT c.oid::int8 AS relation, {} AS figures
         FROM pg_class c
         WHERE {chosen} AND (c.relpages <> 0 OR {} <> '-1')",
        figures(OF_RELATION),
        value("reltuples"),
    );
    let of_columns = format!(
        "SELECT c.oid::int8 AS relation, {} AS figures,
                json_build_object('name', CASE WHEN c.relkind NOT IN ('i', 'I') THEN a.attname END,
                                  'number', a.attnum, 'inherited', s.inherited) AS column
         FROM pg_stats s
         JOIN pg_namespace n ON n.nspname = s.schemaname
         JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = s.tablename
         JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = s.attname
         WHERE {chosen}",
        figures(OF_COLUMN),
    );
    let mut texts = reader.each(what, &of_relations, text).await?;
    texts.extend(reader.each(what, &of_columns, text).await?);
    texts.sort_unstable_by_key(|text| (text.relation, text.column));
    catalog.planner = texts;
    Ok(())
}

fn in_no_encoding() -> Problem {
    unsupported_problem(
        "planner statistics".to_owned(),
        "those of a database in SQL_ASCII are not dumped; a restore gathers them",
    )
}
