//! Restoring: definitions, data in parallel, then what comes after the data in parallel as far as it depends on each
//! other.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::sync::Arc;

use tokio::sync::{Mutex, Semaphore};
use tokio::task::JoinSet;

use super::read::{FrameReader, Snapshot, joined, runs};
use super::selection::{Selection, select};
use super::texts::Texts;
use crate::pattern::Pattern;
use crate::{
    Aspect, Cx, Decryptor, Error, ErrorKind, Event, Frame, Index, Item, Problem, ProblemKind,
    RestoreOptions, RestoreSession, Restorer, Result, Stage,
};

/// How to restore.
#[derive(Debug, Clone)]
pub struct RestoreRequest {
    /// Only these tables, with what belongs to them. Empty: everything.
    pub tables: Vec<Pattern>,
    /// Leave owners as the target makes them.
    pub no_owner: bool,
    /// Leave grants as the target makes them.
    pub no_privileges: bool,
    /// Concurrent writers.
    pub jobs: NonZeroUsize,
    /// How to treat the target.
    pub options: RestoreOptions,
}

/// A finished restore.
#[derive(Debug)]
pub struct RestoreReport {
    /// Rows that the target took.
    pub rows: u64,
    /// Bytes of plain text that were replayed.
    pub bytes: u64,
    /// What was refused or left out.
    pub problems: Vec<Problem>,
}

/// Restores `snapshot` through `restorer`.
///
/// Everything that can be known to be wrong before the target is touched is found before: a missing or short object, a
/// missing identity, an index that can't be read, a table that is not in it. An error after that says that the target is
/// partial.
pub async fn restore(
    snapshot: &Snapshot,
    decryptor: Option<&Arc<dyn Decryptor>>,
    restorer: &dyn Restorer,
    request: &RestoreRequest,
    cx: &Cx,
) -> Result<RestoreReport> {
    if !restorer.kinds().contains(&snapshot.manifest.series.kind.as_str()) {
        return Err(Error::new(
            ErrorKind::Usage,
            format!(
                "snapshot {} is of {}, the target is {}",
                snapshot.manifest.id,
                snapshot.manifest.series.kind,
                restorer.kinds().join(" or ")
            ),
        ));
    }
    snapshot.decryptor(decryptor)?;
    let (index, frames) = cx
        .guard(async {
            snapshot.check_objects().await?;
            Ok((
                Arc::new(snapshot.index(decryptor).await?),
                snapshot.frames(decryptor).await?,
            ))
        })
        .await?;
    let selection = select(&index, request)?;
    let mut options = request.options;
    options.partial = !request.tables.is_empty();
    // What exists already of the prerequisites may stay, so they are no reason to refuse the target, nor to drop them.
    let asked: Vec<u32> = (selection.items.iter().copied())
        .filter(|id| !selection.prerequisites.contains(id))
        .collect();
    let texts = cx
        .guard(Texts::read(&index, &frames, &selection.items))
        .await?;
    let session = cx
        .guard(restorer.open(&index, &asked, options, request.jobs, cx))
        .await?;
    let run = Run {
        index,
        frames,
        session: Arc::clone(&session),
        cx: cx.clone(),
        jobs: request.jobs,
    };
    let done = cx.guard(run.everything(selection, texts)).await;
    let closed = session.close(done.is_ok()).await;
    let partial = |error: Error| {
        error.further_hint(format!(
            "What was restored so far stays: {} now holds a part of the snapshot; drop it, or restore again with --clean.",
            restorer.target()
        ))
    };
    let report = done.map_err(partial)?;
    closed.map_err(partial)?;
    Ok(report)
}

struct Run {
    index: Arc<Index>,
    frames: FrameReader,
    session: Arc<dyn RestoreSession>,
    cx: Cx,
    jobs: NonZeroUsize,
}

/// What went wrong so far, and which items must be left out because of it.
struct Tally {
    problems: Vec<Problem>,
    failed: BTreeSet<u32>,
    existing: BTreeSet<u32>,
    prerequisites: BTreeSet<u32>,
}

