//! Definitions that run together: many small ones for one question to the target. Where they fail, each runs by itself, so that
//! a refusal still is that of one item.

use std::collections::{HashMap, VecDeque};
use std::num::NonZeroUsize;

use super::replay::Run;
use super::tally::Tally;
use crate::{Aspect, Frame, Index, Item, RestoreSession, Result, Stage, Text};

/// Bytes of text that run together.
const TEXT: usize = 64 << 10;

/// Bytes of rows of a table that is small: to build its indexes takes no longer than to ask for them.
const ROWS: u64 = 256 << 10;

/// How many run together. Where one was refused the next ones may be, too, as all owners are that the target doesn't have:
/// then few are tried, and more with each success.
#[derive(Debug)]
pub(super) struct Pace {
    most: usize,
    now: usize,
}

impl Pace {
    pub(super) fn new(most: NonZeroUsize) -> Self {
        Self {
            most: most.get(),
            now: most.get(),
        }
    }

    /// Whether so many, with so much text, leave room for another one.
    pub(super) fn has_room(&self, definitions: usize, text: usize) -> bool {
        definitions < self.now && text < TEXT
    }

    pub(super) fn settle(&mut self, was_well: bool) {
        self.now = if was_well {
            (2 * self.now).min(self.most)
        } else {
            1
        };
    }
}

/// Runs definitions in their order.
pub(super) async fn in_order(run: &Run, texts: Vec<(u32, Text)>, tally: &mut Tally) -> Result<()> {
    let mut pace = Pace::new(run.session.together());
    let mut texts = VecDeque::from(texts);
    while !texts.is_empty() {
        let (mut batch, mut size) = (Vec::new(), 0);
        while pace.has_room(batch.len(), size)
            && let Some((id, text)) = texts.pop_front()
        {
            let item = &run.index.items[id as usize];
            if item.aspect != Aspect::Setting && !tally.leaves_out(item, &run.index, &run.cx) {
                size += text.len();
                batch.push((item, text));
            }
        }
        if let [_, _, ..] = &batch[..] {
            let done = at_once(run.session.as_ref(), &batch).await?;
            pace.settle(done);
            if done {
                continue;
            }
        }
        for (item, text) in batch {
            let refused = tally.refusals();
            run.define(item.id, &text.read(), tally).await?;
            pace.settle(tally.refusals() == refused);
        }
    }
    Ok(())
}

/// Runs them for one question to the target; false: it refused one, and none is done.
pub(super) async fn at_once(session: &dyn RestoreSession, batch: &[(&Item, Text)]) -> Result<bool> {
    let texts: Vec<_> = (batch.iter())
        .map(|(item, text)| (*item, text.read()))
        .collect();
    let all: Vec<(&Item, &str)> = (texts.iter())
        .map(|(item, text)| (*item, &text[..]))
        .collect();
    session.define_together(&all).await
}

/// Which definitions are done at once, because what they are about is small.
#[derive(Debug)]
pub(super) struct Small {
    /// Bytes of rows by table, of those that have rows of their own.
    rows: HashMap<u32, u64>,
}

impl Small {
    pub(super) fn of(index: &Index, frames: &[Vec<Frame>]) -> Self {
        let mut rows = HashMap::new();
        for item in index.items.iter().filter(|item| item.stage == Stage::Data) {
            rows.extend(item.table.map(|table| (table, 0)));
        }
        for frame in frames.iter().flatten() {
            let table = frame.item.and_then(|item| index.items[item as usize].table);
            if let Some(bytes) = table.and_then(|table| rows.get_mut(&table)) {
                *bytes += u64::from(frame.plain);
            }
        }
        Self { rows }
    }

    /// A table without rows of its own may have partitions, and a view may take hours to fill.
    fn is_table(&self, table: u32) -> bool {
        self.rows.get(&table).is_some_and(|&bytes| bytes <= ROWS)
    }

    pub(super) fn is(&self, item: &Item, index: &Index) -> bool {
        if item.aspect != Aspect::Definition {
            return true;
        }
        // A foreign key is checked against the table that it refers to.
        let mut needed = item
            .depends
            .iter()
            .filter_map(|&id| index.items[id as usize].table);
        item.table.is_some_and(|table| self.is_table(table))
            && needed.all(|table| self.is_table(table))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_a_refusal_few_are_tried() {
        let mut pace = Pace::new(NonZeroUsize::new(5).expect("not zero"));
        assert!(pace.has_room(4, 0) && !pace.has_room(5, 0) && !pace.has_room(1, TEXT));
        pace.settle(false);
        let mut now = Vec::new();
        for _ in 0..5 {
            now.push(pace.now);
            pace.settle(true);
        }
        assert_eq!(now, [1, 2, 4, 5, 5]);
    }
}
