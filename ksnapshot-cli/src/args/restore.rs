//! The arguments of `ksnapshot restore`.

use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Args;
use ksnapshot_core::pattern::Pattern;
use ksnapshot_core::{Error, ErrorKind};

use super::{EXIT_CODES, Which, index, pattern, with_hint};

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

A PostgreSQL older than the source is asked first what it lacks. What is loaded is analyzed at the end. A restore that was
interrupted goes on where it was when the same is run again; until it has ended the target has a schema ksnapshot_restore.

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

fn rename(text: &str) -> Result<(String, String), Error> {
    match text.split_once('=') {
        Some((old, new)) if !old.is_empty() && !new.is_empty() => Ok((old.into(), new.into())),
        _ => Err(with_hint(
            Error::new(ErrorKind::Usage, format!("{text:?} is no OLD=NEW"))
                .hint("Write it as orders=orders-copy, or sales.orders=sales.orders_2025."),
        )),
    }
}