impl Run {
    async fn everything(&self, selection: Selection, texts: Texts) -> Result<RestoreReport> {
        let data = (selection.items.iter())
            .filter(|&&id| self.index.items[id as usize].stage == Stage::Data);
        let by_item = self.index.data_frames();
        let wanted: Vec<u32> = {
            let mut frames: Vec<u32> = data
                .filter_map(|id| by_item.get(id))
                .flatten()
                .copied()
                .collect();
            frames.sort_unstable();
            frames
        };
        let runs = runs(&self.index.frames, wanted);
        let bytes = runs.iter().flatten().map(|f| u64::from(f.plain)).sum();
        self.cx.emit(&Event::Planned {
            parts: runs.len(),
            bytes,
        });

        let mut tally = Tally {
            problems: selection.problems,
            failed: BTreeSet::new(),
            existing: BTreeSet::new(),
            prerequisites: selection.prerequisites.clone(),
        };
        for problem in &tally.problems {
            self.cx.emit(&Event::Problem(problem));
        }
        for (id, text) in texts.before {
            self.define(id, &text, &mut tally).await?;
        }
        let rows = self.load(runs, &mut tally).await?;
        for (id, text) in texts.values {
            self.define(id, &text, &mut tally).await?;
        }
        for texts in (texts.after).chunk_by(|a, b| self.is_grant(a.0) == self.is_grant(b.0)) {
            // Grants on one object from two sessions at once meet in its row of the catalog, and one of them is refused.
            let jobs = if texts.first().is_some_and(|t| self.is_grant(t.0)) {
                1
            } else {
                self.jobs.get()
            };
            self.post(texts, jobs, &mut tally).await?;
        }
        Ok(RestoreReport {
            rows,
            bytes,
            problems: tally.problems,
        })
    }

    async fn define(&self, id: u32, text: &str, tally: &mut Tally) -> Result<()> {
        let item = &self.index.items[id as usize];
        if item.aspect == Aspect::Setting || tally.leaves_out(item, &self.index, &self.cx) {
            return Ok(());
        }
        let done = self.session.define(item, text).await;
        tally.settle(item, done, &self.cx)
    }

    async fn load(&self, runs: Vec<Vec<Frame>>, tally: &mut Tally) -> Result<u64> {
        // Rows whose table was refused have no place to go; the caller hears of it by an error at the end.
        let lost = |item: u32| {
            self.index.items[item as usize]
                .depends
                .iter()
                .any(|d| tally.failed.contains(d))
        };
        let (runs, homeless): (Vec<_>, Vec<_>) = runs
            .into_iter()
            .map(|r| {
                r.into_iter()
                    .partition::<Vec<_>, _>(|f| !f.item.is_some_and(lost))
            })
            .unzip();
        let homeless: BTreeSet<u32> = homeless
            .into_iter()
            .flatten()
            .filter_map(|f: Frame| f.item)
            .collect();
        if let Some(first) = homeless.first() {
            return Err(Error::new(
                ErrorKind::Failed,
                format!(
                    "{}: its rows have no table, because the target refused it",
                    self.index.items[*first as usize].title()
                ),
            ));
        }
        let queue = Arc::new(Mutex::new(runs.into_iter()));
        // While one task of a pair writes, the other one reads, opens and decompresses what comes next.
        let writing = Arc::new(Semaphore::new(self.jobs.get()));
        let mut writers = JoinSet::new();
        for _ in 0..2 * self.jobs.get() {
            let (queue, frames, index) = (
                Arc::clone(&queue),
                self.frames.clone(),
                Arc::clone(&self.index),
            );
            let (session, cx) = (Arc::clone(&self.session), self.cx.clone());
            let writing = Arc::clone(&writing);
            writers.spawn(async move {
                let mut rows = 0;
                loop {
                    // The lock ends with this statement, not with the run.
                    let Some(run) = queue.lock().await.next() else {
                        return Ok::<u64, Error>(rows);
                    };
                    let blocks = frames.run(&run).await?;
                    let Ok(_turn) = writing.acquire().await else {
                        return Err(Error::cancelled());
                    };
                    for (frame, block) in run.iter().zip(blocks) {
                        let Some(id) = frame.item else { continue };
                        let item = &index.items[id as usize];
                        let bytes = block.len() as u64;
                        let took = session
                            .load(item, block.into())
                            .await
                            .map_err(|e| e.context(item.title()))?;
                        if took != frame.rows {
                            return Err(Error::new(
                                ErrorKind::Failed,
                                format!(
                                    "{}: the target took {took} of {} rows",
                                    item.title(),
                                    frame.rows
                                ),
                            ));
                        }
                        rows += took;
                        cx.emit(&Event::Moved { bytes, rows: took });
                    }
                }
            });
        }
        let mut rows = 0;
        while let Some(ended) = writers.join_next().await {
            rows += joined(ended)?;
        }
        Ok(rows)
    }

