//! Tables, views, sequences, and what belongs to them.

use serde::{Deserialize, Serialize};

use super::{Access, Address};

/// Anything with columns: table, partitioned table, foreign table, view, materialized view.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Relation {
    pub(crate) kind: RelationKind,
    /// Logged or not.
    pub(crate) unlogged: bool,
    /// We may read its rows; it is locked.
    pub(crate) readable: bool,
    /// Attached to a partitioned table.
    pub(crate) is_partition: bool,
    /// The tables it inherits from, in order; of a partition, the one it is attached to.
    pub(crate) parents: Vec<u32>,
    /// Their names, quoted and qualified: one may be an extension's.
    pub(crate) parent_names: Vec<String>,
    /// `LIST (a)`.
    pub(crate) partition_key: Option<String>,
    /// `FOR VALUES IN ('x')` or `DEFAULT`.
    pub(crate) bound: Option<String>,
    /// It is partitioned by the hash of an enum, which is another one in every database.
    #[serde(default)]
    pub(crate) hashes_enums: bool,
    /// `name=value`.
    pub(crate) options: Vec<String>,
    /// The same of its TOAST table.
    pub(crate) toast_options: Vec<String>,
    /// How its rows are stored.
    pub(crate) access_method: Option<String>,
    /// Where, if not in the database's default.
    pub(crate) tablespace: Option<String>,
    /// `d`, `n`, `f` or `i`.
    pub(crate) replica_identity: String,
    pub(crate) row_security: bool,
    pub(crate) force_row_security: bool,
    /// The type that it is a table `OF`.
    pub(crate) of_type: Option<String>,
    /// Of a materialized view: it has been filled.
    pub(crate) populated: bool,
    /// Its rows were not asked for.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) without_rows: bool,
    /// Of a foreign table: its rows were asked for.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) foreign_rows: bool,
    /// It was seen that it has none, at the time of the dump. A restore learns that from what was dumped.
    #[serde(default, skip_serializing)]
    pub(crate) empty: bool,
    /// Pages of rows, at the time of the dump.
    pub(crate) pages: i64,
    /// The same of its TOAST table.
    pub(crate) toast_pages: i64,
    /// Of a view: its query, with the closing semicolon.
    pub(crate) query: Option<String>,
    /// Of a view: the oid of the rule that is its query.
    pub(crate) rule: Option<u32>,
    /// Of a foreign table: its server.
    pub(crate) server: Option<String>,
    /// Of a foreign table: its options.
    #[serde(default)]
    pub(crate) server_options: Vec<ForeignOption>,
    /// Live columns in order of their numbers.
    #[serde(default)]
    pub(crate) columns: Vec<Column>,
}

/// What a relation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum RelationKind {
    #[serde(rename = "r")]
    Table,
    #[serde(rename = "p")]
    Partitioned,
    #[serde(rename = "f")]
    Foreign,
    #[serde(rename = "v")]
    View,
    #[serde(rename = "m")]
    MaterializedView,
    #[serde(rename = "S")]
    Sequence,
}

impl RelationKind {
    /// In the words of the database.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Table | Self::Partitioned => "table",
            Self::Foreign => "foreign table",
            Self::View => "view",
            Self::MaterializedView => "materialized view",
            Self::Sequence => "sequence",
        }
    }
}

/// An option of a foreign object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ForeignOption {
    pub(crate) name: String,
    pub(crate) value: String,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Column {
    pub(crate) number: i32,
    pub(crate) name: String,
    /// With its modifiers, qualified.
    #[serde(rename = "type")]
    pub(crate) type_name: String,
    /// Quoted and qualified, if it isn't the type's own.
    pub(crate) collation: Option<String>,
    pub(crate) not_null: Option<NotNull>,
    pub(crate) default: Option<ColumnDefault>,
    /// Empty, or `s` stored, `v` virtual.
    pub(crate) generated: String,
    /// Empty, or `a` always, `d` by default.
    pub(crate) identity: String,
    /// Defined by the table itself, not (only) by a parent.
    pub(crate) local: bool,
    /// Storage, if it isn't the type's own.
    pub(crate) storage: Option<String>,
    /// Empty, or `p` pglz, `l` lz4.
    pub(crate) compression: String,
    /// Target, if it isn't the server's default.
    pub(crate) statistics: Option<i32>,
    /// `name=value`.
    pub(crate) options: Vec<String>,
    pub(crate) server_options: Vec<ForeignOption>,
    pub(crate) access: Option<Access>,
    #[serde(default)]
    pub(crate) comment: Option<String>,
}

