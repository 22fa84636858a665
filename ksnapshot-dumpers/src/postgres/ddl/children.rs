//! What belongs to a table: constraints, indexes, statistics, rules, triggers, policies.

use super::*;
use crate::postgres::model::{Constraint, Index, Policy, Rule, Statistics, Trigger};
use crate::postgres::quote::{ident, idents};

impl Writer<'_> {
    /// A constraint with a statement of its own.
    pub(super) fn constraint(&mut self, object: &Object, constraint: &Constraint) -> String {
        let Some(parent) = self.at(constraint.parent) else {
            return String::new();
        };
        let name = ident(&object.name);
        let table = names::qualified(parent);
        let given = constraint.text.as_deref().unwrap_or_default();
        let partitioned = matches!(&parent.definition,
            Definition::Relation(relation) if relation.kind == RelationKind::Partitioned);
        match (constraint.kind.as_str(), &parent.definition) {
            (_, Definition::Domain(_)) => {
                format!("ALTER DOMAIN {table} ADD CONSTRAINT {name} {given};")
            }
            ("p" | "u" | "x", _) => {
                let Some(text) = self.key(constraint) else {
                    self.problem(
                        ProblemKind::Invalid,
                        object,
                        "its index is not valid",
                        Some("Rebuild the index on the source, or drop the constraint."),
                    );
                    return String::new();
                };
                format!("ALTER TABLE ONLY {table}\n    ADD CONSTRAINT {name} {text};")
            }
            // A partitioned table can't have a foreign key ONLY on itself.
            ("f", _) if !partitioned => {
                format!("ALTER TABLE ONLY {table}\n    ADD CONSTRAINT {name} {given};")
            }
            ("c" | "n", _) if !constraint.local => String::new(),
            // A CHECK goes on to the children, which don't have it yet.
            _ => format!("ALTER TABLE {table}\n    ADD CONSTRAINT {name} {given};"),
        }
    }

    /// The definition of a primary key, unique or exclusion constraint. The server's text lacks the storage options
    /// of the first two.
    fn key(&self, constraint: &Constraint) -> Option<String> {
        let index = self.at(Address(Class::Relation, constraint.index?))?;
        let Definition::Index(index) = &index.definition else {
            return None;
        };
        if !index.valid {
            return None;
        }
        if constraint.kind == "x" {
            return constraint.text.clone();
        }
        let mut sql = if constraint.kind == "p" {
            "PRIMARY KEY".to_owned()
        } else {
            "UNIQUE".to_owned()
        };
        if index.nulls_not_distinct {
            sql.push_str(" NULLS NOT DISTINCT");
        }
        let period = if constraint.period {
            " WITHOUT OVERLAPS"
        } else {
            ""
        };
        sql.push_str(&format!(" ({}{period})", index.keys.join(", ")));
        if !index.included.is_empty() {
            sql.push_str(&format!(" INCLUDE ({})", index.included.join(", ")));
        }
        let options = quote::options(&index.options, "");
        if !options.is_empty() {
            sql.push_str(&format!(" WITH ({})", options.join(", ")));
        }
        if constraint.deferrable {
            sql.push_str(" DEFERRABLE");
        }
        if constraint.deferred {
            sql.push_str(" INITIALLY DEFERRED");
        }
        Some(sql)
    }

    /// An index, and what its table says of it. One that a constraint made only has the latter.
    pub(super) fn index(&mut self, object: &Object, index: &Index) -> String {
        let mut sql = Vec::new();
        let Some(table) = self.at(Address(Class::Relation, index.table)) else {
            return String::new();
        };
        if !index.valid {
            if index.constraint.is_none() {
                self.problem(
                    ProblemKind::Invalid,
                    object,
                    "it is not valid on the source and is left out",
                    Some("Rebuild it there with REINDEX INDEX CONCURRENTLY, or drop it."),
                );
            }
            return String::new();
        }
        let name = names::qualified(object);
        if index.constraint.is_none() {
            sql.push(format!("{};", index.text.as_deref().unwrap_or_default()));
        }
        for statistics in &index.statistics {
            let (column, target) = (statistics.column, statistics.target);
            sql.push(format!(
                "ALTER INDEX {name} ALTER COLUMN {column} SET STATISTICS {target};"
            ));
        }
        if let Some(tablespace) = &index.tablespace {
            sql.push(format!(
                "ALTER INDEX {name} SET TABLESPACE {};",
                ident(tablespace)
            ));
        }
        let (word, table) = match &table.definition {
            Definition::Relation(relation) => {
                (names::relation_word(relation), names::qualified(table))
            }
            _ => return sql.join("\n"),
        };
        if index.clustered {
            sql.push(format!(
                "ALTER {word} {table} CLUSTER ON {};",
                ident(&object.name)
            ));
        }
        if index.replica_identity {
            sql.push(format!(
                "ALTER {word} ONLY {table} REPLICA IDENTITY USING INDEX {};",
                ident(&object.name)
            ));
        }
        sql.join("\n")
    }

    pub(super) fn attach_index(&self, object: &Object, index: &Index) -> String {
        match index.parent {
            Some(parent) if index.valid => {
                format!(
                    "ALTER INDEX {} ATTACH PARTITION {};",
                    self.relation_name(parent),
                    names::qualified(object)
                )
            }
            _ => String::new(),
        }
    }

    pub(super) fn rule(&self, object: &Object, rule: &Rule) -> String {
        let name = ident(&object.name);
        let mut sql = rule
            .text
            .as_deref()
            .unwrap_or_default()
            .trim_end()
            .to_owned();
        if let Some(state) = state(&rule.enabled) {
            sql.push_str(&format!(
                "\nALTER TABLE {} {state} RULE {name};",
                self.relation_name(rule.table)
            ));
        }
        sql
    }

    /// A trigger. A partition's copy comes with its parent's; here is only what differs.
    pub(super) fn trigger(&self, object: &Object, trigger: &Trigger) -> String {
        let table = self.relation_name(trigger.table);
        let name = ident(&object.name);
        let foreign = matches!(self.at(Address(Class::Relation, trigger.table)).map(|table| &table.definition),
            Some(Definition::Relation(relation)) if relation.kind == RelationKind::Foreign);
        let word = if foreign { "FOREIGN TABLE" } else { "TABLE" };
        if trigger.of_parent.is_some() {
            let state = state(&trigger.enabled).unwrap_or("ENABLE");
            return format!("ALTER {word} {table} {state} TRIGGER {name};");
        }
        let mut sql = format!("{};", trigger.text.as_deref().unwrap_or_default());
        if let Some(state) = state(&trigger.enabled) {
            sql.push_str(&format!("\nALTER {word} {table} {state} TRIGGER {name};"));
        }
        sql
    }

    pub(super) fn policy(&self, object: &Object, policy: &Policy) -> String {
        let mut sql = format!(
            "CREATE POLICY {} ON {}",
            ident(&object.name),
            self.relation_name(policy.table)
        );
        if !policy.permissive {
            sql.push_str(" AS RESTRICTIVE");
        }
        let command = match policy.command.as_str() {
            "r" => " FOR SELECT",
            "a" => " FOR INSERT",
            "w" => " FOR UPDATE",
            "d" => " FOR DELETE",
            _ => "",
        };
        sql.push_str(command);
        if !policy.roles.is_empty() {
            sql.push_str(&format!(
                " TO {}",
                idents(policy.roles.iter().map(String::as_str))
            ));
        }
        if let Some(using) = &policy.using {
            sql.push_str(&format!(" USING ({using})"));
        }
        if let Some(check) = &policy.check {
            sql.push_str(&format!(" WITH CHECK ({check})"));
        }
        sql.push(';');
        sql
    }
}

/// How a rule or trigger that isn't simply enabled is set.
pub(super) fn state(enabled: &str) -> Option<&'static str> {
    match enabled {
        "D" => Some("DISABLE"),
        "R" => Some("ENABLE REPLICA"),
        "A" => Some("ENABLE ALWAYS"),
        _ => None,
    }
}

pub(super) fn statistics(object: &Object, statistics: &Statistics) -> String {
    let mut sql = format!("{};", statistics.text.as_deref().unwrap_or_default());
    if let Some(target) = statistics.target {
        sql.push_str(&format!(
            "\nALTER STATISTICS {} SET STATISTICS {target};",
            names::qualified(object)
        ));
    }
    sql
}
