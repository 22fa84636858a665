//! What a dump consists of, as made from the model by `ddl::script`: a pure function, so that dump and restore, which makes
//! it again from the model in the index, agree on every number.

use ksnapshot_core::{Item, Problem, Text};

/// Everything that a dump writes and a restore does.
#[derive(Debug, Default)]
pub(super) struct Script {
    /// What has a place of its own, in the order of restoring; an item's id is its position. Settings included.
    pub(super) items: Vec<Item>,
    /// The data objects, in order: one a database (or a table, with `--split-tables`), then what crosses databases, then
    /// users and grants.
    pub(super) objects: Vec<ObjectScript>,
    /// What is not, or not wholly, written.
    pub(super) problems: Vec<Problem>,
}

/// One data object.
#[derive(Debug, Default)]
pub(super) struct ObjectScript {
    /// What stands for the database in the object's name.
    pub(super) name: String,
    /// Texts of its items that aren't data, by item id, in the order of writing. Each ends with an empty line.
    pub(super) definitions: Vec<(u32, Text)>,
    /// What has rows.
    pub(super) tables: Vec<TableData>,
    /// What has a value.
    pub(super) sequences: Vec<SequenceData>,
}

/// A table whose rows are data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TableData {
    /// The data item.
    pub(super) item: u32,
    /// Unquoted.
    pub(super) database: String,
    /// Unquoted.
    pub(super) name: String,
    /// Those that are written, in order: not the generated ones.
    pub(super) columns: Vec<ColumnData>,
    /// Keys by which ranges can be cut, best first: the primary key, then unique ones. Positions in `columns`.
    pub(super) keys: Vec<KeyData>,
    /// Names of its partitions (subpartitions where there are some), for tables without a key.
    pub(super) partitions: Vec<String>,
    /// The storage engine, in capitals: a snapshot sees InnoDB only.
    pub(super) engine: String,
    /// MariaDB: read with `FOR SYSTEM_TIME ALL`, and written with its row_start and row_end.
    pub(super) versioned: bool,
    /// `WHERE …` of `--where`, without the word.
    pub(super) condition: Option<String>,
    /// About how many bytes and rows, in the server's estimate. May be wrong by orders of magnitude.
    pub(super) bytes: u64,
    pub(super) rows: u64,
    /// Its rows may be read. Reporting the opposite is the caller's.
    pub(super) readable: bool,
}

/// A column whose values are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ColumnData {
    /// Unquoted.
    pub(super) name: String,
    /// `DATA_TYPE` of information_schema, in lower case: `int`, `varchar`, `enum`, `json`, `geometry`, `vector`, `uuid`.
    pub(super) data_type: String,
    /// `COLUMN_TYPE`: `bigint(20) unsigned`, `enum('a','b')`.
    pub(super) column_type: String,
    /// Character set, where the type has one: `utf8mb4`, `latin1`, `gbk`, `ascii`.
    pub(super) charset: Option<String>,
}

/// A unique key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct KeyData {
    /// Positions of its columns in [`TableData::columns`], in the key's order. Whole columns only, no prefixes.
    pub(super) columns: Vec<usize>,
    /// One of them may be NULL.
    pub(super) nullable: bool,
}

/// A MariaDB sequence whose value is data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SequenceData {
    /// The data item.
    pub(super) item: u32,
    pub(super) database: String,
    pub(super) name: String,
}
