//! Statements that undo others, where what those made is there; otherwise they do nothing.

use super::*;
use crate::postgres::model::{Constraint, Operator};
use crate::postgres::quote::{ident, literal};

impl Writer<'_> {
    /// What undoes a part of an object, run in the reverse order of restoring. `None` where something else does.
    pub(super) fn undo(&self, object: &Object, part: Part) -> Option<String> {
        let name = names::qualified(object);
        match (&object.definition, part) {
            (Definition::Relation(relation), Part::Default(number)) => {
                let word = names::relation_word(relation);
                let column = ident(&relation.columns.get(number)?.name);
                Some(if_there(
                    &name,
                    &format!("ALTER {word} {name} ALTER COLUMN {column} DROP DEFAULT"),
                ))
            }
            (Definition::Relation(relation), Part::Attach) => {
                let parent = relation.parent_names.first()?;
                let detach = format!("ALTER TABLE {parent} DETACH PARTITION {name}");
                let attached = format!(
                    "EXISTS (SELECT FROM pg_catalog.pg_inherits
                     WHERE inhrelid = pg_catalog.to_regclass({}) AND inhparent = pg_catalog.to_regclass({}))",
                    literal(&name),
                    literal(parent)
                );
                Some(only_if(&attached, &detach))
            }
            // What needs its rows or columns goes after its query.
            (Definition::Relation(relation), Part::Whole)
                if relation.kind == RelationKind::View && self.is_stood_in(object) =>
            {
                let dummy = view::dummy(object, relation).replacen(
                    "CREATE VIEW",
                    "CREATE OR REPLACE VIEW",
                    1,
                );
                Some(if_there(&name, dummy.trim_end_matches(';')))
            }
            (Definition::Sequence(sequence), Part::OwnedBy) => sequence
                .owned_by
                .as_ref()
                .map(|_| format!("ALTER SEQUENCE IF EXISTS {name} OWNED BY NONE;")),
            (Definition::Sequence(sequence), _)
                if sequence.owned_by.as_ref().is_some_and(|by| by.identity) =>
            {
                None
            }
            (Definition::Operator(operator), _) => Some(drop_operator(object, operator)),
            (Definition::BaseType(_) | Definition::Range(_), Part::Whole) => Some(drop_type(&name)),
            (_, Part::ShellType) => Some(format!("DROP TYPE IF EXISTS {name};")),
            (_, Part::Attach | Part::RowSecurity | Part::Refresh | Part::OwnedBy) => None,
            (Definition::Schema(schema), _) if schema.built_in => None,
            (Definition::Extension(extension), _) if extension.built_in => None,
            // It goes with the one above.
            (Definition::Index(index), _) if index.parent.is_some() => None,
            (Definition::Index(index), _) if index.constraint.is_some() => None,
            (Definition::Constraint(constraint), _) => self.undo_constraint(object, constraint),
            (Definition::Rule(rule), _) => Some(self.undo_on_table("RULE", object, rule.table)),
            (Definition::Policy(policy), _) => {
                Some(self.undo_on_table("POLICY", object, policy.table))
            }
            (Definition::Trigger(trigger), _) => match trigger.of_parent {
                Some(_) => None,
                None => Some(self.undo_on_table("TRIGGER", object, trigger.table)),
            },
            (Definition::UserMapping(mapping), _) => {
                let role = mapping
                    .role
                    .as_deref()
                    .map_or_else(|| "PUBLIC".to_owned(), ident);
                let server = ident(&mapping.server);
                Some(format!(
                    "DROP USER MAPPING IF EXISTS FOR {role} SERVER {server};"
                ))
            }
            (Definition::Subscription(_), _) => {
                // With a slot, it would have to be dropped on its own, and by connecting.
                let there = format!(
                    "EXISTS (SELECT FROM pg_catalog.pg_subscription s
                     JOIN pg_catalog.pg_database d ON d.oid = s.subdbid
                     WHERE d.datname = pg_catalog.current_database() AND s.subname = {})",
                    literal(&object.name)
                );
                let let_go = format!(
                    "ALTER SUBSCRIPTION {name} DISABLE; ALTER SUBSCRIPTION {name} SET (slot_name = NONE)"
                );
                let let_go = only_if(&there, &let_go);
                Some(format!("{let_go}\nDROP SUBSCRIPTION IF EXISTS {name};"))
            }
            _ => {
                let target = names::target(object)?;
                let words = target
                    .split_inclusive(' ')
                    .take_while(|word| is_keyword(word));
                let (kind, name) = target.split_at(words.map(str::len).sum());
                Some(format!("DROP {kind}IF EXISTS {name};"))
            }
        }
    }

    fn is_stood_in(&self, object: &Object) -> bool {
        self.positions
            .get(&object.address)
            .is_some_and(|position| self.made.contains_key(position))
    }

    fn undo_constraint(&self, object: &Object, constraint: &Constraint) -> Option<String> {
        let parent = self.at(constraint.parent)?;
        let (table, name) = (names::qualified(parent), ident(&object.name));
        match &parent.definition {
            Definition::Domain(_) => {
                let there = format!("pg_catalog.to_regtype({}) IS NOT NULL", literal(&table));
                let drop = format!("ALTER DOMAIN {table} DROP CONSTRAINT IF EXISTS {name}");
                Some(only_if(&there, &drop))
            }
            Definition::Relation(_) => {
                let above = constraint
                    .index
                    .and_then(|oid| self.at(Address(Class::Relation, oid)));
                let attached = matches!(above.map(|index| &index.definition),
                    Some(Definition::Index(index)) if index.parent.is_some());
                (!attached && constraint.local).then(|| {
                    format!("ALTER TABLE IF EXISTS {table} DROP CONSTRAINT IF EXISTS {name};")
                })
            }
            _ => None,
        }
    }

    fn undo_on_table(&self, word: &str, object: &Object, table: u32) -> String {
        let name = ident(&object.name);
        format!(
            "DROP {word} IF EXISTS {name} ON {};",
            self.relation_name(table)
        )
    }
}

