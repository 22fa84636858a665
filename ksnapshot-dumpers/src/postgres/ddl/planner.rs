//! Statistics of the planner, as the functions of PostgreSQL 18 take them back. An older server has none of these: there the
//! text does nothing.

use std::collections::BTreeMap;

use super::*;
use crate::postgres::model::{Figures, OF_COLUMN, OF_RELATION, PlannerStatistics, WhichColumn};
use crate::postgres::quote::literal;
use crate::postgres::version::ServerVersion;

/// The kind of their items.
pub(crate) const PLANNER_STATISTICS: &str = "planner statistics";

impl Writer<'_> {
    /// One item a table, with its indexes, when all that changes what is known of it is done.
    pub(super) fn planner_statistics(&mut self) {
        let mut by_table: BTreeMap<usize, Vec<&Text>> = BTreeMap::new();
        for text in &self.catalog.planner {
            let address = Address(Class::Relation, text.relation);
            let Some(&position) = self.positions.get(&address) else {
                continue;
            };
            let table = self.table_of(position);
            if let Some(table) = table.filter(|table| self.made.contains_key(table)) {
                by_table.entry(table).or_default().push(&text.call);
            }
        }
        // Building an index and filling a view count rows anew.
        let mut after: HashMap<usize, Vec<u32>> = HashMap::new();
        let made = self.script.items.iter().zip(&self.about);
        for (item, about) in made.filter(|(item, _)| {
            item.stage == Stage::PostData
                && matches!(item.aspect, Aspect::Definition | Aspect::Data)
        }) {
            let table = about.and_then(|position| self.table_of(position));
            if let Some(table) = table.filter(|table| by_table.contains_key(table)) {
                after.entry(table).or_default().push(item.id);
            }
        }
        for (table, calls) in by_table {
            let calls: String = (calls.into_iter())
                .map(|call| format!("        PERFORM pg_catalog.{};\n", call.read()))
                .collect();
            let body = format!(
                "\nBEGIN\n    IF pg_catalog.current_setting('server_version_num')::integer >= 180000 THEN\n{calls}    END IF;\nEND\n"
            );
            let draft = Draft {
                stage: Stage::PostData,
                aspect: Aspect::Definition,
                kind: PLANNER_STATISTICS,
                name: self.catalog.objects[table].full_name(),
                depends: after.remove(&table).unwrap_or_default(),
                text: Some(format!("DO {};", literal(&body))),
            };
            self.push(Some(table), draft);
        }
    }
}

/// What takes it back.
pub(crate) fn planner_call(
    version: ServerVersion,
    object: &Object,
    statistics: &PlannerStatistics,
) -> String {
    let schema = object.schema.as_deref().unwrap_or_default();
    let mut arguments = vec![
        format!("'version', {}::integer", version.0),
        format!("'schemaname', {}", literal(schema)),
        format!("'relname', {}", literal(&object.name)),
    ];
    let (function, known) = match &statistics.column {
        None => ("pg_restore_relation_stats", OF_RELATION),
        Some(column) => {
            arguments.extend(which(column));
            ("pg_restore_attribute_stats", OF_COLUMN)
        }
    };
    arguments.extend(values(known, &statistics.figures));
    format!("{function}({})", arguments.join(", "))
}

fn which(column: &WhichColumn) -> [String; 2] {
    let column_name = match &column.name {
        Some(name) => format!("'attname', {}", literal(name)),
        None => format!("'attnum', {}::smallint", column.number),
    };
    [column_name, format!("'inherited', {}", column.inherited)]
}

fn values(known: &[(&str, &str)], figures: &Figures) -> Vec<String> {
    let given = |name: &str| figures.get(name).and_then(Option::as_deref);
    (known.iter())
        .filter_map(|(name, type_name)| {
            let value = literal(given(name)?);
            Some(format!("'{name}', {value}::{type_name}"))
        })
        .collect()
}
