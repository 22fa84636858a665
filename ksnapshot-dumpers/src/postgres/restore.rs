//! Writing a snapshot back.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};

use ksnapshot_core::{
    Aspect, Bytes, Cx, DataStats, Error, ErrorKind, Event, Frame, Index, Item, Loaded, Progress,
    RestoreOptions, RestoreSession, Result, Stage, async_trait,
};
use sqlx::postgres::PgConnection;

use super::connect::{NOTICE_OUR_END, Postgres, version};
use super::copy::{copy_out, rows_in, rows_measured};
use super::data_only::DataOnly;
use super::database::Database;
use super::ddl::{self, Script};
use super::query::run;
use super::rehearsal::Rehearsal;
use super::rename::{self, Names};
use super::version::ServerVersion;
use super::{analyze, drop, giant, large_objects, numbers, progress, target};

/// How often a definition is tried again after a deadlock.
const RETRIES: usize = 10;

/// Definitions that run as one transaction: it holds the locks of all that they make, and a server has room for some
/// thousands.
const TOGETHER: NonZeroUsize = NonZeroUsize::new(64).expect("not zero");

/// A target that is being written to.
pub(super) struct Session {
    idle: Mutex<Vec<PgConnection>>,
    connections: usize,
    /// The database was made for this restore.
    created: bool,
    script: Script,
    tables: BTreeMap<u32, usize>,
    is_scratch: bool,
    /// On a server older than the source everything is tried first.
    rehearsal: Option<Rehearsal>,
    /// The one transaction, where only rows are restored.
    data_only: Option<DataOnly>,
    /// How far it is, where it can be gone on with.
    progress: Option<Progress>,
    /// New names that texts get.
    names: Names,
    /// Statements that rename at the end.
    renaming: Vec<String>,
    /// Tables and materialized views that got rows: the planner knows nothing of them yet.
    filled: Mutex<BTreeSet<String>>,
    /// The snapshot tells it, and the target listens.
    brings_statistics: bool,
    cx: Cx,
}

impl Session {
    pub(super) async fn open(
        server: &Postgres,
        index: &Index,
        items: &[u32],
        options: RestoreOptions,
        workers: NonZeroUsize,
        cx: &Cx,
    ) -> Result<Self> {
        let database = Database::of(index)?;
        let script = ddl::without_texts(&database.catalog);
        let mut script = numbers::as_in(&index.items, script);
        // What is replayed are the snapshot's own.
        script.items = Vec::new();
        let data_only = options.data_only || database.catalog.data_only;
        let (names, renaming) = match options.partial || data_only {
            true => (Names::new(server.renames(), index, items)?, Vec::new()),
            false => (Names::default(), rename::at_end(server.renames(), index)?),
        };
        names.apply(&mut script, index);
        let restore = progress::Restore::new(index, items, server.renames(), options);
        if options.create {
            create(server, &database, &restore).await?;
        }
        let mut first = server.connect().await?;
        let (version, _) = version(&mut first).await?;
        settle(&mut first, version, &database).await?;
        if data_only && !items.is_empty() {
            let begun = DataOnly::begin(&mut first, &script, items, options.clean).await?;
            return Ok(Self {
                data_only: Some(begun),
                names,
                ..Self::new(server, script, vec![first], options, cx)
            });
        }
        // A drill ends with its database, and reading back makes nothing.
        let is_kept = !server.is_scratch() && !items.is_empty();
        let found = match is_kept {
            true => progress::find(&mut first, &restore).await?,
            false => None,
        };
        let (mut progress, mut rehearsal) = (None, None);
        let mut created = options.create;
        let mut filled = BTreeSet::new();
        if let Some(found) = found {
            created |= found.created;
            let before = progress::resume(&mut first).await?;
            let rows = progress::filled(&before, index);
            let tables = script.tables.iter().filter(|t| rows.contains(&t.item));
            filled = tables.map(|table| table.root.clone()).collect();
            let views = (index.items.iter())
                .filter(|item| fills_view(item) && before.items.contains(&item.id));
            filled.extend(views.map(|view| names.qualified(view)));
            progress = Some(before);
        } else {
            let chosen: Vec<&Item> = items
                .iter()
                .filter_map(|&id| index.items.get(id as usize))
                .collect();
            let versions = (database.catalog.version, version);
            rehearsal = make_room(
                &mut first, server, &script, &chosen, &names, options, versions,
            )
            .await?;
            if is_kept {
                progress = progress::begin(&mut first, &restore).await?;
            }
        }
        // They name tables by values, which get no new names: gathering does it there.
        let brings_statistics = version.at_least(18)
            && names.is_empty()
            && (items.iter()).any(|&id| index.items[id as usize].kind == ddl::PLANNER_STATISTICS);
        names.make_schemas(&mut first).await?;
        let mut idle = vec![first];
        for _ in 1..workers.get() {
            let mut more = server.connect().await?;
            settle(&mut more, version, &database).await?;
            idle.push(more);
        }
        Ok(Self {
            created,
            progress,
            rehearsal,
            names,
            renaming,
            filled: Mutex::new(filled),
            brings_statistics,
            ..Self::new(server, script, idle, options, cx)
        })
    }

