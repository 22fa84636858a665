//! The definitions of a snapshot, read before a restore touches its target.

use super::read::FrameReader;
use crate::{Error, Index, Place, Result, Stage, Text};

/// What is replayed as it is written: everything but rows. Each text with the item that it belongs to.
#[derive(Debug, Default)]
pub(super) struct Texts {
    /// Before the data.
    pub(super) before: Vec<(u32, Text)>,
    /// Of the data stage: values of sequences.
    pub(super) values: Vec<(u32, Text)>,
    /// After the data.
    pub(super) after: Vec<(u32, Text)>,
}

impl Texts {
    /// Those of `items`, in their order.
    pub(super) async fn read(index: &Index, frames: &FrameReader, items: &[u32]) -> Result<Self> {
        let mut texts = Self::default();
        let mut open = OpenFrame::new(frames.clone());
        // In the order of the stream, so that each frame is read once.
        let mut places: Vec<_> = (items.iter())
            .filter_map(|&id| Some((index.items[id as usize].place?, id)))
            .collect();
        places.sort_by_key(|(place, _)| (place.frame, place.offset));
        for (place, id) in places {
            let text = open.text(index, place).await?;
            let text = std::str::from_utf8(text)
                .map_err(|cause| Error::corrupt("a definition is not UTF-8").source(cause))?;
            let list = match index.items[id as usize].stage {
                Stage::PreData => &mut texts.before,
                Stage::Data => &mut texts.values,
                Stage::PostData => &mut texts.after,
            };
            list.push((id, text.into()));
        }
        for list in [&mut texts.before, &mut texts.values, &mut texts.after] {
            list.sort_by_key(|(id, _)| *id);
        }
        Ok(texts)
    }
}

/// Reads texts out of frames, and keeps the last frame: many texts lie in one.
#[derive(Debug)]
pub(super) struct OpenFrame {
    frames: FrameReader,
    last: Option<(u32, Vec<u8>)>,
}

impl OpenFrame {
    pub(super) fn new(frames: FrameReader) -> Self {
        Self { frames, last: None }
    }

    /// The text at `place`. The index was checked: every place lies in its frame.
    pub(super) async fn text(&mut self, index: &Index, place: Place) -> Result<&[u8]> {
        if self
            .last
            .as_ref()
            .is_none_or(|(frame, _)| *frame != place.frame)
        {
            let block = self.frames.one(&index.frames[place.frame as usize]).await?;
            self.last = Some((place.frame, block));
        }
        let block = self.last.as_ref().map_or(&[][..], |(_, block)| block);
        Ok(&block[place.offset as usize..(place.offset + place.length) as usize])
    }
}
