//! The arguments. The one vocabulary of all commands: help, parsing and completion come from here.

use std::ffi::OsString;
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use jiff::{Span, SpanRelativeTo, Timestamp};
use ksnapshot_core::pattern::Pattern;
use ksnapshot_core::retention::{MaxDelete, Rules};
use ksnapshot_core::{Error, ErrorKind};
use ksnapshot_dumpers::{IndexScope, Scope};

pub(crate) use cluster::{ExplainArgs, JobArgs, OperatorArgs};

mod cluster;

const EXIT_CODES: &str = "\
Exit codes:
   0  complete
   1  failed; the target is not empty; the snapshot's format is newer
   2  usage: bad arguments or recipient, several series and no choice
   3  complete with problems, which are listed
  10  no such snapshot
  12  missing or wrong identity
  13  source or target unreachable, login refused, or lost
  14  the same for the storage
  15  corrupt: stored bytes are not what was written
 130  cancelled";

const STORAGE: &str = "\
Storage:
  ./backups, /var/backups, file:///var/backups       a folder
  s3://bucket/prefix?region=eu-west-3                Amazon S3
  s3://bucket?endpoint=http://127.0.0.1:9000         anything compatible
  s3://bucket?max-parts=1000                         ... that takes fewer parts an object than S3's 10,000
  gs://bucket/prefix                                 Google Cloud Storage
  az://container/prefix?account=NAME                 Azure Blob Storage
Credentials come from the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY; GOOGLE_APPLICATION_CREDENTIALS;
AZURE_STORAGE_KEY, AZURE_STORAGE_SAS_TOKEN), the clouds' own files, or a workload identity; never from the URL.
Settings of s3: endpoint, region, style=path|virtual, checksum=sha256|none, max-parts, ca=FILE; of gs: endpoint, ca; of az: account,
endpoint, ca.";

/// Snapshots of databases: compressed and encrypted into object storage, proved, restored.
#[derive(Debug, Parser)]
#[command(name = "ksnapshot", version, max_term_width = 120, after_long_help = EXIT_CODES)]
pub(crate) struct Cli {
    /// Print newline-delimited JSON on stdout; the last line is the result
    #[arg(long, global = true)]
    pub(crate) json: bool,

    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Dump(DumpArgs),
    List(ListArgs),
    Inspect(InspectArgs),
    Restore(RestoreArgs),
    Verify(VerifyArgs),
    Cat(CatArgs),
    Prune(PruneArgs),
    Explain(ExplainArgs),
    Operator(OperatorArgs),
    Job(JobArgs),
    Keygen(KeygenArgs),
    Completions(CompletionsArgs),
    Man(ManArgs),
}

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
            schemas: args.schemas.clone(),
            exclude_schemas: args.exclude_schemas.clone(),
            exclude_table_data: args.exclude_table_data.clone(),
            foreign_data: args.foreign_data.clone(),
            lock_timeout: args.lock_timeout,
            serializable: args.serializable_deferrable,
            force: args.force,
            no_data: args.no_data,
            data_only: args.data_only,
            no_owner: args.no_owner,
            no_privileges: args.no_privileges,
            skip_definer: args.skip_definer,
            globals: args.globals,
            split_tables: args.split_tables,
            condition: args.condition.clone(),
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

/// List the snapshots of a storage
#[derive(Debug, Args)]
#[command(after_long_help = format!("\
Examples:
  ksnapshot list ./backups
  ksnapshot list 's3://bucket/db?region=eu-west-3' --name db.example.org --database shop
  ksnapshot list ./backups --json | jq -r 'select(.outcome == \"complete\").id'

{STORAGE}

{EXIT_CODES}"))]
pub(crate) struct ListArgs {
    /// Where the snapshots are
    #[arg(value_name = "STORAGE")]
    pub(crate) storage: String,
    /// Only this series' name
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Only this database
    #[arg(long)]
    pub(crate) database: Option<String>,
}

