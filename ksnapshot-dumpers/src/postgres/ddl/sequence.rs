//! Sequences.

use super::*;
use crate::postgres::model::Sequence;
use crate::postgres::quote::ident;

impl Writer<'_> {
    /// The sequence; one that is a column's identity is made by the column.
    pub(super) fn sequence(&self, object: &Object, sequence: &Sequence) -> String {
        let name = names::qualified(object);
        let cycle = if sequence.cycle { "CYCLE" } else { "NO CYCLE" };
        let options = format!(
            "    START WITH {}\n    INCREMENT BY {}\n    MINVALUE {}\n    MAXVALUE {}\n    CACHE {}\n    {cycle}",
            sequence.start, sequence.increment, sequence.minimum, sequence.maximum, sequence.cache
        );
        let Some(owner) = sequence.owned_by.as_ref().filter(|owner| owner.identity) else {
            let unlogged = if sequence.unlogged { "UNLOGGED " } else { "" };
            return format!(
                "CREATE {unlogged}SEQUENCE {name}\n    AS {}\n{options};",
                sequence.type_name
            );
        };
        let always = match self.identity(owner.table, &owner.column) {
            "a" => "ALWAYS",
            _ => "BY DEFAULT",
        };
        let table = self.relation_name(owner.table);
        let column = ident(&owner.column);
        let mut sql = format!(
            "ALTER TABLE {table} ALTER COLUMN {column} ADD GENERATED {always} AS IDENTITY (\n    SEQUENCE NAME {name}\n{options}\n);"
        );
        if sequence.unlogged != owner.table_unlogged {
            let how = if sequence.unlogged {
                "UNLOGGED"
            } else {
                "LOGGED"
            };
            let set = format!("ALTER SEQUENCE {name} SET {how};");
            if self.catalog.version.at_least(15) {
                sql.push_str(&format!("\n{set}"));
            } else {
                // Before 15 there were only logged ones; since then they go with their table unless told otherwise.
                let since = "current_setting('server_version_num')::int >= 150000";
                let body = format!("BEGIN IF {since} THEN {set} END IF; END");
                sql.push_str(&format!("\nDO {};", quote::literal(&body)));
            }
        }
        sql
    }

    fn identity(&self, table: u32, column: &str) -> &str {
        match self
            .at(Address(Class::Relation, table))
            .map(|object| &object.definition)
        {
            Some(Definition::Relation(relation)) => relation
                .columns
                .iter()
                .find(|each| each.name == column)
                .map_or("", |each| each.identity.as_str()),
            _ => "",
        }
    }

    /// Ties the sequence to its column, so that it goes when the column goes.
    pub(super) fn owned_by(&self, object: &Object, sequence: &Sequence) -> String {
        let Some(owner) = &sequence.owned_by else {
            return String::new();
        };
        let table = self.relation_name(owner.table);
        format!(
            "ALTER SEQUENCE {} OWNED BY {table}.{};",
            names::qualified(object),
            ident(&owner.column)
        )
    }
}
