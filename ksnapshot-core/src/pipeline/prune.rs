//! Removing: snapshots that no rule names, and what killed dumps left. [`prune_plan`] only looks, [`prune`] only does what a plan
//! says: a dry run is the plan alone.
//!
//! Nothing is locked, since there is nothing that two of us could spoil for each other:
//!
//! - A snapshot exists when, and only when, its manifest does, and the manifest goes first. Whatever ends a removal in the middle
//!   leaves objects without a manifest, which the next sweep removes: never a manifest without its objects.
//! - A dump writes names that nobody had before. A plan names only what was there when it was made, so that it can't remove a
//!   snapshot that was finished meanwhile; that one could only have made others superfluous, not needed.
//! - Two removals at once may remove the same things, which is success for both. Each leaves the newest complete snapshot of a
//!   series that it saw, and of two such the newer one is in the plan of neither.
//! - What a dump under way has written so far has no manifest yet. Only its age tells it from what a killed one left: hence the
//!   48 hours, to be raised where a dump lasts longer. They are asked about again just before anything is swept.
//! - Who reads a snapshot while it is removed gets an error, not other data.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::TryStreamExt;
use jiff::{SignedDuration, Timestamp};

use super::orphans::{Claims, forgotten, orphans};
use super::read::{Listed, manifests};
use crate::layout::MANIFEST_SUFFIX;
use crate::retention::{self, Decision, MaxDelete, Rules, Taken};
use crate::{Cx, Error, ErrorKind, Key, Manifest, ObjectInfo, Result, Storage, Unfinished};

/// Snapshots that are removed at once: first all their manifests, then all their objects. A store deletes many by one request.
const AT_ONCE: usize = 100;

/// What to remove.
#[derive(Debug, Clone)]
pub struct PruneRequest {
    /// What stays.
    pub rules: Rules,
    /// How much of one series may go.
    pub max_delete: MaxDelete,
    /// Only series of this name.
    pub name: Option<String>,
    /// Only series of this database.
    pub database: Option<String>,
    /// How long what belongs to no snapshot must have been left alone before it is swept: longer than any dump lasts. Nothing is
    /// swept where only some series are looked at: others may have other ideas of what is long.
    pub orphans_after: Duration,
    /// The time by which all of that is judged.
    pub now: Timestamp,
}

/// A snapshot and what becomes of it.
#[derive(Debug)]
pub struct Judged {
    key: Key,
    /// What it says of itself.
    pub manifest: Manifest,
    /// Whether it stays, and why.
    pub decision: Decision,
    /// What goes with it.
    objects: Vec<Key>,
}

/// What is there, and what becomes of it.
#[derive(Debug)]
pub struct PrunePlan {
    /// Every snapshot that was looked at: by series, the oldest first.
    pub snapshots: Vec<Judged>,
    /// Why some snapshots can't be read: their manifest, or an object that is missing. They stay, with all that might be theirs, and
    /// count for nothing: what can't be restored must not push out what can.
    pub unreadable: Vec<Error>,
    /// Objects that belong to no snapshot, to be swept.
    pub orphans: Vec<ObjectInfo>,
    /// What was begun and never finished, to be given up.
    pub unfinished: Vec<Unfinished>,
    max_delete: MaxDelete,
    /// What was left alone since then is an orphan.
    limit: Timestamp,
}

/// What was removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PruneReport {
    /// Snapshots.
    pub snapshots: usize,
    /// Objects of no snapshot.
    pub orphans: usize,
    /// Objects that were never finished.
    pub unfinished: usize,
    /// Stored bytes of all of that, as far as the store tells.
    pub bytes: u64,
}

impl PrunePlan {
    /// Refuses a plan that removes more of a series than may go at once.
    pub fn check(&self) -> Result<()> {
        let decided = (self.snapshots.iter()).map(|s| (&s.manifest.series, &s.decision));
        retention::check(decided, self.max_delete)
    }

    /// The snapshots that go.
    fn going(&self) -> Vec<&Judged> {
        (self.snapshots.iter())
            .filter(|s| !s.decision.keeps())
            .collect()
    }