/// Which snapshot is meant: by its id, or the newest complete one of a series.
#[derive(Debug, Args)]
pub(crate) struct Which {
    /// Where the snapshot is; #ID chooses one by its id
    #[arg(value_name = "STORAGE[#ID]")]
    pub(crate) storage: String,
    /// The newest one of the series with this name
    #[arg(long, help_heading = "Which snapshot")]
    pub(crate) name: Option<String>,
    /// The newest one of this database
    #[arg(long, help_heading = "Which snapshot")]
    pub(crate) database: Option<String>,
    /// The newest one started at this time or before, such as 2026-11-21T03:00:00Z
    #[arg(long, help_heading = "Which snapshot", value_name = "TIME")]
    pub(crate) at: Option<Timestamp>,
    /// File with the age secret key, as keygen and age-keygen write it
    #[arg(long, short, env = "KSNAPSHOT_IDENTITY", value_name = "FILE")]
    pub(crate) identity: Option<PathBuf>,
}

/// Show what a snapshot says of itself, and with an identity what is in it
#[derive(Debug, Args)]
#[command(after_long_help = format!("\
Examples:
  ksnapshot inspect ./backups
  ksnapshot inspect ./backups#ab12cd34 --identity key.txt
  ksnapshot inspect ./backups --database shop --at 2026-11-20T12:00:00Z --json

{EXIT_CODES}"))]
pub(crate) struct InspectArgs {
    #[command(flatten)]
    pub(crate) which: Which,
}

/// Restore a snapshot, or some tables of it, into a database
#[derive(Debug, Args)]
#[command(after_long_help = format!("\
Examples:
  ksnapshot restore ./backups --into postgres://postgres@localhost/shop_copy --create --identity key.txt
  ksnapshot restore ./backups#ab12cd34 --into postgres://localhost/shop --table public.orders --identity key.txt
  ksnapshot restore ./backups --into postgres://localhost/shop --table public.orders --rename public.orders=public.orders_2025 --identity key.txt
  ksnapshot restore ./backups --into postgres://localhost/shop --table public.orders --data-only --clean --identity key.txt
  ksnapshot restore ./backups --into postgres://localhost/shop_copy --identity key.txt --plan
  ksnapshot restore ./backups --database shop --into mysql://root@localhost/shop_copy --create --identity key.txt
  ksnapshot restore ./orders-data.json.gz --into elasticsearch://localhost/orders
  ksnapshot restore ./backups --name etc --into command --identity key.txt -- tar -C /tmp/etc -x
  ksnapshot restore ./backups --database shop --into command --identity key.txt -- psql -v ON_ERROR_STOP=1 shop_copy
  ksnapshot restore ./backups --index orders --rename orders=orders-copy --into elasticsearch://localhost --identity key.txt

A restore never overwrites unasked: the target must be empty, or with --table must not have those tables. Whatever can be
known to be wrong with the snapshot is found before the target is touched.

A PostgreSQL older than the source is asked first what it lacks. What is loaded is analyzed at the end.

The settings, comment, grants and owner of a PostgreSQL database itself are restored with --create only: a database that was
there keeps its own.

A snapshot of one MySQL database goes into the database that the URL names; one of several goes into databases of their own
names, and the URL names none.

In place of a snapshot, a file that elasticdump has written, or one object of a snapshot, is restored into a cluster line by
line; documents go into an index that is there, so restore the file of its mapping first.

A command gets the text of the snapshot, or of the chosen tables, on its stdin, and must read it to its end and end with exit
code 0. When something goes wrong with the snapshot it is ended before it sees the end of its input.

A snapshot of one index goes into the index that the URL names, if it names one. Templates, pipelines, policies and scripts
that the cluster has already under their names stay as they are.

The password comes from KSNAPSHOT_TARGET_PASSWORD, PGPASSWORD or .pgpass, MYSQL_PWD or .my.cnf, ELASTIC_PASSWORD; an API key
from KSNAPSHOT_TARGET_API_KEY or ELASTIC_API_KEY.

