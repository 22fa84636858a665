//! How statements about an object call it.

use super::*;
use crate::postgres::model::Label;
use crate::postgres::quote::{ident, literal};

/// Its name, quoted and with its schema.
pub(super) fn qualified(object: &Object) -> String {
    match &object.schema {
        Some(schema) => quote::qualified(schema, &object.name),
        None => ident(&object.name),
    }
}

/// Its kind and name, as ALTER, COMMENT ON and SECURITY LABEL want them; none for what can't be spoken of alone.
pub(super) fn target(object: &Object) -> Option<String> {
    let name = qualified(object);
    Some(match &object.definition {
        Definition::Schema(_) => format!("SCHEMA {name}"),
        Definition::Extension(_) => format!("EXTENSION {name}"),
        Definition::Language(_) => format!("LANGUAGE {name}"),
        Definition::Collation(_) => format!("COLLATION {name}"),
        Definition::Domain(_) => format!("DOMAIN {name}"),
        Definition::Enum(_)
        | Definition::Composite(_)
        | Definition::Range(_)
        | Definition::BaseType(_)
        | Definition::ShellType(_) => format!("TYPE {name}"),
        Definition::Routine(routine) if routine.kind == "p" => {
            format!("PROCEDURE {name}({})", routine.arguments)
        }
        Definition::Routine(routine) => format!("FUNCTION {name}({})", routine.arguments),
        Definition::Aggregate(aggregate) => format!("AGGREGATE {name}({})", aggregate.arguments),
        Definition::Cast(cast) => format!("CAST ({} AS {})", cast.from, cast.to),
        Definition::Operator(operator) => format!(
            "OPERATOR {} ({}, {})",
            operator_name(object),
            operator.left.as_deref().unwrap_or("NONE"),
            operator.right.as_deref().unwrap_or("NONE")
        ),
        Definition::Conversion(_) => format!("CONVERSION {name}"),
        Definition::TextSearch(_) => format!("{} {name}", object.kind().to_uppercase()),
        Definition::ForeignDataWrapper(_) => format!("FOREIGN DATA WRAPPER {name}"),
        Definition::ForeignServer(_) => format!("SERVER {name}"),
        Definition::Relation(relation) => format!("{} {name}", relation_word(relation)),
        Definition::Sequence(_) => format!("SEQUENCE {name}"),
        Definition::Index(_) => format!("INDEX {name}"),
        Definition::Statistics(_) => format!("STATISTICS {name}"),
        Definition::EventTrigger(_) => format!("EVENT TRIGGER {name}"),
        Definition::Publication(_) => format!("PUBLICATION {name}"),
        Definition::Subscription(_) => format!("SUBSCRIPTION {name}"),
        Definition::AccessMethod(_) => format!("ACCESS METHOD {name}"),
        Definition::Transform(transform) => {
            format!(
                "TRANSFORM FOR {} LANGUAGE {}",
                transform.type_name,
                ident(&transform.language)
            )
        }
        Definition::OperatorFamily(family) => {
            format!("OPERATOR FAMILY {name} USING {}", ident(&family.method))
        }
        Definition::OperatorClass(class) => {
            format!("OPERATOR CLASS {name} USING {}", ident(&class.method))
        }
        Definition::UserMapping(_)
        | Definition::ExtensionData(_)
        | Definition::Member(_)
        | Definition::Constraint(_)
        | Definition::Rule(_)
        | Definition::Trigger(_)
        | Definition::Policy(_) => return None,
    })
}

/// Labels `target`, which is a kind and a name.
pub(super) fn security_label(target: &str, label: &Label) -> String {
    let (provider, text) = (ident(&label.provider), literal(&label.label));
    format!("SECURITY LABEL FOR {provider} ON {target} IS {text};")
}

/// Operators are symbols, which can't be quoted and need not.
pub(super) fn operator_name(object: &Object) -> String {
    match &object.schema {
        Some(schema) => format!("{}.{}", ident(schema), object.name),
        None => object.name.clone(),
    }
}

pub(super) fn relation_word(relation: &Relation) -> &'static str {
    match relation.kind {
        RelationKind::Table | RelationKind::Partitioned => "TABLE",
        RelationKind::Foreign => "FOREIGN TABLE",
        RelationKind::View => "VIEW",
        RelationKind::MaterializedView => "MATERIALIZED VIEW",
        RelationKind::Sequence => "SEQUENCE",
    }
}

/// The statement that gives an object its owner, if it has one of its own.
pub(super) fn owner(object: &Object) -> Option<String> {
    let owner = object.owner.as_deref()?;
    match &object.definition {
        // New databases have this owner since 15.
        Definition::Schema(schema) if schema.built_in && owner == "pg_database_owner" => None,
        // The identity's sequence goes with its table.
        Definition::Sequence(sequence)
            if sequence.owned_by.as_ref().is_some_and(|by| by.identity) =>
        {
            None
        }
        // There is nothing to own in a cast, and nothing to alter in a shell.
        Definition::Cast(_) => None,
        _ => Some(format!(
            "ALTER {} OWNER TO {};",
            target(object)?,
            ident(owner)
        )),
    }
}

