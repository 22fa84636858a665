//! What of a snapshot is restored. Pure.

use std::collections::BTreeSet;

use super::replay::RestoreRequest;
use crate::pattern::Letters;
use crate::{Aspect, Error, ErrorKind, Index, Item, Problem, ProblemKind, Result, Stage};

/// Items to restore, in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// Items to restore.
    pub items: Vec<u32>,
    /// Those of them that were not asked for but are needed by what was: they may exist on the target.
    pub prerequisites: BTreeSet<u32>,
    /// What was asked for and can't be had.
    pub problems: Vec<Problem>,
}

/// Chooses the items that `request` means.
///
/// A chosen table brings what belongs to it (rows, owned sequences, indexes, constraints, triggers, grants), its
/// partitions, and the types, functions, sequences, schemas and extensions that it needs. What of it needs
/// a table that was not chosen, as a foreign key does, is a problem.
///
/// Errors: [`ErrorKind::Usage`] when a pattern means no table of the snapshot.
pub fn select(index: &Index, request: &RestoreRequest) -> Result<Selection> {
    let mut selection = if request.tables.is_empty() {
        everything(index)
    } else {
        some_tables(index, request)?
    };
    selection
        .items
        .retain(|&id| match index.items[id as usize].aspect {
            Aspect::Owner => !request.no_owner,
            Aspect::Acl => !request.no_privileges,
            _ => true,
        });
    if request.options.data_only {
        (selection.items).retain(|&id| index.items[id as usize].aspect == Aspect::Data);
        selection.prerequisites.clear();
        selection.problems.clear();
    }
    Ok(selection)
}

fn everything(index: &Index) -> Selection {
    Selection {
        items: index.items.iter().map(|i| i.id).collect(),
        ..Selection::default()
    }
}

/// Whether the item is the definition of something that has rows or columns and that a pattern may mean; in a snapshot of rows
/// alone, the rows.
fn is_table(item: &Item) -> bool {
    item.table == Some(item.id)
}

fn some_tables(index: &Index, request: &RestoreRequest) -> Result<Selection> {
    let mut chosen: BTreeSet<u32> = BTreeSet::new();
    let letters = Letters::of(&index.catalog.kind);
    for pattern in &request.tables {
        let means =
            |i: &&Item| is_table(i) && pattern.matches(letters, i.schema.as_deref(), &i.name);
        let found: Vec<u32> = index.items.iter().filter(means).map(|i| i.id).collect();
        if found.is_empty() {
            return Err(Error::new(
                ErrorKind::Usage,
                format!("table {}: not in the snapshot", pattern.as_str()),
            )
            .hint("See its tables with `ksnapshot inspect STORAGE#ID --identity FILE`."));
        }
        chosen.extend(found);
    }
    // A partition is a piece of its parent, so it comes with it. A child by inheritance is a table of its own.
    loop {
        let children: Vec<u32> = index
            .items
            .iter()
            .filter(|i| i.kind == "partition" && i.depends.iter().any(|d| chosen.contains(d)))
            .filter_map(|i| i.table)
            .filter(|t| !chosen.contains(t))
            .collect();
        if children.is_empty() {
            break;
        }
        chosen.extend(children);
    }

    let mut selection = Selection::default();
    let mut taken: BTreeSet<u32> = BTreeSet::new();
    let belongs = |item: &Item| item.table.is_some_and(|t| chosen.contains(&t));
    for item in index.items.iter().filter(|i| belongs(i)) {
        let absent = item
            .depends
            .iter()
            .map(|&d| &index.items[d as usize])
            .find(|d| is_table(d) && !chosen.contains(&d.id));
        match absent {
            Some(absent) if !is_table(item) => selection.problems.push(Problem {
                kind: ProblemKind::Skipped,
                object: item.title(),
                message: format!("needs {}, which was not chosen", absent.title()),
                hint: Some("Choose both tables, or add it by hand.".into()),
            }),
            _ => {
                taken.insert(item.id);
            }
        }
    }
    // What the chosen need, and what that needs, as long as it comes before the data and is no table itself.
    let mut todo: Vec<u32> = taken.iter().copied().collect();
    while let Some(id) = todo.pop() {
        for &needed in &index.items[id as usize].depends {
            let item = &index.items[needed as usize];
            if item.stage == Stage::PreData && item.table.is_none() && taken.insert(needed) {
                selection.prerequisites.insert(needed);
                todo.push(needed);
            }
        }
    }
    // Owner, grants and comment of what is made for them; left alone when it exists already.
    for item in &index.items {
        let on_prerequisite = item
            .depends
            .iter()
            .any(|d| selection.prerequisites.contains(d));
        if item.table.is_none()
            && item.aspect != Aspect::Definition
            && item.stage != Stage::Data
            && on_prerequisite
        {
            taken.insert(item.id);
        }
    }
    selection.items = taken.into_iter().collect();
    Ok(selection)
}