    fn new(
        server: &Postgres,
        script: Script,
        connections: Vec<PgConnection>,
        options: RestoreOptions,
        cx: &Cx,
    ) -> Self {
        let tables = script
            .tables
            .iter()
            .enumerate()
            .map(|(number, table)| (table.item, number))
            .collect();
        Self {
            connections: connections.len(),
            created: options.create,
            idle: Mutex::new(connections),
            script,
            tables,
            is_scratch: server.is_scratch(),
            rehearsal: None,
            data_only: None,
            progress: None,
            names: Names::default(),
            renaming: Vec::new(),
            filled: Mutex::default(),
            brings_statistics: false,
            cx: cx.clone(),
        }
    }

    /// Whether a definition is not for this target.
    fn passes_over(&self, item: &Item) -> bool {
        if self.data_only.is_some() && DataOnly::passes_over(item) {
            return true;
        }
        if item.kind == ddl::PLANNER_STATISTICS {
            return !self.brings_statistics;
        }
        // What was there before keeps its owner, its rights and its settings.
        let of_another = item.kind == ddl::DATABASE && !self.created;
        of_another || self.is_scratch && (item.id as usize) < self.script.globals
    }

    /// What notes in the same transaction that these are done. What all databases share can't be in one, and may be done again.
    fn note<'i>(&self, items: impl Iterator<Item = &'i Item>) -> String {
        let own = items.filter(|item| item.id as usize >= self.script.globals);
        match self.progress {
            Some(_) => progress::items(own),
            None => String::new(),
        }
    }

    /// Keeps in mind which views these definitions have filled.
    fn has_filled<'i>(&self, items: impl Iterator<Item = &'i Item>) {
        let views = items.filter(|item| fills_view(item));
        let mut filled = self.filled.lock().unwrap_or_else(PoisonError::into_inner);
        filled.extend(views.map(|view| self.names.qualified(view)));
    }

    /// A connection, and whether others are at work.
    fn take(&self) -> Result<(PgConnection, bool)> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let busy = idle.len() < self.connections;
        (idle.pop().map(|connection| (connection, busy)))
            .ok_or_else(|| Error::new(ErrorKind::Failed, "more writers than connections"))
    }

    /// Gathers statistics on what was loaded and has none.
    async fn analyze(&self, connections: &mut [PgConnection]) -> Result<()> {
        let filled =
            std::mem::take(&mut *self.filled.lock().unwrap_or_else(PoisonError::into_inner));
        if let (true, [connection, ..]) = (self.brings_statistics, &mut *connections) {
            // What a partitioned table lacks, its partitions may have.
            let missing = analyze::missing(connection, &filled).await?;
            return analyze::gather(connections, "ANALYZE ONLY", missing, &self.cx).await;
        }
        analyze::gather(connections, "ANALYZE", filled, &self.cx).await
    }

    /// Gives what is there its names and takes the progress away, all at once, or leaves it for the next time.
    async fn finish(&self, connection: &mut PgConnection, succeeded: bool) -> Result<()> {
        match (&self.progress, succeeded) {
            (Some(_), false) => progress::drop_if_unused(connection).await,
            (None, false) => Ok(()),
            (progress, true) => {
                let mut last = self.renaming.clone();
                last.extend(progress.as_ref().map(|_| progress::DROP.to_owned()));
                (run(connection, &last.join(";\n")).await)
                    .map_err(|error| error.context("the last step"))
            }
        }
    }

    fn give_back(&self, connection: PgConnection) {
        self.idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(connection);
    }
}

