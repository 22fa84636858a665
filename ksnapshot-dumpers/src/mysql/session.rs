//! A dump's view of a server: transactions of one moment, the catalog of that moment, and the parts.

use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use ksnapshot_core::catalog::CatalogModel;
use ksnapshot_core::layout::Form;
use ksnapshot_core::{
    Cx, DataPart, DumpSession, Error, ErrorKind, Event, ObjectPlan, Outline, PartSink, Problem,
    ProblemKind, Result, SourceInfo, async_trait,
};
use mysql_async::Conn;
use mysql_async::prelude::Queryable;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::chunk::Chunk;
use super::connect::{MySql, Statements, run};
use super::error::{classify, number};
use super::model::{Catalog, MODEL_VERSION};
use super::script::{Script, SequenceData, TableData};
use super::version::Server;
use super::wire::Wire;
use super::{bounds, catalog, moment, quote, rows, view};

/// How long ending what is left on the server may take.
const CLOSE: Duration = Duration::from_secs(5);

/// What helps when a session ended that nobody was told of.
const AGAIN: &str = "Look into the server's log for who ended it, and run the dump again.";

/// A dump's view of the source.
pub(super) struct Session {
    source: MySql,
    server: Server,
    outline: Outline,
    tables: Vec<TableData>,
    sequences: Vec<SequenceData>,
    work: Vec<Work>,
    /// As many turns as there are readers: where only one connection has the moment, parts wait for each other.
    turns: Semaphore,
    idle: Mutex<Vec<Wire>>,
    /// Readers' connections, as the server numbers them, to end those that are still busy when we leave.
    readers: Vec<u32>,
    guard: Mutex<Option<Conn>>,
    /// There was a guard.
    guarded: bool,
    /// What has to be there still at the end, where nothing kept it.
    unguarded: Option<Catalog>,
}

/// What a part consists of; the part with the same number tells the core about it.
enum Work {
    Rows { table: usize, chunk: Chunk },
    Sequences { from: usize, to: usize },
}

impl Session {
    pub(super) async fn open(source: &MySql, workers: NonZeroUsize, cx: &Cx) -> Result<Self> {
        let mut view = view::View::open(source, workers).await?;
        let script = std::mem::take(&mut view.script);
        let problems = problems(&script, |table| view.readable(table));
        for problem in &problems {
            cx.emit(&Event::Problem(problem));
        }
        if let Some(warning) = moment::prepared(&view.consistency.position) {
            cx.emit(&Event::Warning(&warning));
        }
        let planned = plan(&script, &mut view).await?;
        let kind = view.server.flavour.kind();
        let outline = Outline {
            source: SourceInfo {
                kind: kind.into(),
                server_version: view.version.clone(),
            },
            consistency: view.consistency.clone(),
            form: Form::Sql,
            catalog: CatalogModel::new(kind, MODEL_VERSION, &view.catalog)?,
            items: script.items,
            objects: (script.objects.into_iter().zip(planned.parts))
                .map(|(object, parts)| ObjectPlan {
                    name: object.name,
                    definitions: object.definitions,
                    parts,
                })
                .collect(),
            problems,
        };
        Ok(Self {
            source: source.clone(),
            server: view.server,
            outline,
            tables: planned.tables,
            sequences: planned.sequences,
            work: planned.work,
            turns: Semaphore::new(view.readers.len()),
            readers: view.readers.iter().map(Wire::id).collect(),
            idle: Mutex::new(view.readers),
            guarded: view.guard.is_some(),
            guard: Mutex::new(view.guard),
            unguarded: view.unguarded.then_some(view.catalog),
        })
    }

