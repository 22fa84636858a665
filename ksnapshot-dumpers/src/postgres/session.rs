//! One consistent view for many readers: the first connection exports its snapshot, every other one imports it before
//! its first query.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::time::Duration;

use ksnapshot_core::catalog::CatalogModel;
use ksnapshot_core::layout::Form;
use ksnapshot_core::{
    Aspect, Consistency, Cx, DataPart, DumpSession, Error, ErrorKind, Event, Item, ObjectPlan,
    Outline, PartSink, Problem, ProblemKind, Result, SourceInfo, Stage, Text, async_trait,
};
use sqlx::Row;
use sqlx::postgres::PgConnection;

use super::connect::{NOTICE_OUR_END, Postgres, version};
use super::copy::{Pages, copy_in, copy_out, rows_out};
use super::database::Database;
use super::ddl::{self, LargeObjectData, Script, TableData};
use super::error::classify;
use super::model::MODEL_VERSION;
use super::narrow::narrow;
use super::query::{all, one, run};
use super::readers::{Reader, Readers};
use super::version::ServerVersion;
use super::{KIND, catalog, data_only, giant, large_objects, queue, small, split};
use crate::Scope;

/// Sequences whose values one query reads.
const SEQUENCES: usize = 500;

/// Bytes of a page, as every server but a specially built one has them; only estimates hang on it.
const PAGE: u64 = 8192;

/// How long ending what is left on the server may take.
const CLOSE: Duration = Duration::from_secs(5);

/// What helps when a session ended that nobody was told of.
const AGAIN: &str = "Look into the server's log for who ended it, and run the dump again.";

/// A dump's view of the source.
pub(super) struct Session {
    server: Postgres,
    outline: Outline,
    script: Script,
    work: Vec<Work>,
    readers: Readers,
    /// Server processes of all our connections, to end those that are still busy when we leave.
    processes: Vec<i32>,
}

/// What a part consists of; the part with the same number tells the core about it. There is nothing to do for tables that are known
/// to be empty.
enum Work {
    Nothing,
    Rows { table: usize, pages: Pages },
    SmallTables { tables: Vec<usize> },
    Sequences { from: usize, to: usize },
    LargeObjects { batch: usize },
}

/// Views that are taken, when definitions change between a view and the locks.
const VIEWS: usize = 5;

impl Session {
    pub(super) async fn open(server: &Postgres, workers: NonZeroUsize, cx: &Cx) -> Result<Self> {
        let mut views = 1;
        loop {
            match Self::open_once(server, workers, cx).await {
                Err(error) if error.kind() == ErrorKind::Conflict && views < VIEWS => {
                    cx.emit(&Event::Warning(&format!("{error}; taking a new view")));
                    views += 1;
                }
                Err(error) if error.kind() == ErrorKind::Conflict => {
                    return Err(error.with_kind(ErrorKind::Failed));
                }
                done => return done,
            }
        }
    }

