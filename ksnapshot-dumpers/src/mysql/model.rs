//! What databases define, as it was read: the server's own statements, and beside them what has to be known to cut, order
//! and load them. Goes into the index, so that a restore makes the same script again.

use ksnapshot_core::{Error, ErrorKind, Index, Problem, Result};
use serde::{Deserialize, Serialize};

use super::version::{Flavour, Server};
use crate::Scope;

/// The version of this model, recorded in the index.
pub(super) const MODEL_VERSION: u32 = 1;

/// Everything that is dumped of a server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Catalog {
    /// The server it was read from.
    pub(super) server: Server,
    /// The same in its own words.
    pub(super) server_version: String,
    /// What was asked for, with filters of tables applied already.
    pub(super) scope: Scope,
    /// In the order of their names.
    pub(super) databases: Vec<Database>,
    /// Users and roles, roles first, with `--globals`.
    pub(super) accounts: Vec<Account>,
    /// Plugins, components and loadable functions that definitions may need. They are not restored.
    pub(super) requirements: Vec<String>,
    /// What was seen and can't be dumped.
    pub(super) problems: Vec<Problem>,
}

impl Catalog {
    /// The model of a snapshot.
    pub(super) fn of(index: &Index) -> Result<Self> {
        let model = &index.catalog;
        let known = [Flavour::MySql, Flavour::MariaDb]
            .iter()
            .any(|f| f.kind() == model.kind);
        if !known || model.version > MODEL_VERSION {
            return Err(Error::new(
                ErrorKind::NewerFormat,
                format!(
                    "index: catalog model {} {} is not known to this build",
                    model.kind, model.version
                ),
            )
            .hint("Use a ksnapshot at least as new as the one that wrote the snapshot."));
        }
        let read = model.read();
        read.map_err(|cause| Error::corrupt("index: the catalog model can't be read").source(cause))
    }

    /// Whether the dump is of one named database: its text does not name it, so that it can be loaded into any.
    pub(super) fn single(&self) -> bool {
        self.scope.databases.len() == 1
    }
}

/// A database.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Database {
    pub(super) name: String,
    /// Default character set.
    pub(super) charset: String,
    /// Default collation.
    pub(super) collation: String,
    /// MySQL 8: new tables are encrypted.
    pub(super) encrypted: bool,
    /// MySQL 8: nothing in it may be changed.
    pub(super) read_only: bool,
    /// MariaDB.
    pub(super) comment: String,
    pub(super) tables: Vec<Table>,
    pub(super) sequences: Vec<Sequence>,
    pub(super) views: Vec<View>,
    pub(super) routines: Vec<Routine>,
    /// In the order in which those of one table fire.
    pub(super) triggers: Vec<Trigger>,
    pub(super) events: Vec<Event>,
}

/// A table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Table {
    pub(super) name: String,
    /// As SHOW CREATE TABLE says it.
    pub(super) create: String,
    /// The storage engine, in capitals.
    pub(super) engine: String,
    /// Its default collation.
    pub(super) collation: Option<String>,
    /// In order; of what is hidden, only a history's two columns are among them.
    pub(super) columns: Vec<Column>,
    /// Unique keys over whole columns, the primary key first, then those without NULL.
    pub(super) keys: Vec<Key>,
    /// Subpartitions where there are some.
    pub(super) partitions: Vec<String>,
    /// The server's estimates.
    pub(super) rows: u64,
    pub(super) bytes: u64,
    /// Its rows may be read.
    pub(super) readable: bool,
    /// MariaDB: its former rows are dumped too.
    pub(super) history: bool,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) data_type: String,
    pub(super) column_type: String,
    pub(super) charset: Option<String>,
    pub(super) collation: Option<String>,
    /// Its values are made from others.
    pub(super) generated: bool,
}

/// A unique key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Key {
    pub(super) columns: Vec<String>,
    /// One of them may be NULL.
    pub(super) nullable: bool,
}

/// A sequence of MariaDB.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Sequence {
    pub(super) name: String,
    pub(super) create: String,
    /// Its value may be read.
    pub(super) readable: bool,
}

/// A view.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct View {
    pub(super) name: String,
    pub(super) create: String,
    pub(super) session: CharacterSets,
    /// What it shows, for a placeholder. Empty if it is invalid.
    pub(super) columns: Vec<String>,
    /// It needs something that is not there any more.
    pub(super) invalid: bool,
}

/// The character sets of the session that made something.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct CharacterSets {
    /// `character_set_client`.
    pub(super) client: String,
    /// `collation_connection`.
    pub(super) connection: String,
    /// The default collation that its database had. Empty for views.
    pub(super) database: String,
}

/// Text that the server keeps as it was written, with the session that wrote it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Body {
    pub(super) create: String,
    pub(super) sql_mode: String,
    pub(super) session: CharacterSets,
}

/// A stored program that is called by name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Routine {
    pub(super) name: String,
    pub(super) kind: RoutineKind,
    pub(super) body: Body,
}

/// Kinds of stored programs, in the order in which they are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum RoutineKind {
    Function,
    Procedure,
    Package,
    PackageBody,
}

impl RoutineKind {
    /// In the words of the database.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Function => "function",
            Self::Procedure => "procedure",
            Self::Package => "package",
            Self::PackageBody => "package body",
        }
    }
}

/// A trigger.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Trigger {
    pub(super) name: String,
    pub(super) table: String,
    /// `BEFORE INSERT`: those with the same fire one after the other.
    pub(super) moment: String,
    pub(super) body: Body,
}

/// An event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Event {
    pub(super) name: String,
    pub(super) status: EventStatus,
    pub(super) time_zone: String,
    pub(super) body: Body,
}

/// Whether an event happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum EventStatus {
    Enabled,
    Disabled,
    /// Not on a replica.
    ReplicaDisabled,
}

/// A user or a role.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Account {
    /// As a person would name it: `app@%`.
    pub(super) name: String,
    pub(super) role: bool,
    /// CREATE USER or CREATE ROLE.
    pub(super) create: String,
    /// GRANT, SET DEFAULT ROLE.
    pub(super) grants: Vec<String>,
}
