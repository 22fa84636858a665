//! The arguments of `ksnapshot dump`: what is dumped, and how.

use std::ffi::OsString;
use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;

use clap::Args;
use ksnapshot_core::pattern::Pattern;
use ksnapshot_dumpers::{IndexScope, PostgresScope, Scope};

use super::{EXIT_CODES, STORAGE, duration, pattern};

/// Dump a database into a storage as one snapshot, and print its id
#[derive(Debug, Args)]
#[command(after_long_help = format!("\
Examples:
  ksnapshot keygen --output key.txt
  ksnapshot dump postgres://app@db.example.org/shop --to ./backups --recipient age1...
  PGPASSWORD=... ksnapshot dump postgres://app@db/shop --to 's3://bucket/db?region=eu-west-3' --compression gzip:6
  MYSQL_PWD=... ksnapshot dump mysql://app@db/shop --to ./backups --recipient age1...
  MYSQL_PWD=... ksnapshot dump mariadb://app@db --globals --to ./backups --recipient age1...
  MYSQL_PWD=... ksnapshot dump mysql://app@db/shop --preflight
  ksnapshot dump elasticsearch://search.example.org --index 'logs-*' --to ./backups --recipient age1...
  ksnapshot dump command --name etc --to ./backups --recipient age1... -- tar -C / -c etc

All rows are of one moment: every reader sees the same snapshot of the database. With MySQL and MariaDB that takes rights;
the manifest says which claim was reached, and --preflight says it before. Nothing is staged on disk. Peak memory
stays below 128 MiB at zstd up to 6 and at gzip, plus 8 times the largest row.

A dump of PostgreSQL locks the tables that it reads as a SELECT does: changes of their definitions wait until it ends. Tables that others
have locked are waited for.

Of Elasticsearch and OpenSearch each index is of one moment a shard. A dump that can't read every document of its view fails.

A command's snapshot is what it wrote to its stdout, if it ended with exit code 0; otherwise the dump fails. Pipes need a shell
that tells of each end: -- bash -o pipefail -c 'one | two'.

The password comes from KSNAPSHOT_SOURCE_PASSWORD, PGPASSWORD or .pgpass, MYSQL_PWD or .my.cnf, ELASTIC_PASSWORD; an API key
from KSNAPSHOT_SOURCE_API_KEY or ELASTIC_API_KEY.

{STORAGE}

{EXIT_CODES}"))]
pub(crate) struct DumpArgs {
    /// What to dump: postgres://USER@HOST:PORT/DATABASE, mysql://USER@HOST:PORT/DATABASE, mariadb://...,
    /// elasticsearch://HOST:PORT, elasticsearch+https://USER@HOST:PORT?ca=FILE or opensearch://...,
    /// or the word `command` for the output of a program
    #[arg(value_name = "SOURCE")]
    pub(crate) source: String,
    /// Where the snapshot goes: a folder or s3://bucket/prefix
    #[arg(long, value_name = "STORAGE", required_unless_present = "preflight")]
    pub(crate) to: Option<String>,
    /// Dump nothing; tell which consistency this user's rights reach, and which GRANT would add what
    #[arg(long, conflicts_with = "to")]
    pub(crate) preflight: bool,
    /// Name of the series [default: the host of SOURCE]
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Who can read the snapshot: an age public key; may be repeated
    #[arg(long = "recipient", value_name = "age1...")]
    pub(crate) recipients: Vec<String>,
    /// zstd:1 to zstd:22, gzip:0 to gzip:9, or none
    #[arg(long, default_value = "zstd:3", value_name = "CODEC:LEVEL")]
    pub(crate) compression: String,
    /// Concurrent readers [default: the cores]
    #[arg(long, short)]
    pub(crate) jobs: Option<NonZeroUsize>,
    /// Cancel the dump when it takes longer: 2h, 90m
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(crate) max_duration: Option<Duration>,
    #[command(flatten)]
    pub(crate) scope: ScopeArgs,
    #[command(flatten)]
    pub(crate) indices: IndexArgs,
    /// With `command` as SOURCE: the program whose output is the snapshot, and its arguments
    #[arg(last = true, value_name = "PROGRAM")]
    pub(crate) command: Vec<OsString>,
}

