//! Statistics of the planner, as the functions of PostgreSQL 18 take them back. An older server has none of these: there the
//! text does nothing.

use std::collections::BTreeMap;

use super::*;
use crate::postgres::model::{
    ColumnStatistics, Figures, OF_COLUMN, OF_RELATION, PlannerStatistics,
};
use crate::postgres::quote::literal;

/// The kind of their items.
pub(crate) const PLANNER_STATISTICS: &str = "planner statistics";

impl Writer<'_> {
    /// One item a table, with its indexes, when all that changes what is known of it is done.
    pub(super) fn planner_statistics(&mut self) {
        let mut by_table: BTreeMap<usize, Vec<String>> = BTreeMap::new();
        for statistics in &self.catalog.planner {
            let address = Address(Class::Relation, statistics.relation);
            let Some(&position) = self.positions.get(&address) else {
                continue;
            };
            let table = self.table_of(position);
            if let Some(table) = table.filter(|table| self.made.contains_key(table)) {
                let calls = self.calls(&self.catalog.objects[position], statistics);
                by_table.entry(table).or_default().extend(calls);
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
            let calls: String = (calls.iter())
                .map(|call| format!("        PERFORM pg_catalog.{call};\n"))
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

    fn calls(&self, object: &Object, statistics: &PlannerStatistics) -> Vec<String> {
        let schema = object.schema.as_deref().unwrap_or_default();
        let whose = [
            format!("'version', {}::integer", self.catalog.version.0),
            format!("'schemaname', {}", literal(schema)),
            format!("'relname', {}", literal(&object.name)),
        ];
        let mut calls = vec![call(
            "pg_restore_relation_stats",
            whose.to_vec(),
            OF_RELATION,
            &statistics.figures,
        )];
        for column in &statistics.columns {
            let mut arguments = whose.to_vec();
            arguments.extend(which(column));
            calls.push(call(
                "pg_restore_attribute_stats",
                arguments,
                OF_COLUMN,
                &column.figures,
            ));
        }
        calls
    }
}

fn which(column: &ColumnStatistics) -> [String; 2] {
    let column_name = match &column.name {
        Some(name) => format!("'attname', {}", literal(name)),
        None => format!("'attnum', {}::smallint", column.number),
    };
    [column_name, format!("'inherited', {}", column.inherited)]
}

fn call(
    function: &str,
    mut arguments: Vec<String>,
    known: &[(&str, &str)],
    figures: &Figures,
) -> String {
    for (name, type_name) in known {
        if let Some(Some(value)) = figures.get(*name) {
            arguments.push(format!("'{name}', {}::{type_name}", literal(value)));
        }
    }
    format!("{function}({})", arguments.join(", "))
}
