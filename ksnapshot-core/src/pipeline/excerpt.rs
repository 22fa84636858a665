//! A snapshot, or some tables of it, as the text that restores it.

use std::collections::VecDeque;
use std::sync::Arc;

use super::read::{FrameReader, runs};
use super::selection::Selection;
use super::texts::OpenFrame;
use crate::{Aspect, Frame, Index, Place, Result, Stage};

/// The text, piece by piece, in the order of restoring. Every piece has been checked against the index.
#[derive(Debug)]
pub struct Excerpt {
    index: Arc<Index>,
    frames: FrameReader,
    todo: VecDeque<Piece>,
    ready: VecDeque<Vec<u8>>,
    open: OpenFrame,
}

#[derive(Debug)]
enum Piece {
    Run(Vec<Frame>),
    Text(Place),
}

impl Excerpt {
    /// The whole data, byte for byte.
    pub fn whole(index: &Arc<Index>, frames: FrameReader) -> Self {
        let all = 0..u32::try_from(index.frames.len()).unwrap_or(u32::MAX);
        let todo = runs(&index.frames, all)
            .into_iter()
            .map(Piece::Run)
            .collect();
        Self {
            index: Arc::clone(index),
            open: OpenFrame::new(frames.clone()),
            frames,
            todo,
            ready: VecDeque::new(),
        }
    }

    /// Only what was chosen, and the settings under which it is replayed.
    pub fn of(index: &Arc<Index>, frames: FrameReader, selection: &Selection) -> Self {
        let rows = index.data_frames();
        let mut todo = VecDeque::new();
        for stage in [Stage::PreData, Stage::Data, Stage::PostData] {
            let chosen = |id: &u32| selection.items.binary_search(id).is_ok();
            let mut texts: Vec<Place> = index
                .items
                .iter()
                .filter(|i| i.stage == stage && (chosen(&i.id) || i.aspect == Aspect::Setting))
                .filter_map(|i| i.place)
                .collect();
            texts.sort_by_key(|p| (p.frame, p.offset));
            if stage == Stage::Data {
                let wanted = selection
                    .items
                    .iter()
                    .filter_map(|id| rows.get(id))
                    .flatten()
                    .copied();
                todo.extend(runs(&index.frames, wanted).into_iter().map(Piece::Run));
            }
            todo.extend(texts.into_iter().map(Piece::Text));
        }
        Self {
            index: Arc::clone(index),
            open: OpenFrame::new(frames.clone()),
            frames,
            todo,
            ready: VecDeque::new(),
        }
    }

    /// The next piece; none at the end.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>> {
        loop {
            if let Some(text) = self.ready.pop_front() {
                return Ok(Some(text));
            }
            match self.todo.pop_front() {
                None => return Ok(None),
                Some(Piece::Run(run)) => self.ready.extend(self.frames.run(&run).await?),
                Some(Piece::Text(place)) => {
                    let text = self.open.text(&self.index, place).await?;
                    return Ok(Some(text.to_vec()));
                }
            }
        }
    }
}
