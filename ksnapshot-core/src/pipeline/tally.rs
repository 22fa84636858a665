//! What a target refuses, and what has to be left out because of it.

use std::collections::BTreeSet;

use crate::{Aspect, Cx, ErrorKind, Event, Index, Item, Problem, ProblemKind, Result};

/// What went wrong so far, and which items must be left out because of it.
pub(super) struct Tally {
    pub(super) problems: Vec<Problem>,
    pub(super) failed: BTreeSet<u32>,
    pub(super) existing: BTreeSet<u32>,
    pub(super) prerequisites: BTreeSet<u32>,
    /// Items whose problem is among [`problems`](Self::problems) since before anything was written.
    pub(super) told: BTreeSet<u32>,
}

impl Tally {
    /// Whether `item` needs something that is not there; lists it if so.
    pub(super) fn leaves_out(&mut self, item: &Item, index: &Index, cx: &Cx) -> bool {
        if item.aspect != Aspect::Definition
            && item.depends.iter().any(|d| self.existing.contains(d))
        {
            // Owner, grants and comment of what was there before are not ours to change.
            return true;
        }
        let Some(needed) = item.depends.iter().find(|d| self.failed.contains(d)) else {
            return false;
        };
        self.failed.insert(item.id);
        let needed = index.items[*needed as usize].title();
        self.list(
            item,
            ProblemKind::Skipped,
            format!("needs {needed}, which the target does not have"),
            None,
            cx,
        );
        true
    }

    /// How many were refused or left out so far.
    pub(super) fn refusals(&self) -> usize {
        self.problems.len()
    }

    pub(super) fn settle(&mut self, item: &Item, done: Result<()>, cx: &Cx) -> Result<()> {
        let Err(error) = done else { return Ok(()) };
        match error.kind() {
            // What a chosen table needs may be there already; the table itself may not.
            ErrorKind::AlreadyExists if self.prerequisites.contains(&item.id) => {
                self.existing.insert(item.id);
                Ok(())
            }
            ErrorKind::Refused | ErrorKind::AlreadyExists => {
                if item.aspect == Aspect::Definition {
                    self.failed.insert(item.id);
                }
                let hint = error.advice().map(ToOwned::to_owned);
                self.list(item, ProblemKind::Refused, format!("{error:#}"), hint, cx);
                Ok(())
            }
            _ => Err(error.context(item.title())),
        }
    }

    fn list(
        &mut self,
        item: &Item,
        kind: ProblemKind,
        message: String,
        hint: Option<String>,
        cx: &Cx,
    ) {
        if !self.told.insert(item.id) {
            return;
        }
        let object = match item.aspect {
            Aspect::Owner => format!("owner of {}", item.title()),
            Aspect::Acl => format!("grants of {}", item.title()),
            Aspect::Comment => format!("comment of {}", item.title()),
            Aspect::SecurityLabel => format!("security label of {}", item.title()),
            Aspect::Definition | Aspect::Data | Aspect::Setting => item.title(),
        };
        let problem = Problem {
            kind,
            object,
            message,
            hint,
        };
        cx.emit(&Event::Problem(&problem));
        self.problems.push(problem);
    }
}
