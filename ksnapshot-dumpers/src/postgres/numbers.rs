//! Numbers of items. A restore makes the script again from the catalog in the index, and another build than the one that dumped may
//! write it in another order: an item is found by what it is, not by its place.

use std::collections::{HashMap, VecDeque};

use ksnapshot_core::{Aspect, Item, Stage};

use super::ddl::Script;

/// What an item is; the same for several only if they stand for each other.
type Key<'i> = (Stage, Aspect, &'i str, Option<&'i str>, &'i str);

fn key(item: &Item) -> Key<'_> {
    let schema = item.schema.as_deref();
    (item.stage, item.aspect, &item.kind, schema, &item.name)
}

/// The script with the numbers that its items have in a snapshot. What the snapshot doesn't have goes.
pub(super) fn as_in(snapshot: &[Item], mut script: Script) -> Script {
    let mut theirs: HashMap<Key<'_>, VecDeque<u32>> = HashMap::new();
    for item in snapshot {
        theirs.entry(key(item)).or_default().push_back(item.id);
    }
    let numbers: HashMap<u32, u32> = (script.items.iter())
        .filter_map(|item| Some((item.id, theirs.get_mut(&key(item))?.pop_front()?)))
        .collect();
    let number = |id: &mut u32| match numbers.get(id) {
        Some(&found) => {
            *id = found;
            true
        }
        None => false,
    };
    let shared =
        (script.items.iter().take(script.globals)).filter_map(|item| numbers.get(&item.id));
    script.globals = shared.max().map_or(0, |&last| last as usize + 1);
    script.renumber(number);
    script.drops.sort_by_key(|(id, _)| *id);
    script
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::postgres::ddl::{TableData, item};

    #[test]
    fn items_are_found_by_what_they_are() {
        let (before, data) = (Stage::PreData, Stage::Data);
        let (definition, rows) = (Aspect::Definition, Aspect::Data);
        let ours = |id, name: &str| TableData {
            item: id,
            ..TableData::plain(name, &[])
        };
        let script = Script {
            items: vec![
                item(0, before, definition, "shared"),
                item(1, before, definition, "a"),
                item(2, before, definition, "b"),
                item(3, data, rows, "a"),
                item(4, data, rows, "b"),
                item(5, data, rows, "new"),
            ],
            globals: 1,
            drops: vec![(1, "drop a".into()), (2, "drop b".into())],
            tables: vec![ours(3, "s.a"), ours(4, "s.b"), ours(5, "s.new")],
            ..Script::default()
        };
        let snapshot = [
            item(0, before, definition, "old"),
            item(1, before, definition, "shared"),
            item(2, before, definition, "b"),
            item(3, before, definition, "a"),
            item(4, data, rows, "b"),
            item(5, data, rows, "a"),
        ];
        let script = as_in(&snapshot, script);
        let tables: Vec<(u32, &str)> = (script.tables.iter())
            .map(|table| (table.item, &table.name[..]))
            .collect();
        assert_eq!(tables, [(5, "s.a"), (4, "s.b")]);
        assert_eq!(script.drops, [(2, "drop b".into()), (3, "drop a".into())]);
        assert_eq!(script.globals, 2);
    }
}
