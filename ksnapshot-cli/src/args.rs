//! The arguments. The one vocabulary of all commands: help, parsing and completion come from here.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use jiff::{Span, SpanRelativeTo, Timestamp};
use ksnapshot_core::pattern::Pattern;
use ksnapshot_core::retention::{MaxDelete, Rules};
use ksnapshot_core::{Error, ErrorKind};

pub(crate) use cluster::{ExplainArgs, JobArgs, OperatorArgs};
pub(crate) use dump::DumpArgs;
pub(crate) use restore::RestoreArgs;

mod cluster;
mod dump;
mod restore;

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