{EXIT_CODES}"))]
pub(crate) struct RestoreArgs {
    #[command(flatten)]
    pub(crate) which: Which,
    /// Where to: postgres://USER@HOST:PORT/DATABASE, mysql://USER@HOST:PORT/DATABASE, mariadb://...,
    /// elasticsearch://HOST:PORT, elasticsearch+https://USER@HOST:PORT?ca=FILE or opensearch://...,
    /// or the word `command` for a program that reads the text
    #[arg(long, value_name = "TARGET")]
    pub(crate) into: String,
    /// Only these tables, with what belongs to them; a pattern such as orders, public.orders, *.log_??; may be repeated
    #[arg(long = "table", short, value_name = "PATTERN", value_parser = pattern)]
    pub(crate) tables: Vec<Pattern>,
    /// Only these indices and data streams of a cluster; a pattern such as logs-*; may be repeated
    #[arg(long = "index", value_name = "PATTERN", value_parser = index)]
    pub(crate) indices: Vec<Pattern>,
    /// Another name for an index or data stream of a cluster, a table of PostgreSQL (sales.orders=sales.orders_2025, with its
    /// indexes and sequences) or a schema of it (sales=sales_2025); may be repeated
    #[arg(long = "rename", value_name = "OLD=NEW", value_parser = rename)]
    pub(crate) renames: Vec<(String, String)>,
    /// Keep documents that the cluster refuses in this new file, as lines of JSON
    #[arg(long, value_name = "FILE")]
    pub(crate) rejected: Option<PathBuf>,
    /// Create the target database first
    #[arg(long)]
    pub(crate) create: bool,
    /// Drop first what the snapshot holds, and nothing else
    #[arg(long, conflicts_with = "create")]
    pub(crate) clean: bool,
    /// Only rows, values of sequences and large objects, into tables that are there and empty; with --clean they are emptied
    /// first. All of it or nothing: a failure leaves the target as it was. PostgreSQL
    #[arg(long, conflicts_with = "create")]
    pub(crate) data_only: bool,
    /// Leave owners as the target makes them
    #[arg(long)]
    pub(crate) no_owner: bool,
    /// Leave grants as the target makes them
    #[arg(long)]
    pub(crate) no_privileges: bool,
    /// Only show what would be done; the target is not touched
    #[arg(long)]
    pub(crate) plan: bool,
    /// Concurrent writers [default: the cores]
    #[arg(long, short)]
    pub(crate) jobs: Option<NonZeroUsize>,
    /// With `--into command`: the program that gets the snapshot's text on its stdin, and its arguments
    #[arg(last = true, value_name = "PROGRAM")]
    pub(crate) command: Vec<OsString>,
}

/// Prove that a snapshot can be restored
#[derive(Debug, Args)]
#[command(after_long_help = format!("\
Levels, each including those before it:
  checksum  every object is there, with the bytes that were written; needs no identity
  decode    every frame opens, decompresses and holds what was dumped
  restore   a server takes it: restored into a scratch database ksnapshot_verify_ID, read back, compared, dropped

Examples:
  ksnapshot verify ./backups
  ksnapshot verify ./backups#ab12cd34 --level decode --identity key.txt
  ksnapshot verify ./backups --level restore --scratch postgres://postgres@localhost/postgres --identity key.txt