#[async_trait]
impl RestoreSession for Session {
    fn is_atomic(&self) -> bool {
        self.data_only.is_some()
    }

    fn progress(&self) -> Option<&Progress> {
        self.progress.as_ref()
    }

    fn rehearses(&self) -> bool {
        self.rehearsal.is_some()
    }

    async fn rehearse(&self, item: &Item, text: &str) -> Result<()> {
        let Some(rehearsal) = &self.rehearsal else {
            return Ok(());
        };
        if self.passes_over(item) {
            return Ok(());
        }
        let (mut connection, _) = self.take()?;
        let text = self.names.text(item, text);
        let done = rehearsal.run(&mut connection, &text).await;
        self.give_back(connection);
        done
    }

    async fn end_rehearsal(&self) -> Result<()> {
        let Some(rehearsal) = &self.rehearsal else {
            return Ok(());
        };
        let (mut connection, _) = self.take()?;
        rehearsal.end(&mut connection).await?;
        self.give_back(connection);
        Ok(())
    }

    async fn define(&self, item: &Item, text: &str) -> Result<()> {
        if self.passes_over(item) {
            return Ok(());
        }
        let text = &*self.names.text(item, text);
        let (mut connection, busy) = self.take()?;
        if let Some(data_only) = &self.data_only {
            let done = data_only.define(&mut connection, item, text).await;
            self.give_back(connection);
            return done;
        }
        if item.stage == Stage::PostData && item.table.is_some() {
            // One index by several processes costs more work in all: worth it only where nobody else has work.
            let workers = if busy {
                "SET max_parallel_maintenance_workers = 0"
            } else {
                "RESET max_parallel_maintenance_workers"
            };
            run(&mut connection, workers).await?;
        }
        let text = &format!("{text}{}", self.note([item].into_iter()));
        let mut done = run(&mut connection, text).await;
        // Two definitions at work on the same tables may lock each other out; the server ends one of them, whole.
        for _ in 0..RETRIES {
            match &done {
                Err(error) if error.kind() == ErrorKind::Conflict => {
                    done = run(&mut connection, text).await
                }
                _ => break,
            }
        }
        if done.is_ok() {
            self.has_filled([item].into_iter());
        }
        let done = done.map_err(|error| match error.kind() {
            ErrorKind::Conflict => error.with_kind(ErrorKind::Refused),
            _ => error,
        });
        // After a refusal the session goes on; after a lost connection there is none.
        if done
            .as_ref()
            .err()
            .is_none_or(|e| matches!(e.kind(), ErrorKind::Refused | ErrorKind::AlreadyExists))
        {
            self.give_back(connection);
        }
        done
    }

    fn together(&self) -> NonZeroUsize {
        match self.data_only {
            Some(_) => NonZeroUsize::MIN,
            None => TOGETHER,
        }
    }

    async fn define_together(&self, definitions: &[(&Item, &str)]) -> Result<bool> {
        let wanted = || (definitions.iter()).filter(|(item, _)| !self.passes_over(item));
        let mut text: String = wanted()
            .map(|(item, text)| self.names.text(item, text))
            .collect();
        if text.is_empty() {
            return Ok(true);
        }
        text.push_str(&self.note(wanted().map(|(item, _)| *item)));
        let (mut connection, _) = self.take()?;
        // Statements of one message are one transaction: where one fails, the server undoes those before it.
        let done = match run(&mut connection, &text).await {
            Ok(()) => {
                self.has_filled(wanted().map(|(item, _)| *item));
                true
            }
            Err(error) if error.kind() == ErrorKind::Server => return Err(error),
            Err(_) => false,
        };
        self.give_back(connection);
        Ok(done)
    }

