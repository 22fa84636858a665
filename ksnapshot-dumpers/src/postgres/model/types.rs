//! Types and collations.

use serde::{Deserialize, Serialize};

use super::Setting;

/// An enum's labels, in order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Enum {
    pub(crate) labels: Vec<String>,
}

/// A stand-alone row type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Composite {
    /// The oid of its entry among the relations.
    pub(crate) relation: u32,
    pub(crate) columns: Vec<Attribute>,
}

/// A column of a row type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Attribute {
    pub(crate) number: i32,
    pub(crate) name: String,
    #[serde(rename = "type")]
    pub(crate) type_name: String,
    /// Quoted and qualified, if it isn't the type's own.
    pub(crate) collation: Option<String>,
    #[serde(default)]
    pub(crate) comment: Option<String>,
}

/// A type with conditions. Its CHECK constraints are objects of their own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Domain {
    pub(crate) base: String,
    pub(crate) collation: Option<String>,
    pub(crate) default: Option<String>,
    pub(crate) not_null: bool,
    /// The name of the NOT NULL, if it isn't what the server would choose.
    pub(crate) not_null_name: Option<String>,
    /// Its oid, since 17.
    pub(crate) not_null_oid: Option<u32>,
    /// Its comment.
    #[serde(default)]
    pub(crate) not_null_comment: Option<String>,
}

/// A range type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Range {
    pub(crate) settings: Vec<Setting>,
}

/// A type made of functions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BaseType {
    pub(crate) settings: Vec<Setting>,
}

/// A type that is only announced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ShellType {}

/// A collation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Collation {
    pub(crate) settings: Vec<Setting>,
}