    /// What carrying it out removes, if nothing stands in its way.
    pub fn outlook(&self) -> PruneReport {
        let going = self.going();
        let stored: u64 = going.iter().map(|s| s.manifest.stored_bytes()).sum();
        PruneReport {
            snapshots: going.len(),
            orphans: self.orphans.len(),
            unfinished: self.unfinished.len(),
            bytes: stored + self.orphans.iter().map(|o| o.size).sum::<u64>(),
        }
    }
}

/// Looks at a storage and says what [`prune`] would do to it. Changes nothing.
///
/// Errors: [`ErrorKind::Usage`] without a rule, [`ErrorKind::NoSuchSnapshot`] when there is nothing to look at.
pub async fn prune_plan(
    storage: &dyn Storage,
    request: &PruneRequest,
    cx: &Cx,
) -> Result<PrunePlan> {
    request.rules.validate()?;
    let Found {
        objects,
        unfinished,
        listed,
    } = cx.guard(look(storage)).await?;

    let fits = |wanted: &Option<String>, found: &str| wanted.as_deref().is_none_or(|w| w == found);
    let is_meant = |m: &Manifest| {
        fits(&request.name, &m.series.name) && fits(&request.database, &m.series.database)
    };
    let everything = request.name.is_none() && request.database.is_none();
    let wait = SignedDuration::try_from(request.orphans_after).unwrap_or(SignedDuration::MAX);
    let limit = request.now.checked_sub(wait).unwrap_or(Timestamp::MIN);
    let (mut orphaned, mut given_up) = (Vec::new(), Vec::new());
    if everything {
        orphaned = orphans(&objects, &unfinished, &Claims::of(&listed)?, limit);
        given_up = forgotten(unfinished, limit);
    }

    let (judged, others): (Vec<Listed>, Vec<Listed>) =
        (listed.into_iter()).partition(|listed| listed.manifest.as_ref().is_ok_and(&is_meant));
    let history: Vec<Taken<'_>> = (judged.iter())
        .filter_map(|listed| listed.manifest.as_ref().ok())
        .map(Taken::from)
        .collect();
    let decisions = retention::decide(&history, &request.rules, request.now);
    // Only what a manifest of ours is alone in naming goes with it: a copy of a manifest must not be robbed.
    let staying = (judged.iter().zip(&decisions))
        .filter_map(|(listed, decision)| decision.keeps().then_some(listed));
    let claims = Claims::of(staying.chain(&others))?;
    let mut snapshots = Vec::with_capacity(judged.len());
    for (Listed { key, manifest }, decision) in judged.into_iter().zip(decisions) {
        let manifest = manifest?;
        let mut objects = Vec::new();
        if !decision.keeps() {
            for entry in &manifest.objects {
                objects.push(key.sibling(&entry.name)?);
            }
            objects.retain(|object| !claims.holds(object));
        }
        snapshots.push(Judged {
            key,
            manifest,
            decision,
            objects,
        });
    }
    // They came in the order of their age.
    snapshots.sort_by(|a, b| a.manifest.series.cmp(&b.manifest.series));
    let plan = PrunePlan {
        snapshots,
        unreadable: others
            .into_iter()
            .filter_map(|l| l.manifest.err())
            .collect(),
        orphans: orphaned,
        unfinished: given_up,
        max_delete: request.max_delete,
        limit,
    };
    if plan.snapshots.is_empty()
        && plan.unreadable.is_empty()
        && plan.outlook() == PruneReport::default()
    {
        return Err(Error::new(
            ErrorKind::NoSuchSnapshot,
            "no snapshot fits, and nothing is left of any",
        )
        .hint("See what is there with `ksnapshot list STORAGE`."));
    }
    Ok(plan)
}