/// What of the source is dumped.
#[derive(Debug, Args)]
#[command(next_help_heading = "What is dumped")]
pub(crate) struct ScopeArgs {
    /// Only these tables, with what belongs to them; a pattern such as orders, shop.orders, *.log_??; may be repeated
    #[arg(long = "table", short, value_name = "PATTERN", value_parser = pattern)]
    tables: Vec<Pattern>,
    /// Not these tables; may be repeated
    #[arg(long = "exclude-table", value_name = "PATTERN", value_parser = pattern)]
    exclude_tables: Vec<Pattern>,
    /// Definitions only
    #[arg(long)]
    no_data: bool,
    /// Users, roles and grants too, and tablespaces, as an object of their own
    #[arg(long)]
    globals: bool,
    /// Only these schemas, with everything in them, and the tables of --table; may be repeated
    #[arg(long = "schema", value_name = "PATTERN", value_parser = pattern, help_heading = "PostgreSQL")]
    schemas: Vec<Pattern>,
    /// Not these schemas; may be repeated
    #[arg(long = "exclude-schema", value_name = "PATTERN", value_parser = pattern, help_heading = "PostgreSQL")]
    exclude_schemas: Vec<Pattern>,
    /// These tables without their rows; may be repeated
    #[arg(long = "exclude-table-data", value_name = "PATTERN", value_parser = pattern, help_heading = "PostgreSQL")]
    exclude_table_data: Vec<Pattern>,
    /// Rows of the foreign tables of this server too, as it has them when they are read; may be repeated. A restore writes them there
    #[arg(long = "include-foreign-data", value_name = "PATTERN", value_parser = pattern, help_heading = "PostgreSQL")]
    foreign_data: Vec<Pattern>,
    /// Give up when tables that others have locked for themselves don't come free in this time: 30s, 5m [default: 10m]
    #[arg(long, value_name = "DURATION", value_parser = duration, help_heading = "PostgreSQL")]
    lock_timeout: Option<Duration>,
    /// Rows, values of sequences and large objects only, for tables that are there. Foreign keys and triggers of the target are
    /// taken off until all rows are in
    #[arg(long, conflicts_with_all = ["no_data", "globals"], help_heading = "PostgreSQL")]
    data_only: bool,
    /// Statistics of the planner too: a restore into PostgreSQL 18 or newer takes them in the place of gathering its own
    #[arg(long, help_heading = "PostgreSQL")]
    statistics: bool,
    /// No owners: what is restored belongs to who restores
    #[arg(long, help_heading = "PostgreSQL")]
    no_owner: bool,
    /// No grants
    #[arg(long, help_heading = "PostgreSQL")]
    no_privileges: bool,
    /// Wait for a moment at which the rows are as some serial execution of all transactions left them
    #[arg(long, help_heading = "PostgreSQL")]
    serializable_deferrable: bool,
    /// Dump a server newer than this program knows, all the same: what is new there may be missing
    #[arg(long, help_heading = "PostgreSQL")]
    force: bool,
    /// Dump this database too; may be repeated. Without any, and none in the URL: all but the server's own
    #[arg(long = "database", value_name = "NAME", help_heading = MYSQL)]
    databases: Vec<String>,
    /// Only rows that fulfil this SQL condition, of every dumped table
    #[arg(long = "where", value_name = "CONDITION", help_heading = MYSQL)]
    condition: Option<String>,
    /// Write no DEFINER: what is restored belongs to who restores
    #[arg(long, help_heading = MYSQL)]
    skip_definer: bool,
    /// One data object a table
    #[arg(long, help_heading = MYSQL)]
    split_tables: bool,
}

const MYSQL: &str = "MySQL and MariaDB";

impl From<&ScopeArgs> for Scope {
    fn from(args: &ScopeArgs) -> Self {
        Self {
            databases: args.databases.clone(),
            tables: args.tables.clone(),
            exclude_tables: args.exclude_tables.clone(),
            no_data: args.no_data,
            skip_definer: args.skip_definer,
            globals: args.globals,
            split_tables: args.split_tables,
            condition: args.condition.clone(),
            postgres: PostgresScope {
                schemas: args.schemas.clone(),
                exclude_schemas: args.exclude_schemas.clone(),
                exclude_table_data: args.exclude_table_data.clone(),
                foreign_data: args.foreign_data.clone(),
                lock_timeout: args.lock_timeout,
                serializable: args.serializable_deferrable,
                force: args.force,
                data_only: args.data_only,
                statistics: args.statistics,
                no_owner: args.no_owner,
                no_privileges: args.no_privileges,
            },
        }
    }
}

/// Which indices of a cluster are dumped.
#[derive(Debug, Args)]
#[command(next_help_heading = "Elasticsearch and OpenSearch")]
pub(crate) struct IndexArgs {
    /// Only these indices and data streams: a name, logs-*, or -logs-old* to take some away again; may be repeated
    #[arg(long = "index", value_name = "PATTERN", allow_hyphen_values = true)]
    indices: Vec<String>,
    /// Hidden indices too; without it they are only meant by name, or by a pattern that begins with a dot
    #[arg(long)]
    hidden: bool,
    /// Closed indices too: each is opened for the dump and closed again
    #[arg(long)]
    closed: bool,
    /// Documents in the first page; pages then grow or shrink to some megabytes [default: 1000]
    #[arg(long, value_name = "N")]
    page_size: Option<NonZeroU32>,
    /// Readers of one index [default: as many as --jobs, for all but small ones]
    #[arg(long, value_name = "N")]
    slices: Option<NonZeroUsize>,
}

impl From<&IndexArgs> for IndexScope {
    fn from(args: &IndexArgs) -> Self {
        Self {
            indices: args.indices.clone(),
            hidden: args.hidden,
            closed: args.closed,
            page_size: args.page_size,
            slices: args.slices,
        }
    }
}
