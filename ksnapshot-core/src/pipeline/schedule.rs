//! What runs at once in a restore: rows are written by several tasks, and what comes after a table's rows, such as its keys
//! and indexes, begins as soon as they are in. A server that waits while it writes rows has time to sort.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::num::NonZeroUsize;
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::read::{FrameReader, joined};
use super::replay::Run;
use super::tally::Tally;
use super::together::{self, Pace, Small};
use crate::{
    Aspect, Cx, Error, ErrorKind, Event, Frame, Index, Item, Loaded, RestoreSession, Result, Stage,
    Text,
};

/// Sessions that a restore with so many jobs uses: as many write rows as build what comes after them.
pub(super) fn sessions(jobs: NonZeroUsize) -> NonZeroUsize {
    jobs.saturating_add(jobs.get())
}

/// Definitions and rows that are still to be restored.
pub(super) struct Schedule<'a> {
    run: &'a Run,
    tally: &'a mut Tally,
    tasks: JoinSet<Result<Ended>>,
    /// Runs of frames that nobody has begun.
    runs: VecDeque<Vec<Frame>>,
    loading: usize,
    /// One permit for each task that may write rows.
    writing: Arc<Semaphore>,
    /// Runs that are not in yet, by the table to which their rows belong.
    unloaded: HashMap<u32, usize>,
    /// Tables with rows of their own.
    filled: HashSet<u32>,
    /// Definitions that are not done.
    waiting: HashSet<u32>,
    /// … and those of them that are not begun.
    texts: BTreeMap<u32, Text>,
    /// The last definition of each turn, and whether it is one of grants.
    turns: Vec<(u32, bool)>,
    /// Tasks that run definitions.
    defining: usize,
    /// Which definitions may run together, and how many.
    small: Small,
    pace: Pace,
    loaded: Loaded,
}

enum Ended {
    Loaded { tables: Vec<u32>, loaded: Loaded },
    Defined { done: Vec<(u32, Result<()>)> },
}

impl<'a> Schedule<'a> {
    /// Rows in `runs`, and `after` them the definitions.
    pub(super) fn new(
        run: &'a Run,
        runs: Vec<Vec<Frame>>,
        after: Vec<(u32, Text)>,
        tally: &'a mut Tally,
    ) -> Self {
        let mut unloaded = HashMap::new();
        for run_of_frames in &runs {
            for table in tables(&run.index, run_of_frames) {
                *unloaded.entry(table).or_default() += 1;
            }
        }
        let filled = (run.index.items.iter())
            .filter(|item| item.aspect == Aspect::Data && item.stage == Stage::Data)
            .filter_map(|item| item.table)
            .collect();
        let is_grant = |id: u32| run.index.items[id as usize].aspect == Aspect::Acl;
        let turns = (after.chunk_by(|a, b| is_grant(a.0) == is_grant(b.0)))
            .filter_map(|turn| turn.last())
            .map(|(id, _)| (*id, is_grant(*id)))
            .collect();
        Self {
            small: Small::of(&run.index, &runs),
            pace: Pace::new(run.session.together()),
            run,
            tally,
            tasks: JoinSet::new(),
            runs: runs.into(),
            loading: 0,
            writing: Arc::new(Semaphore::new(run.jobs.get())),
            unloaded,
            filled,
            waiting: after.iter().map(|(id, _)| *id).collect(),
            texts: after.into_iter().collect(),
            turns,
            defining: 0,
            loaded: Loaded::default(),
        }
    }

    /// Writes all rows, and what belongs to a table as soon as its rows are in. Says what became of the rows.
    pub(super) async fn load(&mut self) -> Result<Loaded> {
        loop {
            self.begin_loads();
            self.begin_definitions(self.run.jobs.get(), Self::is_ripe);
            if self.tasks.is_empty() {
                return Ok(self.loaded);
            }
            self.settle_one().await?;
        }
    }

    /// Runs definitions that have their place between the rows and what comes after them.
    pub(super) async fn define(&mut self, texts: Vec<(u32, Text)>) -> Result<()> {
        together::in_order(self.run, texts, self.tally).await
    }

    /// Runs what is left: each definition as soon as those it depends on are done, but grants and what stands after them in
    /// their turn.
    pub(super) async fn finish(mut self) -> Result<()> {
        for (last, grants) in std::mem::take(&mut self.turns) {
            // Grants on one object from two sessions at once meet in its row of the catalog, and one of them is refused.
            let jobs = if grants { 1 } else { self.run.jobs.get() };
            loop {
                self.begin_definitions(jobs, |_, item| item.id <= last);
                if !self.tasks.is_empty() {
                    self.settle_one().await?;
                    continue;
                }
                let Some(id) = self.texts.keys().next().copied().filter(|&id| id <= last) else {
                    break;
                };
                // Everything left waits for something left: items that depend on each other in a circle, which an
                // ordered dump does not have. The written order is as good as any.
                for needed in &self.run.index.items[id as usize].depends {
                    self.waiting.remove(needed);
                }
            }
        }
        Ok(())
    }

    fn begin_loads(&mut self) {
        // While one task of a pair writes, the other one reads, opens and decompresses what comes next.
        while self.loading < 2 * self.run.jobs.get() {
            let Some(frames) = self.runs.pop_front() else {
                return;
            };
            self.loading += 1;
            let load = Load {
                frames: self.run.frames.clone(),
                index: Arc::clone(&self.run.index),
                session: Arc::clone(&self.run.session),
                writing: Arc::clone(&self.writing),
                cx: self.run.cx.clone(),
            };
            self.tasks.spawn(load.run(frames));
        }
    }

