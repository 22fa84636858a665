//! What of a server is dumped.

use ksnapshot_core::pattern::Pattern;
use serde::{Deserialize, Serialize};

/// Which databases, tables and rows, as the command line says it. The default is everything that the URL names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Scope {
    /// Databases beside the URL's. With none at all: every database but the server's own.
    pub databases: Vec<String>,
    /// Only these tables, with what belongs to them. Empty: all.
    #[serde(skip)]
    pub tables: Vec<Pattern>,
    /// Not these tables.
    #[serde(skip)]
    pub exclude_tables: Vec<Pattern>,
    /// Definitions only.
    pub no_data: bool,
    /// No DEFINER: what is restored belongs to who restores.
    pub skip_definer: bool,
    /// Users, roles and grants too, as an object of their own.
    pub globals: bool,
    /// A data object for each table.
    pub split_tables: bool,
    /// Only rows that fulfil this, of every table that is dumped: SQL without the word WHERE.
    pub condition: Option<String>,
}

impl Scope {
    /// Whether it is anything but the default.
    pub(crate) fn is_default(&self) -> bool {
        *self == Self::default()
    }
}