    async fn open_once(server: &Postgres, workers: NonZeroUsize, cx: &Cx) -> Result<Self> {
        let mut leader = server.connect().await?;
        let (version, version_text) = version(&mut leader).await?;
        if let Some(warning) = version.dumpable(&version_text, server.scope().postgres.force)? {
            cx.emit(&Event::Warning(&warning));
        }
        settle(&mut leader, version, server.scope()).await?;
        let isolation = match server.scope().postgres.serializable {
            true => "SERIALIZABLE READ ONLY DEFERRABLE",
            false => "REPEATABLE READ READ ONLY",
        };
        run(&mut leader, &format!("BEGIN ISOLATION LEVEL {isolation}")).await?;
        let row = one(
            &mut leader,
            "SELECT pg_catalog.pg_export_snapshot(), pg_catalog.pg_backend_pid(),
                    CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn()
                         ELSE pg_catalog.pg_current_wal_lsn() END::text",
        )
        .await?;
        let snapshot: String = row.try_get(0).map_err(classify)?;
        let mut processes = vec![row.try_get(1).map_err(classify)?];
        let position: String = row.try_get(2).map_err(classify)?;

        let mut catalog = catalog::read(&mut leader, version, server.scope(), cx).await?;
        narrow(&mut catalog, server.scope())?;
        let mut database = Database::read(&mut leader, version, catalog).await?;
        if server.scope().postgres.statistics {
            catalog::planner_statistics(&mut leader, &mut database, ddl::planner_call).await?;
        }
        let mut script = ddl::statements(&database.catalog).only(server.scope());
        // Those are a restore's, which makes them again; these are in its texts now.
        script.drops = Vec::new();
        database.catalog.planner = Vec::new();
        let mut followers = Vec::new();
        for _ in 1..workers.get() {
            let mut follower = server.connect().await?;
            settle(&mut follower, version, server.scope()).await?;
            run(
                &mut follower,
                "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
            )
            .await?;
            // The server made this text itself; it is a file name of hex digits.
            run(
                &mut follower,
                &format!(
                    "SET TRANSACTION SNAPSHOT {}",
                    super::quote::literal(&snapshot)
                ),
            )
            .await?;
            let pid = one(&mut follower, "SELECT pg_catalog.pg_backend_pid()").await?;
            processes.push(pid.try_get(0).map_err(classify)?);
            followers.push(follower);
        }
        let (parts, work) = plan(&script, version);
        let mut problems = script.problems.clone();
        problems.extend(
            script
                .tables
                .iter()
                .filter(|t| !t.readable)
                .map(|t| unreadable("table", "rows", &t.name)),
        );
        problems.extend(
            script
                .sequences
                .iter()
                .filter(|s| !s.readable)
                .map(|s| unreadable("sequence", "value", &s.name)),
        );
        problems.extend(
            script
                .large_objects
                .iter()
                .filter(|batch| !batch.readable)
                .map(|batch| hidden(&script, batch)),
        );
        for problem in &problems {
            cx.emit(&Event::Problem(problem));
        }
        let (items, globals, definitions) = framed(&mut script, &version_text, &database);
        let database_name = server.database_name();
        let mut objects = vec![ObjectPlan {
            name: database_name.to_owned(),
            definitions,
            parts,
        }];
        if let Some(definitions) = globals {
            let globals = ObjectPlan {
                name: format!("{database_name}-globals"),
                definitions,
                parts: Vec::new(),
            };
            objects.insert(0, globals);
        }
        let outline = Outline {
            source: SourceInfo {
                kind: KIND.into(),
                server_version: version_text,
            },
            consistency: Consistency {
                claim: claim(server.scope()).into(),
                position: BTreeMap::from([("lsn".to_owned(), position)]),
            },
            form: Form::Sql,
            catalog: CatalogModel::new(KIND, MODEL_VERSION, &database)?,
            items,
            objects,
            problems,
        };
        Ok(Self {
            server: server.clone(),
            outline,
            script,
            work,
            readers: Readers::new(leader, followers),
            processes,
        })
    }

    pub(super) fn script(&self) -> &Script {
        &self.script
    }

    fn tables(&self, numbers: &[usize]) -> Vec<&TableData> {
        numbers.iter().map(|&n| &self.script.tables[n]).collect()
    }

    async fn rows(
        &self,
        connection: &mut PgConnection,
        table: &TableData,
        pages: Pages,
        out: &mut PartSink,
    ) -> Result<()> {
        rows_out(
            connection,
            &copy_out(table, pages),
            &copy_in(table),
            table.item,
            out,
        )
        .await?;
        if giant::possible_in(table) {
            giant::rows_out(connection, table, pages, out).await?;
        }
        Ok(())
    }

    async fn sequences(
        &self,
        connection: &mut PgConnection,
        from: usize,
        to: usize,
        out: &mut PartSink,
    ) -> Result<()> {
        let sequences: Vec<_> = self.script.sequences[from..to]
            .iter()
            .filter(|s| s.readable)
            .collect();
        if sequences.is_empty() {
            return Ok(());
        }
        let query = sequences
            .iter()
            .enumerate()
            .map(|(i, s)| format!("SELECT {i}, last_value, is_called FROM {}", s.name))
            .collect::<Vec<_>>()
            .join(" UNION ALL ");
        let rows = all(connection, &query).await?;
        for row in rows {
            let number: i32 = row.try_get(0).map_err(classify)?;
            let value: i64 = row.try_get(1).map_err(classify)?;
            let called: bool = row.try_get(2).map_err(classify)?;
            let sequence = sequences[usize::try_from(number).unwrap_or(usize::MAX)];
            let name = super::quote::literal(&sequence.name);
            out.text(
                sequence.item,
                format!("SELECT pg_catalog.setval({name}, {value}, {called});\n\n"),
            )
            .await?;
        }
        Ok(())
    }
}

