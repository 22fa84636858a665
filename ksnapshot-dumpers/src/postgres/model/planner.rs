//! What the planner knows of rows. Of no use to a restore that makes the script again, and large: it is not in the index.

use std::collections::BTreeMap;

use serde::Deserialize;

/// Statistics of a table, a materialized view or an index, as the server had gathered them.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct PlannerStatistics {
    /// Its oid.
    pub(crate) relation: u32,
    /// Of the whole, by the names of `pg_class`.
    pub(crate) figures: Figures,
    /// Of its columns, in their order.
    #[serde(default)]
    pub(crate) columns: Vec<ColumnStatistics>,
}

/// Statistics of one column, with or without the rows of its children.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct ColumnStatistics {
    pub(crate) relation: u32,
    /// A table's column has a name; an index's only a number.
    pub(crate) name: Option<String>,
    pub(crate) number: i16,
    /// With those of its children.
    pub(crate) inherited: bool,
    /// By the names of `pg_stats`.
    pub(crate) figures: Figures,
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