impl Writer<'_> {
    /// Kind, and name within it, that COMMENT ON wants; also of what belongs to a table.
    fn comment_target(&self, object: &Object) -> Option<String> {
        let word = match &object.definition {
            Definition::Constraint(_) => "CONSTRAINT",
            Definition::Rule(_) => "RULE",
            Definition::Trigger(_) => "TRIGGER",
            Definition::Policy(_) => "POLICY",
            _ => return target(object),
        };
        let parent = self.at(object.parent()?)?;
        let domain = if matches!(parent.definition, Definition::Domain(_)) {
            "DOMAIN "
        } else {
            ""
        };
        Some(format!(
            "{word} {} ON {domain}{}",
            ident(&object.name),
            qualified(parent)
        ))
    }

    /// Comments on the object, its columns and its not-null constraints: kind and name of what is commented, SQL.
    pub(super) fn comments(&self, object: &Object) -> Vec<(&'static str, String, String)> {
        let mut comments = Vec::new();
        let comment =
            |target: &str, text: &str| format!("COMMENT ON {target} IS {};", literal(text));
        if let Some(target) = self.comment_target(object) {
            match (&object.definition, object.comment.as_deref()) {
                (Definition::Schema(schema), Some("standard public schema")) if schema.built_in => {
                }
                // Every new database has one here: it must go.
                (Definition::Schema(schema), None) if schema.built_in => {
                    comments.push((
                        object.kind(),
                        object.full_name(),
                        format!("COMMENT ON {target} IS '';"),
                    ));
                }
                (Definition::Extension(extension), _) if extension.built_in => {}
                (_, Some(text)) => {
                    comments.push((object.kind(), object.full_name(), comment(&target, text)))
                }
                (_, None) => {}
            }
        }
        let name = qualified(object);
        let mut column = |column: &str, text: &str| {
            let target = format!("COLUMN {name}.{}", ident(column));
            comments.push((
                "column",
                format!("{}.{column}", object.name),
                comment(&target, text),
            ));
        };
        match &object.definition {
            Definition::Relation(relation) => {
                for each in &relation.columns {
                    if let Some(text) = &each.comment {
                        column(&each.name, text);
                    }
                }
                for not_null in relation
                    .columns
                    .iter()
                    .filter_map(|column| column.not_null.as_ref())
                {
                    if let (Some(constraint), Some(text), true) =
                        (&not_null.name, &not_null.comment, not_null.valid)
                    {
                        let target = format!("CONSTRAINT {} ON {name}", ident(constraint));
                        comments.push((
                            "not-null constraint",
                            constraint.clone(),
                            comment(&target, text),
                        ));
                    }
                }
            }
            Definition::Composite(composite) => {
                for each in &composite.columns {
                    if let Some(text) = &each.comment {
                        column(&each.name, text);
                    }
                }
            }
            Definition::Domain(domain) => {
                if let (Some(constraint), Some(text)) =
                    (&domain.not_null_name, &domain.not_null_comment)
                {
                    let target = format!("CONSTRAINT {} ON DOMAIN {name}", ident(constraint));
                    comments.push((
                        "not-null constraint",
                        constraint.clone(),
                        comment(&target, text),
                    ));
                }
            }
            _ => {}
        }
        comments
    }

    /// What ties the object to extensions.
    pub(super) fn goes_with(&self, object: &Object) -> Vec<String> {
        let trigger = || {
            let Definition::Trigger(trigger) = &object.definition else {
                return None;
            };
            Some(format!(
                "TRIGGER {} ON {}",
                ident(&object.name),
                self.relation_name(trigger.table)
            ))
        };
        let Some(target) = target(object).or_else(trigger) else {
            return Vec::new();
        };
        let statement =
            |name: &String| format!("ALTER {target} DEPENDS ON EXTENSION {};", ident(name));
        object.goes_with.iter().map(statement).collect()
    }

    /// Security labels on the object and its columns.
    pub(super) fn labels(&self, object: &Object) -> Vec<(String, String)> {
        let Some(target) = target(object) else {
            return Vec::new();
        };
        object
            .labels
            .iter()
            .filter_map(|label| {
                let (name, target) = if label.column == 0 {
                    (object.full_name(), target.clone())
                } else {
                    let Definition::Relation(relation) = &object.definition else {
                        return None;
                    };
                    let column = relation
                        .columns
                        .iter()
                        .find(|column| column.number == label.column)?;
                    let target = format!("COLUMN {}.{}", qualified(object), ident(&column.name));
                    (format!("{}.{}", object.name, column.name), target)
                };
                Some((name, security_label(&target, label)))
            })
            .collect()
    }
}