    fn is_grant(&self, id: u32) -> bool {
        self.index.items[id as usize].aspect == Aspect::Acl
    }

    /// What comes after the data: each item as soon as those it depends on are done, up to `jobs` at once.
    async fn post(&self, texts: &[(u32, String)], jobs: usize, tally: &mut Tally) -> Result<()> {
        let mut waiting: BTreeSet<u32> = texts.iter().map(|(id, _)| *id).collect();
        let mut texts: BTreeMap<u32, String> = texts.iter().cloned().collect();
        let mut running: JoinSet<(u32, Result<()>)> = JoinSet::new();
        let mut todo: Vec<u32> = waiting.iter().copied().collect();
        loop {
            let mut later = Vec::new();
            for id in todo {
                let item = &self.index.items[id as usize];
                let ready =
                    running.len() < jobs && item.depends.iter().all(|d| !waiting.contains(d));
                if !ready {
                    later.push(id);
                    continue;
                }
                let Some(text) = texts.remove(&id) else {
                    continue;
                };
                if item.aspect == Aspect::Setting || tally.leaves_out(item, &self.index, &self.cx) {
                    waiting.remove(&id);
                    continue;
                }
                let (session, index) = (Arc::clone(&self.session), Arc::clone(&self.index));
                running.spawn(async move {
                    let done = session.define(&index.items[id as usize], &text).await;
                    (id, done)
                });
            }
            todo = later;
            let Some(ended) = running.join_next().await else {
                if todo.is_empty() {
                    return Ok(());
                }
                // Everything left waits for something left: items that depend on each other in a circle, which an
                // ordered dump does not have. The written order is as good as any.
                let id = todo[0];
                waiting.remove(&id);
                for other in &todo {
                    if self.index.items[id as usize].depends.contains(other) {
                        waiting.remove(other);
                    }
                }
                continue;
            };
            let (id, done) = joined(ended.map(Ok))?;
            waiting.remove(&id);
            tally.settle(&self.index.items[id as usize], done, &self.cx)?;
        }
    }
}

impl Tally {
    /// Whether `item` needs something that is not there; lists it if so.
    fn leaves_out(&mut self, item: &Item, index: &Index, cx: &Cx) -> bool {
        if item.aspect != Aspect::Definition
            && item.depends.iter().any(|d| self.existing.contains(d))
        {
            // Owner, grants and comment of what was there before are not ours to change.
            return true;
        }
        let Some(needed) = item.depends.iter().find(|d| self.failed.contains(d)) else {
            return false;
        };
        self.failed.insert(item.id);
        let needed = index.items[*needed as usize].title();
        self.list(
            item,
            ProblemKind::Skipped,
            format!("needs {needed}, which the target does not have"),
            None,
            cx,
        );
        true
    }

    fn settle(&mut self, item: &Item, done: Result<()>, cx: &Cx) -> Result<()> {
        let Err(error) = done else { return Ok(()) };
        match error.kind() {
            // What a chosen table needs may be there already; the table itself may not.
            ErrorKind::AlreadyExists if self.prerequisites.contains(&item.id) => {
                self.existing.insert(item.id);
                Ok(())
            }
            ErrorKind::Refused | ErrorKind::AlreadyExists => {
                if item.aspect == Aspect::Definition {
                    self.failed.insert(item.id);
                }
                let hint = error.advice().map(ToOwned::to_owned);
                self.list(item, ProblemKind::Refused, format!("{error:#}"), hint, cx);
                Ok(())
            }
            _ => Err(error.context(item.title())),
        }
    }

    fn list(
        &mut self,
        item: &Item,
        kind: ProblemKind,
        message: String,
        hint: Option<String>,
        cx: &Cx,
    ) {
        let object = match item.aspect {
            Aspect::Owner => format!("owner of {}", item.title()),
            Aspect::Acl => format!("grants of {}", item.title()),
            Aspect::Comment => format!("comment of {}", item.title()),
            Aspect::SecurityLabel => format!("security label of {}", item.title()),
            Aspect::Definition | Aspect::Data | Aspect::Setting => item.title(),
        };
        let problem = Problem {
            kind,
            object,
            message,
            hint,
        };
        cx.emit(&Event::Problem(&problem));
        self.problems.push(problem);
    }
}