    fn idle(&self) -> Vec<Wire> {
        std::mem::take(&mut *self.idle.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn take(&self) -> Result<Wire> {
        let idle = self
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        // Another connection would see another moment.
        idle.ok_or_else(|| {
            Error::new(ErrorKind::Server, "a reader's connection is gone").hint(AGAIN)
        })
    }

    fn give_back(&self, connection: Wire) {
        self.idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(connection);
    }

    async fn sequences(
        &self,
        connection: &mut Wire,
        sequences: &[SequenceData],
        out: &mut PartSink,
    ) -> Result<()> {
        for sequence in sequences {
            let sql = format!(
                "SELECT next_not_cached_value, cycle_count FROM {}",
                quote::qualified(&sequence.database, &sequence.name)
            );
            let (next, cycles): (i128, i64) = match connection.first(&sql).await {
                Ok(row) => row.map(|row| {
                    let (next, cycles): (String, i64) = mysql_async::from_row(row);
                    (next.parse().unwrap_or(0), cycles)
                }),
                Err(cause) if matches!(number(&cause), Some(1142 | 1143)) => {
                    out.unreadable(
                        sequence.item,
                        unreadable("sequence", "value", &sequence.database, &sequence.name),
                    );
                    continue;
                }
                Err(cause) => return Err(classify(cause)),
            }
            .unwrap_or_default();
            // Not used yet, so that the next one to be had is this.
            let round = if cycles == 0 {
                String::new()
            } else {
                format!(", {cycles}")
            };
            let name = quote::name(&sequence.name);
            out.text(
                sequence.item,
                format!("DO SETVAL({name}, {next}, 0{round});\n\n"),
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
        let _turn = self.turns.acquire().await.map_err(|_| Error::cancelled())?;
        // A connection that an error or a cancellation met in the middle of an answer does not come back.
        let mut connection = self.take()?;
        match work {
            Work::Rows { table, chunk } => {
                rows::dump(
                    &mut connection,
                    self.server,
                    &self.tables[*table],
                    chunk,
                    out,
                )
                .await?;
            }
            Work::Sequences { from, to } => {
                self.sequences(&mut connection, &self.sequences[*from..*to], out)
                    .await?;
            }
        }
        self.give_back(connection);
        Ok(())
    }

    async fn confirm(&self) -> Result<()> {
        let mut idle = self.idle();
        if idle.len() != self.readers.len() {
            return Err(Error::new(ErrorKind::Server, "a reader's connection is gone").hint(AGAIN));
        }
        for connection in &mut idle {
            connection.ping().await.map_err(classify)?;
            rows::in_transaction(connection)?;
        }
        idle.into_iter()
            .for_each(|connection| self.give_back(connection));
        let guard = self
            .guard
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(mut guard) = guard {
            guard.ping().await.map_err(classify)?;
            *self.guard.lock().unwrap_or_else(PoisonError::into_inner) = Some(guard);
        } else if self.guarded {
            return Err(Error::new(
                ErrorKind::Server,
                "the session that holds definitions is gone",
            )
            .hint(AGAIN));
        }
        if let Some(before) = &self.unguarded {
            let mut helper = self.source.connect().await?;
            super::settle::settle(&mut helper, self.server).await?;
            let after = catalog::read(&mut helper, self.server, &self.source.scope()).await?;
            if let Some(changed) = view::changed(before, &after) {
                return Err(Error::new(
                    ErrorKind::Failed,
                    format!("{changed}: its definition was changed during the dump"),
                )
                .hint("Run the dump again, and keep ALTER, DROP and the like away from it."));
            }
            let _ = helper.disconnect().await;
        }
        Ok(())
    }

    async fn close(&self) -> Result<()> {
        let idle = self.idle();
        let here: Vec<u32> = idle.iter().map(Wire::id).collect();
        let guard = self
            .guard
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let end = async {
            if here.len() != self.readers.len() {
                // One that is still in an answer would first have to read it to its end.
                let mut helper = self.source.connect().await?;
                for reader in self.readers.iter().filter(|r| !here.contains(r)) {
                    let _ = helper.query_drop(format!("KILL {reader}")).await;
                }
                let _ = helper.disconnect().await;
            }
            // The transactions only read; whether their end is confirmed does not matter.
            for reader in idle {
                let _ = reader.quit().await;
            }
            if let Some(guard) = guard {
                let _ = guard.disconnect().await;
            }
            Ok::<_, Error>(())
        };
        // A server that does not answer ends our sessions by itself when it sees the closed sockets.
        let _ = timeout(CLOSE, end).await;
        Ok(())
    }
}

/// What is to be read, cut into parts: one list of parts for each data object.
struct Planned {
    parts: Vec<Vec<DataPart>>,
    tables: Vec<TableData>,
    sequences: Vec<SequenceData>,
    work: Vec<Work>,
}

/// Cuts the data into parts, the largest first, so that readers end together.
async fn plan(script: &Script, view: &mut view::View) -> Result<Planned> {
    let readers = view.readers.len();
    let mut planned = Planned {
        parts: Vec::new(),
        tables: Vec::new(),
        sequences: Vec::new(),
        work: Vec::new(),
    };
    for object in &script.objects {
        let mut found: Vec<(String, u64, Vec<u32>, Work)> = Vec::new();
        let readable: Vec<&TableData> = object.tables.iter().filter(|t| view.readable(t)).collect();
        for table in readable {
            let number = planned.tables.len();
            planned.tables.push(table.clone());
            for (chunk, bytes) in bounds::chunks(&mut view.readers[0], table, readers).await? {
                let work = Work::Rows {
                    table: number,
                    chunk,
                };
                found.push((rows::title(table), bytes, vec![table.item], work));
            }
        }
        found.sort_by_key(|(_, bytes, ..)| std::cmp::Reverse(*bytes));
        // No transaction keeps a sequence, and its value should be of the moment of the rows.
        if !object.sequences.is_empty() {
            let from = planned.sequences.len();
            planned.sequences.extend(object.sequences.iter().cloned());
            let to = planned.sequences.len();
            found.insert(
                0,
                (
                    "sequences".into(),
                    0,
                    Vec::new(),
                    Work::Sequences { from, to },
                ),
            );
        }
        let mut parts = Vec::new();
        for (name, estimate, items, work) in found {
            parts.push(DataPart {
                id: u32::try_from(planned.work.len()).unwrap_or(u32::MAX),
                name,
                estimate,
                items,
            });
            planned.work.push(work);
        }
        planned.parts.push(parts);
    }
    Ok(planned)
}

/// What is known already not to be dumped, or not of the moment.
pub(super) fn problems(script: &Script, readable: impl Fn(&TableData) -> bool) -> Vec<Problem> {
    let mut problems = script.problems.clone();
    for table in script.objects.iter().flat_map(|object| &object.tables) {
        if !readable(table) {
            problems.push(unreadable("table", "rows", &table.database, &table.name));
        } else if !table.transactional() {
            problems.push(Problem {
                kind: ProblemKind::Unsupported,
                object: rows::title(table),
                message: format!(
                    "engine {} has no snapshots: its rows are of the time of their being read",
                    table.engine
                ),
                hint: Some(
                    "Convert it to InnoDB, or keep writers away from it during a dump.".into(),
                ),
            });
        }
    }
    problems
}

fn unreadable(kind: &str, what: &str, database: &str, name: &str) -> Problem {
    Problem {
        kind: ProblemKind::Unreadable,
        object: format!("{kind} {database}.{name}"),
        message: format!("no right to read its {what}"),
        hint: Some(format!(
            "Run `GRANT SELECT ON {} TO` the user that dumps.",
            quote::qualified(database, name)
        )),
    }
}

/// So that nothing is left behind by an error before there is a session to close.
pub(super) async fn leave<S: Statements>(connections: impl IntoIterator<Item = S>) {
    for mut connection in connections {
        let _ = timeout(CLOSE, async {
            let _ = run(&mut connection, "ROLLBACK").await;
            connection.leave().await
        })
        .await;
    }
}
