//! Statistics of the planner.

use std::collections::HashMap;

use ksnapshot_core::{Problem, Result};
use sqlx::PgConnection;

use super::{Reader, unsupported_problem};
use crate::postgres::database::Database;
use crate::postgres::model::{
    ColumnStatistics, Definition, OF_COLUMN, OF_RELATION, PlannerStatistics, RelationKind,
};

/// Reads what the server has gathered on the rows of what the catalog holds, in the transaction that read that.
pub(crate) async fn planner_statistics(
    conn: &mut PgConnection,
    database: &mut Database,
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
    let oids: Vec<String> = (catalog.objects.iter())
        .filter(|object| match &object.definition {
            Definition::Relation(relation) => relation.kind != RelationKind::View,
            Definition::Index(_) => true,
            _ => false,
        })
        .map(|object| object.address.1.to_string())
        .collect();
    let chosen = format!("c.oid = ANY ('{{{}}}'::oid[])", oids.join(","));
    let text = |column: &str| match column {
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
            .map(|(column, _)| format!("'{column}', {}", text(column)))
            .collect();
        format!("json_build_object({})", pairs.join(", "))
    };
    let mut all: Vec<PlannerStatistics> = reader
        .rows(
            "statistics of tables",
            &format!(
                "SELECT c.oid::int8 AS relation, {} AS figures FROM pg_class c WHERE {chosen} ORDER BY c.oid",
                figures(OF_RELATION)
            ),
        )
        .await?;
    let columns: Vec<ColumnStatistics> = reader
        .rows(
            "statistics of columns",
            &format!(
                "SELECT c.oid::int8 AS relation, CASE WHEN c.relkind NOT IN ('i', 'I') THEN a.attname END AS name,
                        a.attnum AS number, s.inherited, {} AS figures
                 FROM pg_stats s
                 JOIN pg_namespace n ON n.nspname = s.schemaname
                 JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = s.tablename
                 JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = s.attname
                 WHERE {chosen}
                 ORDER BY a.attnum, s.inherited",
                figures(OF_COLUMN)
            ),
        )
        .await?;
    for column in columns {
        if let Ok(place) = all.binary_search_by_key(&column.relation, |one| one.relation) {
            all[place].columns.push(column);
        }
    }
    all.retain(gathered);
    catalog.planner = all;
    Ok(())
}

/// Whether the server has ever looked.
fn gathered(statistics: &PlannerStatistics) -> bool {
    let figure = |name| statistics.figures.get(name).and_then(Option::as_deref);
    !statistics.columns.is_empty()
        || figure("relpages") != Some("0")
        || figure("reltuples") != Some("-1")
}

fn in_no_encoding() -> Problem {
    unsupported_problem(
        "planner statistics".to_owned(),
        "those of a database in SQL_ASCII are not dumped; a restore gathers them",
    )
}
