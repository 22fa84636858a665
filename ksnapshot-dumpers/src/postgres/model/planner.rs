//! What the planner knows of rows. Of no use to a restore that makes the script again, and large: it is not in the index.

use std::collections::BTreeMap;

use ksnapshot_core::Text;
use serde::Deserialize;

/// What the server had gathered on a table, a materialized view or an index, or on one of its columns.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct PlannerStatistics {
    /// The relation's oid.
    pub(crate) relation: u32,
    /// None: of the whole.
    #[serde(default)]
    pub(crate) column: Option<WhichColumn>,
    /// By the names of `pg_class` or `pg_stats`.
    pub(crate) figures: Figures,
}

/// A column of a relation, with or without the rows of its children.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct WhichColumn {
    /// A table's column has a name; an index's only a number.
    pub(crate) name: Option<String>,
    pub(crate) number: i16,
    /// With those of its children.
    pub(crate) inherited: bool,
}

/// What brings statistics back: they are many, and as such they are kept.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PlannerText {
    /// The relation's oid.
    pub(crate) relation: u32,
    /// Number of the column, and whether it is with the rows of its children.
    pub(crate) column: Option<(i16, bool)>,
    pub(crate) call: Text,
}

/// Values as the server writes them.
pub(crate) type Figures = BTreeMap<String, Option<String>>;

/// What is known of a relation: columns of `pg_class`, and the types in which PostgreSQL 18 takes them back.
pub(crate) const OF_RELATION: &[(&str, &str)] = &[
    ("relpages", "integer"),
    ("reltuples", "real"),
    ("relallvisible", "integer"),
    ("relallfrozen", "integer"),
];

/// The same of a column: columns of `pg_stats`.
pub(crate) const OF_COLUMN: &[(&str, &str)] = &[
    ("null_frac", "real"),
    ("avg_width", "integer"),
    ("n_distinct", "real"),
    ("most_common_vals", "text"),
    ("most_common_freqs", "real[]"),
    ("histogram_bounds", "text"),
    ("correlation", "real"),
    ("most_common_elems", "text"),
    ("most_common_elem_freqs", "real[]"),
    ("elem_count_histogram", "real[]"),
    ("range_length_histogram", "text"),
    ("range_empty_frac", "real"),
    ("range_bounds_histogram", "text"),
];