/// An operator, and what it announced as its commutator or negator if nobody made that: it would need its types.
fn drop_operator(object: &Object, operator: &Operator) -> String {
    let left = operator.left.as_deref().unwrap_or("NONE");
    let right = operator.right.as_deref().unwrap_or("NONE");
    let name = names::operator_name(object);
    let mut sql = format!("DROP OPERATOR IF EXISTS {name} ({left}, {right});");
    for (partner, types) in [("COMMUTATOR", [right, left]), ("NEGATOR", [left, right])] {
        let setting = operator.settings.iter().find(|each| each.name == partner);
        let value = setting.and_then(|setting| setting.value.as_deref());
        let inner = value.and_then(|value| value.strip_prefix("OPERATOR(")?.strip_suffix(')'));
        let Some(partner) = inner else { continue };
        let announced = format!(
            "EXISTS (SELECT FROM pg_catalog.pg_operator WHERE oprcode = 0 AND oid = pg_catalog.to_regoperator({}))",
            literal(&format!("{partner}({})", types.join(",")))
        );
        let drop = format!("DROP OPERATOR {partner} ({})", types.join(", "));
        sql.push_str(&format!("\n{}", only_if(&announced, &drop)));
    }
    sql
}

/// What takes default privileges back, where their schema is: what is made anew would have them.
pub(super) fn default_privileges(schema: Option<&str>, back: &str) -> String {
    match schema {
        Some(schema) => only_if(
            &format!(
                "EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = {})",
                literal(schema)
            ),
            back.trim_end_matches(';'),
        ),
        None => back.to_owned(),
    }
}

/// A type and the functions that it is made of need each other, so these go with it; but not if there is anything else
/// that would go, too.
fn drop_type(name: &str) -> String {
    let body = format!(
        "BEGIN
    IF EXISTS (SELECT FROM pg_catalog.pg_type t
               LEFT JOIN pg_catalog.pg_range r ON r.rngtypid = t.oid
               JOIN pg_catalog.pg_depend d ON d.refclassid = 1247 AND d.refobjid IN (t.oid, t.typarray) AND d.deptype = 'n'
               WHERE t.oid = pg_catalog.to_regtype({})
                 AND NOT (d.classid = 1255
                          AND (d.objid IN (t.typinput, t.typoutput, t.typreceive, t.typsend, coalesce(r.rngcanonical, 0))
                               OR EXISTS (SELECT FROM pg_catalog.pg_depend i
                                          WHERE i.classid = 1255 AND i.objid = d.objid AND i.deptype = 'i'))))
    THEN DROP TYPE IF EXISTS {name};
    ELSE DROP TYPE IF EXISTS {name} CASCADE;
    END IF;
END",
        literal(name)
    );
    format!("DO {};", literal(&body))
}

/// Whether it's one of the words of a kind, as `TEXT SEARCH PARSER` or the first of `TRANSFORM FOR int4`.
fn is_keyword(word: &str) -> bool {
    word != "FOR "
        && word
            .trim_end()
            .bytes()
            .all(|byte| byte.is_ascii_uppercase())
}

fn if_there(relation: &str, statement: &str) -> String {
    let there = format!("pg_catalog.to_regclass({}) IS NOT NULL", literal(relation));
    only_if(&there, statement)
}

fn only_if(condition: &str, statement: &str) -> String {
    let body = format!("BEGIN IF {condition} THEN {statement}; END IF; END");
    format!("DO {};", literal(&body))
}