/// Does what `plan` says, and nothing else.
///
/// Errors: [`ErrorKind::Failed`] when the plan removes too much at once, before anything is removed; else what the storage
/// answers. What was removed by then stays removed, and what is left of it is an orphan for the next run.
pub async fn prune(storage: &dyn Storage, plan: &PrunePlan, cx: &Cx) -> Result<PruneReport> {
    plan.check()?;
    let later =
        "What is left of removed snapshots belongs to none any more; a later prune sweeps it.";
    for batch in plan.going().chunks(AT_ONCE) {
        let manifests: Vec<Key> = batch.iter().map(|s| s.key.clone()).collect();
        cx.guard(storage.delete(&manifests))
            .await
            .map_err(|e| e.further_hint(later))?;
        let objects: Vec<Key> = (batch.iter())
            .flat_map(|s| s.objects.iter().cloned())
            .collect();
        cx.guard(storage.delete(&objects))
            .await
            .map_err(|e| e.further_hint(later))?;
    }
    let mut report = plan.outlook();
    if !plan.orphans.is_empty() {
        let still = cx.guard(still_orphans(storage, plan)).await?;
        let keys: Vec<Key> = still.iter().map(|o| o.key.clone()).collect();
        cx.guard(storage.delete(&keys)).await?;
        let bytes = |orphans: &[ObjectInfo]| orphans.iter().map(|o| o.size).sum::<u64>();
        report.orphans = still.len();
        report.bytes = report.bytes - bytes(&plan.orphans) + bytes(&still);
    }
    cx.guard(storage.abandon(&plan.unfinished)).await?;
    Ok(report)
}

/// What is in a storage.
struct Found {
    objects: Vec<ObjectInfo>,
    unfinished: Vec<Unfinished>,
    /// The manifests, but for those that went while we looked.
    listed: Vec<Listed>,
}

async fn look(storage: &dyn Storage) -> Result<Found> {
    let objects = everything(storage, None).await?;
    let unfinished = storage.unfinished().await?;
    let keys = manifest_keys(&objects).cloned().collect();
    let there = sizes(&objects);
    let mut listed = Vec::new();
    for mut found in manifests(storage, keys).await {
        if let Ok(manifest) = &found.manifest
            && is_whole(&found.key, manifest, &there).is_err()
        {
            // It may have come, or gone, while the storage was listed: a second look is of one later moment.
            let again = everything(storage, found.key.folder().as_ref()).await?;
            let there = sizes(&again);
            if !there.contains_key(&found.key) {
                continue;
            }
            if let Err(error) = is_whole(&found.key, manifest, &there) {
                found.manifest = Err(error);
            }
        }
        match found.manifest.as_ref().map_err(Error::kind) {
            Ok(_) | Err(ErrorKind::Corrupt | ErrorKind::NewerFormat) => listed.push(found),
            Err(ErrorKind::NotFound) => {}
            // Whether it can be read is not known, so nothing is.
            Err(_) => return Err(found.manifest.map(drop).expect_err("just seen")),
        }
    }
    Ok(Found {
        objects,
        unfinished,
        listed,
    })
}

fn sizes(objects: &[ObjectInfo]) -> BTreeMap<&Key, u64> {
    objects.iter().map(|o| (&o.key, o.size)).collect()
}

/// Whether every object that a manifest names is there, as long as it says.
fn is_whole(key: &Key, manifest: &Manifest, sizes: &BTreeMap<&Key, u64>) -> Result<()> {
    for entry in &manifest.objects {
        let object = key.sibling(&entry.name)?;
        if sizes.get(&object) != Some(&entry.bytes) {
            return Err(Error::corrupt(format!(
                "{object}: missing, or not as long as its manifest says"
            )));
        }
    }
    Ok(())
}

async fn everything(storage: &dyn Storage, folder: Option<&Key>) -> Result<Vec<ObjectInfo>> {
    (storage.list(folder).try_collect().await).map_err(|error: Error| match error.kind() {
        ErrorKind::NotFound => error.with_kind(ErrorKind::NoSuchSnapshot),
        _ => error,
    })
}

fn manifest_keys(objects: &[ObjectInfo]) -> impl Iterator<Item = &Key> {
    (objects.iter().map(|object| &object.key)).filter(|key| key.as_str().ends_with(MANIFEST_SUFFIX))
}

/// The plan's orphans for which nobody has come since: a dump that lasted long may just have written its manifest.
async fn still_orphans(storage: &dyn Storage, plan: &PrunePlan) -> Result<Vec<ObjectInfo>> {
    let objects = everything(storage, None).await?;
    let unfinished = storage.unfinished().await?;
    let claims = Claims::by_name(manifest_keys(&objects));
    let planned: BTreeSet<&Key> = plan.orphans.iter().map(|o| &o.key).collect();
    let mut still = orphans(&objects, &unfinished, &claims, plan.limit);
    still.retain(|object| planned.contains(&object.key));
    Ok(still)
}

#[cfg(test)]
mod tests;
