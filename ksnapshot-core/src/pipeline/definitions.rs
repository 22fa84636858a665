//! Packs the texts of definitions into blocks. Pure.

use super::upload::Block;
use crate::{Result, RowHash, Stage};

/// Groups texts, in order, into blocks of about `size` bytes; a text is never split.
pub(super) fn pack<'a>(
    stage: Stage,
    texts: impl IntoIterator<Item = (u32, &'a str)>,
    size: usize,
) -> Result<Vec<Block>> {
    let mut blocks: Vec<Block> = Vec::new();
    for (item, text) in texts {
        if blocks
            .last()
            .is_none_or(|b| !b.text.is_empty() && b.text.len() + text.len() > size)
        {
            blocks.push(Block {
                stage,
                item: None,
                places: Vec::new(),
                text: Vec::new(),
                rows: 0,
                hash: RowHash::default(),
            });
        }
        let block = blocks.last_mut().expect("one was pushed");
        block.places.push((
            item,
            super::upload::fits(block.text.len())?,
            super::upload::fits(text.len())?,
        ));
        block.text.extend_from_slice(text.as_bytes());
    }
    Ok(blocks)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_text_is_whole_where_its_place_says(texts in proptest::collection::vec(".{1,40}", 0..40), size in 1usize..200) {
            let numbered = texts.iter().enumerate().map(|(i, t)| (i as u32, t.as_str()));
            let blocks = pack(Stage::PreData, numbered, size).expect("small");
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
