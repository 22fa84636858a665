//! What of a server is dumped.

use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use std::time::Duration;

use ksnapshot_core::pattern::Pattern;
use ksnapshot_core::{Error, ErrorKind, Result};
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
    /// Users, roles and grants too, and tablespaces, as an object of their own.
    pub globals: bool,
    /// A data object for each table.
    pub split_tables: bool,
    /// Only rows that fulfil this, of every table that is dumped: SQL without the word WHERE.
    pub condition: Option<String>,
    /// What only PostgreSQL has.
    #[serde(skip)]
    pub postgres: PostgresScope,
}

/// What of a PostgreSQL, and how it is read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PostgresScope {
    /// Only these schemas, with everything in them; together with [`Scope::tables`], those too. Empty: all.
    pub schemas: Vec<Pattern>,
    /// Not these schemas.
    pub exclude_schemas: Vec<Pattern>,
    /// These tables without their rows.
    pub exclude_table_data: Vec<Pattern>,
    /// Rows of the foreign tables of these servers, too, as their servers have them when they are read.
    pub foreign_data: Vec<Pattern>,
    /// How long tables that others have locked are waited for, all in all; ten minutes unless given.
    pub lock_timeout: Option<Duration>,
    /// The one view is of a moment that a serial execution of all transactions has, too; the dump waits for it.
    pub serializable: bool,
    /// Servers newer than this build knows, all the same.
    pub force: bool,
    /// Rows, values and large objects only.
    pub data_only: bool,
    /// Statistics of the planner, too; only PostgreSQL 18 and newer take them back.
    pub statistics: bool,
    /// No owners.
    pub no_owner: bool,
    /// No grants.
    pub no_privileges: bool,
}

/// Which indices of Elasticsearch or OpenSearch, and how they are read. The default is every index that is neither hidden nor
/// closed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IndexScope {
    /// Names and patterns, in the order in which they count: `logs-*`, and `-logs-old*` takes away.
    pub indices: Vec<String>,
    /// Hidden ones, too.
    pub hidden: bool,
    /// Closed ones, too: they are opened for the dump.
    pub closed: bool,
    /// Documents to ask for at first; pages then grow or shrink to some megabytes. 1,000 unless given.
    pub page_size: Option<NonZeroU32>,
    /// Readers of one index. As many as there are readers, for an index that is worth it, unless given.
    pub slices: Option<NonZeroUsize>,
}

impl Scope {
    /// Refuses what this kind of database can't do: each option, and whether it was given.
    pub(crate) fn refuse(kind: &str, options: &[(&str, bool)]) -> Result<()> {
        match options.iter().find(|(_, given)| *given) {
            None => Ok(()),
            Some((option, _)) => Err(Error::new(
                ErrorKind::Usage,
                format!("a dump of {kind} takes no {option}"),
            )
            .hint("`ksnapshot dump --help` says which options are for which databases.")),
        }
    }
}

/// How a snapshot is placed in a target.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RestoreScope {
    /// What gets another name: from, to. Indices and data streams; tables of PostgreSQL with their schemas, and schemas.
    pub renames: Vec<(String, String)>,
    /// Where documents of Elasticsearch or OpenSearch go, as lines of JSON, that the target refuses.
    pub rejected: Option<PathBuf>,
}
