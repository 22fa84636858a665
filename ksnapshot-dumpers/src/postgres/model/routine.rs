//! Functions, procedures, aggregates, languages and what calls functions.

use serde::{Deserialize, Serialize};

/// A function, window function or procedure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Routine {
    /// `f`, `w` or `p`.
    pub(crate) kind: String,
    /// Its arguments, as they identify it.
    pub(crate) arguments: String,
    /// The server's text, `CREATE OR REPLACE …`.
    pub(crate) text: Option<String>,
    /// Its body is parsed when it is created, so that it needs what it names.
    pub(crate) parsed_body: bool,
}

/// An aggregate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Aggregate {
    /// Its arguments, as they identify it.
    pub(crate) arguments: String,
    /// Its arguments, as they declare it.
    pub(crate) declared: String,
    /// The types of the function that it is to GRANT: there is no order in them, nor what is aggregated twice.
    #[serde(default)]
    pub(crate) types: String,
    /// The definition's list: `SFUNC`, `STYPE`, … with values that are SQL already.
    pub(crate) settings: Vec<Setting>,
    /// `n`, `o` or `h`.
    pub(crate) kind: String,
}

/// One line of a definition in parentheses: a keyword, and an SQL value that the server quoted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Setting {
    /// The keyword.
    pub(crate) name: String,
    /// The value; none means that the line isn't written, empty that the keyword stands alone.
    pub(crate) value: Option<String>,
}

/// A procedural language outside of an extension.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Language {
    pub(crate) trusted: bool,
    pub(crate) handler: Option<String>,
    pub(crate) inline: Option<String>,
    pub(crate) validator: Option<String>,
}

/// A conversion between types.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Cast {
    pub(crate) from: String,
    pub(crate) to: String,
    /// `f`, `b` or `i`.
    pub(crate) method: String,
    /// `e`, `a` or `i`.
    pub(crate) context: String,
    /// Quoted, qualified, with arguments.
    pub(crate) function: Option<String>,
}

/// An operator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Operator {
    pub(crate) left: Option<String>,
    pub(crate) right: Option<String>,
    pub(crate) settings: Vec<Setting>,
}
