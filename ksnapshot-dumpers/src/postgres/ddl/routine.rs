//! Functions, procedures, aggregates, operators, casts, languages.

use super::*;
use crate::postgres::model::{Aggregate, Cast, Language, Operator, Routine};

/// The server's own text. It says OR REPLACE, which could replace what a restore must not touch.
pub(super) fn routine(routine: &Routine) -> String {
    let text = routine.text.as_deref().unwrap_or_default().trim_end();
    format!("{};", text.replacen("CREATE OR REPLACE ", "CREATE ", 1))
}

pub(super) fn aggregate(object: &Object, aggregate: &Aggregate) -> String {
    let name = names::qualified(object);
    format!(
        "CREATE AGGREGATE {name}({}) {};",
        aggregate.declared,
        types::settings(&aggregate.settings)
    )
}

pub(super) fn operator(object: &Object, operator: &Operator) -> String {
    format!(
        "CREATE OPERATOR {} {};",
        names::operator_name(object),
        types::settings(&operator.settings)
    )
}

pub(super) fn cast(cast: &Cast) -> String {
    let how = match (cast.method.as_str(), &cast.function) {
        ("f", Some(function)) => format!("WITH FUNCTION {function}"),
        ("i", _) => "WITH INOUT".to_owned(),
        _ => "WITHOUT FUNCTION".to_owned(),
    };
    let context = match cast.context.as_str() {
        "a" => " AS ASSIGNMENT",
        "i" => " AS IMPLICIT",
        _ => "",
    };
    format!("CREATE CAST ({} AS {}) {how}{context};", cast.from, cast.to)
}

pub(super) fn language(object: &Object, language: &Language) -> String {
    let trusted = if language.trusted { "TRUSTED " } else { "" };
    let mut sql = format!(
        "CREATE {trusted}PROCEDURAL LANGUAGE {}",
        names::qualified(object)
    );
    for (word, function) in [
        ("HANDLER", &language.handler),
        ("INLINE", &language.inline),
        ("VALIDATOR", &language.validator),
    ] {
        if let Some(function) = function {
            sql.push_str(&format!(" {word} {function}"));
        }
    }
    sql.push(';');
    sql
}