    async fn load(&self, item: &Item, frames: &[Frame], blocks: Vec<Bytes>) -> Result<Loaded> {
        let (mut connection, _) = self.take()?;
        let noted = (self.progress.as_ref()).map(|_| progress::frames(frames));
        if let Some(note) = &noted {
            run(&mut connection, &format!("BEGIN{note}")).await?;
        }
        let took = if self
            .script
            .large_objects
            .iter()
            .any(|batch| batch.item == item.id)
        {
            let text = String::from_utf8(blocks.concat()).map_err(|cause| {
                Error::corrupt("a block of large objects is not UTF-8").source(cause)
            })?;
            run(&mut connection, &text).await?;
            text.lines().filter(|line| !line.is_empty()).count() as u64
        } else {
            let renamed = |text: &str| self.names.text(item, text).into_owned();
            let in_transaction = noted.is_some() || self.is_atomic();
            rows(&mut connection, blocks, in_transaction, renamed)
                .await
                .map_err(|e| match e.kind() {
                    ErrorKind::Refused => e.with_kind(ErrorKind::Failed),
                    _ => e,
                })?
        };
        if noted.is_some() {
            run(&mut connection, "COMMIT").await?;
        }
        if let Some(&table) = self.tables.get(&item.id) {
            let table = self.script.tables[table].root.clone();
            let mut filled = self.filled.lock().unwrap_or_else(PoisonError::into_inner);
            filled.insert(table);
        }
        self.give_back(connection);
        Ok(took.into())
    }

    async fn measure(&self, item: &Item) -> Result<DataStats> {
        let (mut connection, _) = self.take()?;
        let stats = if let Some(table) = self.tables.get(&item.id).map(|&n| &self.script.tables[n])
        {
            let mut stats = rows_measured(&mut connection, &copy_out(table, (0, None))).await?;
            if giant::possible_in(table) {
                stats += giant::measured(&mut connection, table).await?;
            }
            stats
        } else if let Some(batch) = self.script.large_objects.iter().find(|b| b.item == item.id) {
            large_objects::measure(&mut connection, batch).await?
        } else {
            return Err(Error::corrupt(
                "index: rows of something that the catalog model does not hold",
            ));
        };
        self.give_back(connection);
        Ok(stats)
    }

    async fn close(&self, succeeded: bool) -> Result<()> {
        let mut idle =
            std::mem::take(&mut *self.idle.lock().unwrap_or_else(PoisonError::into_inner));
        if succeeded {
            if let (Some(data_only), [connection, ..]) = (&self.data_only, &mut idle[..]) {
                data_only.end(connection, &self.cx).await?;
            }
            let gathered = match self.is_scratch {
                true => Ok(()),
                false => self.cx.guard(self.analyze(&mut idle)).await,
            };
            match gathered {
                Err(error) if error.kind() == ErrorKind::Cancelled && self.is_atomic() => {
                    // What is committed can't be taken back, and is whole.
                    self.cx.emit(&Event::Warning(
                        "all rows are restored, but cancelled before statistics on all of them were gathered: run ANALYZE",
                    ));
                    return Ok(());
                }
                gathered => gathered?,
            }
        }
        if let [connection, ..] = &mut idle[..] {
            self.finish(connection, succeeded).await?;
        }
        for mut connection in idle {
            if succeeded {
                // Until here commits did not wait for the disk. This one does, and with it all before it.
                run(
                    &mut connection,
                    "SET synchronous_commit = on; BEGIN; SELECT pg_catalog.txid_current(); COMMIT",
                )
                .await?;
            }
            let _ = sqlx::Connection::close(connection).await;
        }
        Ok(())
    }
}

/// Whether it is a definition that brings rows: those of a materialized view.
fn fills_view(item: &Item) -> bool {
    item.stage == Stage::PostData && item.aspect == Aspect::Data
}

