//! What was looked up, and when it is looked up again.
//!
//! Secrets are not watched, because that takes the right to list all of them. They are read again each minute, a large number
//! more slowly, and in any case shortly before a run that uses them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::discover::{Discovery, Outcome};
use crate::world::{Found, Lookup};

/// What can't be read is tried again after this.
const AGAIN: SignedDuration = SignedDuration::from_secs(15);
/// What can be read is read again after this, at the earliest.
const FRESH: SignedDuration = SignedDuration::from_secs(60);
/// All together, one read in so many seconds: an idle cluster costs almost nothing.
const PACE: Duration = Duration::from_secs(4);
/// So long before a run its credentials are read again.
const BEFORE_A_RUN: SignedDuration = SignedDuration::from_secs(120);

/// When each lookup was read.
#[derive(Debug, Default)]
pub(crate) struct Lookups {
    read: BTreeMap<Lookup, Timestamp>,
}

impl Lookups {
    /// Remembers that something was read.
    pub(crate) fn note(&mut self, lookup: &Lookup, now: Timestamp) {
        self.read.insert(lookup.clone(), now);
    }

    /// What nobody asks for any more is forgotten, its value with it.
    pub(crate) fn forget_others(
        &mut self,
        asked: &BTreeSet<Lookup>,
        known: &mut BTreeMap<Lookup, Found>,
    ) {
        self.read.retain(|lookup, _| asked.contains(lookup));
        known.retain(|lookup, _| asked.contains(lookup));
    }

    /// What is to be read again now.
    pub(crate) fn due(
        &self,
        known: &BTreeMap<Lookup, Found>,
        discovery: &Discovery,
        now: Timestamp,
    ) -> Vec<Lookup> {
        let soon = runs_soon(discovery, now);
        let readable = known
            .keys()
            .filter(|l| matches!(l, Lookup::Secret { .. } | Lookup::ConfigMap { .. }))
            .count();
        let fresh = FRESH.max(paced(readable));
        let unreadable = known.values().filter(|found| !is_good(found)).count();
        let again = AGAIN.max(paced(unreadable));
        let due = known.iter().filter(|(lookup, found)| {
            let age = self
                .read
                .get(lookup)
                .map_or(SignedDuration::MAX, |at| now.duration_since(*at));
            match lookup {
                _ if !is_good(found) => age > again,
                // Its owner never changes.
                Lookup::ReplicaSet { .. } => false,
                _ => age > fresh || (soon.contains(lookup) && age > BEFORE_A_RUN),
            }
        });
        due.map(|(lookup, _)| lookup.clone()).collect()
    }
}

fn is_good(found: &Found) -> bool {
    !matches!(found, Found::Missing | Found::Forbidden | Found::Failed(_))
}

fn paced(count: usize) -> SignedDuration {
    let count = u32::try_from(count).unwrap_or(u32::MAX);
    SignedDuration::try_from(PACE.saturating_mul(count)).unwrap_or(SignedDuration::MAX)
}

/// What the runs of the next two minutes log in with.
fn runs_soon(discovery: &Discovery, now: Timestamp) -> BTreeSet<&Lookup> {
    let soon = discovery
        .findings
        .iter()
        .filter(|finding| match &finding.outcome {
            Outcome::Wanted(wanted) => {
                let next = wanted.request.schedule.next_after(now);
                next.duration_since(now) < BEFORE_A_RUN
            }
            _ => false,
        });
    soon.flat_map(|finding| &finding.lookups).collect()
}
