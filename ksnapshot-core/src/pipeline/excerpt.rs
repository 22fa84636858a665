//! A snapshot, or some tables of it, as the text that restores it.

use std::collections::VecDeque;
use std::sync::Arc;

use super::read::{FrameReader, Snapshot, runs};
use super::replay::RestoreRequest;
use super::selection::{Selection, select};
use super::texts::OpenFrame;
use crate::layout::Form;
use crate::{Aspect, Decryptor, Frame, Index, Place, Result, Stage};

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
    /// What `request` asks for: the whole data byte for byte, or only some tables; of JSON lines always the documents alone.
    ///
    /// Errors: as of [`super::restore`] before the target is touched.
    pub async fn open(
        snapshot: &Snapshot,
        decryptor: Option<&Arc<dyn Decryptor>>,
        request: &RestoreRequest,
    ) -> Result<Self> {
        snapshot.check_objects().await?;
        let index = Arc::new(snapshot.index(decryptor).await?);
        let frames = snapshot.frames(decryptor).await?;
        let mut names = snapshot.manifest.data().map(|o| o.name.as_str());
        Ok(if names.any(|name| Form::of(name) == Form::JsonLines) {
            Self::rows(&index, frames, &select(&index, request)?)
        } else if request.tables.is_empty() {
            Self::whole(&index, frames)
        } else {
            Self::of(&index, frames, &select(&index, request)?)
        })
    }

    /// Bytes of text, if all frames are read to their ends.
    pub(super) fn size(&self) -> u64 {
        let size = |piece: &Piece| match piece {
            Piece::Run(run) => run.iter().map(|f| u64::from(f.plain)).sum(),
            Piece::Text(place) => u64::from(place.length),
        };
        self.todo.iter().map(size).sum()
    }

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

    /// Only the rows of what was chosen.
    pub fn rows(index: &Arc<Index>, frames: FrameReader, selection: &Selection) -> Self {
        let rows = index.data_frames();
        let wanted = (selection.items.iter())
            .filter_map(|id| rows.get(id))
            .flatten();
        Self {
            index: Arc::clone(index),
            open: OpenFrame::new(frames.clone()),
            frames,
            todo: (runs(&index.frames, wanted.copied()).into_iter())
                .map(Piece::Run)
                .collect(),
            ready: VecDeque::new(),
        }
    }

    /// Only what was chosen, and the settings under which it is replayed.
    pub fn of(index: &Arc<Index>, frames: FrameReader, selection: &Selection) -> Self {
        let rows = index.data_frames();
        let stream = |frame: u32| frames.stream_of(index.frames[frame as usize].object);
        let chosen = |id: &u32| selection.items.binary_search(id).is_ok();
        let texts = |of: u32, stage: Stage| {
            let mut texts: Vec<(Place, bool)> = (index.items.iter())
                .filter(|i| i.stage == stage && (chosen(&i.id) || i.aspect == Aspect::Setting))
                .filter_map(|i| Some((i.place?, i.aspect == Aspect::Setting)))
                .filter(|(place, _)| stream(place.frame) == of)
                .collect();
            texts.sort_by_key(|(place, _)| (place.frame, place.offset));
            texts
        };
        let mut todo = VecDeque::new();
        // Each stream has settings of its own, which hold for what follows them there, in one object or in several.
        for number in 0..=index.frames.iter().map(|f| f.object).max().unwrap_or(0) {
            let mut pieces = VecDeque::new();
            let mut holds_more = false;
            for stage in [Stage::PreData, Stage::Data, Stage::PostData] {
                if stage == Stage::Data {
                    let wanted = (selection.items.iter())
                        .filter_map(|id| rows.get(id))
                        .flatten()
                        .copied()
                        .filter(|&frame| stream(frame) == number);
                    let runs = runs(&index.frames, wanted);
                    holds_more |= !runs.is_empty();
                    pieces.extend(runs.into_iter().map(Piece::Run));
                }
                let texts = texts(number, stage);
                holds_more |= texts.iter().any(|(_, setting)| !setting);
                pieces.extend(texts.into_iter().map(|(place, _)| Piece::Text(place)));
            }
            if holds_more {
                todo.extend(pieces);
            }
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