#[async_trait]
impl DumpSession for Session {
    fn outline(&self) -> &Outline {
        &self.outline
    }

    async fn dump(&self, part: &DataPart, out: &mut PartSink) -> Result<()> {
        let work = self.work.get(part.id as usize).ok_or_else(|| {
            Error::new(
                ErrorKind::Failed,
                format!("part {} does not exist", part.id),
            )
        })?;
        // A connection that an error or a cancellation met in the middle of a COPY does not come back.
        let mut reader = match work {
            Work::Nothing => return Ok(()),
            Work::Rows { table, .. } => {
                (self.readers.take_for(&[&self.script.tables[*table]])).await?
            }
            Work::SmallTables { tables } => self.readers.take_for(&self.tables(tables)).await?,
            Work::Sequences { .. } | Work::LargeObjects { .. } => self.readers.take()?,
        };
        let connection = &mut reader.connection;
        match work {
            Work::Nothing => {}
            Work::Rows { table, pages } => {
                self.rows(connection, &self.script.tables[*table], *pages, out)
                    .await?;
            }
            Work::SmallTables { tables } => {
                for table in small::filled(connection, &self.tables(tables)).await? {
                    (self.rows(connection, table, (0, None), out).await)
                        .map_err(|error| error.context(titled(table)))?;
                }
            }
            Work::Sequences { from, to } => self.sequences(connection, *from, *to, out).await?,
            Work::LargeObjects { batch } => {
                large_objects::out(connection, &self.script.large_objects[*batch], out).await?;
            }
        }
        self.readers.give_back(reader);
        Ok(())
    }

    async fn watch(&self, cx: &Cx) {
        queue::watch(&self.server, &self.processes, cx).await;
    }

    async fn confirm(&self) -> Result<()> {
        let mut readers = self.readers.leave();
        if readers.len() != self.processes.len() {
            return Err(Error::new(ErrorKind::Server, "a reader's connection is gone").hint(AGAIN));
        }
        // A transaction that somebody ended would answer that it is not in the dump's snapshot any more.
        for Reader { connection, .. } in &mut readers {
            let row = one(
                connection,
                "SELECT pg_catalog.current_setting('transaction_isolation')",
            )
            .await?;
            let isolation: String = row.try_get(0).map_err(classify)?;
            if !matches!(isolation.as_str(), "repeatable read" | "serializable") {
                return Err(
                    Error::new(ErrorKind::Server, "a reader's transaction has ended").hint(AGAIN),
                );
            }
        }
        self.readers.stay(readers);
        Ok(())
    }

    async fn close(&self) -> Result<()> {
        let readers = self.readers.leave();
        let all_here = readers.len() == self.processes.len();
        let end = async {
            for Reader { connection, .. } in readers {
                // The transaction only read; whether its end is confirmed does not matter.
                let _ = sqlx::Connection::close(connection).await;
            }
            if !all_here {
                let mut helper = self.server.connect().await?;
                let list = self
                    .processes
                    .iter()
                    .map(ToString::to_string)
                    .collect::<Vec<_>>()
                    .join(",");
                run(&mut helper, &format!(
                    "SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity
                     WHERE pid IN ({list}) AND application_name = 'ksnapshot' AND pid <> pg_catalog.pg_backend_pid()"
                ))
                .await?;
            }
            Ok::<_, Error>(())
        };
        // A server that does not answer ends our sessions by itself when it sees the closed sockets.
        let _ = tokio::time::timeout(CLOSE, end).await;
        Ok(())
    }
}

/// Which consistency the manifest tells of.
fn claim(scope: &Scope) -> &'static str {
    match scope.postgres.serializable {
        true => "one-serializable-snapshot",
        false => "one-snapshot",
    }
}

