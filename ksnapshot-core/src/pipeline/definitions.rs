//! Packs the texts of definitions into blocks. Pure.

use super::upload::Block;
use crate::{Result, RowHash, Stage};

/// Groups texts, in order, into blocks of about `size` bytes; a text is never split.
#[derive(Debug)]
pub(super) struct Packer {
    stage: Stage,
    size: usize,
    open: Block,
}

impl Packer {
    pub(super) fn new(stage: Stage, size: usize) -> Self {
        Self {
            stage,
            size,
            open: empty(stage),
        }
    }

    /// Takes the next text. Gives the block before it, if there is no room for it in that.
    pub(super) fn add(&mut self, item: u32, text: &str) -> Result<Option<Block>> {
        let before = self.open.text.len();
        let full = (before > 0 && before + text.len() > self.size)
            .then(|| std::mem::replace(&mut self.open, empty(self.stage)));
        let block = &mut self.open;
        block.places.push((
            item,
            super::upload::fits(block.text.len())?,
            super::upload::fits(text.len())?,
        ));
        block.text.extend_from_slice(text.as_bytes());
        Ok(full)
    }

    /// The last block.
    pub(super) fn rest(self) -> Option<Block> {
        (!self.open.places.is_empty()).then_some(self.open)
    }
}

fn empty(stage: Stage) -> Block {
    Block {
        stage,
        item: None,
        places: Vec::new(),
        text: Vec::new(),
        rows: 0,
        hash: RowHash::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_text_is_whole_where_its_place_says(texts in proptest::collection::vec(".{1,40}", 0..40), size in 1usize..200) {
            let mut packer = Packer::new(Stage::PreData, size);
            let mut blocks = Vec::new();
            for (item, text) in texts.iter().enumerate() {
                blocks.extend(packer.add(item as u32, text).expect("small"));
            }
            blocks.extend(packer.rest());
            let mut found = Vec::new();
            for block in &blocks {
                prop_assert!(block.text.len() <= size || block.places.len() == 1);
                for &(item, offset, length) in &block.places {
                    let text = &block.text[offset as usize..(offset + length) as usize];
                    prop_assert_eq!(text, texts[item as usize].as_bytes());
                    found.push(item);
                }
            }
            prop_assert_eq!(found, (0..texts.len() as u32).collect::<Vec<_>>());
            let whole: Vec<u8> = blocks.iter().flat_map(|b| b.text.iter().copied()).collect();
            prop_assert_eq!(whole, texts.concat().into_bytes());
        }
    }
}
