//! The definitions of a snapshot, read before a restore touches its target.

use super::read::FrameReader;
use crate::{Error, Index, Result, Stage};

/// What is replayed as it is written: everything but rows. Each text with the item that it belongs to.
#[derive(Debug, Default)]
pub(super) struct Texts {
    /// Before the data.
    pub(super) before: Vec<(u32, String)>,
    /// Of the data stage: values of sequences.
    pub(super) values: Vec<(u32, String)>,
    /// After the data.
    pub(super) after: Vec<(u32, String)>,
}

impl Texts {
    /// Those of `items`, in their order.
    pub(super) async fn read(index: &Index, frames: &FrameReader, items: &[u32]) -> Result<Self> {
        let mut texts = Self::default();
        let mut open: Option<(u32, Vec<u8>)> = None;
        // In the order of the stream, so that each frame is read once.
        let mut places: Vec<_> = (items.iter())
            .filter_map(|&id| Some((index.items[id as usize].place?, id)))
            .collect();
        places.sort_by_key(|(place, _)| (place.frame, place.offset));
        for (place, id) in places {
            let block = match &open {
                Some((frame, block)) if *frame == place.frame => block,
                _ => {
                    let block = frames.one(&index.frames[place.frame as usize]).await?;
                    &open.insert((place.frame, block)).1
                }
            };
            // The index was checked: every place lies in its frame.
            let text = &block[place.offset as usize..(place.offset + place.length) as usize];
            let text = std::str::from_utf8(text)
                .map_err(|cause| Error::corrupt("a definition is not UTF-8").source(cause))?;
            let list = match index.items[id as usize].stage {
                Stage::PreData => &mut texts.before,
                Stage::Data => &mut texts.values,
                Stage::PostData => &mut texts.after,
            };
            list.push((id, text.to_owned()));
        }
        for list in [&mut texts.before, &mut texts.values, &mut texts.after] {
            list.sort_by_key(|(id, _)| *id);
        }
        Ok(texts)
    }
}