/// Makes the database of the URL; fine if an interrupted restore of the same has made it.
async fn create(server: &Postgres, database: &Database, restore: &progress::Restore) -> Result<()> {
    // The database to make can't be the one to connect to.
    let mut maintenance = server.with_database("postgres").connect().await?;
    let name = server.database_name();
    let made = target::create_database(&mut maintenance, name, &database.options()).await;
    if let Err(error) = &made
        && error.kind() == ErrorKind::TargetNotEmpty
        && let Ok(mut connection) = server.connect().await
        && let Ok(Some(_)) = progress::find(&mut connection, restore).await
    {
        return Ok(());
    }
    made
}

/// Refuses a target that holds what is to be restored, or drops that, after a rehearsal if one is needed between these versions of
/// source and target.
async fn make_room(
    connection: &mut PgConnection,
    server: &Postgres,
    script: &Script,
    chosen: &[&Item],
    names: &Names,
    options: RestoreOptions,
    (source, target): (ServerVersion, ServerVersion),
) -> Result<Option<Rehearsal>> {
    let drops = match options.clean {
        true => drop::statements(script, chosen),
        false => Vec::new(),
    };
    let rehearsal = Rehearsal::needed(source, target, &drops);
    if options.clean {
        // Not before it is known that something can be put in the place of what goes.
        if rehearsal.is_none() {
            drop::all(connection, &drops).await?;
        }
    } else if options.partial {
        let tables: Vec<String> = chosen
            .iter()
            .filter(|i| i.table == Some(i.id))
            .map(|i| names.qualified(i))
            .collect();
        target::check_absent(connection, &tables).await?;
    } else {
        target::check_empty(connection, server.database_name()).await?;
        rename::check_free(connection, server.renames()).await?;
    }
    Ok(rehearsal)
}

/// Blocks of one table: a line of COPY a row, but for rows that none holds.
async fn rows(
    connection: &mut PgConnection,
    blocks: Vec<Bytes>,
    in_transaction: bool,
    renamed: impl Fn(&str) -> String,
) -> Result<u64> {
    let (giants, usual): (Vec<_>, Vec<_>) = blocks.into_iter().partition(giant::is_one);
    let mut took = rows_in(connection, &usual, &renamed).await?;
    for block in giants {
        took += giant::row_in(connection, &block, in_transaction, &renamed).await?;
    }
    Ok(took)
}

/// The settings under which definitions and rows are replayed, by us and by psql: they stand at the head of the text,
/// after [`Database::client_encoding`].
pub(super) const SETTINGS: [&str; 14] = [
    "SET statement_timeout = 0",
    "SET lock_timeout = 0",
    "SET idle_in_transaction_session_timeout = 0",
    "SET standard_conforming_strings = on",
    "SELECT pg_catalog.set_config('search_path', '', false)",
    "SET check_function_bodies = false",
    "SET xmloption = content",
    "SET client_min_messages = warning",
    "SET row_security = off",
    "SET DateStyle = ISO",
    "SET IntervalStyle = postgres",
    "SET TimeZone = 'UTC'",
    "SET default_tablespace = ''",
    "SET default_table_access_method = heap",
];

/// Memory in which an index is sorted, where the target allows less by itself. Two are built at once at most per core.
const SORT_MEMORY: &str = "SELECT pg_catalog.set_config('maintenance_work_mem', '256MB', false)
     FROM pg_catalog.pg_settings WHERE name = 'maintenance_work_mem' AND setting::bigint < 262144";

/// What a session of ours needs beside [`SETTINGS`].
pub(super) async fn settle(
    connection: &mut PgConnection,
    version: ServerVersion,
    database: &Database,
) -> Result<()> {
    let mut settings = vec![database.client_encoding()];
    settings.extend(SETTINGS);
    // How rows are read back, as the dump read them.
    settings.extend(["SET extra_float_digits = 3", "SET bytea_output = hex"]);
    // Durable all the same: the last commit of a restore waits for the disk.
    settings.extend(["SET synchronous_commit = off", SORT_MEMORY]);
    if version.at_least(14) {
        settings.push("SET idle_session_timeout = 0");
        settings.push(NOTICE_OUR_END);
    }
    if version.at_least(17) {
        settings.push("SET transaction_timeout = 0");
    }
    run(connection, &settings.join("; ")).await
}