{EXIT_CODES}"))]
pub(crate) struct VerifyArgs {
    #[command(flatten)]
    pub(crate) which: Which,
    /// How much to prove
    #[arg(long, value_enum, default_value_t = LevelArg::Checksum)]
    pub(crate) level: LevelArg,
    /// Server for the scratch database of the restore level: postgres://USER@HOST:PORT/DATABASE
    #[arg(long, value_name = "SERVER-URL", required_if_eq("level", "restore"))]
    pub(crate) scratch: Option<String>,
    /// Concurrent writers [default: the cores]
    #[arg(long, short)]
    pub(crate) jobs: Option<NonZeroUsize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LevelArg {
    Checksum,
    Decode,
    Restore,
}

/// Print a snapshot, one table of it, or any object, as plain text
#[derive(Debug, Args)]
#[command(after_long_help = format!("\
Examples:
  ksnapshot cat ./backups --identity key.txt | psql -v ON_ERROR_STOP=1 shop_copy
  ksnapshot cat ./backups#ab12cd34 --identity key.txt --table public.orders
  ksnapshot cat ./from-elsewhere.sql.gz.age --identity key.txt

An object is opened and decompressed as its name says; it may come from anybody's `gzip | age`.

Of Elasticsearch and OpenSearch the documents are printed, as elasticdump does; definitions are in objects of their own, such
as ...-mapping.jsonl.zst.age, which can be printed alone.

{EXIT_CODES}"))]
pub(crate) struct CatArgs {
    #[command(flatten)]
    pub(crate) which: Which,
    /// Only these tables, with what belongs to them; a pattern such as orders, public.orders, *.log_??; may be repeated
    #[arg(long = "table", short, value_name = "PATTERN", value_parser = pattern)]
    pub(crate) tables: Vec<Pattern>,
    /// Only these indices and data streams of a cluster; a pattern such as logs-*; may be repeated
    #[arg(long = "index", value_name = "PATTERN", value_parser = index)]
    pub(crate) indices: Vec<Pattern>,
}

/// Remove the snapshots that no rule names, and what killed dumps left
#[derive(Debug, Args)]
#[command(after_long_help = format!("\
Examples:
  ksnapshot prune ./backups --keep-daily 7 --keep-weekly 5 --keep-monthly 12 --dry-run
  ksnapshot prune ./backups --name db.example.org --keep-last 3 --keep-within 30d
  ksnapshot prune 's3://bucket/db?region=eu-west-3' --keep-hourly 24 --keep-daily 7 --max-delete 50%

The rules count for each series (name, type, database) by itself. A snapshot stays if any rule names it: of each hour, day,
ISO week, month or year, in UTC, the newest complete one. --keep-within counts from the newest snapshot, not from now, so that
nothing grows old while a source fails. A snapshot with problems stays only where a rule finds no complete one. The last good
one always stays; one of the future stays, and counts for nothing. The table says which rules name what.

What belongs to no snapshot is swept when it is old enough: objects of ksnapshot's own naming, and uploads that were never
finished. A dump under way looks just like that: --orphans-after must be longer than the longest dump. With --name or
--database nothing is swept.

It takes the rights to list, read and delete, and in a bucket to list and abort multipart uploads.

Exit codes: 1 when more of a series would go than --max-delete allows, 2 without a rule, 3 when a snapshot can't be read or lacks
an object: it stays, counts for nothing, and is told.

{STORAGE}

{EXIT_CODES}"))]
pub(crate) struct PruneArgs {
    /// Where the snapshots are
    #[arg(value_name = "STORAGE")]
    pub(crate) storage: String,
    /// Most snapshots of a series to remove: a number, or a share such as 50% [default: 10, or 30% if that is more]
    #[arg(long, value_name = "N|PERCENT", value_parser = max_delete)]
    pub(crate) max_delete: Option<MaxDelete>,
    /// Sweep what belongs to no snapshot and was left alone for so long: longer than the longest dump
    #[arg(long, value_name = "DURATION", default_value = "48h", value_parser = duration)]
    pub(crate) orphans_after: Duration,
    /// Only series of this name
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Only this database
    #[arg(long)]
    pub(crate) database: Option<String>,
    /// Print the same table, and remove nothing
    #[arg(long, short = 'n')]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) keep: KeepArgs,
}

/// What stays.
#[derive(Debug, Args)]
#[command(next_help_heading = "What stays")]
pub(crate) struct KeepArgs {
    /// The newest N
    #[arg(
        long = "keep-last",
        value_name = "N",
        default_value_t,
        hide_default_value = true
    )]
    last: u32,
    /// The newest of each of N hours that have one
    #[arg(
        long = "keep-hourly",
        value_name = "N",
        default_value_t,
        hide_default_value = true
    )]
    hourly: u32,
    /// The newest of each of N days
    #[arg(
        long = "keep-daily",
        value_name = "N",
        default_value_t,
        hide_default_value = true
    )]
    daily: u32,
    /// The newest of each of N ISO weeks
    #[arg(
        long = "keep-weekly",
        value_name = "N",
        default_value_t,
        hide_default_value = true
    )]
    weekly: u32,
    /// The newest of each of N months
    #[arg(
        long = "keep-monthly",
        value_name = "N",
        default_value_t,
        hide_default_value = true
    )]
    monthly: u32,
    /// The newest of each of N years
    #[arg(
        long = "keep-yearly",
        value_name = "N",
        default_value_t,
        hide_default_value = true
    )]
    yearly: u32,
    /// All that are at most so much older than the newest one: 30d, 2w, 36h; a day is 24 hours
    #[arg(long = "keep-within", value_name = "DURATION", value_parser = duration)]
    within: Option<Duration>,
}