/// How a column refuses NULL. Before 18 it has no name and is always valid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NotNull {
    pub(crate) oid: Option<u32>,
    /// The constraint's name, if it isn't what the server would choose.
    pub(crate) name: Option<String>,
    /// Unknown before 18.
    pub(crate) local: Option<bool>,
    pub(crate) no_inherit: bool,
    pub(crate) valid: bool,
    #[serde(default)]
    pub(crate) comment: Option<String>,
}

/// A default, or the expression of a generated column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ColumnDefault {
    pub(crate) oid: u32,
    pub(crate) expression: Option<String>,
}

/// A sequence, without its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sequence {
    #[serde(rename = "type")]
    pub(crate) type_name: String,
    pub(crate) start: i64,
    pub(crate) increment: i64,
    pub(crate) minimum: i64,
    pub(crate) maximum: i64,
    pub(crate) cache: i64,
    pub(crate) cycle: bool,
    pub(crate) unlogged: bool,
    /// We may read its value.
    pub(crate) readable: bool,
    pub(crate) owned_by: Option<OwnedBy>,
    /// Its value was not asked for.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) without_value: bool,
}

/// The column that a sequence belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OwnedBy {
    pub(crate) table: u32,
    pub(crate) column: String,
    /// It is the column's identity, not just tied to it.
    pub(crate) identity: bool,
    /// What the owning column is declared as: logged or not.
    pub(crate) table_unlogged: bool,
}

/// A constraint of a table or domain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Constraint {
    /// The table or domain.
    pub(crate) parent: Address,
    /// `p`, `u`, `x`, `f`, `c`, `n` or `t`.
    pub(crate) kind: String,
    /// The server's text.
    pub(crate) text: Option<String>,
    pub(crate) valid: bool,
    /// Defined here, not (only) by a parent.
    pub(crate) local: bool,
    pub(crate) deferrable: bool,
    pub(crate) deferred: bool,
    /// Its index, for those that have one of their own.
    pub(crate) index: Option<u32>,
    /// The last column is a period: `WITHOUT OVERLAPS`.
    pub(crate) period: bool,
}

impl Constraint {
    /// In the words of the database.
    pub(crate) fn words(&self) -> &'static str {
        match self.kind.as_str() {
            "p" => "primary key",
            "u" => "unique constraint",
            "x" => "exclusion constraint",
            "f" => "foreign key",
            "c" => "check constraint",
            "n" => "not-null constraint",
            _ => "constraint",
        }
    }
}

/// An index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Index {
    pub(crate) table: u32,
    /// `CREATE INDEX …`.
    pub(crate) text: Option<String>,
    /// The partitioned index it is attached to.
    pub(crate) parent: Option<u32>,
    /// The constraint that it enforces.
    pub(crate) constraint: Option<u32>,
    pub(crate) valid: bool,
    /// On a partitioned table.
    pub(crate) partitioned: bool,
    pub(crate) clustered: bool,
    pub(crate) replica_identity: bool,
    pub(crate) nulls_not_distinct: bool,
    /// Key columns and expressions, in order.
    pub(crate) keys: Vec<String>,
    /// Columns that are only carried.
    pub(crate) included: Vec<String>,
    pub(crate) options: Vec<String>,
    pub(crate) tablespace: Option<String>,
    /// Statistics targets by column number.
    pub(crate) statistics: Vec<IndexStatistics>,
}

/// A statistics target of an index's column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct IndexStatistics {
    pub(crate) column: i32,
    pub(crate) target: i32,
}

/// Extended statistics.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Statistics {
    pub(crate) text: Option<String>,
    pub(crate) target: Option<i32>,
    pub(crate) table: u32,
}

/// A rewrite rule other than a view's query.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rule {
    pub(crate) table: u32,
    pub(crate) text: Option<String>,
    /// `O`, `D`, `R` or `A`.
    pub(crate) enabled: String,
}

/// A trigger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Trigger {
    pub(crate) table: u32,
    pub(crate) text: Option<String>,
    /// `O`, `D`, `R` or `A`.
    pub(crate) enabled: String,
    /// It came with the trigger of the partitioned table, and differs from it in being enabled.
    pub(crate) of_parent: Option<u32>,
}

/// A row security policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Policy {
    pub(crate) table: u32,
    /// `*`, `r`, `a`, `w` or `d`.
    pub(crate) command: String,
    pub(crate) permissive: bool,
    /// None of them: everybody.
    pub(crate) roles: Vec<String>,
    pub(crate) using: Option<String>,
    pub(crate) check: Option<String>,
}
