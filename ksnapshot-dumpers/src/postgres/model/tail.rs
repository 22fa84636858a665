//! Schemas, extensions, and the kinds that few databases have.

use serde::{Deserialize, Serialize};

use super::{ForeignOption, Setting};

/// A schema.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Schema {
    /// It is the `public` that every new database has.
    pub(crate) built_in: bool,
}

/// An extension. Its members come with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Extension {
    /// Where its objects go.
    pub(crate) into: String,
    /// It exists in every new database.
    pub(crate) built_in: bool,
}

/// A conversion between encodings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Conversion {
    pub(crate) default: bool,
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) function: String,
}

/// A text search configuration, dictionary, parser or template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TextSearch {
    pub(crate) settings: Vec<Setting>,
    /// Of a dictionary: its options, verbatim.
    pub(crate) options: Option<String>,
    /// Of a configuration: which dictionaries look at which kind of token.
    #[serde(default)]
    pub(crate) mappings: Vec<Mapping>,
}

/// What looks at a kind of token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Mapping {
    pub(crate) token: String,
    /// Quoted and qualified, in order.
    pub(crate) dictionaries: Vec<String>,
}

/// A foreign-data wrapper.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ForeignDataWrapper {
    pub(crate) handler: Option<String>,
    pub(crate) validator: Option<String>,
    pub(crate) options: Vec<ForeignOption>,
}

/// A foreign server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ForeignServer {
    pub(crate) wrapper: String,
    #[serde(rename = "type")]
    pub(crate) type_name: Option<String>,
    pub(crate) version: Option<String>,
    pub(crate) options: Vec<ForeignOption>,
}

/// Who a role is on a foreign server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct UserMapping {
    pub(crate) server: String,
    /// None is everybody.
    pub(crate) role: Option<String>,
    /// None where they may not be read.
    pub(crate) options: Option<Vec<ForeignOption>>,
}

/// An event trigger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EventTrigger {
    pub(crate) event: String,
    pub(crate) tags: Vec<String>,
    /// Quoted and qualified.
    pub(crate) function: String,
    /// `O`, `D`, `R` or `A`.
    pub(crate) enabled: String,
}

/// What is published for logical replication.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Publication {
    pub(crate) all_tables: bool,
    pub(crate) operations: Vec<String>,
    pub(crate) via_root: bool,
    /// `n` or `s`, since 18.
    pub(crate) generated: String,
    pub(crate) tables: Vec<PublishedTable>,
    pub(crate) schemas: Vec<String>,
}

/// A table in a publication.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PublishedTable {
    pub(crate) table: u32,
    /// Quoted and qualified.
    pub(crate) name: String,
    pub(crate) columns: Option<Vec<String>>,
    pub(crate) condition: Option<String>,
}
