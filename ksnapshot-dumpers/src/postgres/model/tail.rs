//! Schemas, extensions, and the kinds that few databases have.

use serde::{Deserialize, Serialize};

use super::{Access, ForeignOption, Setting};

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

/// A table or sequence that an extension brings, but whose rows or value are the user's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExtensionData {
    /// It is a sequence.
    pub(crate) sequence: bool,
    /// `WHERE …`, where not all rows are the user's.
    pub(crate) condition: Option<String>,
    /// The columns that have data, bare, in order of their numbers.
    pub(crate) columns: Vec<String>,
    pub(crate) pages: i64,
    pub(crate) toast_pages: i64,
    /// Stored by the built-in access method.
    pub(crate) heap: bool,
    pub(crate) unlogged: bool,
    pub(crate) readable: bool,
    /// Those with privileges of their own, changed.
    #[serde(default)]
    pub(crate) granted: Vec<MemberColumn>,
    /// Foreign keys to such tables: they are there before the rows, which come in any order.
    #[serde(default)]
    pub(crate) foreign_keys: Vec<ForeignKey>,
}

/// A foreign key that an extension brings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ForeignKey {
    pub(crate) name: String,
    /// The server's text.
    pub(crate) text: String,
}

/// What the server or an extension brings, but whose privileges were changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Member {
    /// As GRANT calls its kind: `TABLE`.
    pub(crate) word: String,
    /// Of a function.
    pub(crate) arguments: Option<String>,
    /// Of a table: the columns with privileges of their own.
    #[serde(default)]
    pub(crate) columns: Vec<MemberColumn>,
}

impl Member {
    /// In the words of the database.
    pub(crate) fn words(&self) -> &'static str {
        match self.word.as_str() {
            "TABLE" => "table",
            "SEQUENCE" => "sequence",
            "FUNCTION" => "function",
            "PROCEDURE" => "procedure",
            "TYPE" => "type",
            "LANGUAGE" => "language",
            "SCHEMA" => "schema",
            "FOREIGN DATA WRAPPER" => "foreign-data wrapper",
            _ => "server",
        }
    }
}

/// A column with privileges of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct MemberColumn {
    pub(crate) name: String,
    pub(crate) access: Option<Access>,
}

/// An operator family, with the members that belong to none of its classes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OperatorFamily {
    pub(crate) method: String,
    /// `OPERATOR 1 …`, `FUNCTION 1 …`, quoted by the server.
    pub(crate) members: Vec<String>,
}

/// An operator class.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OperatorClass {
    pub(crate) method: String,
    pub(crate) default: bool,
    #[serde(rename = "type")]
    pub(crate) type_name: String,
    /// Quoted and qualified.
    pub(crate) family: String,
    /// What is stored, if not the type itself.
    pub(crate) storage: Option<String>,
    pub(crate) members: Vec<String>,
}

/// An access method.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AccessMethod {
    /// `i` for indexes, `t` for tables.
    pub(crate) kind: String,
    pub(crate) handler: String,
}

/// How a type looks to a language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Transform {
    #[serde(rename = "type")]
    pub(crate) type_name: String,
    pub(crate) language: String,
    /// Quoted, qualified, with arguments.
    pub(crate) from_sql: Option<String>,
    pub(crate) to_sql: Option<String>,
}

/// A subscription of logical replication. Restored without connecting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Subscription {
    pub(crate) connection: String,
    pub(crate) publications: Vec<String>,
    /// `WITH (…)`.
    pub(crate) settings: Vec<Setting>,
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