impl From<KeepArgs> for Rules {
    fn from(args: KeepArgs) -> Self {
        Self {
            last: args.last,
            hourly: args.hourly,
            daily: args.daily,
            weekly: args.weekly,
            monthly: args.monthly,
            yearly: args.yearly,
            within: args.within,
        }
    }
}

/// Make a key pair: the secret goes to the file or to stdout, the public key is what --recipient takes
#[derive(Debug, Args)]
#[command(after_long_help = "\
Example:
  ksnapshot keygen --output key.txt

The file is that of age-keygen, and `age` reads it. Without it nobody opens the snapshots: keep it in two places, and
away from the machine that dumps.")]
pub(crate) struct KeygenArgs {
    /// Write the secret key to this file, which must not exist
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

/// Print the script by which a shell completes commands and options
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  ksnapshot completions bash > /etc/bash_completion.d/ksnapshot
  ksnapshot completions zsh > ~/.zfunc/_ksnapshot
  ksnapshot completions fish > ~/.config/fish/completions/ksnapshot.fish")]
pub(crate) struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    pub(crate) shell: clap_complete::Shell,
}

/// Print the manual page, or that of a command
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  ksnapshot man | man -l -
  ksnapshot man dump | man -l -
  ksnapshot man --output /usr/local/share/man/man1")]
pub(crate) struct ManArgs {
    /// The command
    #[arg(value_name = "COMMAND")]
    pub(crate) command: Option<String>,
    /// Write every page into this folder instead
    #[arg(long, short, value_name = "FOLDER", conflicts_with = "command")]
    pub(crate) output: Option<PathBuf>,
}

fn index(text: &str) -> Result<Pattern, Error> {
    Ok(Pattern::whole(text))
}

fn rename(text: &str) -> Result<(String, String), Error> {
    match text.split_once('=') {
        Some((old, new)) if !old.is_empty() && !new.is_empty() => Ok((old.into(), new.into())),
        _ => Err(with_hint(
            Error::new(ErrorKind::Usage, format!("{text:?} is no OLD=NEW"))
                .hint("Write it as orders=orders-copy, or sales.orders=sales.orders_2025."),
        )),
    }
}

fn max_delete(text: &str) -> Result<MaxDelete, Error> {
    text.parse().map_err(with_hint)
}

/// Times are told in UTC, so a day is 24 hours and a week seven of them; months and years have no length of their own.
fn duration(text: &str) -> Result<Duration, Error> {
    let parsed = (text.parse::<Span>())
        .and_then(|span| span.to_duration(SpanRelativeTo::days_are_24_hours()))
        .ok()
        .and_then(|duration| Duration::try_from(duration).ok());
    parsed.ok_or_else(|| {
        with_hint(
            Error::new(ErrorKind::Usage, format!("{text:?} is no duration"))
                .hint("Write it in weeks, days, hours, minutes or seconds, such as 30d or 36h."),
        )
    })
}

fn pattern(text: &str) -> Result<Pattern, Error> {
    Pattern::parse(text).map_err(with_hint)
}

/// clap prints the message alone, so the hint joins it.
fn with_hint(error: Error) -> Error {
    match error.advice() {
        Some(hint) => Error::new(error.kind(), format!("{error}. {hint}")),
        None => error,
    }
}

/// The number of workers: what was asked for, or the cores.
pub(crate) fn jobs(asked: Option<NonZeroUsize>) -> NonZeroUsize {
    asked.unwrap_or_else(ksnapshot_core::pipeline::cores)
}

#[cfg(test)]
mod tests {
    use super::duration;

    #[test]
    fn a_day_has_24_hours_and_a_month_no_length() {
        for (text, hours) in [
            ("30d", 720),
            ("2w", 336),
            ("48h", 48),
            ("1d 12h", 36),
            ("3 days", 72),
            ("P1D", 24),
            ("0s", 0),
        ] {
            assert_eq!(
                duration(text).expect(text).as_secs(),
                hours * 3600,
                "{text}"
            );
        }
        for bad in ["", "30", "-1d", "1mo", "1y", "soon", "1d ago"] {
            let error = duration(bad).expect_err(bad);
            assert!(error.to_string().contains("such as 30d"), "{bad}: {error}");
        }
    }
}