    fn begin_definitions(&mut self, jobs: usize, may_begin: impl Fn(&Self, &Item) -> bool) {
        // Rows come in often, and mostly nothing can begin: then the many that wait are not even looked at.
        if self.defining >= jobs {
            return;
        }
        let index = Arc::clone(&self.run.index);
        let todo: Vec<u32> = self.texts.keys().copied().collect();
        // Small ones that may begin now need none of each other.
        let (mut together, mut size) = (Vec::new(), 0);
        for id in todo {
            let taken = self.defining + usize::from(!together.is_empty());
            if taken >= jobs && together.is_empty() {
                return;
            }
            let item = &index.items[id as usize];
            if item.depends.iter().any(|d| self.waiting.contains(d)) || !may_begin(self, item) {
                continue;
            }
            let is_small = self.small.is(item, &index);
            if taken >= jobs && !is_small {
                continue;
            }
            let Some(text) = self.texts.remove(&id) else {
                continue;
            };
            if item.aspect == Aspect::Setting || self.tally.leaves_out(item, &index, &self.run.cx) {
                self.waiting.remove(&id);
                continue;
            }
            if !is_small {
                self.begin(vec![(id, text)]);
                continue;
            }
            size += text.len();
            together.push((id, text));
            if !self.pace.has_room(together.len(), size) {
                self.begin(std::mem::take(&mut together));
                size = 0;
            }
        }
        if !together.is_empty() {
            self.begin(together);
        }
    }

    fn begin(&mut self, texts: Vec<(u32, Text)>) {
        self.defining += 1;
        let (session, index) = (Arc::clone(&self.run.session), Arc::clone(&self.run.index));
        self.tasks.spawn(async move {
            let all: Vec<(&Item, Text)> = (texts.into_iter())
                .map(|(id, text)| (&index.items[id as usize], text))
                .collect();
            if all.len() > 1 && together::at_once(session.as_ref(), &all).await? {
                let done = all.iter().map(|(item, _)| (item.id, Ok(()))).collect();
                return Ok(Ended::Defined { done });
            }
            let mut done = Vec::new();
            for (item, text) in all {
                done.push((item.id, session.define(item, &text.read()).await));
            }
            Ok(Ended::Defined { done })
        });
    }

    async fn settle_one(&mut self) -> Result<()> {
        let Some(ended) = self.tasks.join_next().await else {
            return Ok(());
        };
        match joined(ended)? {
            Ended::Loaded { tables, loaded } => {
                self.loading -= 1;
                self.loaded += loaded;
                for table in tables {
                    if let Some(left) = self.unloaded.get_mut(&table) {
                        *left -= 1;
                        if *left == 0 {
                            self.unloaded.remove(&table);
                        }
                    }
                }
                Ok(())
            }
            Ended::Defined { done } => {
                self.defining -= 1;
                self.pace.settle(done.iter().all(|(_, done)| done.is_ok()));
                for (item, done) in done {
                    self.waiting.remove(&item);
                    let item = &self.run.index.items[item as usize];
                    self.tally.settle(item, done, &self.run.cx)?;
                }
                Ok(())
            }
        }
    }

    /// Whether all rows that `item` is about are in, while others may still come. What belongs to a table without rows of
    /// its own may be about those of its partitions.
    fn is_ripe(&self, item: &Item) -> bool {
        let in_turn =
            (self.turns.first()).is_some_and(|&(last, grants)| !grants && item.id <= last);
        in_turn
            && item.aspect == Aspect::Definition
            && item
                .table
                .is_some_and(|t| self.filled.contains(&t) && !self.unloaded.contains_key(&t))
    }
}

/// The tables to which the rows of these frames belong.
fn tables(index: &Index, frames: &[Frame]) -> Vec<u32> {
    let tables: BTreeSet<u32> = (frames.iter())
        .filter_map(|f| index.items[f.item? as usize].table)
        .collect();
    tables.into_iter().collect()
}

/// One task that writes rows.
struct Load {
    frames: FrameReader,
    index: Arc<Index>,
    session: Arc<dyn RestoreSession>,
    writing: Arc<Semaphore>,
    cx: Cx,
}

impl Load {
    async fn run(self, frames: Vec<Frame>) -> Result<Ended> {
        let blocks = self.frames.run(&frames).await?;
        let _turn = (self.writing.acquire().await).map_err(|_| Error::cancelled())?;
        let mut blocks = blocks.into_iter();
        let mut loaded = Loaded::default();
        for frames in frames.chunk_by(|a, b| a.item == b.item) {
            let blocks: Vec<Bytes> =
                (blocks.by_ref().take(frames.len()).map(Bytes::from)).collect();
            let Some(id) = frames.first().and_then(|f| f.item) else {
                continue;
            };
            let item = &self.index.items[id as usize];
            let bytes = blocks.iter().map(|b| b.len() as u64).sum();
            let expected: u64 = frames.iter().map(|f| f.rows).sum();
            let took = (self.session.load(item, frames, blocks).await)
                .map_err(|e| e.context(item.title()))?;
            if took.rows + took.refused != expected {
                return Err(Error::new(
                    ErrorKind::Failed,
                    format!(
                        "{}: the target took {} of {expected} rows",
                        item.title(),
                        took.rows
                    ),
                ));
            }
            loaded += took;
            self.cx.emit(&Event::Moved {
                bytes,
                rows: took.rows,
            });
        }
        Ok(Ended::Loaded {
            tables: tables(&self.index, &frames),
            loaded,
        })
    }
}
