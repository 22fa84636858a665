//! What a dumper writes a part into.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Semaphore, mpsc};

use super::upload::{Block, InFlight, Pending};
use super::{BLOCK_SIZE, MEMORY_IN_FLIGHT};
use crate::{Compressor, Cx, Error, Event, Problem, Result, RowHash, Stage};

/// Takes the blocks of one part, compresses them on the CPU pool and hands them on in order. Waits when the pipeline is
/// full, and fails when the dump is cancelled or the upload is lost: a dumper needs no line of its own for that.
#[derive(Debug)]
pub struct PartSink {
    pub(super) shared: Arc<Shared>,
}

/// What all sinks of one dump share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) compressor: Arc<dyn Compressor>,
    pub(super) queue: mpsc::Sender<Pending>,
    pub(super) memory: Arc<Semaphore>,
    pub(super) findings: Arc<Mutex<Findings>>,
    pub(super) cx: Cx,
}

/// What turned out while reading.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) problems: Vec<Problem>,
    /// Items whose data is not in the snapshot.
    pub(super) missing: BTreeSet<u32>,
}

/// Some whole rows of one item, as text that can be replayed alone.
#[derive(Debug)]
pub struct RowBlock {
    /// The text, with whatever statement frames the rows.
    pub text: Vec<u8>,
    /// Rows in it.
    pub rows: u64,
    /// Sum of the rows' hashes.
    pub hash: RowHash,
}

impl PartSink {
    /// The size at which to cut a block. A block may only be larger when it holds a single row.
    pub fn block_size(&self) -> usize {
        BLOCK_SIZE
    }

    /// Writes rows of `item`, whole or not at all.
    pub async fn rows(&mut self, item: u32, block: RowBlock) -> Result<()> {
        self.shared.cx.emit(&Event::Moved {
            bytes: block.text.len() as u64,
            rows: block.rows,
        });
        self.shared
            .push(Block {
                stage: Stage::Data,
                item: Some(item),
                places: Vec::new(),
                text: block.text,
                rows: block.rows,
                hash: block.hash,
            })
            .await
    }

    /// Writes a text of the data stage that is no row, such as the value of a sequence.
    pub async fn text(&mut self, item: u32, text: String) -> Result<()> {
        let length = super::upload::fits(text.len())?;
        let places = vec![(item, 0, length)];
        let text = text.into_bytes();
        self.shared.cx.emit(&Event::Moved {
            bytes: text.len() as u64,
            rows: 0,
        });
        self.shared
            .push(Block {
                stage: Stage::Data,
                item: None,
                places,
                text,
                rows: 0,
                hash: RowHash::default(),
            })
            .await
    }

    /// Lists that the data of `item` can't be dumped. Nothing of it may have been written. The dump goes on and ends as
    /// complete with problems.
    pub fn unreadable(&mut self, item: u32, problem: Problem) {
        self.shared.cx.emit(&Event::Problem(&problem));
        let mut findings = (self.shared.findings.lock()).unwrap_or_else(PoisonError::into_inner);
        findings.missing.insert(item);
        findings.problems.push(problem);
    }

    /// Lists what is not as it should be with the data of an item that is written all the same.
    pub fn problem(&mut self, problem: Problem) {
        self.shared.cx.emit(&Event::Problem(&problem));
        let mut findings = (self.shared.findings.lock()).unwrap_or_else(PoisonError::into_inner);
        findings.problems.push(problem);
    }
}

impl Shared {
    pub(super) async fn push(&self, block: Block) -> Result<()> {
        // A block larger than all the memory waits until it is alone.
        let cost = u32::try_from(block.text.len().clamp(1, MEMORY_IN_FLIGHT)).unwrap_or(u32::MAX);
        let permit = Arc::clone(&self.memory)
            .acquire_many_owned(cost)
            .await
            .map_err(|_| Error::cancelled())?;
        let compressor = Arc::clone(&self.compressor);
        let frame = tokio::task::spawn_blocking(move || block.compress(compressor.as_ref()));
        // The queue is only closed when the upload failed, and then that error is the one that is reported.
        self.queue
            .send(Pending {
                frame,
                memory: InFlight(permit),
            })
            .await
            .map_err(|_| Error::cancelled())
    }
}