/// The settings under which catalogs and rows are read.
async fn settle(
    connection: &mut PgConnection,
    version: ServerVersion,
    scope: &Scope,
) -> Result<()> {
    let mut settings = vec![
        "SELECT pg_catalog.set_config('search_path', '', false)",
        // What has no encoding can't be turned into another one.
        "SELECT pg_catalog.set_config('client_encoding',
             CASE pg_catalog.getdatabaseencoding() WHEN 'SQL_ASCII' THEN 'SQL_ASCII' ELSE 'UTF8' END, false)",
        "SET DateStyle = ISO",
        "SET IntervalStyle = postgres",
        "SET TimeZone = 'UTC'",
        "SET bytea_output = hex",
        "SET extra_float_digits = 3",
        "SET synchronize_seqscans = off",
        "SET quote_all_identifiers = off",
        "SET statement_timeout = 0",
        "SET lock_timeout = 0",
        "SET idle_in_transaction_session_timeout = 0",
        "SET row_security = off",
        // Rows are read as fast as we take them; a plan that starts slowly and ends quickly is no gain.
        "SET max_parallel_workers_per_gather = 0",
        "SET jit = off",
    ];
    if version.at_least(14) {
        settings.push("SET idle_session_timeout = 0");
        settings.push(NOTICE_OUR_END);
    }
    if version.at_least(17) {
        settings.push("SET transaction_timeout = 0");
    }
    // Came with the minor releases of August 2024: a view must not be put in a table's place between listing and reading.
    let refused = match scope.postgres.foreign_data.is_empty() {
        true => "view, foreign-table",
        false => "view",
    };
    let refuse = format!(
        "SELECT pg_catalog.set_config(name, '{refused}', false) FROM pg_catalog.pg_settings
         WHERE name = 'restrict_nonsystem_relation_kind'"
    );
    settings.push(&refuse);
    run(connection, &settings.join("; ")).await
}

/// An object's definitions, by item id, in the order of writing.
type Definitions = Vec<(u32, Text)>;

/// Puts the session's settings before the definitions, and a last line after them; what all databases share comes first, as an
/// object of its own. Their ids follow those of the script, which is made again from the catalog model when the snapshot is
/// restored.
fn framed(
    script: &mut Script,
    server_version: &str,
    database: &Database,
) -> (Vec<Item>, Option<Definitions>, Definitions) {
    let server_version = super::quote::in_comment(server_version);
    let settings: String = std::iter::once(&database.client_encoding())
        .chain(&super::restore::SETTINGS)
        .map(|s| format!("{s};\n"))
        .collect();
    let header = |what| {
        format!(
            "-- PostgreSQL {what}, dumped by {} from server {server_version}\n\n{settings}\n",
            ksnapshot_core::TOOL
        )
    };
    let footer = |what| format!("-- PostgreSQL {what}, dumped to its end\n");
    let mut items = std::mem::take(&mut script.items);
    let mut globals = std::mem::take(&mut script.definitions);
    let own = globals.split_off(script.globals);
    let globals = (script.globals > 0).then(|| {
        let what = "roles and tablespaces";
        frame(&mut items, header(what), globals, footer(what))
    });
    let (mut head, mut foot) = (header("database"), footer("database"));
    if database.catalog.data_only {
        head.push_str(&data_only::header(script));
        foot.insert_str(0, &data_only::footer());
    }
    let own = frame(&mut items, head, own, foot);
    (items, globals, own)
}

fn frame(items: &mut Vec<Item>, head: String, inner: Definitions, foot: String) -> Definitions {
    let mut add = |stage, name: &str| {
        let id = u32::try_from(items.len()).unwrap_or(u32::MAX);
        items.push(Item {
            id,
            stage,
            aspect: Aspect::Setting,
            kind: "settings".into(),
            schema: None,
            name: name.into(),
            table: None,
            owner: None,
            depends: Vec::new(),
            place: None,
            data: None,
        });
        id
    };
    let (header, footer) = (
        add(Stage::PreData, "header"),
        add(Stage::PostData, "footer"),
    );
    let mut definitions = vec![(header, head.into())];
    definitions.extend(inner);
    definitions.push((footer, foot.into()));
    definitions
}

