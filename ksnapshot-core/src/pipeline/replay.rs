//! Restoring: definitions, data in parallel, then what comes after the data in parallel as far as it depends on each
//! other.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::sync::Arc;

use super::read::{FrameReader, Snapshot, runs};
use super::schedule::{Schedule, sessions};
use super::selection::{Selection, select};
use super::tally::Tally;
use super::texts::Texts;
use super::together;
use crate::pattern::Pattern;
use crate::{
    Aspect, Cx, Decryptor, Error, ErrorKind, Event, Frame, Index, Loaded, Problem, RestoreOptions,
    RestoreSession, Restorer, Result, Stage,
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

impl Default for RestoreRequest {
    /// Everything, with a writer for each core, into an empty target.
    fn default() -> Self {
        Self {
            tables: Vec::new(),
            no_owner: false,
            no_privileges: false,
            jobs: super::cores(),
            options: RestoreOptions::default(),
        }
    }
}

/// A finished restore.
#[derive(Debug)]
pub struct RestoreReport {
    /// Rows that the target took.
    pub rows: u64,
    /// Rows that it refused.
    pub(super) refused: u64,
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
    if !restorer
        .kinds()
        .contains(&snapshot.manifest.series.kind.as_str())
    {
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
    if request.options.data_only && !restorer.takes_data_only() {
        return Err(Error::new(
            ErrorKind::Usage,
            format!(
                "{}: takes no rows without their definitions",
                restorer.target()
            ),
        )
        .hint("Leave --data-only away; --table chooses single tables."));
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
        .guard(restorer.open(&index, &asked, options, sessions(request.jobs), cx))
        .await?;
    let run = Run {
        index,
        frames,
        session: Arc::clone(&session),
        cx: cx.clone(),
        jobs: match session.is_atomic() {
            true => NonZeroUsize::MIN,
            false => request.jobs,
        },
    };
    let tally = match cx.guard(run.rehearse(&selection, &texts)).await {
        Ok(tally) => tally,
        Err(error) => {
            let _ = session.close(false).await;
            return Err(error);
        }
    };
    let done = cx.guard(run.everything(selection, texts, tally)).await;
    let closed = session.close(done.is_ok()).await;
    let left = left_behind(session.as_ref(), &restorer.target());
    let partial = |error: Error| error.further_hint(left.as_str());
    let report = done.map_err(partial)?;
    closed.map_err(partial)?;
    if report.refused > 0 {
        return Err(partial(Error::new(
            ErrorKind::Failed,
            format!(
                "the target refused {} of {} rows",
                report.refused,
                report.rows + report.refused
            ),
        )));
    }
    Ok(report)
}

/// What a restore that fails leaves, and what can be done about it.
fn left_behind(session: &dyn RestoreSession, target: &str) -> String {
    if session.is_atomic() {
        return "Nothing was restored: the target is as it was.".into();
    }
    let resume = match session.progress() {
        Some(_) => "restore the same again to go on with it, ",
        None => "",
    };
    format!(
        "What was restored so far stays: {target} now holds a part of the snapshot; {resume}drop it, or restore again with --clean."
    )
}

pub(super) struct Run {
    pub(super) index: Arc<Index>,
    pub(super) frames: FrameReader,
    pub(super) session: Arc<dyn RestoreSession>,
    pub(super) cx: Cx,
    pub(super) jobs: NonZeroUsize,
}

impl Run {
    /// What is known to go wrong before anything is written.
    async fn rehearse(&self, selection: &Selection, texts: &Texts) -> Result<Tally> {
        let mut tally = Tally {
            problems: selection.problems.clone(),
            failed: BTreeSet::new(),
            existing: BTreeSet::new(),
            prerequisites: selection.prerequisites.clone(),
            told: BTreeSet::new(),
        };
        for problem in &tally.problems {
            self.cx.emit(&Event::Problem(problem));
        }
        if !self.session.rehearses() {
            return Ok(tally);
        }
        for (id, text) in texts.before.iter().chain(&texts.after) {
            let item = &self.index.items[*id as usize];
            if item.aspect == Aspect::Setting || tally.leaves_out(item, &self.index, &self.cx) {
                continue;
            }
            let done = self.session.rehearse(item, &text.read()).await;
            tally.settle(item, done, &self.cx)?;
        }
        let rows = (selection.items.iter()).map(|&id| &self.index.items[id as usize]);
        let mut homeless = rows.filter(|item| {
            item.data.is_some_and(|data| data.rows > 0)
                && item
                    .depends
                    .iter()
                    .any(|needed| tally.failed.contains(needed))
        });
        if let Some(item) = homeless.next() {
            return Err(Error::new(
                ErrorKind::Failed,
                format!("{}: the target can't have it, nor its rows; nothing was restored", item.title()),
            )
            .hint("Restore into a server at least as new as the source, or leave the table out: choose others with --table."));
        }
        self.session.end_rehearsal().await?;
        Ok(Tally {
            failed: BTreeSet::new(),
            existing: BTreeSet::new(),
            ..tally
        })
    }

    async fn everything(
        &self,
        selection: Selection,
        texts: Texts,
        mut tally: Tally,
    ) -> Result<RestoreReport> {
        let (texts, before) = self.rest(texts, &selection);
        let data = (selection.items.iter())
            .filter(|&&id| self.index.items[id as usize].stage == Stage::Data);
        let by_item = self.index.data_frames();
        let wanted: Vec<u32> = {
            let mut frames: Vec<u32> = data
                .filter_map(|id| by_item.get(id))
                .flatten()
                .copied()
                .collect();
            frames.retain(|&frame| !self.is_done(&self.index.frames[frame as usize]));
            frames.sort_unstable();
            frames
        };
        let runs = runs(&self.index.frames, wanted);
        let bytes = runs.iter().flatten().map(|f| u64::from(f.plain)).sum();
        self.cx.emit(&Event::Planned {
            parts: runs.len(),
            bytes,
        });

        together::in_order(self, texts.before, &mut tally).await?;
        let runs = self.loadable(runs, &tally)?;
        let mut schedule = Schedule::new(self, runs, texts.after, &mut tally);
        let Loaded { rows, refused } = schedule.load().await?;
        schedule.define(texts.values).await?;
        schedule.finish().await?;
        Ok(RestoreReport {
            rows: before + rows,
            refused,
            bytes,
            problems: tally.problems,
        })
    }

    /// What an interrupted restore has left of the definitions, and how many rows it has loaded.
    fn rest(&self, mut texts: Texts, selection: &Selection) -> (Texts, u64) {
        let Some(progress) = self.session.progress() else {
            return (texts, 0);
        };
        if progress.items.is_empty() && progress.frames.is_empty() {
            return (texts, 0);
        }
        for list in [&mut texts.before, &mut texts.values, &mut texts.after] {
            list.retain(|(id, _)| !progress.items.contains(id));
        }
        let done = self.index.frames.iter().filter(|frame| self.is_done(frame));
        let rows: u64 = done.map(|frame| frame.rows).sum();
        let defined =
            (selection.items.iter()).filter(|&&id| self.index.items[id as usize].place.is_some());
        self.cx.emit(&Event::Warning(&format!(
            "going on with a restore that was interrupted: {} of {} definitions and {rows} rows are there",
            progress.items.len(),
            defined.count(),
        )));
        (texts, rows)
    }

    fn is_done(&self, frame: &Frame) -> bool {
        let progress = self.session.progress();
        progress.is_some_and(|p| p.frames.contains(&(frame.object, frame.offset)))
    }

    pub(super) async fn define(&self, id: u32, text: &str, tally: &mut Tally) -> Result<()> {
        let item = &self.index.items[id as usize];
        if item.aspect == Aspect::Setting || tally.leaves_out(item, &self.index, &self.cx) {
            return Ok(());
        }
        let done = self.session.define(item, text).await;
        tally.settle(item, done, &self.cx)
    }

    /// The runs to load, those of the largest tables first: what comes after them takes longest.
    fn loadable(&self, runs: Vec<Vec<Frame>>, tally: &Tally) -> Result<Vec<Vec<Frame>>> {
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
        let mut sizes: BTreeMap<Option<u32>, u64> = BTreeMap::new();
        for frame in runs.iter().flatten() {
            *sizes.entry(frame.item).or_default() += u64::from(frame.plain);
        }
        let mut runs = runs;
        runs.sort_by_key(|run| {
            let item = run.first().and_then(|f| f.item);
            (std::cmp::Reverse(sizes.get(&item).copied()), item)
        });
        Ok(runs)
    }
}