/// Cuts the data into parts, the largest first, so that readers end together.
fn plan(script: &Script, version: ServerVersion) -> (Vec<DataPart>, Vec<Work>) {
    let mut planned: Vec<(String, u64, Vec<u32>, Work)> = Vec::new();
    let readable = script.tables.iter().enumerate().filter(|(_, t)| t.readable);
    let (empty, filled): (Vec<_>, Vec<_>) = readable.partition(|(_, t)| t.empty);
    if !empty.is_empty() {
        let items = empty.iter().map(|(_, t)| t.item).collect();
        let name = format!("{} empty tables", empty.len());
        planned.push((name, 0, items, Work::Nothing));
    }
    let (small, large): (Vec<_>, Vec<_>) =
        (filled.into_iter()).partition(|(_, t)| small::is_small(t));
    for (number, table) in large {
        // A range of pages is only quick where the server has TID range scans, and only heap tables have such pages.
        let splits = version.at_least(14)
            && table.heap
            && table.condition.is_none()
            && !table.columns.is_empty();
        let bytes = (table.pages + table.toast_pages) * PAGE;
        let ranges = if splits {
            split::page_ranges(table.pages, bytes)
        } else {
            vec![(0, None)]
        };
        let share = bytes / ranges.len() as u64;
        for pages in ranges {
            let work = Work::Rows {
                table: number,
                pages,
            };
            planned.push((titled(table), share, vec![table.item], work));
        }
    }
    for tables in small::parts(small) {
        let name = format!("{} small tables", tables.len());
        let of_part = || tables.iter().map(|&n| &script.tables[n]);
        let pages: u64 = of_part().map(|t| t.pages + t.toast_pages).sum();
        let items = of_part().map(|t| t.item).collect();
        planned.push((name, pages * PAGE, items, Work::SmallTables { tables }));
    }
    planned.sort_by_key(|(_, bytes, ..)| std::cmp::Reverse(*bytes));
    for (number, batch) in (script.large_objects.iter().enumerate()).filter(|(_, b)| b.readable) {
        planned.push((
            format!("large objects {}", number + 1),
            0,
            vec![batch.item],
            Work::LargeObjects { batch: number },
        ));
    }
    // No lock keeps a sequence but its being read, and its value should be of the moment of the rows.
    let mut first = Vec::new();
    for from in (0..script.sequences.len()).step_by(SEQUENCES) {
        let to = (from + SEQUENCES).min(script.sequences.len());
        first.push((
            "sequences".into(),
            0,
            Vec::new(),
            Work::Sequences { from, to },
        ));
    }
    let mut parts = Vec::new();
    let mut work = Vec::new();
    for (id, (name, estimate, items, what)) in first.into_iter().chain(planned).enumerate() {
        parts.push(DataPart {
            id: u32::try_from(id).unwrap_or(u32::MAX),
            name,
            estimate,
            items,
        });
        work.push(what);
    }
    (parts, work)
}

fn titled(table: &TableData) -> String {
    format!("table {}", table.name)
}

fn unreadable(kind: &str, what: &str, name: &str) -> Problem {
    Problem {
        kind: ProblemKind::Unreadable,
        object: format!("{kind} {name}"),
        message: format!("no right to read its {what}"),
        hint: Some(format!(
            "Run `GRANT SELECT ON {name} TO` the role that dumps, which also needs USAGE on the schema; where row \
             security hides rows from it, it needs BYPASSRLS."
        )),
    }
}

fn hidden(script: &Script, batch: &LargeObjectData) -> Problem {
    let oids: Vec<String> = batch.oids.iter().map(ToString::to_string).collect();
    let (count, list) = (oids.len(), oids.join(", "));
    Problem {
        kind: ProblemKind::Unreadable,
        object: script.items[batch.item as usize].title(),
        message: format!("no right to read the bytes of {count}: {list}"),
        hint: Some(
            "Run `GRANT SELECT ON LARGE OBJECT … TO` the role that dumps, or dump as their owner."
                .into(),
        ),
    }
}
